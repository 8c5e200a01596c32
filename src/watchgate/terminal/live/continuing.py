"""Whether a shell asks for more after a line: an open quote, a here-document, a loop that is not done.

A quick look at words and quotes, right for what people type; it only says whether a line behind a prompt that asks
for more belongs to the one before. What a line means is read elsewhere.
"""

from __future__ import annotations

import re
from enum import Enum, auto

from watchgate.terminal.findings import LONGEST_COMMAND


class Open(Enum):
    """Why a command goes on."""

    QUOTE = auto()
    HEREDOC = auto()
    """What follows is data, until its delimiter."""
    BACKSLASH = auto()
    BLOCK = auto()
    """A loop, a condition, a group or a function is not ended."""
    PIPE = auto()
    """The line ends with an operator that wants a command behind it."""


_TOKEN = re.compile(
    r"(?P<comment>(?:(?<=\s)|(?<![^\n]))#[^\n]*)"
    r"|(?P<herestring><<<)"
    r"|(?P<heredoc><<-?[ \t]*(?:'(?P<single>[^'\n]*)'|\"(?P<double>[^\"\n]*)\"|(?P<bare>[^\s;&|()<>'\"]+)))"
    r"|(?P<ansi>\$'(?:[^'\\]|\\.)*(?P<ansi_end>')?)"
    r"|(?P<quote>'[^']*(?P<quote_end>')?)"
    r"|(?P<string>\"(?:[^\"\\]|\\.)*(?P<string_end>\")?)"
    r"|(?P<pair>\\(?:.|\n))"
    r"|(?P<backslash>\\\Z)"
    r"|(?P<operator>&&|\|\||;;|[;&|()\n])"
    r"|(?P<blank>[ \t]+)"
    r"|(?P<word>[^\s;&|()'\"\\<>]+|[<>$])",
    re.DOTALL,
)
_OPENERS = frozenset(
    ("for", "while", "until", "if", "case", "select", "{", "begin", "function", "switch")
)
_CLOSERS = frozenset(("done", "fi", "esac", "}", "end"))
_FOLLOWED = frozenset(("do", "then", "else", "elif", "!", "time", "{", "begin"))


def goes_on(text: str) -> Open | None:
    """Why the command *text* is not complete; None when it is, as far as a quick look tells."""
    return _Look().at(text[:LONGEST_COMMAND])


class _Look:
    def __init__(self) -> None:
        self._depth = 0
        self._parentheses = 0
        self._cases = 0
        self._pending: list[tuple[str, bool]] = []
        self._first = True  # a command's first word comes next
        self._asks = False  # the last thing was an operator that wants a command

    def at(self, text: str) -> Open | None:
        position = 0
        while position < len(text):
            found = _TOKEN.match(text, position)
            if found is None:
                position += 1
                continue
            position = found.end()
            kind = found.lastgroup or ""
            if found["operator"] == "\n" and self._pending:
                end = self._skip_documents(text, position)
                if end is None:
                    return Open.HEREDOC
                position = end
            why = self._token(found, kind)
            if why is not None:
                return why
        if self._pending:
            return Open.HEREDOC
        if self._depth > 0 or self._parentheses > 0:
            return Open.BLOCK
        return Open.PIPE if self._asks else None

    def _token(self, found: re.Match[str], kind: str) -> Open | None:
        if found["operator"]:
            self._operator(found["operator"])
            return None
        if found["blank"] or found["comment"] or found["pair"] == "\\\n":
            return None
        self._asks = False
        if found["word"]:
            self._word(found["word"])
        elif found["backslash"]:
            return Open.BACKSLASH
        elif found["heredoc"]:
            name = found["single"] or found["double"] or found["bare"] or ""
            self._pending.append((name.replace("\\", ""), found["heredoc"].startswith("<<-")))
        elif any(
            found[quote] and not found[f"{quote}_end"] for quote in ("ansi", "quote", "string")
        ):
            return Open.QUOTE
        else:
            self._first = False
        return None

    def _operator(self, operator: str) -> None:
        self._first = True
        if operator == "(":
            self._parentheses += 1
        elif operator == ")":
            self._parentheses -= not self._cases or self._parentheses > 0
        elif operator != "\n":
            self._asks = operator in ("&&", "||", "|")

    def _word(self, word: str) -> None:
        if not self._first:
            return
        if word in _OPENERS:
            self._depth += 1
            self._cases += word == "case"
        elif word in _CLOSERS:
            self._depth -= 1
            self._cases -= word == "esac"
        self._first = word in _FOLLOWED or word in ("if", "while", "until")

    def _skip_documents(self, text: str, position: int) -> int | None:
        """Behind the here-documents that begin at *position*; None: one is not ended."""
        while self._pending:
            name, tabs = self._pending[0]
            end = text.find("\n", position)
            line = text[position : end if end >= 0 else len(text)]
            if (line.lstrip("\t") if tabs else line) == name:
                self._pending.pop(0)
            if end < 0:
                return None if self._pending else len(text)
            position = end + 1
        return position
