"""What carries one session channel of a client: performs, in order, what its dialogue decides.

A relay (relay.py) and the gateway's own shell (gatewayshell/engine.py) are carriers. Back-pressure is end to
end: a side is read only while the other side takes what is sent to it (its channel's window, its connection's
transport) and the recorder takes what must be recorded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, Protocol, TypeVar, cast

import asyncssh

from watchgate.clock import Clock
from watchgate.errors import RecordingLost
from watchgate.protocols.ssh.effects import (
    Answer,
    Commit,
    Deciding,
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
    Shared,
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
from watchgate.protocols.ssh.sides import ClientSide
from watchgate.session.control import Session
from watchgate.session.events import CommandRequested
from watchgate.session.ports import ApprovalAnswer, ApprovalRequest

TIMER_GRAIN = 0.002
"""Seconds that a timer is set later than asked; uvloop counts in milliseconds."""

OPEN_SECONDS = 20.0
"""How long a target may take to open a channel or to answer a request."""

OwnT = TypeVar("OwnT")
OwnT_co = TypeVar("OwnT_co", covariant=True)


class Dialogue(Protocol[OwnT_co]):
    """What decides: plain code that is told what happened and answers with effects."""

    @property
    def number(self) -> int:
        """The channel's number in its session."""

    @property
    def full(self) -> bool:
        """So much waits for decisions that no more is to be read from the client."""

    def due(self) -> int | None:
        """When `expire` wants to be called, in monotonic microseconds."""

    def expire(self) -> Sequence[Shared | OwnT_co]:
        """The moment of `due` has come."""

    def command_recorded(self, seq: int) -> None:
        """The number under which the last command was recorded."""

    def resumed(self, ticket: int) -> Sequence[Shared | OwnT_co]:
        """What had to be written before is in the file."""

    def asked(self, ticket: int, approval: str, whom: str) -> Sequence[Shared | OwnT_co]:
        """An approval is asked for."""

    def approved(self, ticket: int, answer: ApprovalAnswer) -> Sequence[Shared | OwnT_co]:
        """An approval was answered."""

    def dismissed(self, reason: str) -> Sequence[Shared | OwnT_co]:
        """The session is ended from outside."""


class Carrier(Generic[OwnT]):
    """One client's channel, and what it is joined to; *OwnT* are the effects that only this kind performs."""

    WAITING: ClassVar[tuple[type, ...]] = (Commit, LockOperator)
    """The effects that have to wait for something."""

    def __init__(
        self,
        client: ClientSide,
        target: GateClientConnection,
        dialogue: Dialogue[OwnT],
        session: Session,
        clock: Clock,
        group: asyncio.TaskGroup,
        window: int,
    ) -> None:
        """*window* is what the target may send before we read on, in octets (RFC 4254 §5.2)."""
        assert client.channel is not None
        self._client = client
        self._client_channel: ClientChannel = client.channel
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
        """Set when the client's channel is closed."""
        self.active_us = clock.monotonic_us()
        """When an octet passed last."""

    def dismiss(self, reason: str) -> None:
        """Tell the operator why the session ends, and close the channel."""
        self._perform(self._dialogue.dismissed(reason))

    @property
    def target_is_gone(self) -> bool:
        """Whether the target's whole connection is lost, not only its channel."""
        return self._connection.gone

    # --- what its own kind does ----------------------------------------------------------------

    def _perform_own(self, effect: OwnT) -> None:
        """Perform one that only this kind knows and that does not wait."""
        raise AssertionError(f"{type(effect).__name__} is nothing that is asked for here")

    async def _wait_for_own(self, effect: OwnT) -> None:
        """Perform one that only this kind knows and that waits (see `WAITING`)."""
        raise AssertionError(f"{type(effect).__name__} is nothing that waits here")

    # --- beginning and end ---------------------------------------------------------------------

    def _watch(self) -> None:
        """Heed the back-pressure of both connections."""
        client = self._client_channel.get_connection()
        assert isinstance(client, GateServerConnection)
        self._unwatch = [
            client.watch_flow(_Choke(self, Side.CLIENT)),
            self._connection.watch_flow(_Choke(self, Side.TARGET)),
        ]

    def _release(self) -> None:
        """Let go of what would call this carrier back."""
        for unwatch in self._unwatch:
            unwatch()
        if self._timer is not None:
            self._timer.cancel()
        for task in self._sought.values():
            task.cancel()

    # --- back-pressure -------------------------------------------------------------------------

    def filled(self, side: Side, full: bool) -> None:
        """A channel's send buffer is full, or has room again."""
        if full:
            self.hold(side.other, "window")
        else:
            self.free(side.other, "window")

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

    def _passed(self, side: Side) -> None:
        """Octets of *side* were dealt with."""
        self.active_us = self._clock.monotonic_us()
        if self._recorder.congested and "recorder" not in self._held[side]:
            self.hold(Side.CLIENT, "recorder")
            self.hold(Side.TARGET, "recorder")
            self._group.create_task(self._await_recorder())
        self._set_timer()

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

    def _perform(self, effects: Sequence[Shared | OwnT]) -> None:
        """Perform in order; from the first effect that has to wait, a task goes on."""
        for index, effect in enumerate(effects):
            if type(effect) in self.WAITING:
                self._group.create_task(self._perform_waiting(effects[index:]))
                break
            self._perform_now(effect)
        if self._dialogue.full:
            self.hold(Side.CLIENT, "dialogue")
        else:
            self.free(Side.CLIENT, "dialogue")

    async def _perform_waiting(self, effects: Sequence[Shared | OwnT]) -> None:
        for effect in effects:
            match effect:
                case Commit():
                    try:
                        await self._recorder.commit()
                    except RecordingLost:
                        return  # what follows is not done; the session is about to end
                case LockOperator(lock):
                    await self._session.lock(lock)
                case _ if type(effect) in self.WAITING:
                    await self._wait_for_own(cast("OwnT", effect))  # the shared ones are above
                case _:
                    self._perform_now(effect)
        self._set_timer()

    def _perform_now(self, effect: Shared | OwnT) -> None:
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
            case Tell() | Say() | Flow() | Eof() | Shut():
                self._pass_on(effect)
            case Resume() | Seek() | Withdraw() | EndSession():
                self._follow(effect)
            case Commit() | LockOperator():
                raise AssertionError("these wait")
            case _:
                self._perform_own(effect)

    def _pass_on(self, effect: Tell | Say | Flow | Eof | Shut) -> None:
        """What concerns a side."""
        match effect:
            case Say(text):
                self._write(Side.CLIENT, line(text), asyncssh.EXTENDED_DATA_STDERR)
            case Flow():
                self._flow()
            case Tell(side, kind, payload):
                if (channel := self._channels.get(side)) is not None:
                    channel.pass_request(kind.encode("ascii"), payload)
            case Eof(side):
                if (channel := self._channels.get(side)) is not None:
                    channel.write_eof()
            case Shut(side):
                if (channel := self._channels.get(side)) is not None:
                    channel.close()

    def _follow(self, effect: Deciding) -> None:
        """What follows from deciding commands."""
        match effect:
            case Resume(ticket):
                self._perform(self._dialogue.resumed(ticket))
            case Seek(ticket, request):
                self._sought[ticket] = self._group.create_task(self._seek(ticket, request))
            case Withdraw(ticket):
                if (task := self._sought.pop(ticket, None)) is not None:
                    task.cancel()
            case EndSession(ending):
                self._session.end(ending)

    async def _seek(self, ticket: int, request: ApprovalRequest) -> None:
        def asked(approval: str, whom: Sequence[str]) -> None:
            self._perform(self._dialogue.asked(ticket, approval, ", ".join(whom)))

        answer = await self._session.seek(request, asked)
        self._sought.pop(ticket, None)
        self._perform(self._dialogue.approved(ticket, answer))

    def _flow(self) -> None:
        self._flowing = True
        for side, channel in self._channels.items():
            if self._held[side]:
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


class _Choke:
    """A connection's transport is full: what feeds it, the opposite side, is not read."""

    def __init__(self, carrier: Carrier[OwnT], side: Side) -> None:
        self._carrier = carrier
        self._side = side

    def choke(self) -> None:
        self._carrier.hold(self._side.other, "transport")

    def release(self) -> None:
        self._carrier.free(self._side.other, "transport")


def reason_of(error: BaseException) -> str:
    """What went wrong, in few words that may cross the wire."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, asyncssh.Error):
        return error.reason or type(error).__name__
    return getattr(error, "strerror", None) or type(error).__name__
