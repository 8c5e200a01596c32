"""A screen emulated by pyte, for machines that have no libghostty-vt: slower by a factor of some hundreds.

The octets are cut by Watchgate's own tokenizer, so pyte never sees a sequence that is broken, endless or
unknown to it. What each token costs is counted: a call that would take longer than about half a second
goes on with its last octets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

from watchgate.terminal.escapes import Tokenizer
from watchgate.terminal.pyte_grid import Grid
from watchgate.terminal.pyte_interpreter import Interpreter
from watchgate.terminal.pyte_keyframe import keyframe
from watchgate.terminal.screen import Line, Run
from watchgate.terminal.screen_bounds import HISTORY, bounded, kept_rows

_WORK = 3_000_000
"""What one call may cost; a character costs ten, about a microsecond."""
_PIECE = 256
_TAIL = 4096
_LINE_START = re.compile(rb"[\r\n]+")
_UNFINISHED = re.compile(rb"(?:\x1b[^\x1b]*|[\xc2-\xf4][\x80-\xbf]{0,2})\Z")


class PyteScreen:
    """A `Screen` of pyte; *history* rows that left it are kept for `scrolled`."""

    def __init__(self, columns: int, rows: int, *, history: int = HISTORY) -> None:
        columns, rows = bounded(columns, rows)
        self._history = history
        self._grid = Grid(columns, rows, kept_rows(history, columns))
        self._interpreter = Interpreter(self._grid)
        self._tokens = Tokenizer()
        self._tail = b""

    @property
    def columns(self) -> int:
        return self._grid.columns

    @property
    def rows(self) -> int:
        return self._grid.lines

    @property
    def cursor(self) -> tuple[int, int]:
        cursor = self._grid.cursor
        return min(cursor.x, self.columns - 1), cursor.y

    @property
    def cursor_visible(self) -> bool:
        return not self._grid.cursor.hidden

    @property
    def alternate(self) -> bool:
        return self._grid.covered is not None

    @property
    def missed(self) -> int:
        return self._grid.missed

    def feed(self, octets: bytes) -> None:
        """What the target printed."""
        work = 0
        position = 0
        while position < len(octets):
            if work > _WORK and position < len(octets) - _TAIL:
                position, work = len(octets) - _TAIL, 0
                start = _LINE_START.search(octets, position)
                position = start.end() if start is not None else position
                self._tokens = Tokenizer()
            piece = octets[position : position + _PIECE]
            position += len(piece)
            self._tail = (self._tail + piece)[-_TAIL:]
            try:
                work += self._print(piece)
            except Exception:  # noqa: BLE001 - whatever hostile octets made of pyte: start anew
                self._rebuild()

    def resize(self, columns: int, rows: int) -> None:
        columns, rows = bounded(columns, rows)
        self._grid.history = kept_rows(self._history, columns)
        self._grid.resize(rows, columns)

    def lines(self) -> Sequence[Line]:
        """Every row of the screen, from the top."""
        return [self._grid.line(y) for y in range(self.rows)]

    def scrolled(self) -> Sequence[Line]:
        rows = list(self._grid.left)
        self._grid.left.clear()
        return rows

    def styled(self) -> Sequence[Sequence[Run]]:
        return [self._grid.runs(y) for y in range(self.rows)]

    def dim(self, column: int, row: int) -> bool:
        found = self._grid.buffer.get(row)
        return found is not None and found[column].dim

    def anchor(self) -> PyteAnchor:
        return PyteAnchor(self._grid, *self.cursor)

    def expect_look(self) -> None:
        """A look takes no time here."""

    def keyframe(self) -> bytes:
        """Octets that make a reset terminal of this size show this screen."""
        unfinished = None if self._tokens.between else _UNFINISHED.search(self._tail)
        held = unfinished[0] if unfinished is not None else b""
        return keyframe(self._grid, self._interpreter.modes) + held

    def _print(self, octets: bytes) -> int:
        return sum(self._interpreter.perform(*token) for token in self._tokens.feed(octets))

    def _rebuild(self) -> None:
        """Begin with an empty screen and the last octets; what cannot be printed twice is left out."""
        before = self._grid
        self._grid = Grid(before.columns, before.lines, before.history)
        self._grid.left, self._grid.left_in_all = before.left, before.left_in_all
        self._grid.missed = before.missed
        self._interpreter = Interpreter(self._grid)
        self._tokens = Tokenizer()
        tail, self._tail = self._tail, b""
        with suppress(Exception):
            self._print(tail)


class PyteAnchor:
    """A place that moves up with the rows that leave the screen."""

    def __init__(self, grid: Grid, column: int, row: int) -> None:
        self._grid = grid
        self._column = column
        self._row = grid.left_in_all + row
        self._alternate = grid.covered is not None

    def place(self) -> tuple[int, int] | None:
        """Its column and row on the screen now; None while another screen is shown, and when it is gone."""
        row = self._row - self._grid.left_in_all
        hidden = self._alternate != (self._grid.covered is not None)
        if hidden or row < -self._grid.history or row >= self._grid.lines:
            return None
        return min(self._column, self._grid.columns - 1), row
