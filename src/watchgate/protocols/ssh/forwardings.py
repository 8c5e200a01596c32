"""The forwarded connections of one session: permitted by its grant, counted, noted, ended with it.

What a client asks for before its session relays waits until it does, or until there will be none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

import asyncssh

from watchgate.clock import Clock
from watchgate.errors import RecordingLost
from watchgate.protocols.ssh.effects import Side
from watchgate.protocols.ssh.forwarding import End, Forward
from watchgate.protocols.ssh.forwards import is_loopback
from watchgate.protocols.ssh.services import Directory
from watchgate.session.control import Session
from watchgate.session.events import ForwardListening, ForwardRefused
from watchgate.session.model import Address, Capability, Policy

FORWARD_LIMIT = 256
"""Forwarded connections of one session that are open at once, and as many listeners; more are refused."""

FORWARD_SECONDS = 20.0
"""How long a target may take to make a forwarded connection."""

_NO_SESSION = "there is no session"
_TOO_MANY = f"more than {FORWARD_LIMIT} forwardings at once"


@dataclass(frozen=True, slots=True)
class Ground:
    """What forwardings stand on while their session relays."""

    target: asyncssh.SSHClientConnection
    policy: Policy
    session: Session
    group: asyncio.TaskGroup
    numbers: Iterator[int]
    """Numbers of channels and forwardings, in one row."""


class Forwardings:
    """All forwardings of one session."""

    def __init__(
        self, client: asyncssh.SSHServerConnection, directory: Directory, clock: Clock
    ) -> None:
        self._client = client
        self._directory = directory
        self._clock = clock
        self._ground: Ground | None = None
        self._settled = asyncio.Event()
        self._open: dict[int, Forward] = {}
        self._asking = 0
        self._listening = 0

    def begin(self, ground: Ground) -> None:
        """The session relays: forwardings may be opened."""
        self._ground = ground
        self._settled.set()

    def end(self) -> None:
        """The session is over, or never was: what waits is refused, what is open ends."""
        self._ground = None
        self._settled.set()
        self.abort()

    def abort(self) -> None:
        """Close every forwarded connection."""
        for forward in list(self._open.values()):
            forward.abort()

    def moments(self) -> list[int]:
        """When each open forwarding last carried something, in monotonic microseconds."""
        return [forward.active_us for forward in self._open.values()]

    async def local(self, host: str, port: int, origin: str) -> End:
        """A connection that the client asks the target to make (-L, -D, ProxyJump)."""
        destination = _address(host, port)
        ground = await self._permitted(Capability.FORWARD_LOCAL, "local", destination)
        managed = await self._manages(ground, host, port)
        forward = await self._forward("local", destination, origin, managed)
        try:
            async with asyncio.timeout(FORWARD_SECONDS):
                await ground.target.create_connection(
                    lambda: forward.end(Side.TARGET), host, port, "127.0.0.1", 0
                )
        except (asyncssh.Error, OSError, TimeoutError, ValueError) as error:
            forward.abort()
            reason = error.reason if isinstance(error, asyncssh.Error) else "no answer"
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, reason) from error
        return forward.end(Side.CLIENT)

    async def remote(self, host: str, port: int) -> asyncssh.SSHListener:
        """A listener on the target whose connections come to the client (-R)."""
        asked = _address(host or "*", port)
        ground = await self._permitted(Capability.FORWARD_REMOTE, "remote", asked)
        self._listening += 1

        async def accept(origin_host: str, origin_port: int) -> End:
            origin = _address(origin_host, origin_port)
            listened = listener.get_port() or port
            forward = await self._forward("remote", _address(host or "*", listened), origin)
            try:
                await self._client.create_connection(
                    lambda: forward.end(Side.CLIENT), host, listened, origin_host, origin_port
                )
            except (asyncssh.Error, OSError, ValueError) as error:
                forward.abort()
                raise _prohibited("the client refused the connection") from error
            return forward.end(Side.TARGET)

        listener = await ground.target.create_server(accept, host, port)
        listening = ForwardListening(_address(host or "*", listener.get_port()))
        ground.session.recorder.event(listening)
        return listener

    async def _permitted(self, capability: Capability, direction: str, destination: str) -> Ground:
        """The ground, once it is there, when the grant permits *capability*."""
        if self._asking >= FORWARD_LIMIT:
            raise _prohibited(f"watchgate: {_TOO_MANY}")
        self._asking += 1
        try:
            await self._settled.wait()
        finally:
            self._asking -= 1
        ground = self._standing()
        if capability not in ground.policy.capabilities:
            _refuse(ground, direction, destination, f"your grant does not permit {capability}")
        if self._listening >= FORWARD_LIMIT:
            _refuse(ground, direction, destination, _TOO_MANY)
        return ground

    async def _forward(
        self, direction: str, destination: str, origin: str, managed: bool = False
    ) -> Forward:
        """A forwarding that the recording knows of; *managed* is whether it leads to a target of ours."""
        ground = self._standing()
        if len(self._open) >= FORWARD_LIMIT:
            _refuse(ground, direction, destination, _TOO_MANY)
        recorder = ground.session.recorder
        forward = Forward(
            next(ground.numbers), direction, destination, origin, managed, recorder, self._clock
        )
        self._open[forward.number] = forward
        try:
            await recorder.commit()
        except RecordingLost as error:
            raise _prohibited("it cannot be recorded") from error
        self._standing().group.create_task(self._until_done(forward))
        return forward

    def _standing(self) -> Ground:
        if self._ground is None:
            raise _prohibited(_NO_SESSION)
        return self._ground

    async def _until_done(self, forward: Forward) -> None:
        await forward.done.wait()
        self._open.pop(forward.number, None)

    async def _manages(self, ground: Ground, host: str, port: int) -> bool:
        """Whether the destination is a target of the gateway's; loopback is the target itself."""
        own = ground.session.route.target.address
        if is_loopback(host):
            host = own.host
        return (host, port) == (own.host, own.port) or await self._directory.manages(host, port)


def _refuse(ground: Ground, direction: str, destination: str, reason: str) -> NoReturn:
    ground.session.recorder.event(ForwardRefused(direction, destination, reason))
    raise _prohibited(f"watchgate: {reason}")


def _address(host: str, port: int) -> str:
    return str(Address(host, port))


def _prohibited(reason: str) -> asyncssh.ChannelOpenError:
    return asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, reason)
