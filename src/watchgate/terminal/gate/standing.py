"""Prompts that stand without their mark, while a shell that tells its commands is thought to run one.

Looking for a prompt takes a picture of the screen, so it is done where output rests and where a key comes, not
for every piece of what a command prints.
"""

from __future__ import annotations

from watchgate.terminal.gate.phases import LOST_US, RESTED_US
from watchgate.terminal.live.reader import LiveReader


class Standing:
    """The prompt that stands unmarked, if one does; times are monotonic microseconds."""

    def __init__(self, reader: LiveReader) -> None:
        self._reader = reader
        self._unseen_us: int | None = None  # output that was not looked behind came then
        self._since_us: int | None = None
        self.prompt: str | None = None
        """What it reads, also while a line is typed behind it."""

    def printed(self, t_us: int, octets: bytes, *, runs: bool) -> None:
        """Output came; *runs*: a prompt behind it would lack its mark."""
        self._since_us = None
        self._unseen_us = t_us if runs else None
        if b"\n" in octets:
            self.prompt = None

    def look(self) -> None:
        """Look behind what was printed last."""
        if self._unseen_us is not None and self._reader.at_prompt:
            self._since_us = self._unseen_us
            self.prompt = self._reader.before_cursor
        self._unseen_us = None

    def forget(self) -> None:
        """The shell has spoken, or counts as one that does not."""
        self._unseen_us = self._since_us = self.prompt = None

    @property
    def due(self) -> int | None:
        """When `overdue` has something to do."""
        if self._unseen_us is not None:
            return self._unseen_us + RESTED_US
        return None if self._since_us is None else self._since_us + LOST_US

    def overdue(self, t_us: int) -> bool:
        """Whether the mark of the prompt that stands should have come by now: said once."""
        if self._unseen_us is not None and t_us >= self._unseen_us + RESTED_US:
            self.look()
        if self._since_us is None or t_us < self._since_us + LOST_US:
            return False
        self._since_us = None
        return True
