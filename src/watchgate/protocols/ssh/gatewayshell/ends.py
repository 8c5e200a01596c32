"""What asyncssh's channels and connections tell the gateway's shell."""

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

    def hold(self, side: Side, why: str) -> None:
        """Stop reading *side*."""

    def free(self, side: Side, why: str) -> None:
        """One reason is gone."""


class Choke:
    """A connection's transport is full: what feeds it, the opposite side, is not read."""

    def __init__(self, shell: Shell, side: Side) -> None:
        self._shell = shell
        self._side = side

    def choke(self) -> None:
        self._shell.hold(self._side.other, "transport")

    def release(self) -> None:
        self._shell.free(self._side.other, "transport")


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
