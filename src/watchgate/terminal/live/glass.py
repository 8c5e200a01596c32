"""The screen behind glass: an emulator that fails costs the picture, not the session.

What is fed is kept for a moment, so that a new emulator can be given it. Until a prompt is drawn on that one,
what it shows may be cut, and whoever looks is told so.
"""

from __future__ import annotations

from collections.abc import Callable

from watchgate.terminal.lazy import TAIL, LazyScreen
from watchgate.terminal.screen import Anchor, Line, Screen

_KEPT = TAIL
_BROKEN = 8
"""Emulators that fail one after the other, before none is opened any more."""


class Glass:
    """One terminal's screen, fed lazily."""

    def __init__(self, columns: int, rows: int, open_screen: Callable[[int, int], Screen]) -> None:
        self._open = open_screen
        self._size = (columns, rows)
        self._tail = bytearray()
        self._t_us = 0
        self._lazy: LazyScreen | None = None
        self.broken = 0
        """How often an emulator failed."""
        self.cut = False
        """What is shown may lack something that came before an emulator failed."""
        self._renew()

    @property
    def alternate(self) -> bool:
        """Whether a full-screen program has the screen."""
        return self._lazy is not None and self._lazy.alternate

    @property
    def bracketed_paste(self) -> bool:
        """Whether pasted text is marked."""
        return self._lazy is not None and self._lazy.bracketed_paste

    def feed(self, t_us: int, octets: bytes) -> None:
        """What the target printed."""
        self._t_us = t_us
        self._tail += octets
        if len(self._tail) > 4 * _KEPT:
            del self._tail[:-_KEPT]
        if self._lazy is None:
            return
        try:
            self._lazy.feed_at(t_us, octets)
        except Exception:  # noqa: BLE001 - whatever an emulator raises, the session goes on
            self._failed()

    def resize(self, columns: int, rows: int) -> None:
        """The window changed its size."""
        self._size = (columns, rows)
        if self._lazy is None:
            return
        try:
            self._lazy.resize(columns, rows)
        except Exception:  # noqa: BLE001 - as above
            self._failed()

    def look(self) -> View | None:
        """What is shown now; None when no emulator can show it."""
        if self._lazy is None:
            return None
        try:
            return View(self._lazy.screen)
        except Exception:  # noqa: BLE001 - as above
            self._failed()
            return None

    def anchor(self) -> Anchor | None:
        """The cursor's present place; None when there is none."""
        if self._lazy is None:
            return None
        try:
            return self._lazy.screen.anchor()
        except Exception:  # noqa: BLE001 - as above
            self._failed()
            return None

    def _failed(self) -> None:
        self.broken += 1
        self.cut = True
        self._renew()

    def _renew(self) -> None:
        self._lazy = None
        if self.broken >= _BROKEN:
            return
        try:
            lazy = LazyScreen(self._open(*self._size))
            if self._tail:
                lazy.feed_at(self._t_us, bytes(self._tail[-_KEPT:]))
        except Exception:  # noqa: BLE001 - the same octets may break the new one
            self.broken += 1
            self._tail.clear()
            if self.broken < _BROKEN:
                self._renew()
            return
        self._lazy = lazy


class View:
    """A picture of the screen, taken at once."""

    __slots__ = ("column", "columns", "row", "rows", "screen")

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.columns = screen.columns
        self.rows: list[Line] = list(screen.lines())
        self.column, self.row = screen.cursor
