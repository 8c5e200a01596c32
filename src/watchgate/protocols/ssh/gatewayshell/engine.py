"""The gateway's shell at work: the one file of it that waits.

It is a carrier whose target's side is the program that runs at the moment, if one does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

import asyncssh

from watchgate.clock import Clock
from watchgate.protocols.ssh import wire
from watchgate.protocols.ssh.carrier import OPEN_SECONDS, Carrier, reason_of
from watchgate.protocols.ssh.effects import Relayed, Side
from watchgate.protocols.ssh.gatewayshell.dialogue import ShellDialogue
from watchgate.protocols.ssh.gatewayshell.ends import ProgramEnd
from watchgate.protocols.ssh.gatewayshell.programs import Launch
from watchgate.protocols.ssh.gatewayshell.seat import Seat
from watchgate.protocols.ssh.judging import Judge
from watchgate.protocols.ssh.seams import GateClientConnection, TargetChannel
from watchgate.protocols.ssh.sides import ClientSide, TargetSide
from watchgate.session.control import Session
from watchgate.session.model import Policy

Requests = list[tuple[str, bytes]]

NOT_A_SHELL = frozenset({"exec", "subsystem"})
"""Requests with which a client asks for something else."""


class GatewayShell(Carrier[Relayed | Launch]):
    """One client's channel with the gateway's shell; to the session the same as a relay."""

    WAITING: ClassVar[tuple[type, ...]] = (*Carrier.WAITING, Launch)
    _dialogue: ShellDialogue

    def __init__(
        self,
        client: ClientSide,
        target: GateClientConnection,
        session: Session,
        judge: Judge,
        policy: Policy,
        number: int,
        clock: Clock,
        group: asyncio.TaskGroup,
        window: int,
    ) -> None:
        """*window* is what a program may send before we read on, in octets (RFC 4254 §5.2)."""
        seat = Seat(number, session.route, policy, judge, session.services.read, clock)
        super().__init__(client, target, ShellDialogue(seat), session, clock, group, window)
        self._end: ProgramEnd | None = None  # of the program that runs, or is being started
        self._losing: asyncio.Task[None] | None = None
        self._said: Requests = []
        self._is_for_relay = False

    async def run(self, said: Sequence[tuple[str, bytes]] = ()) -> Requests | None:
        """Serve the channel until it is closed.

        *said* are requests that the client has made and had answered before. When it asks for no shell, what
        it has asked for is given back, answered, for a relay; requests that come later are added to it.
        """
        for kind, payload in said:
            self.requested(kind, payload)
        self._client.handle_with(self)
        if not self._client.is_closed and not self.done.is_set():
            self._watch()
            self._losing = self._group.create_task(self._target_lost())
        try:
            await self.done.wait()
        finally:
            self._stop()
        return self._said if self._is_for_relay else None

    async def _target_lost(self) -> None:
        await self._connection.wait_closed()
        self._perform(self._dialogue.dismissed("the target closed the connection"))

    def _stop(self) -> None:
        self._release()
        if self._losing is not None:
            self._losing.cancel()
        if self._is_for_relay:
            return
        # A shell that still was open ends here, before the recording is sealed.
        self._perform(self._dialogue.closed())
        for channel in self._channels.values():
            channel.close()

    # --- what the sides say --------------------------------------------------------------------

    def requested(self, kind: str, payload: bytes) -> None:
        if self._is_for_relay or (kind in NOT_A_SHELL and not self._flowing):
            self._said.append((kind, payload))
            self._client_channel.answer(True)
            self._is_for_relay = True
            self.done.set()
            return
        if not self._flowing:
            self._said.append((kind, payload))
        self._perform(self._dialogue.requested(kind, payload))

    def heard(self, side: Side, data: bytes, stream: int | None) -> None:
        self._perform(self._dialogue.typed(data))
        self._passed(Side.CLIENT)

    def ended(self, side: Side) -> None:
        self._perform(self._dialogue.client_ended())

    def leaving(self) -> bool:
        return False

    def closed(self, side: Side) -> None:
        if not self._is_for_relay:
            self._perform(self._dialogue.closed())
        self.done.set()

    # --- what a program says -------------------------------------------------------------------

    def printed(self, end: ProgramEnd, data: bytes, stream: int | None) -> None:
        """Output of the program at *end*."""
        if end is self._end:
            self._perform(self._dialogue.printed(data, stream))
            self._passed(Side.TARGET)

    def told(self, end: ProgramEnd, kind: str, payload: bytes) -> None:
        """The program's channel says how it ended."""
        if end is self._end:
            self._dialogue.told(kind, payload)

    def finished(self, end: ProgramEnd) -> None:
        """The program's channel is closed."""
        if end is self._end:
            self._end = None
            self._channels.pop(Side.TARGET, None)
            self.free(Side.CLIENT, "window")
            self._perform(self._dialogue.finished())
            self._set_timer()

    # --- programs ------------------------------------------------------------------------------

    async def _wait_for_own(self, effect: Relayed | Launch) -> None:
        assert isinstance(effect, Launch)
        await self._launch(effect)

    async def _launch(self, launch: Launch) -> None:
        """Run one command on the target."""
        if self._recorder.lost is not None:
            return
        end = self._end = ProgramEnd(self)
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                channel, accepted = await self._open(launch, end)
        except (asyncssh.Error, OSError, TimeoutError, ValueError) as error:
            self._fail(end, f"the target runs nothing: {reason_of(error)}")
            return
        if not accepted:
            self._fail(end, "the target refuses to run it")
        elif self.done.is_set() or end is not self._end:
            channel.close()
        else:
            self._run(launch, channel)

    async def _open(self, launch: Launch, end: ProgramEnd) -> tuple[TargetChannel, bool]:
        channel = self._connection.create_target_channel(self._window)
        await channel.open_session(TargetSide(end))
        for kind, payload in launch.requests:
            if kind == "env":
                channel.pass_request(b"env", payload)
            else:
                await channel.ask(kind.encode("ascii"), payload)
        accepted = await channel.ask(b"exec", wire.string(launch.command))
        if not accepted:
            channel.close()
        return channel, accepted

    def _run(self, launch: Launch, channel: TargetChannel) -> None:
        self._channels[Side.TARGET] = channel
        self._perform(self._dialogue.started())
        if not launch.input:
            channel.write_eof()
        if not self._held[Side.TARGET]:
            channel.start_reading()

    def _fail(self, end: ProgramEnd, reason: str) -> None:
        if end is self._end:
            self._end = None
            self._perform(self._dialogue.failed(reason))
