"""SSH as an engine of a session: the client's channels on one side, the login to the target on the other.

A connection whose user name carries a target is one session with all its channels (ControlMaster
included). A connection that chose its target from the menu is one session per chosen channel. Both
are this engine; `Front` (front.py) is the client's connection and hands channels over.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Sequence
from typing import Protocol

import asyncssh

from watchgate.clock import Clock
from watchgate.errors import WatchgateError
from watchgate.protocols.ssh.dialogue import ChannelDialogue
from watchgate.protocols.ssh.forwardings import Forwardings
from watchgate.protocols.ssh.forwardings import Ground as ForwardGround
from watchgate.protocols.ssh.gatewayshell.engine import GatewayShell
from watchgate.protocols.ssh.ground import Ground
from watchgate.protocols.ssh.judging import Judge
from watchgate.protocols.ssh.pulse import Pulse
from watchgate.protocols.ssh.reach import Reached, reach
from watchgate.protocols.ssh.refusal import Refusal
from watchgate.protocols.ssh.relay import ChannelRelay
from watchgate.protocols.ssh.services import SshServices
from watchgate.protocols.ssh.sides import ClientSide
from watchgate.session.control import Session
from watchgate.session.events import TargetReached, TargetTrusted
from watchgate.session.lifecycle import Proof
from watchgate.session.model import (
    Claim,
    Credential,
    Ending,
    EndReason,
    Policy,
    Route,
    ShellKind,
)

CHANNEL_LIMIT = 64
"""Channels that are open at once in one session; more are refused."""

DRAIN_SECONDS = 5.0
"""How long what a target still said may take to reach the client after the target is gone."""

FAREWELL_SECONDS = 2.0
"""How long a client may take to read why its session is ended: it drops what it has not read when the
connection is closed under it."""

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
        self.forwards = Forwardings(front.connection, services.directory, clock)
        self._waiting: list[ClientSide] = [only] if only is not None else []
        self._relays: dict[int, ChannelRelay | GatewayShell] = {}
        self._only_over = asyncio.Event()
        self._numbers = itertools.count(1)
        self._closed = False
        self._began_us = clock.monotonic_us()
        self._pulse = Pulse(clock)

    # --- the steps of a session ----------------------------------------------------------------

    async def authenticate(self) -> Proof:
        """asyncssh let the client in only after its proof."""
        return self._proof

    async def reach(
        self, route: Route, policy: Policy, credential: Credential, session: Session
    ) -> TargetReached:
        """Log in to the target."""
        if session.decider.active:
            await asyncio.to_thread(self._services.emulators.ready)
        self._reached = await reach(route, credential, session.id, self._services.authority)
        if self._reached.trusted_first is not None:
            session.recorder.event(TargetTrusted(route.target.name, self._reached.trusted_first))
            await self._services.pin(route.target, self._reached.trusted_first)
        return self._reached.event

    async def relay(self, policy: Policy, session: Session) -> Ending:
        """Relay channels and forwardings until a connection, or the one channel, is gone."""
        assert self._reached is not None
        self._policy, self._session = policy, session
        ending = Ending(EndReason.CLIENT)
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                for client in self._waiting:
                    self._start(group, client)
                self._waiting.clear()
                target = self._reached.connection
                if session.decider.active:
                    group.create_task(self._pulse.run(target.round_trip))
                self.forwards.begin(ForwardGround(target, policy, session, group, self._numbers))
                ending = await self._first_gone(group, policy)
                raise _Over
        except* _Over:
            pass
        finally:
            self._group = None
            self.forwards.end()
        return ending

    async def refuse(self, error: WatchgateError) -> None:
        """Tell the client on every channel that it has, or on those that it opens soon.

        One that relays and has none (`ssh -N`) hears it as the reason of its disconnection.
        """
        self.forwards.abort()
        relays = list(self._relays.values())
        for relay in relays:
            relay.dismiss(str(error))
        await _all_done(relays, FAREWELL_SECONDS)
        if relays or self._closed or self._front.lost.is_set() or self._refusal is not None:
            return
        self._refusal = Refusal(str(error), self._front.lost)
        self.forwards.end()
        if self._group is not None:
            return
        for client in self._waiting:
            self._refusal.tell(client, self._said)
        self._waiting.clear()
        await self._refusal.told()

    async def close(self, ending: Ending) -> None:
        """End both connections; a client that chose from the menu keeps its own."""
        self._closed = True
        self.forwards.end()
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
        target_gone = Ending(EndReason.TARGET, "the target closed the connection")
        waits = {
            group.create_task(self._front.lost.wait()): Ending(
                EndReason.CLIENT, "the client closed the connection"
            ),
            group.create_task(self._target_gone(self._reached)): target_gone,
        }
        if self._only is not None:
            waits[group.create_task(self._only_over.wait())] = Ending(
                EndReason.CLIENT, "the channel was closed"
            )
        if policy.settings.idle_timeout:
            group.create_task(self._idle(policy.settings.idle_timeout))
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if self._reached.lost.is_set():  # the client then leaves by itself, often before us
            return target_gone
        return next(ending for task, ending in waits.items() if task in done)

    async def _target_gone(self, reached: Reached) -> None:
        """The target's connection is lost, and what it had said has reached the client."""
        await reached.lost.wait()
        await _all_done(list(self._relays.values()), DRAIN_SECONDS)

    async def _idle(self, seconds: float) -> None:
        """End the session when nothing passed for so long."""
        assert self._session is not None
        while True:
            moments = [relay.active_us for relay in self._relays.values()]
            last = max([*moments, *self.forwards.moments()], default=self._began_us)
            left = seconds - (self._clock.monotonic_us() - last) / 1e6
            if left <= 0:
                break
            await asyncio.sleep(left)
        self._session.end(Ending(EndReason.EXPIRED, f"nothing happened for {seconds:g} seconds"))

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
        number = next(self._numbers)
        judge = Judge(self._session.decider, self._session.id, self._session.route)
        ground = Ground(
            judge,
            self._pulse.round_trip_us,
            self._session.services.random,
            self._services.emulators.open,
        )
        dialogue = ChannelDialogue(number, self._policy, self._clock, ground)
        relay = ChannelRelay(
            client,
            self._reached.connection,
            dialogue,
            self._session,
            self._clock,
            group,
            self._services.settings.window,
        )
        said = self._said if client is self._only else ()
        if self._policy.shell is ShellKind.GATEWAY:
            shell = GatewayShell(
                client,
                self._reached.connection,
                self._session,
                judge,
                self._policy,
                number,
                self._clock,
                group,
                self._services.settings.window,
            )
            self._relays[number] = shell
            group.create_task(self._carry_listed(number, shell, relay, said))
        else:
            self._relays[number] = relay
            group.create_task(self._carry(number, relay, said))

    async def _carry(self, number: int, relay: ChannelRelay, said: Requests) -> None:
        try:
            await relay.run(said)
        finally:
            self._only_over.set()
            if self._group is not None and self._only is None:
                del self._relays[number]

    async def _carry_listed(
        self, number: int, shell: GatewayShell, relay: ChannelRelay, said: Requests
    ) -> None:
        """The gateway's own shell, or what the client asked for instead of one."""
        requests = await shell.run(said)
        if requests is None:
            self._only_over.set()
            if self._group is not None and self._only is None:
                del self._relays[number]
            return
        self._relays[number] = relay
        await self._carry(number, relay, requests)


async def _all_done(relays: Sequence[ChannelRelay | GatewayShell], seconds: float) -> None:
    """Wait until the clients have closed these channels, but not for longer than that."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            for relay in relays:
                await relay.done.wait()
