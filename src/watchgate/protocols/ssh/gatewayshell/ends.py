"""What asyncssh's channels tell the gateway's shell."""

from __future__ import annotations

from typing import Protocol

from watchgate.protocols.ssh.effects import Side


class Shell(Protocol):
    """Who is told."""

    @property
    def target_is_gone(self) -> bool:
        """Whether the target's whole connection is lost."""

    def printed(self, end: ProgramEnd, data: bytes, stream: int | None) -> None:
        """Output of the program at *end*."""

    def told(self, end: ProgramEnd, kind: str, payload: bytes) -> None:
        """How it ended."""

    def finished(self, end: ProgramEnd) -> None:
        """Its channel is closed."""

    def filled(self, side: Side, full: bool) -> None:
        """A channel's send buffer is full, or has room again."""


class ProgramEnd:
    """The target's end of one program; it may still speak when the shell has moved on."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    @property
    def target_is_gone(self) -> bool:
        return self._shell.target_is_gone

    def told(self, kind: str, payload: bytes) -> None:
        self._shell.told(self, kind, payload)

    def heard(self, side: Side, data: bytes, stream: int | None) -> None:
        self._shell.printed(self, data, stream)

    def ended(self, side: Side) -> None:
        """Its output is over; how it ended comes behind that."""

    def bereft(self) -> None:
        """The shell hears of a lost connection by itself."""

    def closed(self, side: Side) -> None:
        self._shell.finished(self)

    def filled(self, side: Side, full: bool) -> None:
        self._shell.filled(side, full)
