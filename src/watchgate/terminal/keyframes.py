"""Pictures of the screen that a player keeps on its way, so that going back is not going all the way again.

They are kept in memory, within bounds: when there are too many every second one is given up, and from then on
they are taken half as often.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from watchgate.terminal.screen import Screen

EVERY = 128 * 1024
"""Octets of output from one keyframe to the next."""
MOST = 256
MOST_OCTETS = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Keyframe:
    """The screen after so many frames."""

    index: int
    t_us: int
    """The moment of the last of them."""
    octets: bytes


class Keyframes:
    """An emulated screen, and keyframes of it in the order in which they were taken."""

    def __init__(self, open_screen: Callable[[int, int], Screen], columns: int, rows: int) -> None:
        self._open_screen = open_screen
        self._size = (columns, rows)
        self._screen = open_screen(columns, rows)
        self._kept: list[Keyframe] = []
        self._held = 0
        self._every = EVERY
        self._since = 0

    def feed(self, octets: bytes) -> None:
        """Another frame's output."""
        self._screen.feed(octets)
        self._since += len(octets)

    def passed(self, index: int, t_us: int) -> None:
        """So many frames have been fed; keeps a picture when the last one is far behind."""
        if self._since < self._every:
            return
        self._since = 0
        if self._kept and self._kept[-1].index >= index:
            return
        frame = Keyframe(index, t_us, self._screen.keyframe())
        self._kept.append(frame)
        self._held += len(frame.octets)
        if len(self._kept) > MOST or self._held > MOST_OCTETS:
            del self._kept[::2]
            self._held = sum(len(kept.octets) for kept in self._kept)
            self._every *= 2

    def now(self) -> bytes:
        """Octets that show the screen as it is now on an empty one."""
        return self._screen.keyframe()

    def back(self, *, until_us: int | None, until_index: int | None) -> Keyframe:
        """Go back to the last keyframe that is not past the moment, or not past the frame; or to the start."""
        if until_index is not None:
            number = bisect_right(self._kept, until_index, key=lambda kept: kept.index)
        elif until_us is not None:
            number = bisect_right(self._kept, until_us, key=lambda kept: kept.t_us)
        else:
            number = 0
        frame = self._kept[number - 1] if number else Keyframe(0, 0, b"")
        self._screen = self._open_screen(*self._size)
        self._screen.feed(frame.octets)
        self._since = 0
        return frame

    def resize(self, columns: int, rows: int) -> None:
        """The player's terminal has another size: what was kept does not fit it any more."""
        self._size = (columns, rows)
        self._screen.resize(columns, rows)
        self._kept.clear()
        self._held = 0
