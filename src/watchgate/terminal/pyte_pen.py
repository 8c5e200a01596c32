"""What `CSI … m` does to the pen of a pyte screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watchgate.terminal.pyte_cells import BLANK, Cell
from watchgate.terminal.screen import Color

_SWITCHES: dict[int, dict[str, Any]] = {
    1: {"bold": True},
    2: {"dim": True},
    3: {"italics": True},
    4: {"underscore": True},
    5: {"blink": True},
    6: {"blink": True},
    7: {"reverse": True},
    8: {"hidden": True},
    9: {"strikethrough": True},
    21: {"underscore": True},
    22: {"bold": False, "dim": False},
    23: {"italics": False},
    24: {"underscore": False},
    25: {"blink": False},
    27: {"reverse": False},
    28: {"hidden": False},
    29: {"strikethrough": False},
}
_PALETTE = 5
_RGB = 2


def changed(pen: Cell, parameters: bytes) -> Cell:
    """*pen* after *parameters*."""
    rest = _numbers(parameters)
    for number in rest:
        if number == 0:
            pen = BLANK
        elif number in _SWITCHES:
            pen = pen._replace(**_SWITCHES[number])
        elif number in (38, 48):
            color, known = _color(rest)
            if known:
                pen = pen._replace(fg=color) if number == 38 else pen._replace(bg=color)
        else:
            pen = _colored(pen, number)
    return pen


def _colored(pen: Cell, number: int) -> Cell:
    base, color = number // 10 * 10, number % 10
    if color == 9 and base in (30, 40):
        return pen._replace(fg=None) if base == 30 else pen._replace(bg=None)
    if color < 8 and base in (30, 90):
        return pen._replace(fg=color + (8 if base == 90 else 0))
    if color < 8 and base in (40, 100):
        return pen._replace(bg=color + (8 if base == 100 else 0))
    return pen


def _color(rest: Iterator[int]) -> tuple[Color, bool]:
    """The color that the next numbers name, and whether they name one."""
    kind = next(rest, 0)
    if kind == _PALETTE:
        return next(rest, 0) & 255, True
    if kind == _RGB:
        return (next(rest, 0) & 255, next(rest, 0) & 255, next(rest, 0) & 255), True
    return None, False


def _numbers(parameters: bytes) -> Iterator[int]:
    """The parameters, those with parts (`4:3`, `38:2::r:g:b`) written as those without."""
    for parameter in parameters.split(b";", 32)[:32]:
        first, *parts = parameter.split(b":", 8)
        number = _number(first)
        yield number
        if number in (38, 48):
            if len(parts) > 4:
                parts = parts[:1] + parts[2:]
            yield from map(_number, parts)
        elif number == 4 and parts[:1] == [b"0"]:
            yield 24


def _number(digits: bytes) -> int:
    return min(int(digits[:6]), 9999) if digits[:6].isdigit() else 0
