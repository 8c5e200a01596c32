"""When to ask a shell to tell its commands: at a prompt of a shell that was not asked yet, and nothing typed at it."""

from __future__ import annotations

from watchgate.terminal.gate.phases import NOTHING_US, QUIET_US, SILENT_US, Phase
from watchgate.terminal.integration.installing import looks_ready
from watchgate.terminal.keys import Key, KeyKind
from watchgate.terminal.live.reader import LiveReader
from watchgate.terminal.programs import started_by, starts_shell

TAIL_OCTETS = 1024
"""So much of the output's end tells whether it is a prompt."""


class Approach:
    """Watches one terminal's output for such a prompt."""

    def __init__(
        self, reader: LiveReader, *, integrate: bool, started: str | None, t_us: int
    ) -> None:
        """*started* is the command that the terminal was opened for, None for a login shell."""
        self._reader = reader
        self._integrate = integrate
        self._tail = b""
        self._prompt: bool | None = None  # whether it ends in a prompt, once somebody asked
        self._is_clean = True  # nothing was typed on the line at the cursor
        self._began_us = self._printed_us = t_us
        self._printed = False
        self.armed = False
        """A shell may be in front that was not asked yet."""
        self.inside = False
        """A shell may be in front in which nothing is told."""
        if started is not None:
            self.started(started)
        else:
            self.armed = integrate

    def started(self, command: str) -> None:
        """*command* runs: it may be a shell."""
        if starts_shell(started_by(command), command):
            self.inside = True
            self.armed = self._integrate

    def returned(self) -> None:
        """A shell that tells its commands is at its prompt."""
        self.armed = self.inside = False

    def pressed(self, key: Key) -> None:
        """A key is passed on."""
        self._is_clean = self._is_clean and key.kind is KeyKind.REPORT

    def printed(self, t_us: int, octets: bytes) -> None:
        """The target printed."""
        self._printed_us, self._printed = t_us, True
        self._tail = (self._tail + octets)[-TAIL_OCTETS:]
        self._prompt = None
        # What was typed is echoed on the same line: only a new one is empty.
        self._is_clean = self._is_clean or b"\n" in octets

    @property
    def at_prompt(self) -> bool:
        """Whether the output rests behind what looks like a shell's prompt."""
        if self._prompt is None:
            self._prompt = self._reader.at_prompt or looks_ready(self._tail)
        return self._prompt

    def due(self, phase: Phase) -> int | None:
        """When the output has rested long enough to look for a prompt."""
        if phase is Phase.OPENING:
            if not self._printed:
                return self._began_us + NOTHING_US
            return self._printed_us + (QUIET_US if self.at_prompt else SILENT_US)
        if self.armed and phase is Phase.OPEN and self._is_clean and self.at_prompt:
            return self._printed_us + QUIET_US
        return None
