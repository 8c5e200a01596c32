"""What a text must hold for a regular expression to match it.

Reads the syntax of RE2, after RE2 has accepted the pattern, and only as far as literal text goes: everything
else is "anything". Case, laziness and where lines begin do not matter here, because the index is asked for
candidates in any case, and each is matched whole afterwards. Too little is therefore never wrong, only
slower; too much would be, so what is not known for sure ends the reading.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from watchgate.catalog.search.text import TRIGRAM, fold

Clause = frozenset[str]
"""Literals of at least three characters, one of which must be there."""

_MOST_TEXTS = 16
_LONGEST_TEXT = 256
_DEEPEST = 40
_FEW_CHARACTERS = 4
_REPEATED = 3
"""Of `x{5,}` so many x are looked at."""

_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_EMPTY_WIDTH = "bBAz"
_CLASSES = "dDsSwWC"
_OCTAL = "01234567"


class _Unsure(Exception):  # noqa: N818 - never leaves this module
    """Something whose meaning is not known here."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What is known of a piece of the pattern."""

    texts: frozenset[str] | None
    """All that it can match, when those are few."""
    clauses: tuple[Clause, ...] = ()
    """What must be there when it matches."""

    def required(self) -> tuple[Clause, ...]:
        """All clauses, the texts made one."""
        return (*self.clauses, *_clause(self.texts))


_NOTHING = frozenset({""})
_EMPTY = _Part(_NOTHING)
_ANYTHING = _Part(None)


def required(pattern: str) -> tuple[Clause, ...]:
    """Clauses that every match of *pattern* (accepted by RE2) fulfills; none when nothing is sure."""
    try:
        reader = _Reader(pattern)
        part = reader.alternation()
        reader.end()
    except _Unsure:
        return ()
    return tuple(dict.fromkeys(part.required()))


def literal(text: str) -> tuple[Clause, ...]:
    """The same of a plain text."""
    return _clause(frozenset({fold(text)}))


def _clause(texts: frozenset[str] | None) -> tuple[Clause, ...]:
    if not texts or min(map(len, texts)) < TRIGRAM:
        return ()
    return (texts,)


class _Sequence:
    """Puts parts one after the other, and joins the texts of neighbors."""

    def __init__(self) -> None:
        self._texts: frozenset[str] = _NOTHING
        self._clauses: list[Clause] = []
        self._whole = True

    def add(self, part: _Part) -> None:
        """*part* follows."""
        if part.texts is None:
            self._clauses += part.clauses
            self.cut()
            return
        if _fits(self._texts, part.texts):
            pairs = itertools.product(self._texts, part.texts)
            self._texts = frozenset(before + after for before, after in pairs)
            return
        self.cut()
        self._texts = part.texts

    def cut(self) -> None:
        """Something follows that is not known; what came before must still be there."""
        self._clauses += _clause(self._texts)
        self._texts = _NOTHING
        self._whole = False

    def part(self) -> _Part:
        """All of it as one part."""
        if self._whole:
            return _Part(self._texts)
        return _Part(None, (*self._clauses, *_clause(self._texts)))


def _fits(before: frozenset[str], after: frozenset[str]) -> bool:
    longest = max(map(len, before)) + max(map(len, after))
    return len(before) * len(after) <= _MOST_TEXTS and longest <= _LONGEST_TEXT


class _Reader:
    """Goes through a pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._depth = 0

    # --- structure -------------------------------------------------------------------------------

    def end(self) -> None:
        """The pattern must be over."""
        if self._at < len(self._pattern):
            raise _Unsure

    def alternation(self) -> _Part:
        """`a|b|c`, up to the end of its group."""
        branches = [self._sequence()]
        while self._taken("|"):
            branches.append(self._sequence())
        return branches[0] if len(branches) == 1 else _either(branches)

    def _sequence(self) -> _Part:
        found = _Sequence()
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            self._repeated(found)
        return found.part()

    def _repeated(self, into: _Sequence) -> None:
        """An atom and how often it comes."""
        atom = self._atom()
        bounds = self._bounds()
        if bounds is None:
            into.add(atom)
            return
        least, most = bounds
        if least == 0:
            into.add(_optional(atom) if most == 1 else _ANYTHING)
            return
        for _ in range(min(least, _REPEATED)):
            into.add(atom)
        if most != least or least > _REPEATED:
            into.cut()
            into.add(atom)

    def _bounds(self) -> tuple[int, int | None] | None:
        """How often, from a quantifier that stands here."""
        bounds: tuple[int, int | None]
        if self._taken("*"):
            bounds = 0, None
        elif self._taken("+"):
            bounds = 1, None
        elif self._taken("?"):
            bounds = 0, 1
        elif (counted := self._counted()) is not None:
            bounds = counted
        else:
            return None
        self._taken("?")
        return bounds

    def _counted(self) -> tuple[int, int | None] | None:
        """`{2}`, `{2,}` or `{2,5}`; anything else in braces is a text to RE2."""
        end = self._pattern.find("}", self._at)
        if not self._pattern.startswith("{", self._at) or end < 0:
            return None
        least, comma, most = self._pattern[self._at + 1 : end].partition(",")
        if not _is_number(least) or (most and not _is_number(most)):
            return None
        self._at = end + 1
        if not comma:
            return int(least), int(least)
        return int(least), int(most) if most else None

    # --- atoms -----------------------------------------------------------------------------------

    def _atom(self) -> _Part:
        match character := self._next():
            case "(":
                return self._group()
            case "[":
                return self._class()
            case "\\":
                return self._escape()
            case ".":
                return _ANYTHING
            case "^" | "$":
                return _EMPTY
            case _:
                return _text(character)

    def _group(self) -> _Part:
        if self._taken("?") and self._flags_alone():
            return _EMPTY
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _Unsure
        part = self.alternation()
        if not self._taken(")"):
            raise _Unsure
        self._depth -= 1
        return part

    def _flags_alone(self) -> bool:
        """Past the flags or the name of a group; true for `(?i)`, which is no group."""
        if self._taken("P<") or self._taken("<"):
            self._past(">")
            return False
        while (character := self._next()) in "imsU-":
            pass
        if character not in ":)":
            raise _Unsure
        return character == ")"

    def _escape(self) -> _Part:
        character = self._next()
        if character == "Q":
            end = self._pattern.find("\\E", self._at)
            quoted = self._pattern[self._at : end if end >= 0 else None]
            self._at = end + 2 if end >= 0 else len(self._pattern)
            # What is repeated after it is its last character only.
            if end >= 0 and self._pattern[self._at : self._at + 1] in ("*", "+", "?", "{"):
                raise _Unsure
            return _text(quoted)
        if character in _EMPTY_WIDTH:
            return _EMPTY
        if character in _CLASSES:
            return _ANYTHING
        if character in "pP":
            self._property()
            return _ANYTHING
        return _text(self._escaped(character))

    def _property(self) -> None:
        """Past the name of a Unicode class: `L` or `{Greek}`."""
        if self._next() == "{":
            self._past("}")

    def _escaped(self, character: str) -> str:
        """The character that an escape stands for."""
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character == "x":
            return self._hexadecimal()
        if character in _OCTAL:
            digits = character
            while len(digits) < 3 and self._pattern[self._at : self._at + 1] in [*_OCTAL]:
                digits += self._next()
            return chr(int(digits, 8))
        if character.isalnum():
            raise _Unsure
        return character

    def _hexadecimal(self) -> str:
        digits = self._past("}") if self._taken("{") else self._next() + self._next()
        try:
            return chr(int(digits, 16))
        except (ValueError, OverflowError) as error:
            raise _Unsure from error

    # --- classes of characters ---------------------------------------------------------------------

    def _class(self) -> _Part:
        few = not self._taken("^")
        found: set[str] = set()
        first = True
        while first or not self._pattern.startswith("]", self._at):
            first = False
            few = self._member(found) and few and len(found) <= _FEW_CHARACTERS
        self._at += 1
        return _Part(frozenset(found)) if few else _ANYTHING

    def _member(self, found: set[str]) -> bool:
        """Put a character or range into *found*; false when it is more than a few."""
        if self._taken("[:"):
            self._past(":]")
            return False
        low = self._single()
        if low is None:
            return False
        high: str | None = low
        following = self._pattern[self._at + 1 : self._at + 2]
        if self._pattern.startswith("-", self._at) and following not in ("]", ""):
            self._at += 1
            high = self._single()
        if high is None or ord(high) - ord(low) >= _FEW_CHARACTERS:
            return False
        few = "".join(map(chr, range(ord(low), ord(high) + 1)))
        found.update(fold(few))
        return _can_be_kept(few)

    def _single(self) -> str | None:
        """One character of a class; None for an escape that stands for several."""
        character = self._next()
        if character != "\\":
            return character
        character = self._next()
        if character in _CLASSES:
            return None
        if character in "pP":
            self._property()
            return None
        return self._escaped(character)

    # --- characters ------------------------------------------------------------------------------

    def _next(self) -> str:
        if self._at >= len(self._pattern):
            raise _Unsure
        self._at += 1
        return self._pattern[self._at - 1]

    def _taken(self, text: str) -> bool:
        if not self._pattern.startswith(text, self._at):
            return False
        self._at += len(text)
        return True

    def _past(self, text: str) -> str:
        """Go behind the next *text*; what came before it."""
        end = self._pattern.find(text, self._at)
        if end < 0:
            raise _Unsure
        before = self._pattern[self._at : end]
        self._at = end + len(text)
        return before


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4


def _text(text: str) -> _Part:
    return _Part(frozenset({fold(text)})) if _can_be_kept(text) else _ANYTHING


def _can_be_kept(text: str) -> bool:
    """False for what is written with backslashes in the index, and can only be named by an escape."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def _optional(part: _Part) -> _Part:
    if part.texts is None or len(part.texts) >= _MOST_TEXTS:
        return _ANYTHING
    return _Part(part.texts | _NOTHING)


def _either(branches: list[_Part]) -> _Part:
    """One of *branches*: all their texts, or the best clause of each as one."""
    texts: set[str] = set()
    for branch in branches:
        if branch.texts is None:
            break
        texts |= branch.texts
    else:
        if len(texts) <= _MOST_TEXTS:
            return _Part(frozenset(texts))
    clauses = [max(branch.required(), key=weight, default=None) for branch in branches]
    united: set[str] = set()
    for clause in clauses:
        if clause is None:
            return _ANYTHING
        united |= clause
    return _Part(None, (frozenset(united),)) if len(united) <= _MOST_TEXTS else _ANYTHING


def weight(clause: Clause) -> tuple[int, int]:
    """How much a clause narrows: by its shortest literal, and the fewer literals the better."""
    return min(map(len, clause)), -len(clause)
