"""The session's side of a recording: puts evidence into memory and returns at once.

`octets` is on the path of every keystroke: it stamps, appends to a deque and counts. Everything that
costs is done by the scribe's thread (pen.py). The two threads share no lock: a deque's ends are atomic,
each counter has one writer, and what the scribe has to tell is told through the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from watchgate.clock import Clock
from watchgate.errors import RecordingLost
from watchgate.recording.limits import Limits
from watchgate.session.events import (
    Envelope,
    Event,
    RecordingGap,
    SessionClosed,
)
from watchgate.session.model import Ending
from watchgate.session.ports import RecordingRequest, RecordKind

log = logging.getLogger(__name__)

EVENT_COST = 512
"""What an event is taken to weigh while it waits."""
ENTRY_COST = 64
PIECE = 1024 * 1024
"""A longer record is cut into several."""
_INPUT = RecordKind.INPUT


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the queue at which somebody waits."""

    reached: asyncio.Future[None]
    seal: bool = False


Queued = tuple[int, int, int, "bytes | Envelope | Mark"]


class LiveRecorder:
    """Implements `session.ports.Recorder`; made by `RecordingStore.open` on the session's loop."""

    def __init__(self, request: RecordingRequest, clock: Clock, limits: Limits) -> None:
        self.request = request
        self.queue: deque[Queued] = deque()
        self.hurry: Callable[[], None] = nobody
        """Calls the scribe when something cannot wait for its next turn."""
        self.dropping = False
        """The recording cannot be written and goes on by `open`: octets are counted, not kept."""
        self.discarded = 0
        """Octets that the scribe had to drop in the present gap."""
        self.gap_reason = ""
        self.gap_began = 0
        self._clock = clock
        self._monotonic = clock.monotonic_us
        self._loop = asyncio.get_running_loop()
        self._began = clock.monotonic_us()
        self._last = -1
        self._numbers = 0
        self._put = 0
        self._written = 0
        self._flush_at = limits.flush_at
        self._limit = limits.waiting
        self._dropped = 0
        self._lost: RecordingLost | None = None
        self._lost_told: asyncio.Future[None] = self._loop.create_future()
        self._relief: asyncio.Future[None] | None = None
        self._sealing: asyncio.Future[None] | None = None
        self._input_octets = self._output_octets = 0

    def __repr__(self) -> str:
        return f"LiveRecorder({self.request.recording})"

    # --- what the session calls, on its loop ---

    @property
    def recording(self) -> str:
        return self.request.recording

    @property
    def lost(self) -> RecordingLost | None:
        return self._lost

    @property
    def waiting(self) -> int:
        """About how many octets are not in the file yet."""
        return self._put - self._written

    @property
    def congested(self) -> bool:
        return self._put - self._written > self._limit and not self.dropping

    def octets(self, kind: RecordKind, channel: int, data: bytes) -> None:
        size = len(data)
        if kind is _INPUT:
            self._input_octets += size
        else:
            self._output_octets += size
        if self.dropping or self._sealing is not None:
            self._dropped += size
            return
        if size > PIECE:
            for begin in range(0, size, PIECE):
                self._append(kind, channel, data[begin : begin + PIECE], PIECE)
            return
        now = self._monotonic() - self._began
        self._last = now = now if now > self._last else self._last + 1
        self.queue.append((now, kind, channel, data))
        self._put += size + ENTRY_COST
        if self._put - self._written > self._flush_at:
            self.hurry()

    def event(self, event: Event) -> int:
        if self._sealing is not None:
            log.warning("recording %s is sealed; %s is not in it", self.recording, event.kind)
            return 0
        self._numbers += 1
        envelope = Envelope(self._clock.wall_us(), self.request.session, self._numbers, event)
        self._append(RecordKind.EVENT, 0, envelope, EVENT_COST)
        return self._numbers

    async def relieved(self) -> None:
        while self.congested:
            if self._relief is None:
                self._relief = self._loop.create_future()
            # The scribe may have written everything before it could see the future.
            if self.waiting <= self._limit // 2:
                self._relieve()
                return
            self.hurry()
            await asyncio.shield(self._relief)

    async def commit(self) -> None:
        if self._sealing is not None:
            await asyncio.shield(self._sealing)
        elif self._lost is None:
            mark = Mark(self._loop.create_future())
            self._append(0, 0, mark, 0)
            self.hurry()
            await mark.reached
        if self._lost is not None:
            raise RecordingLost(str(self._lost))

    async def failed(self) -> RecordingLost:
        await asyncio.shield(self._lost_told)
        if self._lost is None:
            raise AssertionError("told of a loss that is not there")
        return self._lost

    async def seal(self, ending: Ending) -> None:
        if self._sealing is None:
            if self.dropping and self._lost is None:
                self.event(self._gap())
            self.event(self._closed(ending))
            self._sealing = self._loop.create_future()
            self._append(0, 0, Mark(self._sealing, seal=True), 0)
            self.hurry()
        await asyncio.shield(self._sealing)

    # --- what the scribe calls, on its thread ---

    def now_us(self) -> int:
        """Microseconds since the recording began."""
        return max(self._clock.monotonic_us() - self._began, 0)

    def written(self, cost: int) -> None:
        """So much of what was put is in the file, or will never be."""
        self._written += cost
        if self._relief is not None and self._put - self._written <= self._limit // 2:
            self._tell(self._relieve)

    def reached(self, mark: Mark) -> None:
        """Everything before *mark* is in the file."""
        self._tell(_resolve, mark.reached)

    def lose(self, error: RecordingLost) -> None:
        """No further evidence can be written and the policy is to close."""
        self._lost = error
        self.dropping = True
        self._tell(_resolve, self._lost_told)
        self._tell(self._relieve)

    def degrade(self, reason: str) -> None:
        """Octets cannot be written and the policy is to go on without them."""
        self.gap_reason = reason
        self.gap_began = self.now_us()
        self.dropping = True
        self._tell(self._relieve)

    def resume(self) -> None:
        """The file can be written again: record the gap and then what comes."""
        self._tell(self._resumed)

    def record(self, event: Event) -> None:
        """Record *event* in its turn, with a number of its own."""
        self._tell(self.event, event)

    # --- on the loop again ---

    def _append(self, kind: int, channel: int, data: bytes | Envelope | Mark, cost: int) -> None:
        now = self._monotonic() - self._began
        self._last = now = now if now > self._last else self._last + 1
        self.queue.append((now, kind, channel, data))
        self._put += cost

    def _relieve(self) -> None:
        if self._relief is not None:
            _resolve(self._relief)
            self._relief = None

    def _resumed(self) -> None:
        if self._sealing is not None or self._lost is not None:
            return
        gap = self._gap()
        self.dropping = False
        self._dropped = self.discarded = 0
        self.event(gap)

    def _gap(self) -> RecordingGap:
        return RecordingGap(
            octets=self._dropped + self.discarded,
            duration_us=max(self.now_us() - self.gap_began, 0),
            reason=self.gap_reason,
        )

    def _closed(self, ending: Ending) -> SessionClosed:
        return SessionClosed(
            reason=str(ending.reason),
            detail=ending.detail,
            by=ending.by,
            input_octets=self._input_octets,
            output_octets=self._output_octets,
        )

    def _tell(self, call: Callable[..., Any], *arguments: object) -> None:
        """Call on the loop; a loop that is gone has nobody left who would listen."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call, *arguments)


def nobody() -> None:
    """Nobody writes yet; what is put waits for its first turn."""


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
