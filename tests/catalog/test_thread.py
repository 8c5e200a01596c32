from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from catalog_world import fresh
from sqlalchemy import Connection

from watchgate.catalog import journal
from watchgate.catalog.thread import CatalogThread
from watchgate.clock import ManualClock
from watchgate.errors import ConfigurationError
from watchgate.session.events import GatewayStopped

T = TypeVar("T")


def played(folder: Path, work: Callable[[CatalogThread, ManualClock], Awaitable[T]]) -> T:
    async def scenario() -> T:
        with fresh(folder) as (catalog, clock):
            thread = CatalogThread(catalog)
            try:
                return await work(thread, clock)
            finally:
                thread.close()

    return asyncio.run(scenario())


def test_arguments_and_answers_pass_through(tmp_path: Path) -> None:
    async def scenario(thread: CatalogThread, clock: ManualClock) -> tuple[int, int]:
        number = await thread.write(journal.append, clock, GatewayStopped("x"), session="s")
        found = await thread.read(journal.entries, session="s", limit=5)
        return number, len(found)

    assert played(tmp_path, scenario) == (1, 1)


def test_the_event_loop_goes_on_while_sql_runs(tmp_path: Path) -> None:
    async def scenario(thread: CatalogThread, clock: ManualClock) -> list[str]:
        release, order = threading.Event(), []

        def slow(connection: Connection) -> None:
            assert release.wait(30)
            order.append("sql")

        async with asyncio.TaskGroup() as group:
            group.create_task(thread.write(slow))
            await thread.read(journal.head)
            order.append("loop")
            release.set()
        return order

    assert played(tmp_path, scenario) == ["loop", "sql"]


def test_errors_arrive_and_undo_what_was_written(tmp_path: Path) -> None:
    def failing(connection: Connection, clock: ManualClock) -> None:
        journal.append(connection, clock, GatewayStopped("x"))
        raise ConfigurationError("no")

    async def scenario(thread: CatalogThread, clock: ManualClock) -> int:
        with pytest.raises(ConfigurationError, match="no"):
            await thread.write(failing, clock)
        return (await thread.read(journal.head))[0]

    assert played(tmp_path, scenario) == 0


def test_a_transaction_whose_caller_is_cancelled_is_committed(tmp_path: Path) -> None:
    async def scenario(thread: CatalogThread, clock: ManualClock) -> int:
        begun, release = threading.Event(), threading.Event()

        def slow(connection: Connection) -> None:
            begun.set()
            assert release.wait(30)
            journal.append(connection, clock, GatewayStopped("x"))

        async with asyncio.TaskGroup() as group:
            task = group.create_task(thread.write(slow))
            assert await asyncio.to_thread(begun.wait, 30)
            task.cancel()
        release.set()
        # The one writer takes the next in order, so the first is over when this returns.
        await thread.write(journal.head)
        return (await thread.read(journal.head))[0]

    assert played(tmp_path, scenario) == 1


def test_a_transaction_that_still_queues_outlives_its_caller(tmp_path: Path) -> None:
    async def scenario(thread: CatalogThread, clock: ManualClock) -> int:
        release = threading.Event()

        def slow(connection: Connection) -> None:
            assert release.wait(30)

        async with asyncio.TaskGroup() as group:
            group.create_task(thread.write(slow))
            queued = group.create_task(thread.write(journal.append, clock, GatewayStopped("x")))
            await asyncio.sleep(0)
            queued.cancel()
            release.set()
        return await thread.write(journal.append, clock, GatewayStopped("y"))

    assert played(tmp_path, scenario) == 2
