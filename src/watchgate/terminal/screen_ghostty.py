"""A screen emulated by libghostty-vt: fast enough for every octet of an ordinary session."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from weakref import WeakSet

from watchgate.terminal.ghostty import Area, Place, Terminal
from watchgate.terminal.ghostty_cells import Cells
from watchgate.terminal.screen import Line, Run
from watchgate.terminal.screen_bounds import HISTORY, bounded, kept_rows
from watchgate.terminal.screen_ghostty_keyframe import keyframe
from watchgate.terminal.screen_ghostty_left import Left

_PIECE = 4096
_EDGE = re.compile(
    rb"\x1b(?:\[(?:\?[0-9;]{0,32}?4[79][0-9;]{0,32}h|\??[0-9;]{0,32}?3[0-9;]{0,32}J|[0-9;]{0,32}[bS])|c)"
)
"""What clears the rows that left the screen, hides them, or pushes many out at once."""
_BROKEN_OFF = re.compile(rb"\x1b(?:\[[0-9;?]{0,64})?\Z")
"""The beginning of such a sequence, when its end has not come yet."""


class GhosttyScreen:
    """A `Screen` of libghostty-vt; *history* rows that left it are kept for `scrolled`."""

    def __init__(self, columns: int, rows: int, *, history: int = HISTORY) -> None:
        self._columns, self._rows = bounded(columns, rows)
        self._history = history
        self._terminal = Terminal(self._columns, self._rows)
        self._left = Left(self._terminal)
        self._left.sized(self._columns, kept_rows(history, self._columns))
        self._cells: Cells | None = None
        self._anchors: WeakSet[GhosttyAnchor] = WeakSet()
        self._held = b""  # a sequence that is not whole yet, which changes nothing before it is

    @property
    def columns(self) -> int:
        return self._columns

    @property
    def rows(self) -> int:
        return self._rows

    @property
    def cursor(self) -> tuple[int, int]:
        return self._terminal.cursor

    @property
    def cursor_visible(self) -> bool:
        return self._terminal.mode(25)

    @property
    def alternate(self) -> bool:
        return self._terminal.alternate

    @property
    def missed(self) -> int:
        return self._left.missed

    def feed(self, octets: bytes) -> None:
        """What the target printed; octets that were cut anywhere are fine."""
        octets, self._held = self._held + octets, b""
        broken_off = _BROKEN_OFF.search(octets, max(0, len(octets) - 66))
        if broken_off is not None:
            octets, self._held = octets[: broken_off.start()], broken_off[0]
        if not octets:
            return
        held = self._terminal.octets(octets)
        start = 0
        for end, clears in chain(_edges(octets), ((len(octets), False),)):
            while start < end:
                stop = min(end, start + _PIECE)
                self._terminal.write(held, start, stop)
                self._left.printed(stop - start)
                start = stop
            if clears:
                # The sequence has come but for its last octet: what it takes away is read first.
                self._left.rescue()
                if octets[end : end + 1] == b"J":
                    for anchor in self._anchors:
                        anchor.clearing()
                self._terminal.write(held, end, end + 1)
                self._left.cleared()
                start = end + 1

    def resize(self, columns: int, rows: int) -> None:
        self._columns, self._rows = bounded(columns, rows)
        self._terminal.resize(self._columns, self._rows)
        self._left.sized(self._columns, kept_rows(self._history, self._columns))

    def lines(self) -> Sequence[Line]:
        """Every row of the screen, from the top."""
        texts = self._terminal.text(0, self._rows - 1, self._columns, Area.ACTIVE)
        texts += [""] * (self._rows - len(texts))
        return [self._line(text, row) for row, text in enumerate(texts[: self._rows])]

    def scrolled(self) -> Sequence[Line]:
        return self._left.taken()

    def styled(self) -> Sequence[Sequence[Run]]:
        if self._cells is None:
            self._cells = Cells(self._terminal)
        return self._cells.runs()

    def dim(self, column: int, row: int) -> bool:
        if not (0 <= column < self._columns and 0 <= row < self._rows):
            return False
        return bool(self._terminal.style(column, row).faint)

    def anchor(self) -> GhosttyAnchor:
        anchor = GhosttyAnchor(self._terminal)
        self._anchors.add(anchor)
        return anchor

    def expect_look(self) -> None:
        """A look takes no time here."""

    def keyframe(self) -> bytes:
        """Octets that make a reset terminal of this size show this screen, and draw as this one would."""
        picture = keyframe(self._terminal, self._columns, self._rows, self.styled())
        return picture + self._held

    def _line(self, text: str, row: int) -> Line:
        if self._terminal.wrapped(row, Area.ACTIVE):
            return Line(text.ljust(self._columns) if text.isascii() else text, wrapped=True)
        return Line(text.rstrip(" "))


class GhosttyAnchor:
    """A cell that the library follows."""

    __slots__ = ("__weakref__", "_alternate", "_place", "_terminal")

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._alternate = terminal.alternate
        self._place: Place | None = terminal.place(*terminal.cursor, Area.ACTIVE)

    def place(self) -> tuple[int, int] | None:
        """Its column and row on the screen now; None while another screen is shown, and when it is gone."""
        if self._place is None or self._terminal.alternate != self._alternate:
            return None
        place = self._place.now()
        return None if place is None else (place[0], place[1] - self._terminal.left)

    def clearing(self) -> None:
        """The rows that left the screen go: where it is among them, it is gone."""
        place = self.place()
        if place is not None and place[1] < 0:
            self._place = None


def _edges(octets: bytes) -> Iterator[tuple[int, bool]]:
    """Where rows must be counted: before the last octet of a sequence, and whether it takes rows away."""
    if b"\x1b" not in octets:
        return
    for edge in _EDGE.finditer(octets):
        if edge[0][-1:] in b"bS":
            yield edge.start(), False
        else:
            yield edge.end() - 1, True
