"""The two ends of a session channel, as asyncssh calls them: each gives what it hears to its handler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import asyncssh

from watchgate.protocols.ssh.effects import Side
from watchgate.protocols.ssh.gathering import Gathering
from watchgate.protocols.ssh.seams import ClientChannel


class ClientHandler(Protocol):
    """Who takes what a client's channel says."""

    def requested(self, kind: str, payload: bytes) -> None:
        """A request, to be answered on the channel."""

    def heard(self, side: Side, data: bytes, stream: int | None) -> None:
        """Octets."""

    def ended(self, side: Side) -> None:
        """No more octets."""

    def leaving(self) -> bool:
        """The client closed its side of the channel; True when it is to be closed later."""

    def closed(self, side: Side) -> None:
        """The channel is closed."""

    def filled(self, side: Side, full: bool) -> None:
        """The channel's send buffer is full, or has room again."""


class ClientSide(asyncssh.SSHServerSession[bytes]):
    """The client's end of a channel; what it says before somebody handles it waits in order."""

    def __init__(self, arrived: Callable[[ClientSide], None]) -> None:
        self._arrived = arrived
        self._handler: ClientHandler | None = None
        self.waiting: tuple[str, bytes] | None = None
        self.is_closed = False
        self.channel: ClientChannel | None = None
        self._gathering = Gathering(self._heard)

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        assert isinstance(chan, ClientChannel)
        self.channel = chan
        self._arrived(self)

    def handle_with(self, handler: ClientHandler) -> None:
        """Give everything to *handler* from now on, beginning with a request that waits."""
        self._handler = handler
        if self.is_closed:
            handler.closed(Side.CLIENT)
        elif self.waiting is not None:
            kind, payload = self.waiting
            self.waiting = None
            handler.requested(kind, payload)

    def request(self, kind: str, payload: bytes) -> None:
        """A raw channel request (called by ClientChannel)."""
        self._gathering.give()
        if self._handler is None:
            self.waiting = (kind, payload)
        else:
            self._handler.requested(kind, payload)

    def session_started(self) -> None:
        """The program was accepted; octets flow from here."""

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        self._gathering.take(data, datatype)

    def _heard(self, data: bytes, stream: int | None) -> None:
        if self._handler is not None:
            self._handler.heard(Side.CLIENT, data, stream)

    def eof_received(self) -> bool:
        self._gathering.give()
        if self._handler is not None:
            self._handler.ended(Side.CLIENT)
        return True

    def leaving(self) -> bool:
        """The client closed its side (called by ClientChannel)."""
        self._gathering.give()
        return self._handler is not None and self._handler.leaving()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gathering.give()
        self.is_closed = True
        if self._handler is not None:
            self._handler.closed(Side.CLIENT)

    def pause_writing(self) -> None:
        if self._handler is not None:
            self._handler.filled(Side.CLIENT, True)

    def resume_writing(self) -> None:
        if self._handler is not None:
            self._handler.filled(Side.CLIENT, False)


class TargetHandler(Protocol):
    """Who takes what a target's channel says."""

    @property
    def target_is_gone(self) -> bool:
        """Whether the target's whole connection is lost, not only its channel."""

    def told(self, kind: str, payload: bytes) -> None:
        """A request of the target's own."""

    def heard(self, side: Side, data: bytes, stream: int | None) -> None:
        """Octets."""

    def ended(self, side: Side) -> None:
        """No more octets."""

    def bereft(self) -> None:
        """The target's connection is lost."""

    def closed(self, side: Side) -> None:
        """The channel is closed."""

    def filled(self, side: Side, full: bool) -> None:
        """The channel's send buffer is full, or has room again."""


class TargetSide(asyncssh.SSHClientSession[bytes]):
    """The target's end of a channel."""

    def __init__(self, relay: TargetHandler) -> None:
        self._relay = relay
        self._gathering = Gathering(self._heard)

    def request(self, kind: str, payload: bytes) -> bool:
        """A raw channel request of the target's (called by TargetChannel)."""
        self._gathering.give()
        self._relay.told(kind, payload)
        return False

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        self._gathering.take(data, datatype)

    def _heard(self, data: bytes, stream: int | None) -> None:
        self._relay.heard(Side.TARGET, data, stream)

    def eof_received(self) -> bool:
        self._gathering.give()
        self._relay.ended(Side.TARGET)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._gathering.give()
        if self._relay.target_is_gone:
            self._relay.bereft()
        self._relay.closed(Side.TARGET)

    def pause_writing(self) -> None:
        self._relay.filled(Side.TARGET, True)

    def resume_writing(self) -> None:
        self._relay.filled(Side.TARGET, False)
