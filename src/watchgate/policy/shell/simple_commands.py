"""Simple commands: their words, assignments, redirections and here-documents (bash(1), SIMPLE COMMAND GRAMMAR)."""

from __future__ import annotations

import re

from watchgate.policy.shell.lexing import Lexer
from watchgate.policy.shell.limits import MOST_REDIRECTIONS
from watchgate.policy.shell.nodes import (
    Assignment,
    Command,
    Document,
    Function,
    Literal,
    Redirection,
    Simple,
    Word,
)

_BLANKS = re.compile(r"(?:[ \t]|\\\n)+")
_COMMENT = re.compile(r"[^\n]*")
_RESERVED = re.compile(r"(?:[A-Za-z]+|[{}!]|\[\[|\]\])(?=[\s;&|()<>]|$)")
_REDIRECTION = re.compile(r"(\d+|\{[A-Za-z_]\w*\})?(&>>|&>|<<<|<<-|<<|<>|<&|>&|>>|>\||<|>)")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\[[^\]\n]*\])?(\+?)=", re.ASCII)
_DEFINITION = re.compile(r"[ \t]*\([ \t]*\)")
_CHARACTERS = frozenset("<>&{0123456789")


class SimpleCommands(Lexer):
    """The reader of what stands on one line, blanks and ends of lines included."""

    def __init__(self, text: str, dialect: str, depth: int = 0) -> None:
        super().__init__(text, dialect, depth)
        self._pending: list[Document] = []

    def _command(self) -> Command:
        raise NotImplementedError

    def _blanks(self) -> None:
        found = _BLANKS.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        if self.text.startswith("#", self.at) and not self.zsh:
            # zsh knows no comments at a prompt: there what follows a `;` behind a `#` runs.
            found = _COMMENT.match(self.text, self.at)
            self.at = found.end() if found else self.end

    def _lines(self) -> None:
        """Blanks, comments and ends of lines."""
        self._blanks()
        while self.at < self.end and self.text[self.at] == "\n":
            self._newline()
            self._blanks()

    def _newline(self) -> None:
        self.at += 1
        pending, self._pending = self._pending, []
        for document in pending:
            self._document(document)

    def _document(self, document: Document) -> None:
        """The lines of a here-document."""
        lines: list[str] = []
        while self.at < self.end:
            close = self.text.find("\n", self.at)
            close = self.end if close < 0 else close
            line = self.text[self.at : close]
            line = line.lstrip("\t") if document.tabs else line
            if line == document.delimiter:
                # The end of this line is an end of the command as well, and taken as one.
                self.at = close
                break
            lines.append(line + "\n")
            self.at = min(close + 1, self.end)
        else:
            self.damaged = True
        text = "".join(lines)
        if document.literal or not any(c in text for c in "$`\\"):
            document.body = Word((Literal(text, True),), text)
        else:
            other = self._another(text)
            document.body = other.body()
            self._joined(other)
        if self.text.startswith("\n", self.at) and not self._pending:
            self.at += 1

    def _next(self) -> str:
        """The reserved word that stands here, if one does."""
        found = _RESERVED.match(self.text, self.at)
        return found[0] if found else ""

    def _words(self) -> tuple[Word, ...]:
        """Words up to the end of the command."""
        found: list[Word] = []
        while True:
            self._blanks()
            word = self.word()
            if not word.raw:
                return tuple(found)
            found.append(word)

    def _simple(self) -> Command:
        start = self.at
        assignments: list[Assignment] = []
        words: list[Word] = []
        redirections: list[Redirection] = []
        end = start
        while self.at < self.end:
            redirection = self._redirection()
            if redirection is not None:
                redirections.append(redirection)
                if len(redirections) > MOST_REDIRECTIONS:
                    self.give_up()
            elif not words and (assignment := self._assignment()) is not None:
                assignments.append(assignment)
            else:
                word = self.word()
                if not word.raw and not self._strange_bracket(words):
                    break
                if word.raw:
                    words.append(word)
                    if len(words) == 1 and self._defines(assignments, redirections):
                        return Function(word.raw, self._command())
            end = self.at
            self._blanks()
        return Simple(tuple(assignments), tuple(words), tuple(redirections), self.text[start:end])

    def _defines(self, assignments: list[Assignment], redirections: list[Redirection]) -> bool:
        """`()` behind the first word makes it a function's name."""
        if assignments or redirections or self.fish:
            return False
        found = _DEFINITION.match(self.text, self.at)
        if found is None:
            return False
        self.at = found.end()
        self._lines()
        return True

    def _strange_bracket(self, words: list[Word]) -> bool:
        """A bracket where none may stand: bash refuses the line; the commands inside are read all the same."""
        if not words or not self.text.startswith("(", self.at):
            return False
        self.damaged = True
        return False

    def _assignment(self) -> Assignment | None:
        found = None if self.fish else _ASSIGNMENT.match(self.text, self.at)
        if found is None:
            return None
        start = self.at
        index = None
        if found[2]:
            other = self._another(found[2][1:-1])
            index = other.body()
            self._joined(other)
        self.at = found.end()
        array = self.text.startswith("(", self.at)
        values = self._array() if array else (self.word(),)
        raw = self.text[start : self.at]
        return Assignment(found[1], values, array, bool(found[3]), index, raw)

    def _array(self) -> tuple[Word, ...]:
        self.at += 1
        words: list[Word] = []
        while True:
            self._lines()
            if self.at >= self.end or self.text[self.at] == ")":
                break
            word = self.word()
            if not word.raw:
                self.damaged = True
                break
            words.append(word)
        self._take(self.at)
        return tuple(words)

    def _redirection(self) -> Redirection | None:
        text, at = self.text, self.at
        if text[at : at + 1] not in _CHARACTERS or at >= self.end:
            return None
        found = _REDIRECTION.match(text, at)
        if found is None:
            return None
        operator = found[2]
        if operator in "<>" and text.startswith("(", found.end()):
            return None
        self.at = found.end()
        if self.zsh and operator in (">", ">>") and text[self.at : self.at + 1] in ("!", "|"):
            self.at += 1
        if operator == "<&" and text.startswith("-", self.at):
            self.at += 1
            return Redirection(operator, found[1] or "", Word((), "-"), text[at : self.at])
        self._blanks()
        target = self.word()
        self.damaged |= not target.raw
        document = None
        if operator in ("<<", "<<-"):
            delimiter = "".join(p.text if isinstance(p, Literal) else p.raw for p in target.parts)
            document = Document(delimiter, literal=delimiter != target.raw, tabs=operator == "<<-")
            self._pending.append(document)
        return Redirection(operator, found[1] or "", target, text[at : self.at], document)
