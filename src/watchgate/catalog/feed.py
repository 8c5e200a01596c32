"""From the recorder to the projections and the outbox, without ever making the recorder wait.

The thread that writes recordings hands over what it wrote; a thread of the feed applies it. Each batch is
in the hand-over log before it is here, so a catalog that stands still for long, or fails, costs nothing but
time: what the queue could not take is read from the log again. Where even the log could not take it, the
feed remembers the session and says so; the recordings have it, and `watchgate reindex` brings it back.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from sqlalchemy import Connection, insert, select, update

from watchgate.catalog import outbox
from watchgate.catalog.database import Catalog
from watchgate.catalog.handover import Handed, Handover
from watchgate.catalog.projection import Status, apply
from watchgate.catalog.schema import handed_over
from watchgate.errors import WatchgateError
from watchgate.session.events import Envelope, SessionClosed
from watchgate.session.ports import RecordingRequest
from watchgate.siem.fact import CONTEXT, UNTOLD, Fact

log = logging.getLogger(__name__)

WAITING_BATCHES = 10_000
TOGETHER = 100
"""So many batches share a transaction."""
SYNC_SECONDS = 0.5
RETRY_SECONDS = 1.0

Reached = Callable[[RecordingRequest, int], bool]
"""Whether a recording is at least so long: whether a batch that was announced got into it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one session, and up to which line of the hand-over log they are."""

    request: RecordingRequest
    envelopes: tuple[Envelope, ...]
    status: Status
    number: int
    logged: bool
    """Whether it can be read from the log again."""


class ProjectionFeed:
    """Applies batches of events in a thread of its own, in the order in which they came."""

    def __init__(
        self,
        catalog: Catalog,
        handover: Handover | None = None,
        *,
        waiting: int = WAITING_BATCHES,
        on_outbox: Callable[[], None] | None = None,
    ) -> None:
        self._catalog = catalog
        self._handover = handover
        self._queue: queue.Queue[Batch | None] = queue.Queue(waiting)
        self._thread = threading.Thread(target=self._run, name="catalog-projection", daemon=True)
        self._behind: set[str] = set()
        self._lock = threading.Lock()
        self._told = 0
        """The newest line of the log whose events are in their recording."""
        self._applied = 0
        self._from_log = False
        """The queue could not take everything: what follows is read from the log until all is applied."""
        self.on_outbox = on_outbox or _nobody
        """Called on the feed's thread after a transaction that put events into the outbox."""

    # --- at the start ------------------------------------------------------------------------------

    def recover(self, reached: Reached) -> int:
        """Apply what a former process handed over and did not; how many batches.

        Call it before `start`, and before a sweep changes the recordings: *reached* asks for their length.
        """
        handover = self._handover
        if handover is None:
            return 0
        with self._catalog.read() as connection:
            self._applied = _position(connection)
        handover.open(self._applied)
        recovered = 0
        handed = handover.behind(self._applied)
        while some := list(islice(handed, TOGETHER)):
            real = [_of_log(one) for one in some if reached(one.request, one.end)]
            self._apply(real)
            recovered += len(real)
        self._told = self._applied = handover.last
        with self._catalog.write() as connection:
            _note_position(connection, self._applied)
        handover.release(self._applied)
        if recovered:
            log.info("%d batches of events that a crash kept from the catalog are in it", recovered)
        return recovered

    def start(self) -> None:
        """Begin to apply."""
        self._thread.start()

    # --- from any thread ---------------------------------------------------------------------------

    def put(
        self,
        request: RecordingRequest,
        envelopes: Sequence[Envelope],
        status: Status | None = None,
    ) -> None:
        """Take a batch from any thread; returns at once and raises nothing.

        Without a *status* the events say whether the session is over.
        """
        events = tuple(envelopes)
        handover = self._handover
        logged = handover is not None and handover.kept and bool(events)
        with self._lock:
            if handover is not None and logged:
                self._told = handover.last
                if self._from_log:
                    return
            batch = Batch(request, events, status or status_of(events), self._told, logged)
            try:
                self._queue.put_nowait(batch)
            except queue.Full:
                self._from_log = self._from_log or logged
            else:
                return
        if not logged:
            self._fall_behind(request.session, "more waits than the bound allows")

    def behind(self) -> frozenset[str]:
        """The sessions whose rows are incomplete until `watchgate reindex` is run."""
        with self._lock:
            return frozenset(self._behind)

    def stop(self, seconds: float = 10.0) -> None:
        """Apply what waits, for at most *seconds*, and end the thread."""
        try:
            self._queue.put(None, timeout=seconds)
        except queue.Full:
            log.warning("the catalog stands still; %s", self._later())
            return
        self._thread.join(seconds)
        if self._thread.is_alive():
            log.warning("the catalog did not take all events in %g s; %s", seconds, self._later())
        elif self._handover is not None:
            self._handover.close(self._applied)

    def _later(self) -> str:
        if self._handover is None:
            return "run `watchgate reindex` after the next start"
        return "the next start goes on with them"

    # --- on the feed's thread ----------------------------------------------------------------------

    def _run(self) -> None:
        more = True
        while more:
            batches, more = self._next()
            if self._from_log:
                # What is in the log is read from there, in its order; its rest here is the same again.
                batches = [replace(batch, number=0) for batch in batches if not batch.logged]
            self._attempt(batches)
            if self._from_log:
                self._catch_up()
            self._sync(idle=not batches)

    def _next(self) -> tuple[list[Batch], bool]:
        """What waits, and whether more may come."""
        batches: list[Batch] = []
        patience = self._patience()
        while len(batches) < TOGETHER:
            try:
                batch = self._queue.get(not batches, patience)
            except queue.Empty:
                break
            if batch is None:
                return batches, False
            batches.append(batch)
        return batches, True

    def _patience(self) -> float | None:
        """How long to wait for a batch: for ever, when there is nothing else to do."""
        if self._from_log:
            return RETRY_SECONDS
        waits = self._handover is not None and self._handover.last > self._applied
        return SYNC_SECONDS if waits else None

    def _attempt(self, batches: list[Batch]) -> None:
        """Apply *batches*; when the catalog fails, the log keeps what it has for later."""
        try:
            self._apply(batches)
        except WatchgateError as error:
            log.warning("the catalog could not be brought up to date: %s", error)
            for batch in batches:
                if not batch.logged:
                    self._fall_behind(batch.request.session, str(error))
            with self._lock:
                self._from_log = self._from_log or any(batch.logged for batch in batches)

    def _apply(self, batches: list[Batch]) -> None:
        """All in one transaction; one that does not fit hurts no other. Raises WatchgateError."""
        try:
            if batches:
                self._write(batches)
        except WatchgateError:
            raise
        except Exception:
            if len(batches) > 1:
                for batch in batches:
                    self._apply([batch])
                return
            log.exception("events of session %s do not fit the catalog", batches[0].request.session)
            self._fall_behind(batches[0].request.session, "its events do not fit the catalog")

    def _write(self, batches: list[Batch]) -> None:
        number = batches[-1].number
        with self._catalog.write() as connection:
            for batch in batches:
                apply(connection, batch.request, batch.envelopes, batch.status)
            put = outbox.put(connection, chain.from_iterable(map(_facts, batches)))
            if number > self._applied:
                _note_position(connection, number)
        if number > self._applied:
            self._applied = number
            if self._handover is not None:
                self._handover.release(number)
        if put:
            self.on_outbox()

    def _catch_up(self) -> None:
        """Apply what is in the log and was told; the queue serves again when nothing is left."""
        assert self._handover is not None
        while self._still_behind():
            until = self._told
            handed = self._handover.behind(self._applied, until)
            try:
                while some := list(islice(handed, TOGETHER)):
                    self._apply([_of_log(one) for one in some])
                    self._handover.sync()
            except WatchgateError as error:
                log.warning("the catalog could not be brought up to date: %s", error)
                return
            # Lines that could not be read were said; nothing else is left up to there.
            self._applied = max(self._applied, until)

    def _still_behind(self) -> bool:
        with self._lock:
            self._from_log = self._told > self._applied
            return self._from_log

    def _sync(self, *, idle: bool) -> None:
        """Make durable what is not in the catalog within a moment."""
        waits = idle or self._from_log or self._queue.qsize() > TOGETHER
        if waits and self._handover is not None and self._handover.last > self._applied:
            self._handover.sync()

    def _fall_behind(self, session: str, why: str) -> None:
        with self._lock:
            news = session not in self._behind and len(self._behind) < WAITING_BATCHES
            if news:
                self._behind.add(session)
        if news:
            log.warning(
                "the catalog misses events of session %s (%s); run `watchgate reindex`",
                session,
                why,
            )


def status_of(envelopes: Sequence[Envelope]) -> Status:
    """What a session's events say of its recording: its last one is written just before the seal."""
    closed = any(isinstance(envelope.event, SessionClosed) for envelope in envelopes)
    return Status.SEALED if closed else Status.LIVE


def _of_log(handed: Handed) -> Batch:
    events = handed.envelopes
    return Batch(handed.request, events, status_of(events), handed.number, logged=True)


def _facts(batch: Batch) -> Iterator[Fact]:
    context = {name: getattr(batch.request, name) for name in CONTEXT}
    told = (one for one in batch.envelopes if one.event.kind not in UNTOLD)
    return (Fact.of(envelope, context) for envelope in told)


def _position(connection: Connection) -> int:
    """Up to which line the hand-over log is in this catalog."""
    return connection.scalar(select(handed_over.c.number)) or 0


def _note_position(connection: Connection, number: int) -> None:
    if connection.execute(update(handed_over).values(number=number)).rowcount == 0:
        connection.execute(insert(handed_over).values(id=1, number=number))


def _nobody() -> None:
    """Nobody delivers."""
