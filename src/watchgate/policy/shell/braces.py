"""Brace expansion: `{a,b}`, `{1..3}`, `{a..e}` (bash(1), Brace Expansion)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

from watchgate.policy.shell.limits import MOST_BRACES
from watchgate.policy.shell.nodes import Literal, Part

_SEQUENCE = re.compile(r"(-?\d{1,9}|[A-Za-z])\.\.(-?\d{1,9}|[A-Za-z])(?:\.\.(-?\d{1,9}))?")
_LONGEST = 4096
_DEEPEST = 8

Atom: TypeAlias = str | Part
"""One live character, or a part of the word that no brace reaches into."""


class TooManyError(Exception):
    """A word expands to more than is read."""


def may_expand(parts: Sequence[Part]) -> bool:
    """Whether a word has braces that may be more than characters."""
    return any(isinstance(p, Literal) and not p.quoted and "{" in p.text for p in parts)


def expanded(parts: Sequence[Part]) -> list[tuple[Part, ...]]:
    """The words that *parts* stand for; one where no brace expands.

    Raises:
        TooManyError: there are more than `MOST_BRACES`.
    """
    atoms: list[Atom] = []
    for part in parts:
        if isinstance(part, Literal) and not part.quoted:
            atoms.extend(part.text)
        else:
            atoms.append(part)
    if len(atoms) > _LONGEST:
        raise TooManyError
    return [_parts(one) for one in _expand(atoms, 0)]


def _expand(atoms: list[Atom], depth: int) -> list[list[Atom]]:
    results: list[list[Atom]] = [[]]
    at = 0
    while at < len(atoms):
        if atoms[at] == "{" and (found := _alternatives(atoms, at, depth)) is not None:
            close, choices = found
            results = [[*result, *choice] for result in results for choice in choices]
            at = close + 1
        else:
            for result in results:
                result.append(atoms[at])
            at += 1
        if len(results) > MOST_BRACES:
            raise TooManyError
    return results


def _alternatives(atoms: list[Atom], start: int, depth: int) -> tuple[int, list[list[Atom]]] | None:
    """Where the brace at *start* closes, and what it stands for; None where it is only a character."""
    if depth >= _DEEPEST:
        raise TooManyError
    level = 0
    commas: list[int] = []
    for place in range(start, len(atoms)):
        atom = atoms[place]
        if atom == "{":
            level += 1
        elif atom == "," and level == 1:
            commas.append(place)
        elif atom == "}":
            level -= 1
            if level == 0:
                break
    else:
        return None
    if not commas:
        choices = _sequence(atoms[start + 1 : place])
        return None if choices is None else (place, choices)
    edges = [start, *commas, place]
    pieces = [atoms[a + 1 : b] for a, b in pairwise(edges)]
    return place, [one for piece in pieces for one in _expand(piece, depth + 1)]


def _sequence(atoms: list[Atom]) -> list[list[Atom]] | None:
    """`1..3`, `a..e`, with a step."""
    text = "".join(atom for atom in atoms if isinstance(atom, str))
    found = _SEQUENCE.fullmatch(text)
    if found is None or len(text) != len(atoms):
        return None
    first, last = found[1], found[2]
    if first.isalpha() != last.isalpha():
        return None
    low, high = (ord(first), ord(last)) if first.isalpha() else (int(first), int(last))
    step = abs(int(found[3] or 1)) or 1
    if abs(high - low) // step >= MOST_BRACES:
        raise TooManyError
    values = range(low, high + (1 if high >= low else -1), step if high >= low else -step)
    if first.isalpha():
        return [[chr(value)] for value in values]
    padded = any(re.match(r"-?0\d", edge) for edge in (first, last))
    width = max(len(first), len(last)) if padded else 0
    return [list(f"{value:0{width}d}") for value in values]


def _parts(atoms: list[Atom]) -> tuple[Part, ...]:
    parts: list[Part] = []
    plain: list[str] = []
    for atom in atoms:
        if isinstance(atom, str):
            plain.append(atom)
            continue
        if plain:
            parts.append(Literal("".join(plain), False))
            plain = []
        parts.append(atom)
    if plain:
        parts.append(Literal("".join(plain), False))
    return tuple(parts)
