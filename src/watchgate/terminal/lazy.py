"""A screen that is fed only as much as may be worth it.

Ordinary sessions print little, and every octet of it is emulated. What prints much (a build, a dump) would
cost an emulator more than it tells: beyond a budget only the last octets are kept, and emulated when
somebody looks. What was skipped is counted.

The budget runs in the time of the session, not of this machine: what a screen shows depends on the octets,
on their times and on when somebody looked, so a recording that is read twice says the same twice. How the
octets were cut into pieces makes no difference.
"""

from __future__ import annotations

import re
from typing import Generic, TypeVar

from watchgate.terminal.screen import LiveScreen

ScreenT = TypeVar("ScreenT", bound=LiveScreen)

BURST = 64 * 1024
PER_SECOND = 64 * 1024
TAIL = 16 * 1024

_SECOND_US = 1_000_000
_SWITCH = re.compile(rb"\x1b\[\?([0-9;]{0,32}?(?:4[79]|2004)[0-9;]{0,32})([hl])")
_UNFINISHED = re.compile(rb"\x1b(?:\[(?:\?[0-9;]{0,68})?)?\Z")
_LONGEST_SWITCH = 72
_ALTERNATE = frozenset((b"1049", b"1047", b"47"))
_BRACKETED_PASTE = b"2004"
_LINE_START = re.compile(rb"[\r\n]+")
# Where octets were left out a sequence may have been cut, and the pen and its character set are unknown.
_AFTER_A_GAP = b"\x18\x1b[m\x0f"


class ModeScan:
    """Finds, in octets that nobody emulates, which screen is shown and whether pasted text is marked."""

    __slots__ = ("_rest", "alternate", "bracketed_paste", "switch")

    def __init__(self) -> None:
        self._rest = b""
        self.alternate: bool | None = None
        """None as long as nothing was said."""
        self.switch = b""
        """The last sequence that switched between the screens."""
        self.bracketed_paste: bool | None = None

    def feed(self, octets: bytes) -> None:
        """Look at *octets*, which may be cut anywhere."""
        octets = self._rest + octets
        if b"\x1b" not in octets:
            self._rest = b""
            return
        for found in _SWITCH.finditer(octets):
            modes = found[1].split(b";")
            is_set = found[2] == b"h"
            for mode in modes:
                if mode in _ALTERNATE:
                    self.alternate = is_set
                    self.switch = b"\x1b[?%b%b" % (mode, found[2])
                elif mode == _BRACKETED_PASTE:
                    self.bracketed_paste = is_set
        unfinished = _UNFINISHED.search(octets, max(0, len(octets) - _LONGEST_SWITCH))
        self._rest = unfinished[0] if unfinished is not None else b""


class LazyScreen(Generic[ScreenT]):
    """Feeds a screen within a budget: *burst* octets at once and *per_second*, and a tail beyond it."""

    def __init__(
        self,
        screen: ScreenT,
        *,
        burst: int = BURST,
        per_second: int = PER_SECOND,
        tail: int = TAIL,
    ) -> None:
        self._screen = screen
        self._full = burst * _SECOND_US
        self._per_second = per_second
        self._tail_octets = tail
        self._resume = min(2 * tail, burst) * _SECOND_US
        self._budget = self._full  # in millionths of an octet, so that no time is rounded
        self._t_us: int | None = None
        self._tail = bytearray()  # what is not fed yet
        self._behind = False  # whether octets go to the tail
        self._gap: ModeScan | None = None  # of what was left out since the screen was fed last
        self._modes = ModeScan()
        self._skipped = 0

    @property
    def screen(self) -> ScreenT:
        """The screen as it is now, the tail fed."""
        self._catch_up()
        return self._screen

    @property
    def skipped(self) -> int:
        """How many octets were left out; the rest of a line that was cut counts when the tail is fed."""
        return self._skipped + max(0, len(self._tail) - self._tail_octets)

    @property
    def behind(self) -> bool:
        """Octets wait that are fed only when somebody looks."""
        return self._behind

    @property
    def alternate(self) -> bool:
        """Whether a full-screen program has the screen; costs nothing."""
        return bool(self._modes.alternate)

    @property
    def bracketed_paste(self) -> bool:
        """Whether the program asked that pasted text be marked; costs nothing."""
        return bool(self._modes.bracketed_paste)

    def feed_at(self, t_us: int, octets: bytes) -> None:
        """What the target printed at *t_us*."""
        self._earn(t_us)
        self._modes.feed(octets)
        if self._behind and self._budget >= self._resume:
            self._budget -= min(len(self._tail), self._tail_octets) * _SECOND_US
            self._catch_up()
            self._behind = False
        if not self._behind:
            fed = min(len(octets), self._budget // _SECOND_US)
            self._screen.feed(octets[:fed])
            self._budget -= fed * _SECOND_US
            octets = octets[fed:]
            self._behind = bool(octets)
        if octets:
            self._tail += octets
            if len(self._tail) > 4 * self._tail_octets:
                self._leave_out(len(self._tail) - self._tail_octets)

    def expect_look(self) -> None:
        """Somebody is going to look soon, if not too much was printed for that."""
        if not self._tail:
            self._screen.expect_look()

    def resize(self, columns: int, rows: int) -> None:
        """The window changed its size."""
        self.screen.resize(columns, rows)

    def _earn(self, t_us: int) -> None:
        if self._t_us is not None and t_us > self._t_us:
            earned = (t_us - self._t_us) * self._per_second
            self._budget = min(self._full, self._budget + earned)
        self._t_us = t_us if self._t_us is None else max(t_us, self._t_us)

    def _leave_out(self, octets: int) -> None:
        """Give up the first *octets* of the tail."""
        if self._gap is None:
            self._gap = ModeScan()
        self._gap.feed(bytes(self._tail[:octets]))
        del self._tail[:octets]
        self._skipped += octets

    def _catch_up(self) -> None:
        """Feed the tail; from the start of a line where something before it was left out."""
        if len(self._tail) > self._tail_octets:
            self._leave_out(len(self._tail) - self._tail_octets)
        gap = self._gap
        if gap is not None:
            start = _LINE_START.search(self._tail)
            if start is not None:
                self._leave_out(start.end())
            self._gap = None
            self._screen.feed(_AFTER_A_GAP)
            if self._screen.cursor[0] and not self._screen.alternate:
                self._screen.feed(b"\r\n")
            if gap.alternate is not None and gap.alternate != self._screen.alternate:
                self._screen.feed(gap.switch)
            if gap.bracketed_paste is not None:
                self._screen.feed(b"\x1b[?2004h" if gap.bracketed_paste else b"\x1b[?2004l")
        if self._tail:
            self._screen.feed(bytes(self._tail))
            self._tail.clear()
