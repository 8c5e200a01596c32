"""What a word expands to: its text as far as it is known, and where it may lead as a path."""

from __future__ import annotations

import re
from typing import NamedTuple

from watchgate.policy.reading import Word

_SPECIAL = re.compile(r"[\\*?\[]")

ANYTHING = "**"
"""In a path: what is not known, which may hold a `/` too."""


class Field(NamedTuple):
    """One argument, expanded."""

    text: str
    """Its value; parts that are not known as they were written; with a glob, other specials behind `\\`."""
    raw: str
    where: str
    """It as a path: literal characters behind `\\` where they are special, globs, `**` for what is unknown."""
    known: bool = True
    pattern: bool = False
    feed: str | None = None
    """What a process substitution prints, where that is known."""
    fed: bool = False
    """It is a process substitution."""
    rest: str | None = None
    """The known parts alone, where others are not known."""

    def word(self) -> Word:
        """The argument, as rules see it."""
        return Word(self.text, self.raw, self.known, self.pattern)

    @property
    def plain(self) -> bool:
        """It stands for one text, all of it known."""
        return self.known and not self.pattern


def has_glob(text: str) -> bool:
    """Whether a shell would look for files that fit *text*."""
    if "*" in text or "?" in text:
        return True
    start = text.find("[")
    return start >= 0 and text.rfind("]") > start + 1


def escaped(text: str, *, front: bool = True) -> str:
    """*text* with nothing special left in it for a glob."""
    text = _SPECIAL.sub(r"\\\g<0>", text) if _SPECIAL.search(text) else text
    return "\\" + text if front and text[:1] == "~" else text


def literal(text: str, raw: str | None = None) -> Field:
    """An argument that is known to be exactly *text*."""
    return Field(text, text if raw is None else raw, escaped(text))


def unknown(raw: str, guess: str | None = None) -> Field:
    """An argument of which nothing is known."""
    return Field(raw, raw, ANYTHING, known=False, rest=guess)


class Building:
    """A field in the making."""

    __slots__ = ("_certain", "_fed", "_feed", "_known", "_pattern", "_pieces", "quoted", "started")

    def __init__(self) -> None:
        self._pieces: list[tuple[str, str, str | None]] = []
        self._known = True
        self._pattern = False
        self._feed: str | None = None
        self._fed = False
        self.quoted = False
        """Something in it was quoted, so it is a word even when it is empty."""
        self.started = False

    def add(self, text: str, *, quoted: bool) -> None:
        """Characters whose value is known; a glob among them is alive where they are not quoted."""
        self.started = True
        self.quoted |= quoted
        if quoted or not has_glob(text):
            front = not self._pieces
            where = escaped(text, front=front) if quoted else text.replace("\\", "\\\\")
            self._pieces.append((text, where, text))
            return
        self._pattern = True
        self._pieces.append((text, text, text))

    def join(self, field: Field, *, quoted: bool) -> None:
        """The value of a variable: a field of its own."""
        if field.plain:
            self.add(field.text, quoted=quoted)
            return
        self.started = True
        self.quoted |= quoted
        self._known &= field.known
        self._pattern |= field.pattern
        self._pieces.append((field.text, field.where, field.rest))

    def unknown(self, raw: str, guess: str | None = None, where: str = ANYTHING) -> None:
        """A part that is not known; *guess* is what it is when what decides it is empty."""
        self._known = False
        self._pieces.append((raw, ANYTHING if self.started else where, guess))
        self.started = True

    def process(self, raw: str, feed: str | None) -> None:
        """A process substitution, and what it prints."""
        self.started = self._fed = True
        self._feed = feed
        self._pieces.append((raw, "/dev/fd/*", None))

    def field(self, raw: str) -> Field:
        """What it has become."""
        where = "".join(piece[1] for piece in self._pieces)
        if self._pattern and self._known:
            text = where
        else:
            text = "".join(piece[0] for piece in self._pieces)
        rest = None
        if not self._known:
            rest = "".join(piece[2] or "" for piece in self._pieces)
        return Field(text, raw, where, self._known, self._pattern, self._feed, self._fed, rest)
