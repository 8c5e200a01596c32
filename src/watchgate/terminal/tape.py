"""A recording as far as it was played, and what that makes of the terminal it is played on.

The recording is read as a stream that can be opened again: going back is starting anew. Where a screen is
emulated, the terminal is not given all of a long way: it is given the picture at its end. Without an emulator
every octet is written, at full speed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from watchgate.terminal.defuse import RESET, Defuse
from watchgate.terminal.keyframes import Keyframes

CLEAR = RESET + b"\x1b[2J\x1b[3J\x1b[H"
AS_IT_IS = 64 * 1024
"""Up to so many octets of a way are written as they are; for a longer one the picture at its end is painted."""
_REDRAWN = 2 * 1024 * 1024
"""Up to so many octets the screen is drawn again without an emulator."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Something that happened in a recorded terminal: it showed *output*, or a *command* was requested."""

    t_us: int
    output: bytes = b""
    command: str | None = None


class Tape:
    """Runs through the frames; what it returns is to be written to the terminal."""

    def __init__(self, source: Callable[[], Iterator[Frame]], *, raw: bool) -> None:
        self._source = source
        self._raw = raw
        self._keyframes: Keyframes | None = None
        self._frames: Iterator[Frame] = iter(())
        self._defuse = Defuse()
        self._octets = 0
        self._known_until = 0  # frames before this are in the keyframe that was gone back to
        self._way: list[bytes] | None = None  # output passed and not written
        self._way_octets = 0
        self.next: Frame | None = None
        self.index = 0
        """Frames passed."""
        self.shown_us = 0
        """The moment of the last of them."""
        self.commands: list[int] = []
        """The frames of the commands passed."""
        self.command = ""

    def emulate(self, keyframes: Keyframes) -> None:
        """Paint long ways from *keyframes*; what is passed raw is passed whole."""
        if not self._raw:
            self._keyframes = keyframes

    def resized(self, columns: int, rows: int) -> None:
        """The terminal has another size."""
        if self._keyframes is not None:
            self._keyframes.resize(columns, rows)

    def open(self) -> None:
        """Begin at the start."""
        self._frames = iter(self._source())
        self._defuse = Defuse()
        self._octets = self._known_until = 0
        self.index = self.shown_us = 0
        self.commands = []
        self.command = ""
        self.next = next(self._frames, None)

    def hasten(self) -> None:
        """A way begins of which only the end need be seen."""
        if self._keyframes is not None and self._way is None:
            self._way = []
            self._way_octets = 0

    def arrive(self) -> bytes:
        """The end of the way."""
        way, self._way = self._way, None
        if way is None or self._keyframes is None:
            return b""
        if self._way_octets > AS_IT_IS:
            return self._painted(self._keyframes)
        return self._harmless(b"".join(way))

    def advance(self) -> bytes:
        """Pass the next frame."""
        frame = self.next
        if frame is None:
            return b""
        written = self._passed(frame.output) if self.index >= self._known_until else b""
        if frame.command is not None:
            self.commands.append(self.index)
            self.command = frame.command
        self._octets += len(frame.output)
        self.shown_us = frame.t_us
        self.index += 1
        if self._keyframes is not None and self.index > self._known_until:
            self._keyframes.passed(self.index, self.shown_us)
        self.next = next(self._frames, None)
        return written

    def back(self, *, until_us: int | None = None, until_index: int | None = None) -> bytes:
        """Go back to the start, or to where there is a short way from to that moment or frame."""
        self.open()
        if self._keyframes is None:
            return CLEAR
        found = self._keyframes.back(until_us=until_us, until_index=until_index)
        self._known_until = found.index
        self._way = None
        self.hasten()
        return CLEAR + self._harmless(found.octets)

    def redrawn(self) -> bytes:
        """Octets that draw the screen again; none where that would take long."""
        if self._keyframes is not None:
            if self._way is not None:
                self._way, self._way_octets = [], 0
            return self._painted(self._keyframes)
        if self._octets > _REDRAWN or not self.index:
            return b""
        until = self.index
        drawn = [self.back()]
        while self.next is not None and self.index < until:
            drawn.append(self.advance())
        return b"".join(drawn)

    def _passed(self, output: bytes) -> bytes:
        if not output:
            return b""
        if self._keyframes is not None:
            self._keyframes.feed(output)
        if self._way is None:
            return self._harmless(output)
        self._way_octets += len(output)
        if self._way_octets <= AS_IT_IS:
            self._way.append(output)
        else:
            self._way.clear()
        return b""

    def _painted(self, keyframes: Keyframes) -> bytes:
        self._defuse = Defuse()
        return CLEAR + self._harmless(keyframes.now())

    def _harmless(self, octets: bytes) -> bytes:
        return octets if self._raw else self._defuse.feed(octets)
