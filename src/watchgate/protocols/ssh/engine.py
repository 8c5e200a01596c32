"""SSH as an engine of a session: the client's channels on one side, the login to the target on the other.

A connection whose user name carries a target is one session with all its channels (ControlMaster
included). A connection that chose its target from the menu is one session per chosen channel. Both
are this engine; `Front` (front.py) is the client's connection and hands channels over.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Protocol

import asyncssh

from watchgate.clock import Clock
from watchgate.errors import WatchgateError
from watchgate.protocols.ssh.dialogue import ChannelDialogue
from watchgate.protocols.ssh.effects import Side
from watchgate.protocols.ssh.forwarding import End, Forward
from watchgate.protocols.ssh.reach import Reached, reach
from watchgate.protocols.ssh.refusal import Refusal
from watchgate.protocols.ssh.relay import ChannelRelay, ClientSide
from watchgate.protocols.ssh.services import SshServices
from watchgate.session.control import Session
from watchgate.session.events import (
    ForwardListening,
    ForwardRefused,
    TargetReached,
    TargetTrusted,
)
from watchgate.session.lifecycle import Proof
from watchgate.session.model import (
    Address,
    Capability,
    Claim,
    Credential,
    Ending,
    EndReason,
    Policy,
    Route,
)

CHANNEL_LIMIT = 64
FORWARD_LIMIT = 256
"""Open at once in one session; more are refused."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0", "::", ""})  # noqa: S104 - names, not a bind

DRAIN_SECONDS = 5.0
"""How long what a target still said may take to reach the client after the target is gone."""

FORWARD_SECONDS = 20.0
"""How long a target may take to make a forwarded connection."""

Requests = Sequence[tuple[str, bytes]]


class ClientConnection(Protocol):
    """The client's connection, as the engine uses it (see front.Front)."""

    @property
    def connection(self) -> asyncssh.SSHServerConnection:
        """asyncssh's connection."""

    @property
    def lost(self) -> asyncio.Event:
        """Set when the client's connection is gone."""

    def disconnect(self, reason: str) -> None:
        """Close the connection with a reason that the client shows."""


class _Over(Exception):  # noqa: N818 - not an error: it ends the session's task group
    """The session is over."""


class SshEngine:
    """One session over SSH."""

    def __init__(
        self,
        front: ClientConnection,
        claim: Claim,
        proof: Proof,
        services: SshServices,
        clock: Clock,
        only: ClientSide | None = None,
        said: Requests = (),
    ) -> None:
        """*only* is the channel of a session chosen from the menu, *said* what it has requested."""
        self.claim = claim
        self.client_version = str(front.connection.get_extra_info("client_version") or "")
        self._front = front
        self._proof = proof
        self._services = services
        self._clock = clock
        self._only = only
        self._said = said
        self._policy: Policy | None = None
        self._session: Session | None = None
        self._reached: Reached | None = None
        self._refusal: Refusal | None = None
        self._group: asyncio.TaskGroup | None = None
        self._ready = asyncio.Event()
        self._waiting: list[ClientSide] = [only] if only is not None else []
        self._relays: dict[int, ChannelRelay] = {}
        self._forwards: dict[int, Forward] = {}
        self._numbers = 0
        self._closed = False
        self._began_us = clock.monotonic_us()

    # --- the steps of a session ----------------------------------------------------------------

    async def authenticate(self) -> Proof:
        """asyncssh let the client in only after its proof."""
        return self._proof

    async def reach(
        self, route: Route, policy: Policy, credential: Credential, session: Session
    ) -> TargetReached:
        """Log in to the target."""
        self._reached = await reach(route, credential, session.id, self._services.authority)
        if self._reached.trusted_first is not None:
            session.recorder.event(TargetTrusted(route.target.name, self._reached.trusted_first))
            await self._services.pin(route.target, self._reached.trusted_first)
        return self._reached.event

    async def relay(self, policy: Policy, session: Session) -> Ending:
        """Relay channels and forwardings until a connection, or the one channel, is gone."""
        self._policy, self._session = policy, session
        ending = Ending(EndReason.CLIENT)
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                for client in self._waiting:
                    self._start(group, client)
                self._waiting.clear()
                self._ready.set()
                ending = await self._first_gone(group, policy)
                raise _Over
        except* _Over:
            pass
        finally:
            self._group = None
        return ending

    async def refuse(self, error: WatchgateError) -> None:
        """Tell the client on every channel that it has, or on those that it opens soon."""
        for relay in self._relays.values():
            relay.say(str(error))
        if self._relays or self._closed or self._front.lost.is_set() or self._refusal is not None:
            return
        self._refusal = Refusal(str(error), self._front.lost)
        self._ready.set()
        for client in self._waiting:
            self._refusal.tell(client, self._said)
        self._waiting.clear()
        await self._refusal.told()

    async def close(self, ending: Ending) -> None:
        """End both connections; a client that chose from the menu keeps its own."""
        self._closed = True
        self._ready.set()
        for forward in list(self._forwards.values()):
            forward.abort()
        if self._reached is not None:
            self._reached.connection.close()
        if self._only is not None:
            if self._only.channel is not None:
                self._only.channel.close()
        elif not self._front.lost.is_set():
            reason = self._refusal.reason if self._refusal else "session ended"
            self._front.disconnect(reason)

    async def _first_gone(self, group: asyncio.TaskGroup, policy: Policy) -> Ending:
        assert self._reached is not None
        waits = {
            group.create_task(self._front.lost.wait()): Ending(
                EndReason.CLIENT, "the client closed the connection"
            ),
            group.create_task(self._target_gone(self._reached)): Ending(
                EndReason.TARGET, "the target closed the connection"
            ),
        }
        if self._only is not None:
            only = next(iter(self._relays.values()))
            waits[group.create_task(only.done.wait())] = Ending(
                EndReason.CLIENT, "the channel was closed"
            )
        if policy.settings.idle_timeout:
            waits[group.create_task(self._idle(policy.settings.idle_timeout))] = Ending(
                EndReason.EXPIRED, f"nothing happened for {policy.settings.idle_timeout:g} seconds"
            )
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        return next(ending for task, ending in waits.items() if task in done)

    async def _target_gone(self, reached: Reached) -> None:
        """The target's connection is lost, and what it had said has reached the client."""
        await reached.lost.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                for relay in list(self._relays.values()):
                    await relay.done.wait()

    async def _idle(self, seconds: float) -> None:
        while True:
            moments = [relay.active_us for relay in self._relays.values()]
            moments += [forward.active_us for forward in self._forwards.values()]
            last = max(moments, default=self._began_us)
            left = seconds - (self._clock.monotonic_us() - last) / 1e6
            if left <= 0:
                return
            await asyncio.sleep(left)

    # --- channels ------------------------------------------------------------------------------

    def adopt(self, client: ClientSide) -> None:
        """A channel of the client's, now or before the target is reached."""
        if self._refusal is not None:
            self._refusal.tell(client, ())
        elif self._group is not None:
            self._start(self._group, client)
        elif self._closed:
            assert client.channel is not None
            client.channel.close()
        else:
            self._waiting.append(client)

    @property
    def full(self) -> bool:
        """Whether the session has as many channels as it may."""
        return len(self._relays) + len(self._waiting) >= CHANNEL_LIMIT

    def _start(self, group: asyncio.TaskGroup, client: ClientSide) -> None:
        assert self._reached is not None
        assert self._policy is not None
        assert self._session is not None
        self._numbers += 1
        number = self._numbers
        dialogue = ChannelDialogue(number, self._policy, self._clock)
        relay = ChannelRelay(
            client,
            self._reached.connection,
            dialogue,
            self._session.recorder,
            self._clock,
            group,
            self._services.settings.window,
        )
        self._relays[number] = relay
        said = self._said if client is self._only else ()
        group.create_task(self._carry(number, relay, said))

    async def _carry(self, number: int, relay: ChannelRelay, said: Requests) -> None:
        try:
            await relay.run(said)
        finally:
            if self._group is not None and self._only is None:
                del self._relays[number]

    # --- forwardings ---------------------------------------------------------------------------

    async def forward_local(self, host: str, port: int, origin: str) -> End:
        """A connection that the client asks the target to make (-L, -D, ProxyJump)."""
        destination = _address(host, port)
        target = await self._permitted(Capability.FORWARD_LOCAL, "local", destination)
        forward = await self._forward("local", host, port, destination, origin)
        try:
            async with asyncio.timeout(FORWARD_SECONDS):
                await target.create_connection(
                    lambda: forward.end(Side.TARGET), host, port, "127.0.0.1", 0
                )
        except (asyncssh.Error, OSError, TimeoutError) as error:
            forward.closed(Side.TARGET)
            reason = error.reason if isinstance(error, asyncssh.Error) else "no answer"
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_CONNECT_FAILED, reason) from error
        return forward.end(Side.CLIENT)

    async def forward_remote(self, host: str, port: int) -> asyncssh.SSHListener:
        """A listener on the target whose connections come to the client (-R)."""
        target = await self._permitted(
            Capability.FORWARD_REMOTE, "remote", _address(host or "*", port)
        )
        assert self._session is not None

        async def accept(origin_host: str, origin_port: int) -> End:
            origin = _address(origin_host, origin_port)
            listened = _address(host or "*", listener.get_port() or port)
            forward = await self._forward("remote", host, port, listened, origin, remote=True)
            try:
                await self._front.connection.create_connection(
                    lambda: forward.end(Side.CLIENT), host, port, origin_host, origin_port
                )
            except asyncssh.ChannelOpenError:
                forward.closed(Side.CLIENT)
                raise
            return forward.end(Side.TARGET)

        listener = await target.create_server(accept, host, port)
        self._session.recorder.event(ForwardListening(_address(host or "*", listener.get_port())))
        return listener

    async def _permitted(
        self, capability: Capability, direction: str, destination: str
    ) -> asyncssh.SSHClientConnection:
        """The target's connection, once it is there, when the grant permits *capability*."""
        await self._ready.wait()
        if self._group is None or self._reached is None or self._policy is None:
            raise _prohibited("there is no session")
        reason = None
        if capability not in self._policy.capabilities:
            reason = f"your grant does not permit {capability}"
        elif len(self._forwards) >= FORWARD_LIMIT:
            reason = f"more than {FORWARD_LIMIT} forwarded connections at once"
        if reason is not None:
            assert self._session is not None
            self._session.recorder.event(ForwardRefused(direction, destination, reason))
            raise _prohibited(f"watchgate: {reason}")
        return self._reached.connection

    async def _forward(
        self,
        direction: str,
        host: str,
        port: int,
        destination: str,
        origin: str,
        remote: bool = False,
    ) -> Forward:
        assert self._session is not None
        assert self._group is not None
        managed = not remote and await self._manages(host, port)
        self._numbers += 1
        forward = Forward(
            self._numbers,
            direction,
            destination,
            origin,
            managed,
            self._session.recorder,
            self._clock,
        )
        self._forwards[forward.number] = forward
        await self._session.recorder.commit()
        self._group.create_task(self._until_done(forward))
        return forward

    async def _until_done(self, forward: Forward) -> None:
        try:
            await forward.done.wait()
        finally:
            self._forwards.pop(forward.number, None)

    async def _manages(self, host: str, port: int) -> bool:
        """Whether the destination is a target of the gateway's; loopback is the target itself."""
        assert self._session is not None
        own = self._session.route.target.address
        if host in LOOPBACK:
            host = own.host
        return (host, port) == (own.host, own.port) or await self._services.directory.manages(
            host, port
        )


def _address(host: str, port: int) -> str:
    return str(Address(host, port))


def _prohibited(reason: str) -> asyncssh.ChannelOpenError:
    return asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, reason)
