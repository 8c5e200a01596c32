"""One program that the gateway's shell runs on the target, from its start to its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from watchgate.errors import PeerProtocolError
from watchgate.protocols.ssh import wire

MOST_COLLECTED = 8 * 1024
"""Octets of an answer that the gateway reads itself."""

_SIGNALS = {"HUP": 1, "INT": 2, "QUIT": 3, "ABRT": 6, "KILL": 9, "SEGV": 11, "PIPE": 13, "TERM": 15}


class Purpose(Enum):
    """For whom it runs."""

    OPERATOR = "operator"
    HOME = "home"
    """The gateway asks where a program would begin."""
    DIRECTORY = "directory"
    """`cd` asks whether there is such a directory."""


@dataclass(frozen=True, slots=True)
class Launch:
    """Run a command on the target, in a channel of its own, after these requests; not an effect of a relay."""

    command: bytes
    requests: tuple[tuple[str, bytes], ...] = ()
    input: bool = True
    """It is given what the operator types; else its input is over at once."""


@dataclass(slots=True)
class Program:
    """A program that runs, or is about to."""

    purpose: Purpose
    seq: int | None
    """The number under which its command was recorded."""
    began_us: int
    is_started: bool = False
    interrupted: bool = False
    """^C was typed before it was started."""
    collected: bytearray = field(default_factory=bytearray)
    complaint: bytearray = field(default_factory=bytearray)
    exit_status: int | None = None
    exit_signal: str | None = None

    @property
    def takes_input(self) -> bool:
        """What the operator types is for it."""
        return self.is_started and self.purpose is Purpose.OPERATOR

    def collect(self, data: bytes, stream: int | None) -> None:
        """Output that the gateway reads itself."""
        kept = self.collected if stream is None else self.complaint
        kept += data[: MOST_COLLECTED - len(kept)]

    def told(self, kind: str, payload: bytes) -> None:
        """How it ended; anything else is nothing here."""
        try:
            if kind == "exit-status":
                self.exit_status = wire.exit_status(payload)
            elif kind == "exit-signal":
                self.exit_signal = wire.exit_signal(payload).name
        except PeerProtocolError:
            return

    @property
    def status(self) -> int:
        """How it ended, as shells count: what told nothing failed."""
        if self.exit_status is not None:
            return self.exit_status
        return 128 + _SIGNALS.get(self.exit_signal or "", 0) if self.exit_signal else 255
