"""Whether two globs may mean the same path.

Both become small automata over classes of characters; there is a common path if and only if their
product has a way to its end. The time is bounded by the product of their lengths.
"""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

_SET = re.compile(r"\[([!^]?)(\]?(?:\[:\w+:\]|\\.|[^\]\\])*)\]", re.DOTALL)
_RANGE = re.compile(r"\\?(.)-\\?(.)|\\?(.)", re.DOTALL)
_MOST_STEPS = 50_000
_WIDEST = 512

Class: TypeAlias = tuple[bool, frozenset[str]]
"""Characters: those in the set, or with False in front those that are not."""

# A NUL is in no file's name: it stands for a directory that is not known, which only `**` reaches.
_NO_SLASH: Class = (False, frozenset("/\0"))
_ALL: Class = (False, frozenset())


class Automaton(NamedTuple):
    """From each state its steps, and the states that are reached for nothing; the last one accepts."""

    steps: tuple[tuple[tuple[Class, int], ...], ...]
    free: tuple[tuple[int, ...], ...]
    text: str | None
    """What the glob means, where that is one text only."""


class _Making:
    """An automaton in the making; its last state is where the glob goes on."""

    def __init__(self) -> None:
        self.steps: list[list[tuple[Class, int]]] = [[]]
        self.free: list[list[int]] = [[]]

    def state(self) -> int:
        self.steps.append([])
        self.free.append([])
        return len(self.steps) - 1

    def step(self, chosen: Class) -> None:
        here = len(self.steps) - 1
        self.steps[here].append((chosen, self.state()))

    def loop(self, chosen: Class) -> None:
        here = len(self.steps) - 1
        self.steps[here].append((chosen, here))

    def below(self) -> None:
        """Nothing, or a slash and anything."""
        here = len(self.steps) - 1
        self.step((True, frozenset("/")))
        self.loop(_ALL)
        end = self.state()
        self.free[here].append(end)
        self.free[end - 1].append(end)


def automaton(glob: str) -> Automaton:
    """The automaton of *glob*."""
    making = _Making()
    text: list[str] = []
    plain = True
    at, end = 0, len(glob)
    while at < end:
        character = glob[at]
        found = _SET.match(glob, at) if character == "[" else None
        if (
            character == "/"
            and glob.startswith("**", at + 1)
            and glob[at + 3 : at + 4] in ("", "/")
        ):
            making.below()
            plain, at = False, at + 3
        elif character == "*":
            every = glob.startswith("**", at)
            making.loop(_ALL if every else _NO_SLASH)
            plain, at = False, at + 1 + every
        elif character == "?":
            making.step(_NO_SLASH)
            plain, at = False, at + 1
        elif found is not None:
            making.step(_chosen(found[1], found[2]))
            plain, at = False, found.end()
        else:
            at += character == "\\" and at + 1 < end
            making.step((True, frozenset(glob[at])))
            text.append(glob[at])
            at += 1
    return Automaton(
        tuple(map(tuple, making.steps)),
        tuple(map(tuple, making.free)),
        "".join(text) if plain else None,
    )


def _chosen(negated: str, inner: str) -> Class:
    """The characters of `[…]`; of a class with a name, or a wide range, all."""
    if "[:" in inner:
        return _NO_SLASH
    characters: set[str] = set()
    for first, last, one in _RANGE.findall(inner):
        if one:
            characters.add(one)
        elif ord(last) - ord(first) > _WIDEST:
            return _NO_SLASH
        else:
            characters.update(map(chr, range(ord(first), ord(last) + 1)))
    return (not negated, frozenset(characters | {"/", "\0"} if negated else characters))


def _common(first: Class, second: Class) -> bool:
    """Whether some character is in both."""
    if first[0] and second[0]:
        return not first[1].isdisjoint(second[1])
    if first[0]:
        return not first[1] <= second[1]
    return not second[0] or not second[1] <= first[1]


def meet(first: Automaton, second: Automaton) -> bool:
    """Whether there is a text that both mean; where that takes too long to know, there may be."""
    if first.text is not None and second.text is not None:
        return first.text == second.text
    goal = (len(first.steps) - 1, len(second.steps) - 1)
    seen = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        place = waiting.pop()
        if place == goal or len(seen) > _MOST_STEPS:
            return True
        one, other = place
        reached = [(free, other) for free in first.free[one]]
        reached += [(one, free) for free in second.free[other]]
        reached += [
            (a, b)
            for chosen, a in first.steps[one]
            for against, b in second.steps[other]
            if _common(chosen, against)
        ]
        for pair in reached:
            if pair not in seen:
                seen.add(pair)
                waiting.append(pair)
    return False
