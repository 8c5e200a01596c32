"""The gateway's shell at work: the one file of it that waits.

Back-pressure is end to end, as in a relay: the client is read only while the running program takes input and
the recorder what must be recorded, the program only while the client takes its output.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import asyncssh

from watchgate.clock import Clock
from watchgate.errors import RecordingLost
from watchgate.protocols.ssh import wire
from watchgate.protocols.ssh.effects import (
    Answer,
    Commit,
    EndSession,
    Eof,
    Flow,
    LockOperator,
    Note,
    NoteCommand,
    Record,
    Resume,
    Say,
    Seek,
    Send,
    Shut,
    Side,
    Tell,
    Withdraw,
)
from watchgate.protocols.ssh.gatewayshell.dialogue import ShellDialogue, ShellEffect
from watchgate.protocols.ssh.gatewayshell.ends import Choke, ProgramEnd
from watchgate.protocols.ssh.gatewayshell.programs import Launch
from watchgate.protocols.ssh.gatewayshell.seat import Seat
from watchgate.protocols.ssh.judging import Judge
from watchgate.protocols.ssh.relay import OPEN_SECONDS, TIMER_GRAIN
from watchgate.protocols.ssh.said import line
from watchgate.protocols.ssh.seams import (
    ClientChannel,
    GateClientConnection,
    GateServerConnection,
    TargetChannel,
    writable,
    write_now,
)
from watchgate.protocols.ssh.sides import ClientSide, TargetSide
from watchgate.session.control import Session
from watchgate.session.events import CommandRequested
from watchgate.session.model import Policy
from watchgate.session.ports import ApprovalRequest

Requests = list[tuple[str, bytes]]

NOT_A_SHELL = frozenset({"exec", "subsystem"})
"""Requests with which a client asks for something else."""


class GatewayShell:
    """One client's channel with the gateway's shell; to the session the same as a relay."""

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
        assert client.channel is not None
        self._client = client
        self._client_channel: ClientChannel = client.channel
        self._connection = target
        self._session = session
        self._recorder = session.recorder
        self._clock = clock
        self._group = group
        self._window = window
        read = session.services.read
        self._dialogue = ShellDialogue(Seat(number, session.route, policy, judge, read, clock))
        self._program: TargetChannel | None = None
        self._end: ProgramEnd | None = None  # of the program that runs, or is being started
        self._held: dict[Side, set[str]] = {Side.CLIENT: set(), Side.TARGET: set()}
        self._flowing = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_us = 0
        self._unwatch: list[Callable[[], None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._sought: dict[int, asyncio.Task[None]] = {}
        self._said: Requests = []
        self._is_for_relay = False
        self.done = asyncio.Event()
        self.active_us = clock.monotonic_us()

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
        try:
            await self.done.wait()
        finally:
            self._stop()
        return self._said if self._is_for_relay else None

    def dismiss(self, reason: str) -> None:
        """Tell the operator why the session ends, and close the channel."""
        self._perform(self._dialogue.dismissed(reason))

    def _watch(self) -> None:
        client = self._client_channel.get_connection()
        assert isinstance(client, GateServerConnection)
        self._unwatch = [
            client.watch_flow(Choke(self, Side.CLIENT)),
            self._connection.watch_flow(Choke(self, Side.TARGET)),
        ]
        self._tasks.append(self._group.create_task(self._target_lost()))

    async def _target_lost(self) -> None:
        await self._connection.wait_closed()
        self._perform(self._dialogue.dismissed("the target closed the connection"))

    def _stop(self) -> None:
        for unwatch in self._unwatch:
            unwatch()
        if self._timer is not None:
            self._timer.cancel()
        for task in [*self._tasks, *self._sought.values()]:
            task.cancel()
        if self._is_for_relay:
            return
        # A shell that still was open ends here, before the recording is sealed.
        self._perform(self._dialogue.closed())
        self._client_channel.close()
        if self._program is not None:
            self._program.close()

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
        self._heard(Side.CLIENT)

    def _heard(self, side: Side) -> None:
        self.active_us = self._clock.monotonic_us()
        if self._recorder.congested and "recorder" not in self._held[side]:
            self.hold(Side.CLIENT, "recorder")
            self.hold(Side.TARGET, "recorder")
            self._group.create_task(self._await_recorder())
        self._set_timer()

    def ended(self, side: Side) -> None:
        self._perform(self._dialogue.client_ended())

    def leaving(self) -> bool:
        return False

    def closed(self, side: Side) -> None:
        if not self._is_for_relay:
            self._perform(self._dialogue.closed())
        self.done.set()

    # --- what a program says -------------------------------------------------------------------

    @property
    def target_is_gone(self) -> bool:
        """Whether the target's whole connection is lost."""
        return self._connection.gone

    def printed(self, end: ProgramEnd, data: bytes, stream: int | None) -> None:
        """Output of the program at *end*."""
        if end is self._end:
            self._perform(self._dialogue.printed(data, stream))
            self._heard(Side.TARGET)

    def told(self, end: ProgramEnd, kind: str, payload: bytes) -> None:
        """The program's channel says how it ended."""
        if end is self._end:
            self._dialogue.told(kind, payload)

    def finished(self, end: ProgramEnd) -> None:
        """The program's channel is closed."""
        if end is self._end:
            self._program = self._end = None
            self.free(Side.CLIENT, "window")
            self._perform(self._dialogue.finished())
            self._set_timer()

    # --- back-pressure -------------------------------------------------------------------------

    def filled(self, side: Side, full: bool) -> None:
        if full:
            self.hold(side.other, "window")
        else:
            self.free(side.other, "window")

    def hold(self, side: Side, why: str) -> None:
        """Stop reading *side* until every reason is gone."""
        reasons = self._held[side]
        channel = self._channel(side)
        if not reasons and channel is not None and self._flowing:
            channel.pause_reading()
        reasons.add(why)

    def free(self, side: Side, why: str) -> None:
        """One reason is gone."""
        reasons = self._held[side]
        if why not in reasons:
            return
        reasons.discard(why)
        channel = self._channel(side)
        if not reasons and channel is not None and self._flowing:
            channel.resume_reading()

    def _channel(self, side: Side) -> ClientChannel | TargetChannel | None:
        return self._client_channel if side is Side.CLIENT else self._program

    async def _await_recorder(self) -> None:
        await self._recorder.relieved()
        self.free(Side.CLIENT, "recorder")
        self.free(Side.TARGET, "recorder")

    # --- time ----------------------------------------------------------------------------------

    def _set_timer(self) -> None:
        due = self._dialogue.due()
        if due is None or (self._timer is not None and self._timer_us <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_us = due
        delay = max(0, due - self._clock.monotonic_us()) / 1e6 + TIMER_GRAIN
        self._timer = asyncio.get_running_loop().call_later(delay, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self._perform(self._dialogue.expire())
        self._set_timer()

    # --- effects -------------------------------------------------------------------------------

    def _perform(self, effects: Sequence[ShellEffect]) -> None:
        """Perform in order; from the first effect that has to wait, a task goes on."""
        for index, effect in enumerate(effects):
            if isinstance(effect, Commit | LockOperator | Launch):
                self._group.create_task(self._perform_waiting(effects[index:]))
                break
            self._perform_now(effect)
        if self._dialogue.full:
            self.hold(Side.CLIENT, "dialogue")
        else:
            self.free(Side.CLIENT, "dialogue")

    async def _perform_waiting(self, effects: Sequence[ShellEffect]) -> None:
        for effect in effects:
            match effect:
                case Commit():
                    try:
                        await self._recorder.commit()
                    except RecordingLost:
                        return  # what follows is not done; the session is about to end
                case LockOperator(lock):
                    await self._session.lock(lock)
                case Launch():
                    await self._launch(effect)
                case _:
                    self._perform_now(effect)
        self._set_timer()

    def _perform_now(self, effect: ShellEffect) -> None:
        match effect:
            case Record(kind, data):
                self._recorder.octets(kind, self._dialogue.number, data)
            case Note(event):
                seq = self._recorder.event(event)
                if isinstance(event, CommandRequested):
                    self._dialogue.command_recorded(seq)
            case NoteCommand(decision):
                seq = self._recorder.event(decision.requested())
                self._dialogue.command_recorded(seq)
                self._recorder.event(decision.decided(seq))
            case Answer(accepted):
                self._client_channel.answer(accepted)
            case Flow():
                self._flowing = True
                if not self._held[Side.CLIENT]:
                    self._client_channel.start_reading()
            case Resume(ticket):
                self._perform(self._dialogue.resumed(ticket))
            case Seek(ticket, request):
                self._sought[ticket] = self._group.create_task(self._seek(ticket, request))
            case Withdraw(ticket):
                if (task := self._sought.pop(ticket, None)) is not None:
                    task.cancel()
            case EndSession(ending):
                self._session.end(ending)
            case _:
                self._pass_on(effect)

    def _pass_on(self, effect: ShellEffect) -> None:
        """What is sent to a side."""
        match effect:
            case Send(side, data, stream):
                self._write(side, data, stream)
            case Say(text):
                self._write(Side.CLIENT, line(text), asyncssh.EXTENDED_DATA_STDERR)
            case Tell(side, kind, payload):
                if (channel := self._channel(side)) is not None:
                    channel.pass_request(kind.encode("ascii"), payload)
            case Eof(side):
                if (channel := self._channel(side)) is not None:
                    channel.write_eof()
            case Shut(side):
                if (channel := self._channel(side)) is not None:
                    channel.close()
            case _:
                raise AssertionError(f"{type(effect).__name__} is nothing that a shell asks for")

    async def _seek(self, ticket: int, request: ApprovalRequest) -> None:
        def asked(approval: str, whom: Sequence[str]) -> None:
            self._perform(self._dialogue.asked(ticket, approval, ", ".join(whom)))

        answer = await self._session.seek(request, asked)
        self._sought.pop(ticket, None)
        self._perform(self._dialogue.approved(ticket, answer))

    def _write(self, side: Side, data: bytes, stream: int | None) -> None:
        """Send, unless the recording is lost: nothing is forwarded that was not recorded."""
        channel = self._channel(side)
        if channel is None or not data or not writable(channel):
            return
        if self._recorder.lost is None or stream is not None:
            write_now(channel, data, stream)

    # --- programs ------------------------------------------------------------------------------

    async def _launch(self, launch: Launch) -> None:
        """Run one command on the target."""
        if self._recorder.lost is not None:
            return
        end = self._end = ProgramEnd(self)
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                channel, accepted = await self._open(launch, end)
        except (asyncssh.Error, OSError, TimeoutError, ValueError) as error:
            self._fail(end, f"the target runs nothing: {_reason(error)}")
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
        self._program = channel
        self._perform(self._dialogue.started())
        if not launch.input:
            channel.write_eof()
        if not self._held[Side.TARGET]:
            channel.start_reading()

    def _fail(self, end: ProgramEnd, reason: str) -> None:
        if end is self._end:
            self._end = None
            self._perform(self._dialogue.failed(reason))


def _reason(error: BaseException) -> str:
    """What went wrong, in few words that may cross the wire."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, asyncssh.Error):
        return error.reason or type(error).__name__
    return getattr(error, "strerror", None) or type(error).__name__
