"""One session channel between both connections: performs what its dialogue decides.

Back-pressure is end to end: a side is read only while the other side takes what is sent to it (its
channel's window, its connection's transport) and the recorder takes what must be recorded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import asyncssh

from watchgate.clock import Clock
from watchgate.errors import RecordingLost
from watchgate.protocols.ssh.dialogue import ChannelDialogue
from watchgate.protocols.ssh.effects import (
    Answer,
    Ask,
    Commit,
    Effect,
    Eof,
    Flow,
    Note,
    Record,
    Say,
    Send,
    Shut,
    Side,
    Tell,
)
from watchgate.protocols.ssh.seams import (
    ClientChannel,
    GateClientConnection,
    GateServerConnection,
    TargetChannel,
    writable,
    write_now,
)
from watchgate.session.events import CommandRequested
from watchgate.session.ports import Recorder

TIMER_GRAIN = 0.002
"""Seconds that a timer is set later than asked; uvloop counts in milliseconds."""

WAITING = (Ask, Commit)
"""The effects that have to wait for something."""

OPEN_SECONDS = 20.0
"""How long a target may take to open a channel or to answer a request."""


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
        if self._handler is None:
            self.waiting = (kind, payload)
        else:
            self._handler.requested(kind, payload)

    def session_started(self) -> None:
        """The program was accepted; octets flow from here."""

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        if self._handler is not None:
            self._handler.heard(Side.CLIENT, data, datatype)

    def eof_received(self) -> bool:
        if self._handler is not None:
            self._handler.ended(Side.CLIENT)
        return True

    def leaving(self) -> bool:
        """The client closed its side (called by ClientChannel)."""
        return self._handler is not None and self._handler.leaving()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        if self._handler is not None:
            self._handler.closed(Side.CLIENT)

    def pause_writing(self) -> None:
        if self._handler is not None:
            self._handler.filled(Side.CLIENT, True)

    def resume_writing(self) -> None:
        if self._handler is not None:
            self._handler.filled(Side.CLIENT, False)


class TargetSide(asyncssh.SSHClientSession[bytes]):
    """The target's end of a channel."""

    def __init__(self, relay: ChannelRelay) -> None:
        self._relay = relay

    def request(self, kind: str, payload: bytes) -> bool:
        """A raw channel request of the target's (called by TargetChannel)."""
        self._relay.told(kind, payload)
        return False

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        self._relay.heard(Side.TARGET, data, datatype)

    def eof_received(self) -> bool:
        self._relay.ended(Side.TARGET)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if self._relay.target_is_gone:
            self._relay.bereft()
        self._relay.closed(Side.TARGET)

    def pause_writing(self) -> None:
        self._relay.filled(Side.TARGET, True)

    def resume_writing(self) -> None:
        self._relay.filled(Side.TARGET, False)


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
        recorder: Recorder,
        clock: Clock,
        group: asyncio.TaskGroup,
        window: int,
    ) -> None:
        """*window* is what the target may send before we read on, in octets (RFC 4254 §5.2)."""
        assert client.channel is not None
        self._client = client
        self._connection = target
        self._dialogue = dialogue
        self._recorder = recorder
        self._clock = clock
        self._group = group
        self._window = window
        self._channels: dict[Side, ClientChannel | TargetChannel] = {Side.CLIENT: client.channel}
        self._held: dict[Side, set[str]] = {Side.CLIENT: set(), Side.TARGET: set()}
        self._flowing = False
        self._timer: asyncio.TimerHandle | None = None
        self._unwatch: list[Callable[[], None]] = []
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
        if side is Side.CLIENT:
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
        if due is None or self._timer is not None:
            return
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
                return
            self._perform_now(effect)

    async def _perform_waiting(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Commit():
                    try:
                        await self._recorder.commit()
                    except RecordingLost:
                        return  # what follows is not done; the session is about to end
                case Ask(kind, payload):
                    self._perform(self._dialogue.answered(kind, await self._ask(kind, payload)))
                case _:
                    self._perform_now(effect)

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
            case Ask() | Commit():
                raise AssertionError("these wait")

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


def line(text: str) -> bytes:
    """A line as the gateway says it, fit for a raw terminal; control characters are shown escaped."""
    safe = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return f"watchgate: {safe}\r\n".encode("utf-8", "backslashreplace")


def _reason(error: BaseException) -> str:
    """What went wrong, in few words that may cross the wire."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, asyncssh.Error):
        return error.reason or type(error).__name__
    return getattr(error, "strerror", None) or type(error).__name__
