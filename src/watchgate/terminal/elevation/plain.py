"""Lines that hold nothing but programs and their arguments, taken apart with certainty.

Stricter than the shells' grammars, on purpose: a line is plain when bash, zsh, fish and POSIX sh all take it
for the same commands, and none of them runs anything that does not stand in it. Everything else is None. What
a line *may* do is the business of the rules; here it must be sure that nothing else can happen.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LONGEST = 4096

_BLANK = " \t"
_NEVER = frozenset("`(){}&")
"""Substitutions, groups, functions, background."""

_UNKNOWN_FIRST = "~="
"""At a word's start: a home directory; in zsh where a program is."""

_SPECIAL = "?$#@*-0123456789"


class _NotPlainError(Exception):
    """The line is more than programs and arguments."""


@dataclass(frozen=True, slots=True)
class Word:
    """One argument; *known* says whether *text* is all that the shell makes of it."""

    text: str
    known: bool = True


@dataclass(frozen=True, slots=True)
class Plain:
    """One command of a line."""

    words: tuple[Word, ...]
    joint: str = ""
    """What stands before it: `|`, `&&`, `||`, `;`; nothing before the first."""
    writes: tuple[Word, ...] = ()
    """Files that its output is sent to."""


def commands(line: str) -> tuple[Plain, ...] | None:
    """The commands of a plain line; None when it is not plain, or empty."""
    text = line.strip(" \t\r\n")
    if not text or len(text) > LONGEST or text.startswith("^"):
        return None
    try:
        return _Splitter(text).split()
    except _NotPlainError:
        return None


@dataclass(slots=True)
class _Splitter:
    """Goes through a line once."""

    text: str
    at: int = 0
    found: list[Plain] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    writes: list[Word] = field(default_factory=list)
    joint: str = ""

    def split(self) -> tuple[Plain, ...]:
        while self._blank():
            char = self._peek()
            if char in "|&;":
                self._end(self._operator())
            elif char in "<>":
                self._redirect()
            else:
                self._word_or_number()
        if self.words or self.joint != ";":
            self._end("")
        return tuple(self.found)

    def _blank(self) -> bool:
        """Skip blanks; whether anything is left."""
        while self._peek() in _BLANK and self.at < len(self.text):
            self.at += 1
        return self.at < len(self.text)

    def _peek(self, ahead: int = 0) -> str:
        return self.text[self.at + ahead : self.at + ahead + 1]

    def _take(self) -> str:
        char = self._peek()
        if not char or char < " " or char == "\x7f":
            raise _NotPlainError
        self.at += 1
        return char

    def _end(self, operator: str) -> None:
        if not self.words:
            raise _NotPlainError
        self.found.append(Plain(tuple(self.words), self.joint, tuple(self.writes)))
        self.words, self.writes, self.joint = [], [], operator

    def _operator(self) -> str:
        for operator in ("||", "&&", "|", ";"):
            if self.text.startswith(operator, self.at):
                self.at += len(operator)
                if self._peek() and self._peek() in "|&;":
                    raise _NotPlainError
                return operator
        raise _NotPlainError

    def _redirect(self) -> None:
        """`<`, `>`, `>>` and a file, or `>&` and a number."""
        direction = self._take()
        if direction == ">" and self._peek() == ">":
            self._take()
        if self._peek() == "&":
            self._take()
            if not self._take().isdigit():
                raise _NotPlainError
            return
        if self._peek() and self._peek() in "<>|":
            raise _NotPlainError
        if not self._blank():
            raise _NotPlainError
        target = self._word()
        if direction == ">":
            self.writes.append(target)

    def _word_or_number(self) -> None:
        start = self.at
        word = self._word()
        is_number = word.known and word.text.isdigit() and self.text[start : self.at] == word.text
        if not (is_number and self._peek() and self._peek() in "<>"):
            self.words.append(word)

    def _word(self) -> Word:
        text, known, start = [], True, self.at
        if self._peek() in _UNKNOWN_FIRST:
            known = False
        elif self._peek() == "#":
            raise _NotPlainError
        while (char := self._peek()) and char not in " \t|&;<>":
            if char in _NEVER:
                raise _NotPlainError
            part, sure = self._part()
            text.append(part)
            known = known and sure
        if self.at == start:
            raise _NotPlainError
        return Word("".join(text), known)

    def _part(self) -> tuple[str, bool]:
        char = self._take()
        match char:
            case "'":
                return self._single(), True
            case '"':
                return self._double()
            case "\\":
                return self._take(), True
            case "$":
                return self._variable(), False
            case "!":
                self._no_history("")
                return char, True
            case "*" | "?" | "[" | "]" | "^" | "%":
                # A glob; `^` and `%` are more than themselves somewhere.
                return char, False
            case _:
                return char, True

    def _single(self) -> str:
        """Between single quotes; fish knows escapes there, so a backslash is not plain."""
        text = []
        while (char := self._take()) != "'":
            if char == "\\":
                raise _NotPlainError
            text.append(char)
        return "".join(text)

    def _double(self) -> tuple[str, bool]:
        text, known = [], True
        while (char := self._take()) != '"':
            if char in "`\\":
                raise _NotPlainError
            if char == "$":
                char, known = self._variable(), False
            elif char == "!":
                self._no_history('"')
            text.append(char)
        return "".join(text), known

    def _no_history(self, also: str) -> None:
        """A `!` that no shell takes for its history: a blank, the end, or `=` follows."""
        following = self._peek()
        if following and following not in _BLANK + "=" + also:
            raise _NotPlainError

    def _variable(self) -> str:
        """A plain variable, whose value is not known here: `$x`."""
        char = self._peek()
        if char and char in _SPECIAL:
            return "$" + self._take()
        name = []
        while (char := self._peek()) == "_" or char.isalnum():
            name.append(self._take())
        if not name or self._peek() in ("[", "("):
            raise _NotPlainError
        return "$" + "".join(name)
