"""Which terminal emulator is used: libghostty-vt where it is installed, else pyte."""

from __future__ import annotations

from typing import Literal, TypeAlias

from watchgate.errors import ConfigurationError
from watchgate.terminal.screen import Screen
from watchgate.terminal.screen_bounds import HISTORY

Backend: TypeAlias = Literal["auto", "ghostty", "pyte"]


def open_screen(
    columns: int, rows: int, *, history: int = HISTORY, backend: Backend = "auto"
) -> Screen:
    """A screen that keeps *history* rows that left it; the emulator is loaded when the first is opened.

    Raises ConfigurationError when no emulator is installed.
    """
    try:
        if backend == "auto":
            return _automatic(columns, rows, history)
        return _OPENERS[backend](columns, rows, history)
    except ImportError as error:
        raise ConfigurationError(
            "no terminal emulator is installed, so screens cannot be read: install pyghostty, or, where there "
            "is no wheel of it, watchgate[pyte]",
            code="terminal.emulator",
        ) from error


# An emulator is loaded where it is used: who opens no screen does not pay for it.


def _automatic(columns: int, rows: int, history: int) -> Screen:
    try:
        return _ghostty(columns, rows, history)
    except ImportError:
        return _pyte(columns, rows, history)


def _ghostty(columns: int, rows: int, history: int) -> Screen:
    from watchgate.terminal.screen_ghostty import GhosttyScreen

    return GhosttyScreen(columns, rows, history=history)


def _pyte(columns: int, rows: int, history: int) -> Screen:
    from watchgate.terminal.screen_pyte import PyteScreen

    return PyteScreen(columns, rows, history=history)


_OPENERS = {"ghostty": _ghostty, "pyte": _pyte}
