"""One session channel between both connections: performs what its dialogue decides.

Back-pressure is end to end: a side is read only while the other side takes what is sent to it (its
channel's window, its connection's transport) and the recorder takes what must be recorded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import asyncssh

from watchgate.clock import Clock
from watchgate.errors import RecordingLost
from watchgate.protocols.ssh.dialogue import ChannelDialogue
from watchgate.protocols.ssh.effects import (
    Answer,
    Ask,
    Commit,
    Effect,
    EndSession,
    Eof,
    FetchSecret,
    Flow,
    LockOperator,
    Note,
    NoteCommand,
    Outer,
    Record,
    Resume,
    Say,
    Seek,
    Send,
    SendSecret,
    Shut,
    Side,
    Tell,
    Withdraw,
)
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
from watchgate.session.ports import ApprovalRequest

TIMER_GRAIN = 0.002
"""Seconds that a timer is set later than asked; uvloop counts in milliseconds."""

WAITING = (Ask, Commit, LockOperator)
"""The effects that have to wait for something."""

OPEN_SECONDS = 20.0
"""How long a target may take to open a channel or to answer a request."""


class _Choke:
    """A connection's transport is full: what feeds it, the opposite side, is not read."""

    def __init__(self, relay: ChannelRelay, side: Side) -> None:
        self._relay = relay
        self._side = side

    def choke(self) -> None:
        self._relay.hold(self._side.other, "transport")

    def release(self) -> None:
        self._relay.free(self._side.other, "transport")


class ChannelRelay:
    """A client's channel and a target's channel, joined."""

    def __init__(
        self,
        client: ClientSide,
        target: GateClientConnection,
        dialogue: ChannelDialogue,
        session: Session,
        clock: Clock,
        group: asyncio.TaskGroup,
        window: int,
    ) -> None:
        """*window* is what the target may send before we read on, in octets (RFC 4254 §5.2)."""
        assert client.channel is not None
        self._client = client
        self._connection = target
        self._dialogue = dialogue
        self._session = session
        self._recorder = session.recorder
        self._clock = clock
        self._group = group
        self._window = window
        self._channels: dict[Side, ClientChannel | TargetChannel] = {Side.CLIENT: client.channel}
        self._held: dict[Side, set[str]] = {Side.CLIENT: set(), Side.TARGET: set()}
        self._flowing = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_us = 0
        self._unwatch: list[Callable[[], None]] = []
        self._sought: dict[int, asyncio.Task[None]] = {}
        self.done = asyncio.Event()
        self.active_us = clock.monotonic_us()

    async def run(self, said: Sequence[tuple[str, bytes]] = ()) -> None:
        """Open the target's channel, then relay until the client's channel is closed.

        *said* are requests that the client has made and had answered before.
        """
        try:
            channel = self._connection.create_target_channel(self._window)
            async with asyncio.timeout(OPEN_SECONDS):
                await channel.open_session(TargetSide(self))
        except (asyncssh.Error, OSError, TimeoutError, ValueError) as error:
            reason = f"the target opened no channel: {_reason(error)}"
            self._flowing = True
            self._perform(self._dialogue.unreachable(reason))
            self.done.set()
        else:
            self._channels[Side.TARGET] = channel
            if not self._client.is_closed:
                self._watch()
            for kind, payload in said:
                self.requested(kind, payload)
            self._client.handle_with(self)
        try:
            await self.done.wait()
        finally:
            self._stop()

    def _watch(self) -> None:
        client = self._channels[Side.CLIENT].get_connection()
        assert isinstance(client, GateServerConnection)
        self._unwatch = [
            client.watch_flow(_Choke(self, Side.CLIENT)),
            self._connection.watch_flow(_Choke(self, Side.TARGET)),
        ]

    def _stop(self) -> None:
        for unwatch in self._unwatch:
            unwatch()
        if self._timer is not None:
            self._timer.cancel()
        for task in self._sought.values():
            task.cancel()
        # A channel that still was open ends here, before the recording is sealed.
        self._perform(self._dialogue.closed(Side.CLIENT))
        for channel in self._channels.values():
            channel.close()

    # --- what the sides say --------------------------------------------------------------------

    def requested(self, kind: str, payload: bytes) -> None:
        self._perform(self._dialogue.requested(kind, payload))

    def told(self, kind: str, payload: bytes) -> None:
        """The target made a request of its own."""
        self._perform(self._dialogue.told(kind, payload))

    def heard(self, side: Side, data: bytes, stream: int | None) -> None:
        self.active_us = self._clock.monotonic_us()
        self._perform(self._dialogue.heard(side, data, stream))
        if self._recorder.congested and "recorder" not in self._held[side]:
            self.hold(Side.CLIENT, "recorder")
            self.hold(Side.TARGET, "recorder")
            self._group.create_task(self._await_recorder())
        self._set_timer()

    def ended(self, side: Side) -> None:
        self._perform(self._dialogue.ended(side))

    def leaving(self) -> bool:
        effects = self._dialogue.left()
        self._perform(effects)
        return bool(effects)

    def closed(self, side: Side) -> None:
        self._perform(self._dialogue.closed(side))
        if side is Side.CLIENT:
            self.done.set()

    @property
    def target_is_gone(self) -> bool:
        """Whether the target's whole connection is lost, not only its channel."""
        return self._connection.gone

    def bereft(self) -> None:
        """The target's connection is lost."""
        self._perform(self._dialogue.bereft())

    def filled(self, side: Side, full: bool) -> None:
        if full:
            self.hold(side.other, "window")
        else:
            self.free(side.other, "window")

    # --- back-pressure -------------------------------------------------------------------------

    def hold(self, side: Side, why: str) -> None:
        """Stop reading *side* until every reason is gone."""
        reasons = self._held[side]
        channel = self._channels.get(side)
        if not reasons and channel is not None and self._flowing:
            channel.pause_reading()
        reasons.add(why)

    def free(self, side: Side, why: str) -> None:
        """One reason is gone."""
        reasons = self._held[side]
        if why not in reasons:
            return
        reasons.discard(why)
        channel = self._channels.get(side)
        if not reasons and channel is not None and self._flowing:
            channel.resume_reading()

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
        # A loop's timers may be early by what they round away; then nothing would be due yet.
        delay = max(0, due - self._clock.monotonic_us()) / 1e6 + TIMER_GRAIN
        self._timer = asyncio.get_running_loop().call_later(delay, self._expire)

    def _expire(self) -> None:
        self._timer = None
        self._perform(self._dialogue.expire())
        self._set_timer()

    # --- effects -------------------------------------------------------------------------------

    def _perform(self, effects: Sequence[Effect]) -> None:
        """Perform in order; from the first effect that has to wait, a task goes on."""
        for index, effect in enumerate(effects):
            if type(effect) in WAITING:
                self._group.create_task(self._perform_waiting(effects[index:]))
                break
            self._perform_now(effect)
        if self._dialogue.full:
            self.hold(Side.CLIENT, "dialogue")
        else:
            self.free(Side.CLIENT, "dialogue")

    async def _perform_waiting(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Commit():
                    try:
                        await self._recorder.commit()
                    except RecordingLost:
                        return  # what follows is not done; the session is about to end
                case LockOperator(lock):
                    await self._session.lock(lock)
                case Ask(kind, payload):
                    self._perform(self._dialogue.answered(kind, await self._ask(kind, payload)))
                case _:
                    self._perform_now(effect)
        self._set_timer()

    async def _ask(self, kind: str, payload: bytes) -> bool:
        channel = self._channels[Side.TARGET]
        assert isinstance(channel, TargetChannel)
        if self._recorder.lost is not None:
            return False
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                return await channel.ask(kind.encode("ascii"), payload)
        except (asyncssh.Error, OSError, TimeoutError):
            return False

    def _perform_now(self, effect: Effect) -> None:
        match effect:
            case Record(kind, data):
                self._recorder.octets(kind, self._dialogue.number, data)
            case Send(side, data, stream):
                self._write(side, data, stream)
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
            case Tell(side, kind, payload):
                channel = self._channels.get(side)
                if channel is not None:
                    channel.pass_request(kind.encode("ascii"), payload)
            case Say(text):
                self._write(Side.CLIENT, line(text), asyncssh.EXTENDED_DATA_STDERR)
            case Flow():
                self._flow()
            case Eof(side):
                channel = self._channels.get(side)
                if channel is not None:
                    channel.write_eof()
            case Shut(side):
                channel = self._channels.get(side)
                if channel is not None:
                    channel.close()
            case Ask() | Commit() | LockOperator():
                raise AssertionError("these wait")
            case Resume() | Seek() | Withdraw() | FetchSecret() | SendSecret() | EndSession():
                self._perform_outer(effect)

    def _perform_outer(self, effect: Outer) -> None:
        """What follows from deciding commands."""
        match effect:
            case Resume(ticket):
                self._perform(self._dialogue.resumed(ticket))
            case Seek(ticket, request):
                self._sought[ticket] = self._group.create_task(self._seek(ticket, request))
            case Withdraw(ticket):
                if (task := self._sought.pop(ticket, None)) is not None:
                    task.cancel()
            case FetchSecret(ticket, account):
                self._group.create_task(self._fetch(ticket, account))
            case SendSecret(secret):
                self._write(Side.TARGET, secret.reveal(), None)
            case EndSession(ending):
                self._session.end(ending)

    async def _seek(self, ticket: int, request: ApprovalRequest) -> None:
        def asked(approval: str, whom: Sequence[str]) -> None:
            self._perform(self._dialogue.asked(ticket, approval, ", ".join(whom)))

        answer = await self._session.seek(request, asked)
        self._sought.pop(ticket, None)
        self._perform(self._dialogue.approved(ticket, answer))

    async def _fetch(self, ticket: int, account: str) -> None:
        self._perform(self._dialogue.secret(ticket, await self._session.password(account)))

    @property
    def _client_channel(self) -> ClientChannel:
        channel = self._channels[Side.CLIENT]
        assert isinstance(channel, ClientChannel)
        return channel

    def _flow(self) -> None:
        self._flowing = True
        for side, reasons in self._held.items():
            channel = self._channels[side]
            if reasons:
                channel.pause_reading()
            else:
                channel.start_reading()

    def _write(self, side: Side, data: bytes, stream: int | None) -> None:
        """Send, unless the recording is lost: nothing is forwarded that was not recorded."""
        channel = self._channels.get(side)
        if channel is None or not data or not writable(channel):
            return
        if self._recorder.lost is None or stream is not None:
            write_now(channel, data, stream)

    def dismiss(self, reason: str) -> None:
        """Tell the operator why the session ends, and close both channels."""
        self._perform(self._dialogue.dismissed(reason))


def _reason(error: BaseException) -> str:
    """What went wrong, in few words that may cross the wire."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, asyncssh.Error):
        return error.reason or type(error).__name__
    return getattr(error, "strerror", None) or type(error).__name__
