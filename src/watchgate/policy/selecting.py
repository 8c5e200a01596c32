"""Finds the few of many rules that may match a thing in a line, without asking each.

For each rule something is worked out that must hold where the rule does: one of some programs, a regex, a
redirection. It is a first sieve and nothing more: each rule that passes is asked in full.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from watchgate.policy.candidates import Candidate, Kind
from watchgate.policy.combining import All, Any_, mentions
from watchgate.policy.conditions import (
    Condition,
    IsOpaque,
    LineMatching,
    Matching,
    PathIs,
    Program,
    RedirectTo,
    Wrapped,
    written,
)
from watchgate.policy.globs import Glob, is_pattern
from watchgate.policy.pathmatch import DEPTH, beginning
from watchgate.policy.regexes import Bank, Regex, encoded
from watchgate.policy.rules import Rule

MOST_REMEMBERED = 4096
"""Names of programs for which the rules are remembered."""


class Cost(IntEnum):
    """What a sieve costs, and how much it lets pass: of several that hold, the cheapest is taken."""

    PROGRAM = 0
    PATTERN = 1
    REDIRECTED = 2
    WRAPPED = 3
    REGEX = 4
    LINE = 5
    PATHS = 6
    NONE = 7


Key = tuple[Cost, object]
_NONE: frozenset[Key] = frozenset({(Cost.NONE, None)})


def keys(condition: Condition) -> frozenset[Key]:
    """Keys of which at least one fires on a simple command for which *condition* holds."""
    match condition:
        case All(parts):
            return min(map(keys, parts), key=_cost, default=_NONE)
        case Any_(parts):
            return frozenset().union(*map(keys, parts))
        case Program(globs):
            return frozenset(_program(one) for one in globs)
        case RedirectTo():
            return frozenset({(Cost.REDIRECTED, None)})
        case Wrapped():
            return frozenset({(Cost.WRAPPED, None)})
        case Matching(regex):
            return frozenset({(Cost.REGEX, regex)})
        case LineMatching(regex):
            return frozenset({(Cost.LINE, regex)})
        case IsOpaque():
            return frozenset()  # no simple command is that
        case PathIs(patterns):
            return frozenset((Cost.PATHS, beginning(one)) for one in patterns)
        case _:
            return _NONE


def _program(one: Glob) -> Key:
    # A pattern with a `/` is about the path as it was written: it is asked in full.
    if "/" in one.text:
        return (Cost.NONE, None)
    return (Cost.PATTERN, one) if one.literal is None else (Cost.PROGRAM, one.literal)


def _cost(found: frozenset[Key]) -> tuple[int, int]:
    return max((cost for cost, _ in found), default=Cost.PROGRAM), len(found)


@dataclass(slots=True)
class _Regexes:
    """Regexes, and the rules for which each is the sieve."""

    rules: dict[Regex, list[int]]
    bank: Bank

    def found(self, texts: Sequence[bytes]) -> Iterator[int]:
        if self.rules:
            for text in texts:
                for regex in self.bank.found(text):
                    yield from self.rules[regex]


class Selection:
    """Rules by what must hold for each."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        sieves: dict[Cost, dict[object, list[int]]] = {cost: defaultdict(list) for cost in Cost}
        by_text = set()
        for at, rule in enumerate(rules):
            found = keys(rule.match)
            for cost, what in found:
                sieves[cost][what].append(at)
            if all(cost in (Cost.REGEX, Cost.LINE) for cost, _ in found):
                by_text.add(at)
        self._by_text = frozenset(by_text)
        self._programs = sieves[Cost.PROGRAM]
        self._patterns = [
            (one, ats) for one, ats in sieves[Cost.PATTERN].items() if isinstance(one, Glob)
        ]
        self._redirected = sieves[Cost.REDIRECTED][None]
        self._wrapped = sieves[Cost.WRAPPED][None]
        self._paths = sieves[Cost.PATHS]
        self._always = sieves[Cost.NONE][None]
        self._regexes = _regexes(sieves[Cost.REGEX])
        self._lines = _regexes(sieves[Cost.LINE])
        self._last_line: tuple[str | None, tuple[int, ...]] = (None, ())
        self._of_program: dict[str, tuple[int, ...]] = {}
        self._of_kind = {kind: _mentioning(rules, kind) for kind in Kind}

    def of(self, one: Candidate) -> Sequence[int] | set[int]:
        """Where the rules stand that may match *one*; each once."""
        if one.kind is Kind.OPAQUE:
            return self._of_kind[Kind.OPAQUE]
        if one.kind is Kind.COMMAND:
            return self._of_command(one)
        return self._of_text(one)

    def _of_command(self, one: Candidate) -> set[int]:
        simple = one.simple
        assert simple is not None
        found = set(self._named(simple.program))
        found.update(self._regexes.found(one.texts))
        if self._lines.rules:
            found.update(self._of_line(one.reading.line))
        if self._paths:
            found.update(self._of_paths(simple.paths))
        if self._wrapped and simple.wrappers:
            found.update(self._wrapped)
        if self._redirected and written(simple):
            found.update(self._redirected)
        return found

    def _of_line(self, line: str) -> tuple[int, ...]:
        """The rules whose regex matches the line; each of its commands asks."""
        if self._last_line[0] != line:
            self._last_line = (line, tuple(self._lines.found((encoded(line),))))
        return self._last_line[1]

    def _of_paths(self, paths: Sequence[str]) -> Iterator[int]:
        for path in paths:
            first = beginning(path)
            if len(first) < DEPTH and (not path.startswith("/") or is_pattern(path)):
                # It may go on in any way.
                for ats in self._paths.values():
                    yield from ats
                continue
            for depth in range(len(first) + 1):
                yield from self._paths.get(first[:depth], ())

    def _named(self, program: str) -> tuple[int, ...]:
        """The rules for a program by name, with those that are always asked."""
        known = self._of_program.get(program)
        if known is None:
            if len(self._of_program) >= MOST_REMEMBERED:
                self._of_program.clear()
            known = self._of_program[program] = tuple(self._find(program))
        return known

    def _find(self, program: str) -> Iterator[int]:
        yield from self._always
        if not program:
            # Which program it is, is not known: it may be any.
            for ats in (*self._programs.values(), *(ats for _, ats in self._patterns)):
                yield from ats
            return
        yield from self._programs.get(program, ())
        for pattern, ats in self._patterns:
            if pattern.matches(program):
                yield from ats

    def _of_text(self, one: Candidate) -> set[int]:
        """Of a whole line, or of input: rules that name its kind, and of these only those whose regex matches."""
        seeing = self._of_kind[one.kind]
        if not seeing:
            return set()
        found = {*self._regexes.found(one.texts), *self._of_line(one.reading.line)}
        return {at for at in seeing if at in found or at not in self._by_text}


def _regexes(sieve: dict[object, list[int]]) -> _Regexes:
    rules = {one: ats for one, ats in sieve.items() if isinstance(one, Regex)}
    return _Regexes(rules, Bank(rules))


def _mentioning(rules: Sequence[Rule], kind: Kind) -> tuple[int, ...]:
    return tuple(at for at, rule in enumerate(rules) if mentions(rule.match, kind))
