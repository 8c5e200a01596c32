"""The gateway's side of the index: hands recordings to the worker, and starts it again when it dies.

All in a thread of its own, so nothing here costs a session anything. A recording's keys are kept until the
worker says that it is done. What cannot be indexed now is never lost by that: the recording has it, and
catch-up or `watchgate reindex` brings it into the index.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from watchgate.clock import Clock
from watchgate.indexing.child import COMMAND, Child
from watchgate.indexing.roster import Roster
from watchgate.indexing.wire import (
    Begin,
    Done,
    Finish,
    Order,
    Reading,
    Resting,
    Said,
    SetAside,
    Stuck,
)
from watchgate.recording.tracks import TrackKeys
from watchgate.session.events import IndexStopped
from watchgate.session.ports import RecordingRequest

log = logging.getLogger(__name__)

_UNWRITABLE = "the index cannot be written"
OnStopped = Callable[[IndexStopped, str], None]
"""Hears that indexing stands still, or that a recording is not indexed, and of which session."""
OnDone = Callable[[Order, Done], None]
OnLost = Callable[[], None]
"""Hears that a part of the index was lost: what was indexed of sealed recordings is to be handed in again."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Bounds of the supervisor; times in seconds."""

    waiting: int = 10_000
    """Recordings that may wait for the worker."""
    together: int = 4096
    """Recordings that the worker has at once; *waiting* wait behind them."""
    first: float = 1.0
    """After its first death the worker is started again after so long, then twice as long, …"""
    longest: float = 60.0
    """… up to this, and a life of this length makes it young again."""
    hang: float = 120.0
    """A worker that is at one turn for so long is ended."""
    repeat: float = 3600.0
    """That the index cannot be written is said again after so long."""
    deaths: int = 3
    """After so many in a row it is said to the journal."""


class IndexSupervisor:
    """Keeps one worker at the recordings that it is given; callbacks run on its thread and return at once."""

    def __init__(
        self,
        directory: Path,
        spool: Path | None,
        clock: Clock,
        *,
        on_stopped: OnStopped,
        on_done: OnDone | None = None,
        on_lost: OnLost | None = None,
        patience: Patience | None = None,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._directory = directory
        self._spool = spool
        self._clock = clock
        self._on_stopped = on_stopped
        self._on_done = on_done
        self._on_lost = on_lost
        self._patience = patience or Patience()
        self._command = command
        self._roster = Roster(waiting=self._patience.waiting, together=self._patience.together)
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="index-supervisor", daemon=True)
        self._pipe = list(os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC))
        """By which the thread is woken: to read from, to write to; closed when it is stopped."""
        self._stopping = False
        self._deadline_us = 0
        self._deaths = 0
        self._aside: deque[SetAside] = deque()
        """What the next worker is to write down first."""
        self._stuck_by = ""
        self._stuck_us = 0
        self._overfull = False
        self._finish_told = False
        self._heard_us = 0
        self.pid: int | None = None
        """The worker's process, while there is one."""

    def __repr__(self) -> str:
        return f"IndexSupervisor({self._directory}, {len(self._roster)} recordings)"

    # --- from any thread ---

    def start(self) -> None:
        """Begin; the worker is started with the first recording."""
        self._thread.start()

    def opened(self, request: RecordingRequest, path: Path, keys: TrackKeys) -> None:
        """A recording is begun: follow it. Returns at once (see `RecordingStore`'s *on_open*)."""
        if self.follow(Order.of(request, path, self._spool, keys)):
            self._overfull = False
            return
        log.warning("recording %s is not indexed: too many wait for it", request.recording)
        if not self._overfull:
            self._overfull = True
            why = "too many recordings wait to be indexed; some are left to watchgate reindex"
            self._tell(IndexStopped(why, request.recording), request.session)

    def follow(self, order: Order) -> bool:
        """Index a recording, in its turn; false when too many wait."""
        with self._changed:
            taken = not self._stopping and self._roster.add(order)
            self._wake()
        return taken

    def submit(self, order: Order, together: int = 16) -> bool:
        """As `follow`, but wait until fewer than *together* are not done; false when it is stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or len(self._roster) < together)
        return self.follow(order)

    def drain(self, seconds: float | None = None) -> bool:
        """Wait until all are done; false when it took longer, or it was stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or not len(self._roster), seconds)
            return not len(self._roster)

    def stop(self, seconds: float = 10.0) -> None:
        """Let the worker finish what is sealed, for at most *seconds*, and end it; keys are forgotten."""
        with self._changed:
            self._stopping = True
            self._deadline_us = self._clock.monotonic_us() + round(seconds * 1e6)
            self._wake()
        if self._thread.ident is not None:
            self._thread.join()
        with self._changed:
            left = self._roster.clear()
            while self._pipe:
                os.close(self._pipe.pop())
        if left:
            log.info("%d recordings are not completely indexed", left)

    def give_up(self) -> None:
        """End it at once, without waiting for that; `stop` is still to be called."""
        with self._changed:
            self._stopping = True
            self._deadline_us = self._clock.monotonic_us()
            self._wake()

    def _wake(self) -> None:
        """Let the thread look what is new; the caller holds the lock, under which the pipe is closed."""
        self._changed.notify_all()
        if self._pipe:
            # A full pipe wakes as well.
            with contextlib.suppress(BlockingIOError):
                os.write(self._pipe[1], b"\0")

    # --- the supervisor's thread ---

    def _run(self) -> None:
        while self._wait_for_work():
            began = self._clock.monotonic_us()
            try:
                ending = self._life()
            except Exception as error:
                log.exception("the index worker cannot be kept")
                ending = f"{type(error).__name__}"
            if not ending:
                return
            if self._clock.monotonic_us() - began >= self._patience.longest * 1e6:
                self._deaths = 0
            self._mourn(ending)

    def _wait_for_work(self) -> bool:
        """Wait until there is something to index, and for the back-off; false when it is over."""
        with self._changed:
            if self._deaths:
                pause = min(self._patience.first * 2 ** (self._deaths - 1), self._patience.longest)
                self._changed.wait_for(lambda: self._stopping, pause)
            self._changed.wait_for(lambda: self._stopping or self._has_work())
            return self._has_work() and self._left() > 0

    def _has_work(self) -> bool:
        return bool(len(self._roster) or self._aside)

    def _left(self) -> float:
        """Seconds until it must be over; many, unless it is being stopped."""
        if not self._stopping:
            return 3600.0
        return (self._deadline_us - self._clock.monotonic_us()) / 1e6

    def _life(self) -> str:
        """From the start of a worker to its end, and how it ended; empty: in order."""
        try:
            child = Child(self._command)
        except OSError as error:
            return f"it cannot be started: {error.strerror}"
        self.pid = child.pid
        try:
            ending = self._attend(child)
        except BaseException:
            child.kill()
            raise
        else:
            if ending:
                child.kill()
        finally:
            buried = child.bury()
            self.pid = None
        if words := child.last_words:
            log.warning("the index worker said: %s", words)
        if self._stopping and (not (ending or buried) or self._left() <= 0):
            return ""
        return ending or buried or "it ended by itself"

    def _attend(self, child: Child) -> str:
        """Serve the worker until it says no more, or has to be ended: then why."""
        child.tell(Begin(self._directory))
        self._finish_told = False
        self._heard_us = self._clock.monotonic_us()
        with selectors.DefaultSelector() as selector:
            for descriptor in (self._pipe[0], child.answers, child.complaints):
                selector.register(descriptor, selectors.EVENT_READ)
            while not child.over:
                self._hand_over(child)
                try:
                    self._exchange(child, selector)
                except ValueError as error:
                    return str(error)
                if why := self._overdue():
                    return why
        return ""

    def _exchange(self, child: Child, selector: selectors.BaseSelector) -> None:
        """Wait until something can be sent or was said, and deal with it; raises ValueError."""
        if child.unsent:
            selector.register(child.orders, selectors.EVENT_WRITE)
        ready = {key.fd for key, _ in selector.select(min(1.0, max(0.0, self._left())))}
        if child.unsent:
            selector.unregister(child.orders)
            child.flush()
        if self._pipe[0] in ready:
            os.read(self._pipe[0], 4096)
        if child.complaints in ready and not child.complained():
            selector.unregister(child.complaints)
        if child.answers in ready:
            self._heard_us = self._clock.monotonic_us()
            for said in child.heard():
                self._heard(said)

    def _overdue(self) -> str:
        """Why the worker has to be ended now, if it has."""
        if self._stopping and self._left() <= 0:
            return "its time is over"
        silent_us = self._clock.monotonic_us() - self._heard_us
        if self._roster.reading and silent_us > self._patience.hang * 1e6:
            return "it did not come to the end of one turn"
        return ""

    def _hand_over(self, child: Child) -> None:
        """Give it orders, as long as it takes them."""
        while self._aside:
            child.tell(self._aside.popleft())
        while child.unsent < 65_536:
            with self._changed:
                order = self._roster.give()
            if order is None:
                break
            child.tell(order)
        if self._stopping and not self._finish_told and self._roster.nothing_waits:
            self._finish_told = True
            child.tell(Finish())

    def _heard(self, said: Said) -> None:
        match said:
            case Reading(recording):
                self._roster.turned_to(recording)
            case Resting():
                self._roster.turned_to(None)
            case Stuck(why, lost):
                self._stuck("a part of the index was lost" if lost else _UNWRITABLE, why)
                if lost and self._on_lost is not None:
                    self._on_lost()
            case Done():
                self._finish(said)

    def _finish(self, done: Done) -> None:
        with self._changed:
            order = self._roster.done(done.recording)
            self._deaths = 0
        if order is None:
            log.warning("the index worker is done with a recording that it was not given")
            return
        self._close(order, done)
        with self._changed:
            self._changed.notify_all()

    def _close(self, order: Order, done: Done) -> None:
        if done.problem:
            why = f"a part of a recording is not in the index: {done.problem}"
            log.warning("recording %s: %s", order.recording, why)
            self._tell(IndexStopped(why, order.recording), order.about.session)
        if self._on_done is not None:
            self._on_done(order, done)

    def _stuck(self, what: str, why: str) -> None:
        now = self._clock.monotonic_us()
        is_news = what != self._stuck_by
        if not is_news and now - self._stuck_us < self._patience.repeat * 1e6:
            return
        self._stuck_by = what
        self._stuck_us = now
        log.error("%s: %s", what, why)
        self._tell(IndexStopped(f"{what}: {why}"), "")

    def _mourn(self, ending: str) -> None:
        self._deaths += 1
        log.warning("the index worker died: %s", ending)
        with self._changed:
            aside = self._roster.died()
        if aside is not None:
            problem = f"reading it ended the index worker twice ({ending}); it is set aside"
            self._aside.append(SetAside(aside.recording, aside.about.session, problem))
            self._close(aside, Done(aside.recording, complete=False, problem=problem))
            self._deaths = 0
        elif self._deaths == self._patience.deaths:
            why = (
                f"the index worker died {self._deaths} times in a row: {ending}; it is tried again"
            )
            self._tell(IndexStopped(why), "")
        with self._changed:
            self._changed.notify_all()

    def _tell(self, event: IndexStopped, session: str) -> None:
        try:
            self._on_stopped(event, session)
        except Exception:
            log.exception("nobody heard that indexing stopped")
