"""The rows that left a libghostty-vt screen at its top, each given out once.

The library keeps them as a terminal keeps its scrollback. The last one that was given out is marked; what
stands between the mark and the screen is new, wherever the text moved since (a narrower window wraps it
anew). So nothing is read while output passes, only when somebody asks for the rows, or when they are about
to be cleared or hidden.
"""

from __future__ import annotations

from collections import deque

from watchgate.terminal.ghostty import Area, Place, Terminal
from watchgate.terminal.screen import Line

_AT_ONCE = 4096 + 65_536
"""Cells, and so rows at most, that come between two countings: a piece, and one repeated character."""
_SLACK = 4096
"""Rows beyond those that are kept before they are given up: moving the mark costs more than counting."""
_PAGE = 50_000
_PAGE_ROWS = 8192
"""The library drops whole pages: so many cells, in so many rows at most."""
_LEAVE = 200
"""Rows that stay when the others were given out, for anchors that scrolled off."""


class Left:
    """Counts and reads the rows that left *terminal*'s main screen."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._columns = 1
        self._kept = 0
        self._room = 0
        self._rows: deque[Line] = deque()
        self._mark: Place | None = None
        self._ends_line = True  # whether the marked row is the last one of its line
        self._resized = False
        self._credit = 0
        self._missed = 0

    @property
    def missed(self) -> int:
        """How many rows will never be given out."""
        return self._missed + (0 if self._terminal.alternate else max(0, self._excess()))

    def sized(self, columns: int, kept: int) -> None:
        """The screen got so many *columns*; from now on *kept* rows are kept."""
        self._columns = columns
        self._kept = kept
        page = min(_PAGE_ROWS, _PAGE // columns + 1)
        self._room = kept + _SLACK + _AT_ONCE // columns + 2 * page
        self._terminal.keep(self._room, self._columns)
        self._resized = True
        self._bound()

    def printed(self, octets: int) -> None:
        """Another piece was printed; leaves unread what is kept, and counts what is not."""
        self._credit = min(self._kept, self._credit + octets)
        if not self._terminal.alternate:
            self._bound()

    def rescue(self) -> None:
        """Read what is about to be cleared or hidden.

        A row is read for each octet that was printed, so that a stream that fills the screen with one
        sequence and clears it with the next costs what other streams cost; more is counted as missed.
        """
        if not self._terminal.alternate:
            self._credit -= self._read(self._credit)

    def cleared(self) -> None:
        """What was to be cleared or hidden has been."""
        if not self._terminal.alternate and not self._terminal.left:
            self._mark = None

    def taken(self) -> list[Line]:
        """The rows since the last call, the oldest first."""
        if not self._terminal.alternate:
            self._read(self._kept)
            if self._terminal.left > _LEAVE + 2 * (_PAGE // self._columns + 1):
                self._terminal.keep(_LEAVE, self._columns)
                self._terminal.keep(self._room, self._columns)
        rows = list(self._rows)
        self._rows.clear()
        return rows

    def _bound(self) -> None:
        """Give up the oldest rows when more are waiting than are kept."""
        if self._terminal.alternate:
            return
        if self._lost():
            self._mark = None
            self._missed += 1
        excess = self._excess()
        if excess > _SLACK:
            self._missed += excess
            self._mark_row(self._terminal.left - self._kept - 1)

    def _excess(self) -> int:
        """How many more rows are waiting than are kept."""
        return self._terminal.left - self._next()[1] - self._kept

    def _lost(self) -> bool:
        """Whether the library dropped the marked row, which it should not; the mark then stands at its first."""
        if self._mark is None or self._resized or self._columns == 1:
            return False
        return self._mark.now() == (0, 0)

    def _read(self, limit: int) -> int:
        """Read the rows that wait, at most the last *limit*; returns how many."""
        left = self._terminal.left
        column, first = self._next()
        if first >= left:
            return 0
        if left - first > limit:
            self._missed += left - first - limit
            column, first = 0, left - limit
        count = left - first
        if count:
            self._keep_lines(column, first, left)
        self._mark_row(left - 1)
        return count

    def _keep_lines(self, column: int, first: int, end: int) -> None:
        terminal = self._terminal
        texts = terminal.text(first, end - 1, self._columns, Area.KEPT, from_column=column)
        texts += [""] * (end - first - len(texts))
        for row, text in enumerate(texts[: end - first], first):
            wrapped = terminal.wrapped(row, Area.KEPT)
            self._rows.append(Line(text if wrapped else text.rstrip(" "), wrapped))
        while len(self._rows) > self._kept:
            self._rows.popleft()
            self._missed += 1

    def _next(self) -> tuple[int, int]:
        """Column and row from which on nothing was given out; the row is counted from the oldest one kept."""
        if self._mark is None:
            return 0, 0
        place = self._mark.now()
        if place is None:
            return 0, 0
        if self._resized:
            place = self._found_again(*place)
        column, row = place
        if self._ends_line or column + 1 >= self._columns:
            return 0, row + 1
        return column + 1, row

    def _found_again(self, column: int, row: int) -> tuple[int, int]:
        """Where the mark is after the text was wrapped anew: lines that were given out whole still are."""
        self._resized = False
        if not self._ends_line:
            return column, row
        end = self._terminal.left
        while row < end and self._terminal.wrapped(row, Area.KEPT):
            row += 1
        if self._mark is not None:
            self._mark.move(self._columns - 1, row)
        return self._columns - 1, row

    def _mark_row(self, row: int) -> None:
        if row < 0:
            self._mark = None
            return
        if self._mark is None:
            self._mark = self._terminal.place(self._columns - 1, row, Area.KEPT)
        else:
            self._mark.move(self._columns - 1, row)
        self._ends_line = not self._terminal.wrapped(row, Area.KEPT)
        self._resized = False
