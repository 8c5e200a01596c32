"""What a recording holds back while it cannot be written: one unwritten batch, and later events.

Octets are not kept, they are counted; events are small and say most, so they are kept within a bound.
"""

from __future__ import annotations

from dataclasses import replace

from watchgate.recording.desk import Batch, Stamped, encode_event
from watchgate.session.events import RecordingGap, SessionClosed
from watchgate.session.ports import RecordKind

_ENDS = (RecordingGap, SessionClosed)
_LAST_WORDS = 24 * 1024
"""So much of events fits into the reserve beside the largest INDEX, even if nothing of it compresses."""


class Backlog:
    """Holds what may still get into the file."""

    __slots__ = ("_kept", "_limit", "_size", "batch", "frames")

    def __init__(self, limit: int) -> None:
        self.frames = b""
        """Sealed and never written; nothing may be written before them, or they must be given up."""
        self.batch = Batch()
        """What is in those frames."""
        self._kept: list[Stamped] = []
        self._size = 0
        self._limit = limit

    def hold(self, frames: bytes, batch: Batch) -> None:
        """*frames* are the next to be written."""
        self.frames, self.batch = frames, batch

    def keep(self, batch: Batch) -> None:
        """Keep the events of *batch* as far as the bound goes."""
        sizes = [len(data) for _, kind, _, data in batch.entries if kind == RecordKind.EVENT]
        for stamped, size in zip(batch.events, sizes, strict=True):
            if isinstance(stamped[1].event, _ENDS) or self._size + size <= self._limit:
                self._kept.append(stamped)
                self._size += size

    def keep_end(self, batch: Batch) -> None:
        """Keep only how the session ended."""
        self._kept += [one for one in batch.events if isinstance(one[1].event, SessionClosed)]

    def written(self) -> tuple[int, list[Stamped]]:
        """The frames are in the file: how many octets that saved, and what was kept since."""
        recovered, self.frames, self.batch = self.batch.octets, b"", Batch()
        kept, self._kept, self._size = self._kept, [], 0
        return recovered, [_corrected(stamped, recovered) for stamped in kept]

    def last_words(self) -> list[Stamped]:
        """The gap and the end, and before them as many events as the reserve surely takes."""
        left = _LAST_WORDS
        chosen = []
        for stamped in self.batch.events + self._kept:
            left -= len(encode_event(stamped[1]))
            if left > 0 or isinstance(stamped[1].event, _ENDS):
                chosen.append(stamped)
        return chosen


def _corrected(stamped: Stamped, recovered: int) -> Stamped:
    """A gap that was measured before *recovered* octets got into the file after all."""
    t_us, envelope = stamped
    gap = envelope.event
    if not isinstance(gap, RecordingGap) or not recovered:
        return stamped
    return t_us, replace(envelope, event=replace(gap, octets=max(gap.octets - recovered, 0)))
