"""Delivery to all sinks, in a thread with an event loop of its own: sessions never wait for a SIEM.

Events are in the outbox before this thread hears of them, so it may lag, fail and be killed. Each sink has a
task and a cursor; one that is slow or gone holds up no other. What waits is bounded by `siem.backlog`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random as chance
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from watchgate.catalog import outbox
from watchgate.catalog.database import Catalog
from watchgate.catalog.thread import CatalogThread
from watchgate.clock import Clock
from watchgate.errors import WatchgateError
from watchgate.siem.fact import Host
from watchgate.siem.opening import open_transport
from watchgate.siem.sender import Open, Pace, Sender
from watchgate.siem.sinks import Sink
from watchgate.siem.transport import Transport
from watchgate.siem.views import VIEWS

log = logging.getLogger(__name__)

_PRUNED_AT_ONCE = 5000
_RESTART_SECONDS = 5.0
_GOODBYE_SECONDS = 3.0
_SHARE = 20
"""When too much waits, one event in so many goes at once: else each new one would push out an old one,
and each time that would be said."""


class Delivery:
    """Sends what is in the outbox to every sink."""

    def __init__(
        self,
        catalog: Catalog,
        sinks: Sequence[Sink],
        host: Host,
        *,
        data: Path,
        backlog: int,
        clock: Clock,
        random: Callable[[], float] = chance.random,
        pace: Pace | None = None,
        open_: Open | None = None,
    ) -> None:
        self._catalog = catalog
        self._sinks = tuple(sinks)
        self._host = host
        self._data = data
        self._backlog = backlog
        self._clock = clock
        self._random = random
        self._pace = pace or Pace()
        self._open = open_ or self._open_transport
        self._loop: asyncio.AbstractEventLoop | None = None
        self._senders: list[Sender] = []
        self._told = asyncio.Event()
        self._stopping = threading.Event()
        self._grace = 0.0
        self._thread = threading.Thread(target=self._run, name="siem-delivery", daemon=True)

    # --- from any thread ---------------------------------------------------------------------------

    def start(self) -> None:
        """Make the sinks of the settings those of the outbox, and begin; raises WatchgateError."""
        with self._catalog.write() as connection:
            outbox.register(connection, [sink.name for sink in self._sinks])
        if self._sinks:
            self._thread.start()

    def wake(self) -> None:
        """There is something new in the outbox; returns at once."""
        self._call(self._tell)

    def stop(self, seconds: float = 5.0) -> None:
        """Send what waits, for at most *seconds*, and end the thread; the rest waits for the next start."""
        if not self._thread.is_alive():
            return
        self._grace = seconds
        self._stopping.set()
        self._call(self._told.set)
        self._thread.join(seconds + 10.0)

    def _call(self, function: Callable[[], object]) -> None:
        if self._loop is not None:
            # The loop may be closing: what is new then is found at the next start.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(function)

    # --- on the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                asyncio.run(self._main())
            except Exception:
                log.exception(
                    "delivery to SIEMs stopped; it begins again in %g s", _RESTART_SECONDS
                )
                self._stopping.wait(_RESTART_SECONDS)

    async def _main(self) -> None:
        self._told = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        catalog = CatalogThread(self._catalog)
        self._senders = [self._sender(sink, catalog) for sink in self._sinks]
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(sender.run()) for sender in self._senders]
                tasks += [group.create_task(self._watch(catalog))]
                tasks += [group.create_task(self._tidy(catalog))]
                await self._until_told()
                for task in tasks:
                    task.cancel()
            await self._close()
        finally:
            self._loop = None
            catalog.close()

    def _sender(self, sink: Sink, catalog: CatalogThread) -> Sender:
        view = VIEWS[sink.format]
        return Sender(
            sink, view, self._host, self._open, catalog, self._clock, self._random, self._pace
        )

    def _open_transport(self, sink: Sink) -> Transport:
        return open_transport(sink.describe(self._host, self._data), self._clock)

    async def _until_told(self) -> None:
        """Wait for `stop`, then for what waits to be sent, as long as that may take."""
        while not self._stopping.is_set():
            await self._told.wait()
        self._tell()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._grace):
                for sender in self._senders:
                    await sender.idle.wait()

    async def _close(self) -> None:
        """Keep every cursor and say goodbye; a receiver that does not answer is not waited for."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS), asyncio.TaskGroup() as group:
                for sender in self._senders:
                    group.create_task(_closed(sender))

    def _tell(self) -> None:
        for sender in self._senders:
            sender.poke()

    async def _watch(self, catalog: CatalogThread) -> None:
        """Notice what other processes put into the outbox: nobody wakes us for it."""
        known = 0
        while True:
            with contextlib.suppress(WatchgateError):
                newest = await catalog.read(outbox.newest)
                if newest != known:
                    known = newest
                    self._tell()
            await asyncio.sleep(self._pace.look)

    async def _tidy(self, catalog: CatalogThread) -> None:
        """Remove what every sink has, and what waits beyond the bound."""
        while True:
            try:
                oldest, newest = await catalog.read(outbox.span)
                await self._bound(oldest, newest)
                done = min(sender.cursor for sender in self._senders)
                while 0 < oldest <= done:
                    await catalog.write(outbox.prune, _PRUNED_AT_ONCE)
                    oldest += _PRUNED_AT_ONCE
            except WatchgateError as error:
                log.warning("the outbox cannot be tidied: %s", error)
            await asyncio.sleep(self._pace.upkeep)

    async def _bound(self, oldest: int, newest: int) -> None:
        if newest - oldest < self._backlog:
            return
        until = newest - self._backlog + max(self._backlog // _SHARE, 1)
        for sender in self._senders:
            await sender.give_up(until)


async def _closed(sender: Sender) -> None:
    try:
        await sender.close()
    except WatchgateError as error:
        log.warning("the sink %s was not closed in order: %s", sender.sink.name, error)
