"""A screen that is emulated in another process.

What is printed is kept here until somebody looks, or until it is much; looking fetches one picture, which holds
until something is printed again.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Sequence
from typing import TypeVar

from watchgate.emulation.host import GoneError, Host
from watchgate.emulation.wire import Frame, Op, Picture, numbers, parse_styled, read_numbers
from watchgate.terminal.screen import Line, Run, ScreenAwayError, ScreenLostError

_AnswerT = TypeVar("_AnswerT")

KEPT = 32 * 1024
"""Octets that wait here before they are sent without a look."""


class HostedScreen:
    """Implements `LiveScreen`; every reading call raises ScreenAwayError or ScreenLostError where there is no picture."""

    def __init__(self, host: Host, number: int, columns: int, rows: int) -> None:
        self._host = host
        self._number = number
        self._unsent = bytearray()
        self._unproven = False  # something was sent that no answer came behind
        self._picture: Picture | None = None
        self._styled: Sequence[Sequence[Run]] | None = None
        self._anchors = itertools.count(1)
        self._released: list[int] = []
        self._tell(Op.OPEN, numbers(columns, rows))
        weakref.finalize(self, host.forget, number).atexit = False

    @property
    def columns(self) -> int:
        return self._seen().columns

    @property
    def rows(self) -> int:
        return self._seen().rows

    @property
    def cursor(self) -> tuple[int, int]:
        return self._seen().cursor

    @property
    def alternate(self) -> bool:
        return self._seen().alternate

    def lines(self) -> Sequence[Line]:
        return self._seen().lines

    def styled(self) -> Sequence[Sequence[Run]]:
        if self._styled is None:
            self._seen()
            self._styled = self._asked(Op.STYLED, b"", parse_styled)
        return self._styled

    def dim(self, column: int, row: int) -> bool:
        self._seen()
        return any(self._asked(Op.FAINT, numbers(column, row), read_numbers))

    def feed(self, octets: bytes) -> None:
        self._unsent += octets
        self._changed()
        if len(self._unsent) >= KEPT:
            self._flush()

    def resize(self, columns: int, rows: int) -> None:
        self._flush()
        self._tell(Op.RESIZE, numbers(columns, rows))
        self._changed()

    def anchor(self) -> HostedAnchor:
        self._flush()
        number = next(self._anchors)
        self._tell(Op.ANCHOR, numbers(number))
        self._picture = None
        anchor = HostedAnchor(self, number)
        # Whoever collects an anchor may be in the middle of something: it is released with what is sent next.
        weakref.finalize(anchor, self._released.append, number).atexit = False
        return anchor

    def place(self, anchor: int) -> tuple[int, int] | None:
        """Where an anchor is now."""
        return self._seen().places.get(anchor)

    # --- inside ------------------------------------------------------------------------------

    def _changed(self) -> None:
        self._picture = self._styled = None

    def _seen(self) -> Picture:
        if self._picture is None:
            self._flush()
            self._picture = self._asked(Op.LOOK, b"", Picture.parse)
        return self._picture

    def _flush(self) -> None:
        if self._released:
            released, self._released[:] = list(self._released), []
            self._tell(Op.RELEASE, numbers(*released))
        if self._unsent:
            octets = bytes(self._unsent)
            self._unsent.clear()
            self._tell(Op.FEED, octets)

    def _tell(self, op: Op, payload: bytes) -> None:
        try:
            self._host.tell(Frame(op, self._number, payload))
        except GoneError as error:
            raise self._lost(error) from error
        self._unproven = True

    def _asked(self, op: Op, payload: bytes, read: Callable[[bytes], _AnswerT]) -> _AnswerT:
        try:
            answer = read(self._host.ask(Frame(op, self._number, payload)))
        except GoneError as error:
            raise self._lost(error) from error
        except ValueError as error:
            self._host.end()
            raise ScreenLostError("the emulator answers nonsense") from error
        self._unproven = False
        return answer

    def _lost(self, error: GoneError) -> Exception:
        if self._unproven:
            return ScreenLostError(str(error))
        return ScreenAwayError("the emulator was lost to another terminal")


class HostedAnchor:
    """A place that the other process follows."""

    __slots__ = ("__weakref__", "_number", "_screen")

    def __init__(self, screen: HostedScreen, number: int) -> None:
        self._screen = screen
        self._number = number

    def place(self) -> tuple[int, int] | None:
        try:
            return self._screen.place(self._number)
        except (ScreenAwayError, ScreenLostError):
            return None
