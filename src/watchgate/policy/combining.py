"""Conditions together: all, any, not, and what stands beside in the same line.

A kind of thing that a rule does not see of itself (a part that cannot be read, program input, a whole
line) counts only by a way through the match that names it: of `any: [{program: rm}, {opaque: piped}]` a
part that cannot be read fulfils the second alone. `by_way_of` works that out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from watchgate.policy.candidates import Candidate, Kind, candidates
from watchgate.policy.conditions import NOTHING, Condition
from watchgate.policy.truth import NO, Truth, negated


def told(condition: Condition) -> dict[str, Any]:
    """A condition as the mapping that a file has."""
    if isinstance(condition, All):
        return condition.mapping()
    return {condition.key: condition.described()}


@dataclass(frozen=True, slots=True)
class All:
    """Every one of them holds; a mapping with several keys is one of these."""

    key: ClassVar[str] = "all"
    marks: ClassVar[frozenset[Kind]] = NOTHING
    parts: tuple[Condition, ...]

    def truth(self, one: Candidate, every: bool) -> Truth:
        least = Truth.YES
        for part in self.parts:
            found = part.truth(one, every)
            if found < least:
                if not found:
                    return NO
                least = found
        return least

    def mapping(self) -> dict[str, Any]:
        """Its parts under their words; under `all` where a word comes twice."""
        keys = [part.key for part in self.parts]
        if len(set(keys)) == len(keys) and "all" not in keys:
            return {part.key: part.described() for part in self.parts}
        return {"all": self.described()}

    def described(self) -> Any:
        return [told(part) for part in self.parts]


@dataclass(frozen=True, slots=True)
class Any_:  # noqa: N801 - `Any` is typing's
    """One of them holds."""

    key: ClassVar[str] = "any"
    marks: ClassVar[frozenset[Kind]] = NOTHING
    parts: tuple[Condition, ...]

    def truth(self, one: Candidate, every: bool) -> Truth:
        return max((part.truth(one, every) for part in self.parts), default=NO)

    def described(self) -> Any:
        return [told(part) for part in self.parts]


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold."""

    key: ClassVar[str] = "not"
    marks: ClassVar[frozenset[Kind]] = NOTHING
    part: Condition

    def truth(self, one: Candidate, every: bool) -> Truth:
        return negated(self.part.truth(one, not every))

    def described(self) -> Any:
        return told(self.part)


@dataclass(frozen=True, slots=True)
class Beside:
    """It holds for another thing in the same line."""

    key: ClassVar[str] = "beside"
    marks: ClassVar[frozenset[Kind]] = NOTHING
    part: Condition

    def truth(self, one: Candidate, every: bool) -> Truth:
        key = (id(self), every)
        best: tuple[Truth, int, Truth] | None = one.memo.get(key)
        if best is None:
            best = one.memo[key] = self._best(one, every)
        truth, at, second = best
        return second if at == one.at else truth

    def _best(self, one: Candidate, every: bool) -> tuple[Truth, int, Truth]:
        """How surely it holds for the thing in the line for which it does best, which that is, and for the next."""
        best, at, second = NO, -1, NO
        for other in candidates(one.known, (one.reading,), one.account):
            found = seen(self.part, other, every)
            if found > best:
                best, at, second = found, other.at, best
            elif found > second:
                second = found
        return best, at, second

    def described(self) -> Any:
        return told(self.part)


def seen(condition: Condition, one: Candidate, every: bool) -> Truth:
    """How surely *condition* holds for *one*, when it is of a kind that the condition sees."""
    if one.kind is Kind.COMMAND:
        return condition.truth(one, every)
    return by_way_of(condition, one, every, lambda part: one.kind in part.marks)


def by_way_of(
    condition: Condition, one: Candidate, every: bool, named: Callable[[Condition], bool]
) -> Truth:
    """How surely *condition* holds in a way on which one of its parts is *named*."""
    match condition:
        case All(parts):
            best = max((by_way_of(part, one, every, named) for part in parts), default=NO)
            return min(best, condition.truth(one, every))
        case Any_(parts):
            return max((by_way_of(part, one, every, named) for part in parts), default=NO)
        case Not(part):
            return condition.truth(one, every) if any(map(named, within(part))) else NO
        case _:
            return condition.truth(one, every) if named(condition) else NO


def within(condition: Condition) -> Iterator[Condition]:
    """The condition and all that it is made of, but not what stands beside."""
    yield condition
    match condition:
        case All(parts) | Any_(parts):
            for part in parts:
                yield from within(part)
        case Not(part):
            yield from within(part)
        case _:
            pass


def mentions(condition: Condition, kind: Kind) -> bool:
    """Whether a part of it names *kind*."""
    return any(kind in part.marks for part in within(condition))


NEVER = Any_(())
"""What never holds."""
