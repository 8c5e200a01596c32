"""Forwarded connections: each is an event with its destination and its octets, none is recorded whole.

What a forwarded stream carries is told by its first octets; a managed target is never reached that way,
because a session inside a forwarding would be one that nobody sees.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncssh

from watchgate.clock import Clock
from watchgate.protocols.ssh.effects import Side
from watchgate.protocols.ssh.forwards import ENOUGH, Carries, classify
from watchgate.protocols.ssh.seams import writable
from watchgate.session.events import ForwardClosed, ForwardNoted, ForwardOpened
from watchgate.session.ports import Recorder


class End(asyncssh.SSHTCPSession[bytes]):
    """One end of a forwarded connection; what it says goes to the other."""

    def __init__(self, forward: Forward, side: Side) -> None:
        self._forward = forward
        self._side = side
        self._early: list[bytes] = []  # bounded: what comes is not read on until this end is there
        self._held: set[str] = set()
        self.channel: Any = None

    def connection_made(self, chan: asyncssh.SSHTCPChannel[bytes]) -> None:
        self.channel = chan
        if self._held:
            chan.pause_reading()
        for data in self._early:
            chan.write(data)
        self._early.clear()
        self._forward.end(self._side.other).free("early")
        self._forward.joined()

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        self._forward.heard(self._side, data)

    def eof_received(self) -> bool:
        self._forward.ended(self._side)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._forward.closed(self._side)

    def pause_writing(self) -> None:
        self._forward.end(self._side.other).hold("window")

    def resume_writing(self) -> None:
        self._forward.end(self._side.other).free("window")

    def choke(self) -> None:
        """This end's connection is full."""
        self._forward.end(self._side.other).hold("transport")

    def release(self) -> None:
        """This end's connection has room again."""
        self._forward.end(self._side.other).free("transport")

    def hold(self, why: str) -> None:
        """Read no more from this end until every reason is gone."""
        if not self._held and self.channel is not None:
            self.channel.pause_reading()
        self._held.add(why)

    def free(self, why: str) -> None:
        """One reason is gone."""
        if why not in self._held:
            return
        self._held.discard(why)
        if not self._held and self.channel is not None:
            self.channel.resume_reading()

    def write(self, data: bytes) -> None:
        """Send to this end, while it takes anything; what comes before it is there waits."""
        if self.channel is None:
            self._early.append(data)
            self._forward.end(self._side.other).hold("early")
        elif writable(self.channel):
            self.channel.write(data)

    def finish(self) -> None:
        """Send no more to this end."""
        if self.channel is not None and writable(self.channel):
            self.channel.write_eof()

    def close(self) -> None:
        """Close this end after what waits has been sent."""
        if self.channel is not None:
            self.channel.close()


class Forward:
    """A forwarded connection: two ends, a count, and a look at its first octets."""

    def __init__(
        self,
        number: int,
        direction: str,
        destination: str,
        origin: str,
        managed: bool,
        recorder: Recorder,
        clock: Clock,
    ) -> None:
        self.number = number
        self.active_us = clock.monotonic_us()
        self._clock = clock
        self.destination = destination
        self._managed = managed
        self._recorder = recorder
        self._ends = {side: End(self, side) for side in Side}
        self._first: dict[Side, bytes] = dict.fromkeys(Side, b"")
        self._octets = {Side.CLIENT: 0, Side.TARGET: 0}
        self._unwatch: list[Callable[[], None]] = []
        self.done = asyncio.Event()
        recorder.event(ForwardOpened(number, direction, destination, origin))

    def end(self, side: Side) -> End:
        """The end on *side*."""
        return self._ends[side]

    def joined(self) -> None:
        """An end is there; when both are, each is read only while the other takes."""
        if any(end.channel is None for end in self._ends.values()):
            return
        self._unwatch = [
            end.channel.get_connection().watch_flow(end) for end in self._ends.values()
        ]

    def heard(self, side: Side, data: bytes) -> None:
        """An end said something."""
        if self.done.is_set():
            return
        passed = self._looked_at(side, data) if side in self._first else data
        if not passed:
            return
        self.active_us = self._clock.monotonic_us()
        self._octets[side] += len(passed)
        if self._recorder.lost is None:
            self._ends[side.other].write(passed)

    def _looked_at(self, side: Side, data: bytes) -> bytes:
        """What may pass of a stream's first octets.

        Towards a managed target nothing passes before it is known what the stream carries.
        """
        first = self._first[side] + data
        carries = classify(first)
        if carries is None and len(first) < ENOUGH:
            self._first[side] = first
            return b"" if self._managed else data
        del self._first[side]
        passed = first if self._managed else data
        if carries is None or carries is Carries.OTHER:
            return passed
        noted = ForwardNoted(self.number, str(carries), self.destination, refused=self._managed)
        self._recorder.event(noted)
        if self._managed:
            self.abort()
            return b""
        return passed

    def ended(self, side: Side) -> None:
        """An end says no more; what it said that was too short to be told passes before."""
        waiting = self._first.pop(side, b"") if self._managed else b""
        if waiting and not self.done.is_set():
            self._octets[side] += len(waiting)
            self._ends[side.other].write(waiting)
        self._ends[side.other].finish()

    def closed(self, side: Side) -> None:
        """An end is closed: close the other; note it once."""
        self._ends[side.other].close()
        self._finish()

    def _finish(self) -> None:
        if not self.done.is_set():
            self.done.set()
            for unwatch in self._unwatch:
                unwatch()
            sent, received = self._octets[Side.CLIENT], self._octets[Side.TARGET]
            self._recorder.event(ForwardClosed(self.number, sent, received))

    def abort(self) -> None:
        """Close both ends; whatever they still say is not heard."""
        self._finish()
        for end in self._ends.values():
            end.close()
