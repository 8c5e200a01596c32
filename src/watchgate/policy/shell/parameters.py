"""What `${x#…}`, `${x/…/…}`, `${x:1:2}` and the like make of a value that is known (bash(1), Parameter Expansion)."""

from __future__ import annotations

import fnmatch
import re

_NUMBER = re.compile(r"\s*(-?\d{1,9})\s*")
_LONGEST = 1024
"""Characters of a value to which a pattern is put."""


def changed(value: str, operator: str, operands: tuple[str, ...], *, pattern: bool) -> str | None:
    """*value* after *operator*; None where that is not computed. *pattern*: the first operand is a glob."""
    first = operands[0] if operands else ""
    match operator:
        case "length":
            return str(len(value))
        case ":":
            return _slice(value, operands)
        case "^^":
            return value.upper() if not first else None
        case ",,":
            return value.lower() if not first else None
        case "^":
            return value[:1].upper() + value[1:] if not first else None
        case ",":
            return value[:1].lower() + value[1:] if not first else None
        case "@":
            return {"U": value.upper(), "L": value.lower(), "Q": value, "P": None}.get(first)
        case "#" | "##" | "%" | "%%":
            return _trimmed(value, operator, first, pattern)
        case "/" | "//" | "/#" | "/%":
            return _replaced(value, operator, first, (*operands, "", "")[1], pattern)
        case _:
            return None


def _slice(value: str, operands: tuple[str, ...]) -> str | None:
    numbers = [_NUMBER.fullmatch(one) for one in operands]
    if not numbers or any(found is None for found in numbers):
        return None
    start, *length = (int(found[1]) for found in numbers if found is not None)
    start = max(0, start + len(value)) if start < 0 else start
    if not length:
        return value[start:]
    end = start + length[0] if length[0] >= 0 else len(value) + length[0]
    return value[start : max(start, end)]


def _matcher(glob: str) -> re.Pattern[str] | None:
    """A glob as an expression; None for one that could take long: three stars, or brackets of an extended one."""
    if glob.count("*") > 2 or "(" in glob:
        return None
    return re.compile(fnmatch.translate(glob.replace("[^", "[!")))


def _trimmed(value: str, operator: str, glob: str, pattern: bool) -> str | None:
    front = operator[0] == "#"
    if not pattern:
        return value.removeprefix(glob) if front else value.removesuffix(glob)
    matcher = _matcher(glob) if len(value) <= _LONGEST else None
    if matcher is None:
        return None
    # The shortest piece for one sign, the longest for two.
    lengths = range(len(value) + 1)
    for length in lengths if len(operator) == 1 else reversed(lengths):
        piece = value[:length] if front else value[len(value) - length :]
        if matcher.match(piece):
            return value[length:] if front else value[: len(value) - length]
    return value


def _replaced(value: str, operator: str, glob: str, by: str, pattern: bool) -> str | None:
    if pattern or not glob:
        return value if not glob else None
    match operator:
        case "//":
            return value.replace(glob, by)
        case "/":
            return value.replace(glob, by, 1)
        case "/#":
            return by + value[len(glob) :] if value.startswith(glob) else value
        case _:
            return value[: len(value) - len(glob)] + by if value.endswith(glob) else value
