"""From the recorder to the projections, without ever making the recorder wait.

The thread that writes recordings hands over what it wrote; a thread of the feed applies it. The queue
has a bound: a catalog that stands still for long makes the feed drop batches, remember that it did, and
say so. Nothing is lost by that: the recordings have it, and `watchgate reindex` brings it back.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Sequence

from watchgate.catalog.database import Catalog
from watchgate.catalog.projection import Status, apply
from watchgate.errors import WatchgateError
from watchgate.session.events import Envelope
from watchgate.session.ports import RecordingRequest

log = logging.getLogger(__name__)

WAITING_BATCHES = 10_000

Batch = tuple[RecordingRequest, tuple[Envelope, ...], Status]


class ProjectionFeed:
    """Applies batches of events in a thread of its own, in the order in which they came."""

    def __init__(self, catalog: Catalog, *, waiting: int = WAITING_BATCHES) -> None:
        self._catalog = catalog
        self._queue: queue.Queue[Batch | None] = queue.Queue(waiting)
        self._thread = threading.Thread(target=self._run, name="catalog-projection", daemon=True)
        self._behind: set[str] = set()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to apply."""
        self._thread.start()

    def put(
        self,
        request: RecordingRequest,
        envelopes: Sequence[Envelope],
        status: Status = Status.LIVE,
    ) -> None:
        """Take a batch from any thread; returns at once and raises nothing."""
        try:
            self._queue.put_nowait((request, tuple(envelopes), status))
        except queue.Full:
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
            log.warning("the catalog stands still; run `watchgate reindex` after the next start")
            return
        self._thread.join(seconds)

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batches, more = [first], True
            while more and len(batches) < 100:
                try:
                    following = self._queue.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    more = False
                else:
                    batches.append(following)
            self._apply(batches)
            if not more:
                return

    def _apply(self, batches: list[Batch]) -> None:
        """All in one transaction; if that fails each alone, so that one bad batch hurts no other."""
        try:
            self._write(batches)
        except WatchgateError as error:
            log.warning("the catalog could not be brought up to date: %s", error)
            for batch in batches:
                self._fall_behind(batch[0].session, str(error))
        except Exception:
            if len(batches) == 1:
                log.exception("events of session %s do not fit the catalog", batches[0][0].session)
                self._fall_behind(batches[0][0].session, "its events do not fit the catalog")
                return
            for batch in batches:
                self._apply([batch])

    def _write(self, batches: list[Batch]) -> None:
        with self._catalog.write() as connection:
            for request, envelopes, status in batches:
                apply(connection, request, envelopes, status)

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
