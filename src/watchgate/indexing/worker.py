"""The index worker: follows recordings and writes what they say into the index, each a turn at a time.

It looks at all of them once a second, which costs a stat each, and gives turns to those that have grown,
one after the other and none more than a megabyte: a session that prints without end delays nobody.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from watchgate.catalog.search.model import Progress, SearchBackend
from watchgate.clock import Clock
from watchgate.errors import WatchgateError
from watchgate.indexing.documents import OpenScreen
from watchgate.indexing.following import Following
from watchgate.indexing.wire import (
    Done,
    Order,
    Reading,
    Resting,
    Said,
    SetAside,
    Stuck,
    reason,
)
from watchgate.recording.tail import TURN, spooled_octets

MOST = 8192
"""Recordings that are followed at once."""
LOOK_US = 1_000_000
SOONEST_US = 200_000
"""Where a silence is about to tell something, it looks sooner, but not more often than this."""
NOTE_US = 30_000_000
"""How often the progress of a recording that grows is written down: a worker begins again from the start."""
QUIET_US = 60_000_000
"""After so long without an octet it is asked whether anybody still writes the recording."""
RETRY_US = 5_000_000
"""When a recording that could not be written into the index tries again."""
MOST_HELD = 64
"""When so many wait to be written, no more is read."""
DAMAGED = "index.damaged"
"""The code of an index that had to begin a file anew (catalog/search/keeping.py)."""
T = TypeVar("T")


class Worker:
    """Follows recordings; *say* tells the gateway."""

    def __init__(
        self,
        index: SearchBackend,
        open_screen: OpenScreen,
        clock: Clock,
        say: Callable[[Said], None],
        *,
        turn: int = TURN,
    ) -> None:
        self._index = index
        self._open_screen = open_screen
        self._clock = clock
        self._say = say
        self._turn = turn
        self._all: dict[str, Following] = {}
        self._ready: deque[Following] = deque()
        self._spooled: dict[Path | None, Mapping[str, int]] = {}
        self._held: set[str] = set()
        """Recordings whose documents could not be written yet."""
        self._aside: list[SetAside] = []
        """Recordings of which is not written down yet that they are not read."""
        self._look_us = self._looked_us = clock.monotonic_us()
        self._resting = True

    @property
    def settled(self) -> bool:
        """All that there was at the last look is in the index."""
        return not self._ready and not self._held and not self._aside

    @property
    def wait_us(self) -> int:
        """How long there is nothing to do."""
        return 0 if self._ready else max(0, self._look_us - self._clock.monotonic_us())

    def follow(self, order: Order) -> None:
        """Take an order; one that is followed already is not taken twice."""
        if order.recording in self._all:
            return
        if len(self._all) >= MOST:
            self._say(Done(order.recording, complete=False, problem=f"more than {MOST} at once"))
            return
        following = Following(order, self._open_screen, self._clock.monotonic_us())
        self._all[order.recording] = following
        self._queue(following)

    def set_aside(self, told: SetAside) -> None:
        """Write down, as soon as that works, that a recording is not read, and why."""
        del self._aside[: len(self._aside) - MOST_HELD + 1]
        self._aside.append(told)
        self._note_aside()

    def look(self) -> None:
        """Find out which recordings have grown, and which deserve a look for another reason."""
        now = self._looked_us = self._clock.monotonic_us()
        self._look_us = now + LOOK_US
        self._spooled.clear()
        self._note_aside()
        for following in self._all.values():
            if following.held:
                if now >= following.retry_us:
                    self._queue(following)
                continue
            grown = following.tail.grown(self._away(following.order))
            following.unread |= grown or now - following.quiet_us >= QUIET_US
            if following.unread or following.can_rest(now):
                self._queue(following)
            else:
                self._expect(following)

    def step(self) -> bool:
        """Look when it is time, and give one recording a turn; false when none wants one."""
        if self._clock.monotonic_us() >= self._look_us:
            self.look()
        if not self._ready:
            self._rest()
            return False
        following = self._ready.popleft()
        following.queued = False
        self._resting = False
        self._say(Reading(following.order.recording))
        self._turn_of(following)
        return True

    def _turn_of(self, following: Following) -> None:
        now, before = self._clock.monotonic_us(), following.tail.octets
        if not following.held and len(self._held) < MOST_HELD and not self._known(following):
            self._read(following, now)
        if following.tail.octets != before:
            following.quiet_us = now
        elif now - following.quiet_us >= QUIET_US:
            following.quiet_us = now
            following.finished |= not following.tail.live
        self._save(following, now)

    def _read(self, following: Following, now: int) -> None:
        """Take what is new, and what follows from nothing being new for a while."""
        if following.unread:
            following.read(self._turn, self._away(following.order))
        following.rest(now, self._clock.monotonic_us())
        self._expect(following)

    def _expect(self, following: Following) -> None:
        """Look when its silence tells something, unless that is too soon."""
        rest_us = following.rest_us
        if rest_us is not None:
            self._look_us = min(self._look_us, max(rest_us, self._looked_us + SOONEST_US))

    def _known(self, following: Following) -> bool:
        """Whether the index has all of it since an earlier time: then it is finished before it begins."""
        if following.noted_us is not None or following.order.whole:
            return False
        known = self._attempt(following, lambda: self._index.progress(following.order.recording))
        following.known = known is not None and known.complete
        following.finished |= following.known
        return following.known

    def _save(self, following: Following, now: int) -> None:
        def save() -> bool:
            following.store(self._index)
            noted = following.noted_us
            changed = following.finished or noted is None or now - noted >= NOTE_US
            if changed and not following.known:
                self._index.advance(following.progress())
                following.noted_us = now
            return True

        if self._attempt(following, save) is None:
            return
        if following.finished:
            self._end(following)
        elif following.tail.behind or following.order.whole:
            following.unread = True
            self._queue(following)

    def _attempt(self, following: Following, work: Callable[[], T]) -> T | None:
        """What the index answers; None when it cannot, and the recording waits to try again."""
        try:
            answer = work()
        except WatchgateError as error:
            following.held = True
            following.retry_us = self._clock.monotonic_us() + RETRY_US
            self._held.add(following.order.recording)
            self._stuck(error)
            return None
        following.held = False
        self._held.discard(following.order.recording)
        return answer

    def _note_aside(self) -> None:
        try:
            while self._aside:
                told = self._aside[0]
                known = self._index.progress(told.recording)
                known = known or Progress(
                    told.recording, told.session, 0, complete=False, policy=""
                )
                self._index.advance(replace(known, complete=False, problem=told.problem))
                del self._aside[0]
        except WatchgateError as error:
            self._stuck(error)

    def _stuck(self, error: WatchgateError) -> None:
        """Say that the index cannot be written; what was put into a lost file of it is put once more."""
        said = stuck(error)
        self._say(said)
        if not said.lost:
            return
        for following in self._all.values():
            following.restart()

    def _end(self, following: Following) -> None:
        recording = following.order.recording
        del self._all[recording]
        complete = following.complete or following.known
        self._say(Done(recording, complete, following.documents, following.problem))

    def _queue(self, following: Following) -> None:
        if not following.queued:
            following.queued = True
            self._ready.append(following)

    def _rest(self) -> None:
        if not self._resting:
            self._resting = True
            self._say(Resting())

    def _away(self, order: Order) -> int:
        """How much of a recording lies in the spool, as of this look."""
        spool = order.spool
        if spool not in self._spooled:
            self._spooled[spool] = spooled_octets(spool)
        return self._spooled[spool].get(order.recording, 0)


def stuck(error: WatchgateError) -> Stuck:
    """What the gateway is told of *error* of the index."""
    return Stuck(reason(str(error)), lost=error.code == DAMAGED)
