"""Following a recording while it is being written: each call gives what is new, and costs only that.

A tail keeps its place, the chain there and the inflater's state; between two calls it holds no file open.
It takes whole batches, which are never taken back once they are in the file. What follows the last one
may still be cut off, rewritten under other numbers, or move between the store and the spool: whatever
does not fit is looked at again from the beginning before it is called damage, and what was given out is
left out. That is exact, since no two records of a recording have the same time.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from watchgate.errors import RecordingUnreadable
from watchgate.recording.format import FrameType, Record
from watchgate.recording.framechain import Place
from watchgate.recording.opening import Batch, FrameError, FrameOpener
from watchgate.recording.scan import HEADLESS, LogicalFile, Walk, read_preamble
from watchgate.recording.spool import tails
from watchgate.recording.tracks import TrackCipher, TrackKeys

TURN = 1024 * 1024
_KEPT = (FrameType.MAIN, FrameType.INPUT, FrameType.CHECKPOINT)
_TRIES = 2
_LIVE_TRIES = 10
"""A failing disk may hold half a batch behind the last whole one for a while."""


class Tail:
    """The records of one recording from its beginning, as they come."""

    def __init__(self, path: Path, keys: TrackKeys, spool: Path | None = None) -> None:
        self.path = path
        self.sealed = False
        """The end was reached: no more will come."""
        self.live = True
        """Whether somebody was writing it at the last call."""
        self.behind = False
        """There is more than the last call took."""
        self._spool = spool
        self._cipher = TrackCipher(keys)
        self._opener = FrameOpener(self._cipher)
        self._place: Place | None = None
        self._last_us = -1
        self._tries = 0
        self._size: tuple[int, int] | None = None
        self._problem = ""

    @property
    def octets(self) -> int:
        """How much of the file was read."""
        return self._place.offset if self._place else 0

    def grown(self, spooled: int = 0) -> bool:
        """Whether `more` may find something; *spooled* is what `spooled_octets` says of it. Costs a stat."""
        return self._measure(spooled) != self._size

    def more(self, octets: int = TURN, spooled: int = 0) -> list[Record]:
        """The records of the next whole batches, in order of time: those of about *octets* and no more.

        Raises RecordingUnreadable, with the place, once all that precedes the damage was given.
        """
        if self._problem:
            raise RecordingUnreadable(f"{self._problem}; run verify on it")
        self.behind = False
        if self.sealed:
            return []
        self._size = self._measure(spooled)
        try:
            with LogicalFile(self.path, self._spool) as file:
                self.live = file.live
                return self._read(file, octets)
        except RecordingUnreadable as error:
            # It may just be on its way home from the spool.
            if error.code != HEADLESS:
                self.live = False
                self._doubt(str(error))
            return []

    def _measure(self, spooled: int) -> tuple[int, int]:
        try:
            return self.path.stat().st_size, spooled
        except OSError:
            return -1, spooled

    def _read(self, file: LogicalFile, octets: int) -> list[Record]:
        place = self._place
        if place is not None and file.size < place.offset:
            self._doubt(f"{self.path} became shorter than it was, below octet {place.offset}")
            return []
        walk = Walk(file, place or read_preamble(file).place)
        found: list[Record] = []
        taken = 0
        try:
            for batch in self._opener.gather(walk):
                if batch.end is None:
                    break
                found += self._opener.records(batch)
                self._keep(batch, walk)
                taken += batch.raw_octets
                if taken >= octets and batch.frames:
                    self.behind = walk.place.offset < file.size
                    return self._fresh(found)
        except FrameError as error:
            self._doubt(f"{self.path}, {error}")
            return self._fresh(found)
        if walk.damage:
            self._doubt(f"{self.path} at octet {walk.place.offset}: {walk.damage}")
        else:
            self.sealed = walk.sealed
        return self._fresh(found)

    def _keep(self, batch: Batch, walk: Walk) -> None:
        """Remember the place behind a batch; what follows may be written again under other numbers."""
        end = batch.end
        if end is not None and end.header.type in _KEPT:
            self._place = walk.place
        elif end is not None and batch.frames:
            self._place = end.place

    def _fresh(self, found: list[Record]) -> list[Record]:
        """Those of *found* that were not given before."""
        fresh = [record for record in found if record.t_us > self._last_us]
        if fresh:
            self._last_us = fresh[-1].t_us
            self._tries = 0
        return fresh

    def _doubt(self, why: str) -> None:
        """Begin again from the start at the next call, unless that was tried often enough."""
        self._tries += 1
        self._place = None
        self._opener = FrameOpener(self._cipher)
        if self._tries >= (_LIVE_TRIES if self.live else _TRIES):
            self._problem = why
        self.behind = bool(self._problem) or not self.live


def spooled_octets(spool: Path | None) -> Mapping[str, int]:
    """How many octets of each recording lie in the spool."""
    found: dict[str, int] = {}
    for tail in tails(spool):
        try:
            found[tail.recording] = found.get(tail.recording, 0) + os.stat(tail.path).st_size
        except FileNotFoundError:
            continue
    return found
