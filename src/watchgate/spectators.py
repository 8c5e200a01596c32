"""What follows evidence and never slows it: the catalog's lists, the index, and delivery to SIEMs.

Each runs in threads (the index in a process) of its own and keeps its place, so it can lag, die and catch
up. Nothing here is on the path of a session; the recording store tells it what was written.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing

from watchgate import __version__
from watchgate.catalog.database import Catalog
from watchgate.catalog.feed import ProjectionFeed
from watchgate.catalog.handover import Handover
from watchgate.catalog.search.index import SqliteIndex
from watchgate.clock import Clock
from watchgate.indexing.catchup import CatchUp
from watchgate.indexing.supervisor import IndexSupervisor
from watchgate.recording.auditors import load_identities
from watchgate.recording.extent import Extents
from watchgate.recording.store import OnOpen
from watchgate.session.events import Event
from watchgate.settings import Settings
from watchgate.siem.delivery import Delivery
from watchgate.siem.fact import Host

Alarm = Callable[[Event, str], None]
"""Takes an event for the journal, and its session, from any thread."""


class Spectators:
    """The followers of one gateway; a context manager, which stops them in the right order."""

    def __init__(self, settings: Settings, catalog: Catalog, clock: Clock, alarm: Alarm) -> None:
        paths = settings.paths
        self._settings = settings
        self._clock = clock
        self._alarm = alarm
        self._stack = ExitStack()
        self._extents = Extents(paths.recordings, paths.spool)
        self._index: IndexSupervisor | None = None
        self._catch_up: CatchUp | None = None
        self._delivery = Delivery(
            catalog,
            settings.siem.sinks,
            Host(settings.server.node, __version__),
            data=settings.data,
            backlog=settings.siem.backlog,
            clock=clock,
        )
        self.handover = Handover(paths.handover)
        self.feed = ProjectionFeed(catalog, self.handover, on_outbox=self._delivery.wake)

    def __enter__(self) -> Spectators:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    @property
    def on_open(self) -> OnOpen | None:
        """Who must hear of a recording that is begun."""
        return None if self._index is None else self._index.opened

    def start_feeding(self) -> None:
        """Bring the catalog to where a crash left the recordings, and follow; before the sweep."""
        self.feed.recover(self._extents.reached)
        self._delivery.start()
        self._stack.callback(self._delivery.stop)
        self.feed.start()
        self._stack.callback(self.feed.stop)

    def start_indexing(self) -> None:
        """Follow recordings for the index, and what a crash left of it; after the sweep."""
        settings, paths = self._settings.index, self._settings.paths
        if not settings.enabled:
            return
        escrow = settings.escrow_identity
        identities = load_identities(escrow) if escrow is not None else []
        self._index = IndexSupervisor(
            settings.directory,
            paths.spool,
            self._clock,
            on_stopped=self._alarm,
            on_lost=self._index_lost,
        )
        self._index.start()
        self._stack.callback(self._index.stop)
        index = self._stack.enter_context(closing(SqliteIndex(settings.directory, self._clock)))
        self._catch_up = CatchUp(self._index, index, paths.recordings, paths.spool, identities)
        self._catch_up.start()
        self._stack.callback(self._catch_up.stop)

    def _index_lost(self) -> None:
        """Live recordings are read again by the worker itself; sealed ones have to be opened again."""
        if self._catch_up is not None:
            self._catch_up.again()
