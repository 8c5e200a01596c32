"""Ansible's ranges of hosts: `web[01:20]`, `db-[a:f]`, `n[0:100:10]`, several in one name."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from watchgate.errors import ConfigurationError

_RANGE = re.compile(r"\[(\w+):(\w+)(?::(\d+))?\]", re.ASCII)
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
LONGEST_NUMBER = 12


def expand(pattern: str, most: int) -> list[str]:
    """The names that *pattern* stands for; ConfigurationError when they are more than *most*."""
    parts: list[Sequence[str]] = []
    total, position = 1, 0
    for found in _RANGE.finditer(pattern):
        total *= _count(found)
        if total > most:
            raise ConfigurationError(
                f"{pattern[:60]} stands for more than {most} hosts", code="import.too-many"
            )
        parts += [[pattern[position : found.start()]], _members(found)]
        position = found.end()
    if not parts:
        return [pattern]
    parts.append([pattern[position:]])
    return ["".join(words) for words in itertools.product(*parts)]


def _ends(found: re.Match[str]) -> tuple[int, int, int]:
    first, last, step = found[1], found[2], int(found[3] or 1)
    numeric = first.isdigit() and last.isdigit()
    letters = len(first) == len(last) == 1 and first in _LETTERS and last in _LETTERS
    if not (numeric or letters) or not step or max(map(len, found.groups(""))) > LONGEST_NUMBER:
        raise _illegal(found)
    if numeric:
        if first.startswith("0") and len(first) > 1 and len(first) != len(last):
            raise _illegal(found)
        start, end = int(first), int(last)
    else:
        start, end = _LETTERS.index(first), _LETTERS.index(last)
    if end < start:
        raise _illegal(found)
    return start, end, step


def _illegal(found: re.Match[str]) -> ConfigurationError:
    return ConfigurationError(
        f"{found[0][:60]} is not a range; ranges are [1:9], [01:20], [a:f] or [0:100:10]",
        code="import.illegal-range",
    )


def _count(found: re.Match[str]) -> int:
    start, end, step = _ends(found)
    return (end - start) // step + 1


def _members(found: re.Match[str]) -> list[str]:
    start, end, step = _ends(found)
    numbers = range(start, end + 1, step)
    if not found[1].isdigit():
        return [_LETTERS[number] for number in numbers]
    width = len(found[1]) if found[1].startswith("0") else 0
    return [f"{number:0{width}}" for number in numbers]
