"""A pretended shell for the live reader: octets that shells print, with times that the tests choose."""

from __future__ import annotations

from collections.abc import Callable

from watchgate.session.model import Device as Kind
from watchgate.terminal.keys import Keys
from watchgate.terminal.live.lineread import LineRead
from watchgate.terminal.live.profiles import profile
from watchgate.terminal.live.reader import LiveReader
from watchgate.terminal.live.strokes import strokes
from watchgate.terminal.screen import Screen
from watchgate.terminal.screens import open_screen

MS = 1000
ON, OFF = b"\x1b[?2004h", b"\x1b[?2004l"
PROMPT = b"root@h:~# "


class Sitting:
    """One terminal, its reader, and a clock."""

    def __init__(
        self,
        kind: Kind = Kind.UNIX,
        *,
        columns: int = 80,
        rows: int = 24,
        rtt_us: int = 0,
        emulator: Callable[[int, int], Screen] = open_screen,
    ) -> None:
        self.reader = LiveReader(columns, rows, emulator, profile(kind))
        self.t_us = 1_000_000
        self.rtt_us = rtt_us
        self.waited_us = 0

    def shows(self, *octets: bytes, after_ms: int = 50) -> None:
        """The target prints."""
        self.t_us += after_ms * MS
        for piece in octets:
            self.reader.printed(self.t_us, piece)

    def types(self, octets: bytes, *, echo: bool | bytes = True) -> None:
        """Keys come that are passed on; they are echoed as they are, as *echo*, or not."""
        for key in Keys().feed(self.t_us, octets):
            for stroke in strokes(key):
                self.t_us += 10 * MS
                assert not self.reader.accepts(stroke)
                self.reader.typed(self.t_us, stroke)
        if echo:
            self.shows(octets if echo is True else echo, after_ms=1)

    def key(self, octets: bytes) -> bool:
        """One key that is passed on unless it would be held; whether it would."""
        (stroke,) = [s for k in Keys().feed(self.t_us, octets) for s in strokes(k)]
        if self.reader.accepts(stroke):
            return True
        self.reader.typed(self.t_us, stroke)
        return False

    def holds(self, octets: bytes = b"\r", *, after_ms: int = 100) -> LineRead:
        """Enter comes, and is held as long as the reader wants; the line."""
        self.t_us += after_ms * MS
        (stroke,) = [s for k in Keys().feed(self.t_us, octets) for s in strokes(k)]
        assert self.reader.accepts(stroke)
        begun = self.t_us
        self.reader.hold(self.t_us, stroke, self.rtt_us)
        while (line := self.reader.settled(self.t_us)) is None:
            due = self.reader.due
            assert due is not None
            self.t_us = max(due, self.t_us + 1)
        self.waited_us = self.t_us - begun
        return line

    def runs(self, octets: bytes, output: bytes = b"", *, prompt: bytes = PROMPT) -> LineRead:
        """A whole line in a shell without a line editor of its own: typed, accepted, run, prompted."""
        self.types(octets)
        return self.enters(output, prompt=prompt)

    def enters(self, output: bytes = b"", *, prompt: bytes = PROMPT) -> LineRead:
        """Enter is held and passed on; what follows is printed."""
        line = self.holds()
        self.reader.passed(self.t_us, line)
        self.shows(b"\r\n" + output + prompt, after_ms=2)
        return line
