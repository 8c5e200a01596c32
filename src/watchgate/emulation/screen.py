"""A screen that is emulated in another process.

What is printed is kept here until somebody looks, or until it is much: waking another process costs more than
most of what it would be told. Looking fetches one picture, which holds until something is printed again.
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
_SentT = TypeVar("_SentT")

KEPT = 32 * 1024
"""Octets that wait here before they are sent without a look."""


class HostedScreen:
    """Implements `LiveScreen`; every reading call raises ScreenAwayError or ScreenLostError where there is no picture."""

    def __init__(self, host: Host, number: int, columns: int, rows: int) -> None:
        self._host = host
        self._number = number
        self._queued = bytearray()  # frames that were not sent yet
        self._unsent = bytearray()  # what was printed behind them
        self._unproven = False  # something was sent that no answer came behind
        self._picture: Picture | None = None
        self._is_expected = False  # the picture is asked for already, and nothing was printed since
        self._places: dict[int, tuple[int, int] | None] = {}
        self._placed: list[int] = []  # anchors where the cursor of the next picture is
        self._styled: Sequence[Sequence[Run]] | None = None
        self._anchors = itertools.count(1)
        self._released: list[int] = []
        self._queue(Op.OPEN, numbers(columns, rows))
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
        if len(self._unsent) + len(self._queued) >= KEPT:
            self._printed()
            self._sent(self._host.tell)

    def resize(self, columns: int, rows: int) -> None:
        self._queue(Op.RESIZE, numbers(columns, rows))
        self._changed()

    def anchor(self) -> HostedAnchor:
        if self._host.over:
            raise self._lost(GoneError("it is over"))
        number = next(self._anchors)
        self._queue(Op.ANCHOR, numbers(number))
        if self._picture is not None:
            self._places[number] = self._picture.cursor
        elif self._is_expected:
            self._placed.append(number)
        anchor = HostedAnchor(self, number)
        # Whoever collects an anchor may be in the middle of something: it is released with what is sent next.
        weakref.finalize(anchor, self._released.append, number).atexit = False
        return anchor

    def expect_look(self) -> None:
        if self._picture is not None or self._is_expected:
            return
        if self._host.over:
            raise self._lost(GoneError("it is over"))
        self._printed()
        look = Frame(Op.LOOK, self._number).packed()
        try:
            self._is_expected = self._host.expect(self._number, bytes(self._queued) + look)
        except GoneError as error:
            self._unproven = True
            raise self._lost(error) from error
        if self._is_expected:
            self._queued.clear()
            self._unproven = True

    def place(self, anchor: int) -> tuple[int, int] | None:
        """Where an anchor is now."""
        self._seen()
        return self._places.get(anchor)

    # --- inside ------------------------------------------------------------------------------

    def _seen(self) -> Picture:
        if self._picture is None:
            if self._is_expected:
                self._picture = self._understood(
                    lambda: self._host.fetch(self._number), Picture.parse
                )
            else:
                self._picture = self._asked(Op.LOOK, b"", Picture.parse)
            self._places = {
                **self._picture.places,
                **dict.fromkeys(self._placed, self._picture.cursor),
            }
            self._placed.clear()
        return self._picture

    def _changed(self) -> None:
        self._picture = self._styled = None
        self._is_expected = False
        self._placed.clear()

    def _queue(self, op: Op, payload: bytes) -> None:
        """Say this with what is sent next, behind what was printed until now."""
        self._printed()
        self._queued += Frame(op, self._number, payload).packed()

    def _printed(self) -> None:
        if self._unsent:
            self._queued += Frame(Op.FEED, self._number, bytes(self._unsent)).packed()
            self._unsent.clear()

    def _sent(self, send: Callable[[bytes], _SentT]) -> _SentT:
        frames = bytes(self._queued)
        self._queued.clear()
        if not self._host.over:
            self._unproven = True
        try:
            return send(frames)
        except GoneError as error:
            raise self._lost(error) from error

    def _asked(self, op: Op, payload: bytes, read: Callable[[bytes], _AnswerT]) -> _AnswerT:
        if self._released:
            released, self._released[:] = list(self._released), []
            self._queue(Op.RELEASE, numbers(*released))
        self._queue(op, payload)
        return self._understood(lambda: self._sent(self._host.ask), read)

    def _understood(self, ask: Callable[[], bytes], read: Callable[[bytes], _AnswerT]) -> _AnswerT:
        try:
            answer = read(ask())
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
