"""Keyframes of a pyte screen."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from pyte import modes

from watchgate.terminal.pyte_cells import Rows
from watchgate.terminal.pyte_grid import Grid
from watchgate.terminal.screen_keyframe import ending, paint, select

_TAB = 8


def keyframe(grid: Grid, remembered: Collection[int]) -> bytes:
    """Octets that make a reset terminal of its size show *grid*, and go on as it would."""
    parts: list[bytes] = []
    if grid.tabstops != set(range(_TAB, grid.columns, _TAB)):
        parts.append(b"\x1b[3g")
        parts += [b"\x1b[%dG\x1bH" % (stop + 1) for stop in sorted(grid.tabstops)]
    if grid.covered is not None:
        kept = grid.covered.cursor
        parts.append(_text(grid, grid.covered.buffer))
        parts.append(_place(min(kept.x, grid.columns - 1), kept.y))
        parts.append(select(kept.attrs.style))
        parts.append(b"\x1b[?%dh\x1b[H\x1b[0m" % grid.covered.mode)
    parts.append(_text(grid, grid.buffer))
    if grid.saved is not None:
        x, y, pen, graphic, shifted = grid.saved
        parts.append(_reached(grid, x, y) + select(pen.style))
        parts.append(_character_sets(graphic, shifted) + b"\x1b7\x1b(B\x1b)B\x0f")
    parts += _cursor_and_pen(grid)
    parts += [b"\x1b[?%dh" % mode for mode in sorted(remembered)]
    return b"".join(parts)


def _text(grid: Grid, buffer: Rows) -> bytes:
    shown, grid.buffer = grid.buffer, buffer
    try:
        rows = range(grid.lines)
        wrapped = [buffer[y].wrapped if y in buffer else False for y in rows]
        return paint([grid.runs(y) for y in rows], wrapped, grid.columns)
    finally:
        grid.buffer = shown


def _cursor_and_pen(grid: Grid) -> Iterator[bytes]:
    top = 0
    if grid.margins is not None:
        yield b"\x1b[%d;%dr" % (grid.margins.top + 1, grid.margins.bottom + 1)
    if modes.DECOM in grid.mode:
        yield b"\x1b[?6h"
        top = grid.margins.top if grid.margins is not None else 0
    cursor = grid.cursor
    yield _reached(grid, cursor.x, cursor.y, top)
    yield select(cursor.attrs.style) + _character_sets(grid.graphic, grid.shifted)
    if modes.DECAWM not in grid.mode:
        yield b"\x1b[?7l"
    if modes.IRM in grid.mode:
        yield b"\x1b[4h"
    if modes.LNM in grid.mode:
        yield b"\x1b[20h"
    if cursor.hidden:
        yield b"\x1b[?25l"


def _reached(grid: Grid, x: int, y: int, top: int = 0) -> bytes:
    """To that place; past the last column it comes by printing what stands there again."""
    if x < grid.columns:
        return _place(x, y - top)
    text, width = ending(grid.runs(y), grid.columns)
    return _place(grid.columns - width, y - top) + text


def _place(column: int, row: int) -> bytes:
    return b"\x1b[%d;%dH" % (row + 1, column + 1)


def _character_sets(graphic: Sequence[bool], shifted: int) -> bytes:
    sets = b"\x1b(%b\x1b)%b" % (b"0" if graphic[0] else b"B", b"0" if graphic[1] else b"B")
    if not any(graphic) and not shifted:
        return b""
    return sets + (b"\x0e" if shifted else b"\x0f")
