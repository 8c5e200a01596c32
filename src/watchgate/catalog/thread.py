"""The catalog for asynchronous callers: SQL runs in threads, the event loop never waits on a disk.

One thread writes, because SQLite has one writer anyway and queueing in order is fairer than its lock;
a few read. What waits is bounded by the callers: each awaits its own answer, and the number of
connections and sessions has a ceiling of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from watchgate.catalog.database import Catalog

P = ParamSpec("P")
T = TypeVar("T")


class CatalogThread:
    """Runs synchronous catalog functions for coroutines."""

    def __init__(self, catalog: Catalog, *, readers: int = 2) -> None:
        self._catalog = catalog
        self._readers = ThreadPoolExecutor(readers, "catalog-read")
        self._writer = ThreadPoolExecutor(1, "catalog-write")

    async def read(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """What *work* returns, given a reading connection and the arguments."""

        def job() -> T:
            with self._catalog.read() as connection:
                return work(connection, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._readers, job)

    async def write(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """What *work* returns, in a transaction that is durable when this returns.

        A caller that is cancelled meanwhile does not stop the transaction: it is committed.
        """

        def job() -> T:
            with self._catalog.write() as connection:
                return work(connection, *args, **kwargs)

        # Unshielded, a caller that is cancelled would take a transaction that still queues with it.
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._writer, job))

    def close(self) -> None:
        """Finish what waits and stop the threads; the catalog itself stays open."""
        self._readers.shutdown()
        self._writer.shutdown()
