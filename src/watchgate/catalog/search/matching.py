"""Whether a document's text is what was asked for, and where in it.

The index names candidates; these look at the text itself. Regular expressions are those of RE2, whose time
grows with the text and with nothing else: no pattern can make it run away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import re2

from watchgate.catalog.schema import storable
from watchgate.catalog.search.model import Kind, Mode, Query
from watchgate.catalog.search.text import asked, fold
from watchgate.errors import Refused

MOST_SPANS = 100
"""Matches of one line that are said."""

_PROGRAM_OCTETS = 2 << 20
"""What one expression may cost RE2, compiled and running."""

_NO_LETTERS = re.compile(
    r"\\(?:[pP]\{[^}]*\}|x\{[^}]*\}|x..|Q|E|.)|\(\?P?<[^>]*>|\(\?[imsU-]*|\[:\^?\w+:\]", re.DOTALL
)
"""What in a pattern is written with letters and means none: `\\S`, names, flags, classes."""

_NOT_POSSIBLE = {
    "(?=": "looking ahead",
    "(?!": "looking ahead",
    "(?<": "looking behind, or a name that is none",
    "(?>": "atomic groups",
}


@dataclass(frozen=True, slots=True)
class Found:
    """The first line of a text that matched, and where in it."""

    line: int
    spans: tuple[tuple[int, int], ...]


class Matcher(Protocol):
    """What a query asks of a text."""

    def find(self, kind: Kind, text: str) -> Found | None:
        """Where *text*, which is kept, matches; None: it does not."""


def matcher(query: Query) -> Matcher:
    """The matcher of *query*; raises Refused for what is no regular expression."""
    match query.mode:
        case Mode.LITERAL:
            return _Literal(asked(query.text), _any_case(query))
        case Mode.PREFIX:
            return _Prefix(asked(query.text), _any_case(query))
        case Mode.REGEX:
            return _Regex(query.text, _any_case(query))


def pattern_of(text: str) -> str:
    """A pattern in the form of what is kept; the backslashes which that brings mean themselves."""
    return asked("".join(c if c == storable(c) else storable(c).replace("\\", r"\\") for c in text))


def _any_case(query: Query) -> bool:
    if query.any_case is not None:
        return query.any_case
    text = asked(query.text)
    letters = _NO_LETTERS.sub("", text) if query.mode is Mode.REGEX else text
    return letters == letters.lower()


class _Literal:
    """The text, anywhere."""

    def __init__(self, text: str, any_case: bool) -> None:
        self._text = fold(text) if any_case else text
        self._any_case = any_case

    def find(self, kind: Kind, text: str) -> Found | None:
        compared = fold(text) if self._any_case else text
        start = compared.find(self._text)
        return None if start < 0 else _placed(text, self._from(compared, start))

    def _from(self, text: str, start: int) -> Iterator[tuple[int, int]]:
        while start >= 0:
            end = start + len(self._text)
            yield start, end
            start = text.find(self._text, max(end, start + 1))


class _Prefix:
    """The text, where a command or a line of a screen begins."""

    def __init__(self, text: str, any_case: bool) -> None:
        self._text = fold(text) if any_case else text
        self._any_case = any_case

    def find(self, kind: Kind, text: str) -> Found | None:
        compared = fold(text) if self._any_case else text
        start = 0 if compared.startswith(self._text) else -1
        if start < 0 and kind is Kind.SCREEN:
            after = compared.find(f"\n{self._text}")
            start = after + 1 if after >= 0 else -1
        return None if start < 0 else _placed(text, iter([(start, start + len(self._text))]))


class _Regex:
    """A regular expression; `^` and `$` are where lines begin and end."""

    def __init__(self, text: str, any_case: bool) -> None:
        options = re2.Options()
        options.case_sensitive = not any_case
        options.max_mem = _PROGRAM_OCTETS
        options.log_errors = False
        pattern = pattern_of(text)
        try:
            # Alone first: behind "(?m)" an unmatched parenthesis would be told with it.
            re2.compile(pattern, options)
            self._compiled = re2.compile(f"(?m:{pattern})", options)
        except re2.error as error:
            raise _not_a_regex(pattern, error) from error

    def find(self, kind: Kind, text: str) -> Found | None:
        first = self._compiled.search(text)
        return None if first is None else _placed(text, self._spans(text, first.start()))

    def _spans(self, text: str, start: int) -> Iterator[tuple[int, int]]:
        for match in self._compiled.finditer(text):
            if match.start() >= start:
                yield match.span()


def _placed(text: str, spans: Iterator[tuple[int, int]]) -> Found:
    """The line in which the first of *spans* begins, and those that begin in it, cut at its end."""
    start, end = next(spans)
    begins = text.rfind("\n", 0, start) + 1
    ends = text.find("\n", start)
    ends = len(text) if ends < 0 else ends
    found: list[tuple[int, int]] = []
    while start <= ends and len(found) < MOST_SPANS:
        if end > start:
            found.append((start - begins, min(end, ends) - begins))
        start, end = next(spans, (ends + 1, ends + 1))
    return Found(text.count("\n", 0, begins), tuple(span for span in found if span[0] < span[1]))


def _not_a_regex(pattern: str, error: re2.error) -> Refused:
    said = error.args[0] if error.args else b""
    told = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    problem, _, fragment = told.partition(": ")
    place = pattern.find(fragment) if fragment else -1
    where = f" at character {place + 1}" if place >= 0 and fragment != pattern else ""
    shown = f" ({fragment[:40]!r})" if fragment else ""
    return Refused(
        f"the regular expression cannot be used: {problem}{shown}{where}; {_advice(told, fragment)}",
        code="search.not-a-regex",
    )


def _advice(told: str, fragment: str) -> str:
    impossible = next((_NOT_POSSIBLE[s] for s in _NOT_POSSIBLE if fragment.startswith(s)), "")
    if not impossible and re.fullmatch(r"\\(?:[1-9]|k.*)", fragment):
        impossible = "referring back to a group"
    if impossible:
        return (
            f"{impossible} is not possible, because its time could not be bounded "
            "(the syntax is that of RE2)"
        )
    if "too large" in told or "repetition size" in told:
        return "repeat fewer times; 1000 is the most, and repeats within repeats multiply"
    return "write it in the syntax of RE2, or search for the text without --regex"
