"""pyte's screen, made to hold what Watchgate asks of one.

pyte moves the cursor, keeps the cells and knows margins and tab stops. Added here is what it lacks: rows that
know whether they wrap, rows that leave the screen, the alternate screen, dim and hidden text, erasing in
the color of the pen; and left out is what hostile output makes it do without end.
"""

from __future__ import annotations

import copy
import unicodedata
from collections import deque
from dataclasses import dataclass
from typing import Any

from pyte import modes
from pyte.screens import Margins
from pyte.screens import Screen as Base

from watchgate.terminal.pyte_cells import BLANK, Row, Rows, mend, runs_of, width_of
from watchgate.terminal.screen import Line, Run

_MARKS = 8
"""Marks on one letter; more is not writing."""


@dataclass(frozen=True, slots=True)
class Covered:
    """The main screen while a full-screen program has the terminal."""

    buffer: Rows
    cursor: Any
    mode: int


class Grid(Base):
    """Cells, a cursor, and the last *history* rows that left at the top."""

    buffer: Rows  # type: ignore[assignment]
    cursor: Any  # its attributes are a Cell

    def __init__(self, columns: int, rows: int, history: int) -> None:
        self.history = history
        self.left: deque[Line] = deque()
        self.left_in_all = 0
        self.missed = 0
        self.covered: Covered | None = None
        self.saved: Any = None
        self.graphic = [False, False]  # whether G0 and G1 are the line drawing characters
        self.shifted = 0
        self.last = ""
        super().__init__(columns, rows)

    @property
    def default_char(self) -> Any:
        return BLANK

    def reset(self) -> None:
        """Start anew; the rows that left stay until they are read."""
        super().reset()
        self.buffer = Rows()
        self.cursor.attrs = BLANK
        self.covered = self.saved = None
        self.graphic = [False, False]
        self.shifted = 0

    # What is printed.

    def draw(self, data: str) -> None:
        """Print *data*, which holds no control characters."""
        if self.graphic[self.shifted]:
            data = data.translate(_LINE_DRAWING)
        for character in data:
            width = width_of(character)
            if width > 0:
                self._put(character, min(width, self.columns))
            elif width == 0:
                self._mark(character)
        self.last = data[-1:] or self.last

    def _put(self, character: str, width: int) -> None:
        cursor = self.cursor
        if cursor.x + width > self.columns:
            if modes.DECAWM in self.mode:
                self.buffer[cursor.y].wrapped = True
                cursor.x = 0
                self.index()
            else:
                cursor.x = self.columns - width
        if modes.IRM in self.mode:
            self.insert_characters(width)
        row = self.buffer[cursor.y]
        if row.get(cursor.x, BLANK).data == "" and cursor.x:
            row[cursor.x - 1] = row[cursor.x - 1]._replace(data=" ")
        row[cursor.x] = cursor.attrs._replace(data=character)
        if width > 1:
            row[cursor.x + 1] = cursor.attrs._replace(data="")
        after = cursor.x + width
        if after in row and row[after].data == "":
            row[after] = row[after]._replace(data=" ")
        cursor.x = after

    def _mark(self, character: str) -> None:
        """A mark goes on the letter before it."""
        x = self.cursor.x - 1
        row = self.buffer[self.cursor.y]
        if x > 0 and row[x].data == "":
            x -= 1
        if x >= 0 and len(row[x].data) <= _MARKS and unicodedata.category(character) != "Cc":
            row[x] = row[x]._replace(data=row[x].data + character)

    # Scrolling.

    def index(self) -> None:
        bottom = self.margins.bottom if self.margins else self.lines - 1
        if self.cursor.y == bottom:
            self.scroll_up(1)
        elif self.cursor.y < self.lines - 1:
            self.cursor.y += 1

    def scroll_up(self, count: int) -> None:
        """Rows between the margins move up; those that reach the top of the main screen leave it."""
        top, bottom = self.margins or Margins(0, self.lines - 1)
        count = min(count, bottom - top + 1)
        if top == 0:
            self._leave(count)
        self._up(top, bottom, count)

    def scroll_down(self, count: int) -> None:
        """Rows between the margins move down."""
        top, bottom = self.margins or Margins(0, self.lines - 1)
        self._down(top, bottom, count)

    def insert_lines(self, count: int | None = None) -> None:
        top, bottom = self.margins or Margins(0, self.lines - 1)
        if top <= self.cursor.y <= bottom:
            self._down(self.cursor.y, bottom, count or 1)
            self.carriage_return()

    def delete_lines(self, count: int | None = None) -> None:
        top, bottom = self.margins or Margins(0, self.lines - 1)
        if top <= self.cursor.y <= bottom:
            self._up(self.cursor.y, bottom, count or 1)
            self.carriage_return()

    def reverse_index(self) -> None:
        if self.cursor.y == (self.margins.top if self.margins else 0):
            self.scroll_down(1)
        elif self.cursor.y:
            self.cursor.y -= 1

    def _up(self, top: int, bottom: int, count: int) -> None:
        for y in range(top, bottom + 1):
            self._move(y + count if y + count <= bottom else None, y)

    def _down(self, top: int, bottom: int, count: int) -> None:
        for y in range(bottom, top - 1, -1):
            self._move(y - count if y - count >= top else None, y)

    def _move(self, source: int | None, y: int) -> None:
        row = None if source is None else self.buffer.get(source)
        if row is None:
            self.buffer.pop(y, None)
        else:
            self.buffer[y] = row

    def _leave(self, count: int) -> None:
        if self.covered is not None:
            return
        self.left_in_all += count
        for y in range(count):
            self.left.append(self.line(y))
        while len(self.left) > self.history:
            self.left.popleft()
            self.missed += 1

    # Along a row.

    def insert_characters(self, count: int | None = None) -> None:
        x = min(self.cursor.x, self.columns - 1)
        self._shift(x, min(count or 1, self.columns - x))

    def delete_characters(self, count: int | None = None) -> None:
        x = min(self.cursor.x, self.columns - 1)
        self._shift(x, -min(count or 1, self.columns - x))

    def _shift(self, x: int, count: int) -> None:
        """Move what stands from *x* on by *count* columns, blanks in the color of the pen taking its place."""
        row = self.buffer[self.cursor.y]
        cells = [row[column] for column in range(x, self.columns)]
        blank = BLANK._replace(bg=self.cursor.attrs.bg)
        if count > 0:
            cells = [blank] * count + cells[:-count]
        else:
            cells = cells[-count:] + [blank] * -count
            row.wrapped = False
        row.update(zip(range(x, self.columns), cells, strict=True))
        mend(row, x, self.columns)

    # Erasing.

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        x = min(self.cursor.x, self.columns - 1)
        if how == 0:
            self._erase(self.cursor.y, x, self.columns)
        elif how == 1:
            self._erase(self.cursor.y, 0, x + 1)
        elif how == 2:
            self._erase(self.cursor.y, 0, self.columns)

    def erase_in_display(self, how: int = 0, *args: Any, **kwargs: Any) -> None:
        y = self.cursor.y
        if how in (0, 1):
            self.erase_in_line(how)
        rows = {0: range(y + 1, self.lines), 1: range(y), 2: range(self.lines)}.get(how, range(0))
        for number in rows:
            self._erase(number, 0, self.columns)

    def erase_characters(self, count: int | None = None) -> None:
        x = min(self.cursor.x, self.columns - 1)
        self._erase(self.cursor.y, x, min(x + (count or 1), self.columns))

    def _erase(self, y: int, start: int, end: int) -> None:
        background = self.cursor.attrs.bg
        row = self.buffer.get(y)
        if background is None and start == 0 and end == self.columns:
            self.buffer.pop(y, None)
            return
        if row is None:
            if background is None:
                return
            row = self.buffer[y]
        blank = BLANK if background is None else BLANK._replace(bg=background)
        if end == self.columns:
            row.wrapped = False
        for x in range(start, end):
            row[x] = blank
        mend(row, start, self.columns)

    def alignment_display(self) -> None:
        for y in range(self.lines):
            row = self.buffer[y] = Row()
            row.update(dict.fromkeys(range(self.columns), BLANK._replace(data="E")))
        self.margins = None
        self.cursor.x = self.cursor.y = 0

    # The cursor.

    def cursor_to_line(self, line: int | None = None) -> None:
        if modes.DECOM in self.mode and self.margins is None:
            self.margins = Margins(0, self.lines - 1)
        super().cursor_to_line(line)

    def save_cursor(self) -> None:
        cursor = self.cursor
        self.saved = (cursor.x, cursor.y, cursor.attrs, tuple(self.graphic), self.shifted)

    def restore_cursor(self) -> None:
        x, y, attrs, graphic, shifted = self.saved or (0, 0, BLANK, (False, False), 0)
        cursor = self.cursor
        cursor.x, cursor.y, cursor.attrs = x, min(y, self.lines - 1), attrs
        cursor.x = min(x, self.columns)
        self.graphic, self.shifted = list(graphic), shifted

    # The whole screen.

    def cover(self, mode: int) -> None:
        """A full-screen program takes the terminal: show the other screen, empty."""
        if self.covered is not None:
            return
        cursor = self.cursor
        kept = copy.copy(cursor)
        self.covered = Covered(self.buffer, kept, mode)
        self.buffer = Rows()

    def uncover(self) -> None:
        """The main screen is shown again, and its cursor where that was saved."""
        covered, self.covered = self.covered, None
        if covered is None:
            return
        self.buffer = covered.buffer
        if covered.mode == 1049:
            self.cursor.x = min(covered.cursor.x, self.columns)
            self.cursor.y = min(covered.cursor.y, self.lines - 1)
            self.cursor.attrs = covered.cursor.attrs

    def resize(self, lines: int | None = None, columns: int | None = None) -> None:
        """Take another size: rows are cut off or added at the right and below, and pushed out above a cursor
        that would not fit any more. Nothing is wrapped anew."""
        lines, columns = lines or self.lines, columns or self.columns
        self.margins = None
        excess = self.cursor.y - lines + 1
        if excess > 0:
            self.scroll_up(excess)
            self.cursor.y -= excess
        buffers = [self.buffer] if self.covered is None else [self.buffer, self.covered.buffer]
        for buffer in buffers:
            for y in [y for y in buffer if y >= lines]:
                del buffer[y]
            for row in buffer.values():
                for x in [x for x in row if x >= columns]:
                    del row[x]
                if columns != self.columns:
                    row.wrapped = False
        self.lines, self.columns = lines, columns
        self.tabstops = {stop for stop in self.tabstops if stop < columns}
        self.cursor.x = min(self.cursor.x, columns)

    # Reading.

    def line(self, y: int) -> Line:
        """A row as text."""
        row = self.buffer.get(y)
        if not row:
            return Line("")
        wrapped = bool(row.wrapped)
        end = self.columns if wrapped else max(row) + 1
        text = "".join(row[x].data for x in range(end))
        return Line(text if wrapped else text.rstrip(" "), wrapped)

    def runs(self, y: int) -> list[Run]:
        """A row as pieces that look alike."""
        row = self.buffer.get(y)
        if not row:
            return []
        return runs_of([row[x] for x in range(max(row) + 1)])


_LINE_DRAWING = dict(zip(range(0x60, 0x7F), "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·", strict=True))
