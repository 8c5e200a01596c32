"""What the pens of one process share, and how an event becomes the octets of a record."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from watchgate.clock import Clock
from watchgate.errors import RecordingLost
from watchgate.recording.compression import Compressors
from watchgate.recording.limits import Limits
from watchgate.recording.recorder import ENTRY_COST, EVENT_COST, Mark, Queued
from watchgate.recording.sealer import Entry
from watchgate.recording.spool import Budget, Tail
from watchgate.session.events import Envelope, Event, RecordingGap, UnknownEvent
from watchgate.session.ports import RecordingRequest, RecordKind

log = logging.getLogger(__name__)

OnEvents = Callable[[RecordingRequest, Sequence[Envelope]], None]
OnAlarm = Callable[[Event, RecordingRequest], None]
Stamped = tuple[int, Envelope]
"""An event with its offset in the recording."""

_BATCH = 1024 * 1024
_EVENT_LIMIT = 2 * 1024 * 1024
_EVENT = int(RecordKind.EVENT)


class Handover(Protocol):
    """Keeps events from just before they are in the recording until the catalog has them.

    So a crash between the two cannot keep them from the catalog. Both are called on the scribe's thread.
    """

    def announce(self, request: RecordingRequest, events: Sequence[bytes], end: int) -> None:
        """These events, as `encode_event` writes them, come next; the recording then ends at *end*."""

    def withdraw(self) -> None:
        """What was announced last did not get into the recording."""


class Unannounced:
    """For recordings that no catalog follows."""

    def announce(self, request: RecordingRequest, events: Sequence[bytes], end: int) -> None:
        """Nobody listens."""

    def withdraw(self) -> None:
        """Nobody was told."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the pens of one process share."""

    root: Path
    spool: Path
    clock: Clock
    limits: Limits
    budget: Budget
    compressors: Compressors
    on_events: OnEvents
    on_alarm: OnAlarm
    aside: Callable[[Callable[[], None]], None]
    """Runs something that may wait for a disk, on another thread than the scribe's."""
    strand: Callable[[Path, Tail], None]
    """A finished recording is still in the spool; bring it home later."""
    handover: Handover = field(default_factory=Unannounced)

    def announce(self, request: RecordingRequest, batch: Batch, end: int) -> None:
        """Say which events are about to be written; `tell` or `withdraw` must follow."""
        if batch.encoded:
            try:
                self.handover.announce(request, batch.encoded, end)
            except Exception:
                log.exception("events of recording %s are not handed over", request.recording)

    def withdraw(self, batch: Batch) -> None:
        """What was announced last is not in the file."""
        if batch.encoded:
            self.handover.withdraw()

    def tell(self, request: RecordingRequest, events: Iterable[Envelope]) -> None:
        """Hand events that are in the file to the projections; a gap is an alarm too."""
        if not (told := list(events)):
            return
        try:
            self.on_events(request, told)
        except Exception:
            log.exception("a projection failed on recording %s", request.recording)
        for envelope in told:
            if isinstance(envelope.event, RecordingGap):
                self.alarm(request, envelope.event)

    def alarm(self, request: RecordingRequest, event: Event) -> None:
        """Say in the log and to whoever listens that evidence is at risk or missing."""
        log.warning("recording %s: %s %s", request.recording, event.kind, event.data())
        try:
            self.on_alarm(event, request)
        except Exception:
            log.exception("an alarm of recording %s was not heard", request.recording)


@dataclass(slots=True)
class Batch:
    """What was taken from the queue at once."""

    entries: list[Entry] = field(default_factory=list)
    events: list[Stamped] = field(default_factory=list)
    encoded: list[bytes] = field(default_factory=list)
    """The same events as they are recorded."""
    cost: int = 0
    octets: int = 0
    mark: Mark | None = None

    def envelopes(self) -> list[Envelope]:
        """The events without their offsets."""
        return [envelope for _, envelope in self.events]


def take(queue: deque[Queued]) -> Batch:
    """About a megabyte from *queue*, or what there is before the next mark and the mark."""
    batch = Batch()
    size = 0
    while queue and size < _BATCH:
        t_us, kind, channel, data = queue.popleft()
        if isinstance(data, Mark):
            batch.mark = data
            break
        if isinstance(data, Envelope):
            batch.events.append((t_us, data))
            batch.cost += EVENT_COST
            octets = encode_event(data)
            batch.encoded.append(octets)
        else:
            batch.octets += len(data)
            batch.cost += len(data) + ENTRY_COST
            octets = data
        batch.entries.append((t_us, kind, channel, octets))
        # A record costs a reader memory however short it is, and a batch is bounded for him.
        size += len(octets) + ENTRY_COST
    return batch


def encode_event(envelope: Envelope) -> bytes:
    """The event as it is recorded; one that cannot be is recorded as just that."""
    try:
        octets = envelope.to_json().encode("ascii")
    except (TypeError, ValueError) as error:
        log.exception("event %s cannot be written as JSON", envelope.event.kind)
        values = {"unwritable": type(error).__name__}
    else:
        if len(octets) <= _EVENT_LIMIT:
            return octets
        values = {"oversized": str(len(octets))}
    stand_in = UnknownEvent(envelope.event.kind, envelope.event.v, values)
    return replace(envelope, event=stand_in).to_json().encode("ascii")


def gap_note(gap: RecordingGap) -> dict[str, Any]:
    """The gap in clear, for who verifies without a key."""
    return {"note": "gap", **gap.data()}


def lost(reason: str) -> RecordingLost:
    """What the session and the administrator hear."""
    return RecordingLost(
        f"evidence cannot be written to {reason}. Free space there or repair the file system; the"
        " session ends because its target says on_recording_failure = 'close' or its spool is full"
    )


def of_events(events: Sequence[Stamped]) -> Batch:
    """A batch of these events alone."""
    encoded = [encode_event(envelope) for _, envelope in events]
    made = [(t_us, _EVENT, 0, octets) for (t_us, _), octets in zip(events, encoded, strict=True)]
    return Batch(entries=made, events=list(events), encoded=encoded)
