"""The screen behind glass: an emulator that fails costs the picture, not the session.

What is fed is kept for a moment, so that a new emulator can be given it. Until the next line begins, what that
one shows may be cut, and whoever looks is told so. An emulator that is away (its process is being started, or
has too much to do) is no failure: without a picture it is read on, and another is opened when it is back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from watchgate.terminal.lazy import TAIL, LazyScreen
from watchgate.terminal.reading_lines import is_faint
from watchgate.terminal.screen import Anchor, Line, LiveScreen, ScreenAwayError, ScreenLostError

_T = TypeVar("_T")

_KEPT = TAIL
_BROKEN = 8
"""Emulators that fail one after the other, before none is opened any more."""


class Glass:
    """One terminal's screen, fed lazily."""

    def __init__(
        self, columns: int, rows: int, open_screen: Callable[[int, int], LiveScreen]
    ) -> None:
        self._open = open_screen
        self._size = (columns, rows)
        self._tail = bytearray()
        self._t_us = 0
        self._lazy: LazyScreen[LiveScreen] | None = None
        self.broken = 0
        """How often an emulator failed."""
        self.cut = False
        """What is shown may lack something that came before an emulator failed or was away."""
        self._is_away = False
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
        self._asked(lambda lazy: lazy.feed_at(t_us, octets))

    def resize(self, columns: int, rows: int) -> None:
        """The window changed its size."""
        self._size = (columns, rows)
        self._asked(lambda lazy: lazy.resize(columns, rows))

    def expect_look(self) -> None:
        """Somebody is going to look at what is shown now."""
        self._asked(LazyScreen.expect_look)

    def look(self) -> View | None:
        """What is shown now; None when no emulator can show it."""
        if self._lazy is None and self._is_away:
            self._renew()
        return self._asked(lambda lazy: View(lazy.screen))

    def anchor(self) -> Anchor | None:
        """The cursor's present place; None when there is none."""
        return self._asked(lambda lazy: lazy.screen.anchor())

    def _asked(self, ask: Callable[[LazyScreen[LiveScreen]], _T]) -> _T | None:
        """What the emulator says to *ask*; None when there is none, or when that was too much for it."""
        if self._lazy is None:
            return None
        try:
            return ask(self._lazy)
        except ScreenAwayError:
            self._leave()
        except Exception as error:  # noqa: BLE001 - whatever an emulator raises, the session goes on
            self._failed(error)
        return None

    def _leave(self) -> None:
        """The emulator is away: another is opened when somebody looks."""
        self._lazy = None
        self._is_away = self.cut = True

    def _failed(self, error: Exception) -> None:
        if isinstance(error, ScreenLostError):
            self._tail.clear()  # the next one, which others use as well, is not given it again
        self.broken += 1
        self.cut = True
        self._renew()

    def _renew(self) -> None:
        self._lazy = None
        self._is_away = False
        if self.broken >= _BROKEN:
            return
        try:
            lazy = LazyScreen(self._open(*self._size))
            if self._tail:
                lazy.feed_at(self._t_us, bytes(self._tail[-_KEPT:]))
        except ScreenAwayError:
            self._leave()
            return
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

    def __init__(self, screen: LiveScreen) -> None:
        self.screen = screen
        self.columns = screen.columns
        self.rows: list[Line] = list(screen.lines())
        self.column, self.row = screen.cursor

    def faint(self, column: int, row: int) -> bool:
        """Whether what begins at the cell is drawn as shells draw suggestions; False when nobody can say."""
        try:
            return is_faint(self.screen, column, row)
        except Exception:  # noqa: BLE001 - as above; the next look finds out
            return False
