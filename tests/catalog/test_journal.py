from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from catalog_world import fresh
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, text, update

from watchgate.catalog import journal
from watchgate.catalog.database import Catalog
from watchgate.catalog.journal import CatalogJournal
from watchgate.catalog.schema import journal as table
from watchgate.catalog.schema import journal_head
from watchgate.catalog.thread import CatalogThread
from watchgate.clock import ManualClock
from watchgate.errors import ConfigurationError
from watchgate.session.events import GatewayStarted, GatewayStopped, OperatorRefused, UnknownEvent
from watchgate.session.events import text as wire_text


def write_some(catalog: Catalog, clock: ManualClock, count: int = 5) -> None:
    with catalog.write() as connection:
        for number in range(count):
            journal.append(connection, clock, GatewayStopped(f"reason {number}"), f"s{number}")
            clock.advance(1)


def test_entries_come_back_newest_first_with_their_events(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, clock):
        with catalog.write() as connection:
            journal.append(connection, clock, GatewayStarted("0.1", ["127.0.0.1:2222"]))
            clock.advance(2)
            journal.append(connection, clock, GatewayStopped("stopped"), "s1")
        with catalog.read() as connection:
            listed = journal.entries(connection)

    assert [entry.seq for entry in listed] == [2, 1]
    assert listed[0].event == GatewayStopped("stopped")
    assert listed[0].session == "s1"
    assert listed[1].event == GatewayStarted("0.1", ["127.0.0.1:2222"])
    assert listed[0].at_us - listed[1].at_us == 2_000_000


def test_entries_are_filtered(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, clock):
        start = clock.wall_us()
        write_some(catalog, clock)
        with catalog.write() as connection:
            journal.append(connection, clock, OperatorRefused("bob", "192.0.2.1:1", "why"))
        with catalog.read() as connection:
            by_kind = journal.entries(connection, kind="operator.refused")
            by_family = journal.entries(connection, kind="gateway.*")
            by_session = journal.entries(connection, session="s3")
            between = journal.entries(
                connection, since_us=start + 1_000_000, until_us=start + 3_000_000
            )
            limited = journal.entries(connection, limit=2)

    assert [entry.kind for entry in by_kind] == ["operator.refused"]
    assert len(by_family) == 5
    assert [entry.seq for entry in by_session] == [4]
    assert [entry.seq for entry in between] == [3, 2]
    assert [entry.seq for entry in limited] == [6, 5]


def test_an_untouched_chain_is_intact(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, clock):
        write_some(catalog, clock)
        with catalog.read() as connection:
            chain = journal.verify(connection)

    assert chain.intact
    assert chain.entries == 5


def test_an_empty_journal_is_intact(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _), catalog.read() as connection:
        chain = journal.verify(connection)

    assert chain == journal.Chain(0)


ALTERATIONS = {
    "an entry": (
        "UPDATE journal SET entry = replace(entry, 'reason 2', 'reason 9') WHERE seq = 3",
        3,
    ),
    "a column beside an entry": ("UPDATE journal SET kind = 'gateway.started' WHERE seq = 2", 2),
    "a time": ("UPDATE journal SET at_us = at_us + 1 WHERE seq = 4", 4),
    "a hash": ("UPDATE journal SET hash = prev_hash WHERE seq = 3", 3),
    "a removed entry": ("DELETE FROM journal WHERE seq = 3", 3),
    "a removed first entry": ("DELETE FROM journal WHERE seq = 1", 1),
    "a removed last entry": ("DELETE FROM journal WHERE seq = 5", 5),
    "all removed": ("DELETE FROM journal", 1),
    "a head set back": ("UPDATE journal_head SET seq = 4", 5),
    "a head with another hash": ("UPDATE journal_head SET hash = '00'", 5),
    "an entry put before the first": (
        "INSERT INTO journal SELECT -1, at_us, kind, session, entry, hash, hash FROM journal"
        " WHERE seq = 5",
        1,
    ),
    "an entry put in": (
        "INSERT INTO journal SELECT 6, at_us, kind, session, entry, hash, hash FROM journal"
        " WHERE seq = 5",
        6,
    ),
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_an_alteration_is_found_where_it_is(tmp_path: Path, name: str) -> None:
    statement, broken_at = ALTERATIONS[name]
    with fresh(tmp_path) as (catalog, clock):
        write_some(catalog, clock)
        with catalog.write() as connection:
            connection.execute(text(statement))
        with catalog.read() as connection:
            chain = journal.verify(connection)

    assert not chain.intact
    assert chain.broken_at == broken_at
    assert chain.detail


def test_an_entry_altered_beyond_reading_is_shown(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, clock):
        write_some(catalog, clock, 1)
        with catalog.write() as connection:
            connection.execute(update(table).values(entry="{"))
        with catalog.read() as connection:
            [entry] = journal.entries(connection)
            chain = journal.verify(connection)

    assert entry.event == UnknownEvent("gateway.stopped", 0, {"unreadable": "{"})
    assert chain.broken_at == 1


@pytest.mark.parametrize("entry", ["{", "[]", "{}", "null", '{"seq": 1}'])
def test_an_entry_that_is_no_event_is_found_though_its_hash_is_right(
    tmp_path: Path, entry: str
) -> None:
    digest = hashlib.sha256(bytes(32) + entry.encode()).hexdigest()
    with fresh(tmp_path) as (catalog, clock):
        write_some(catalog, clock, 1)
        with catalog.write() as connection:
            connection.execute(update(table).values(entry=entry, hash=digest))
            connection.execute(update(journal_head).values(hash=digest))
        with catalog.read() as connection:
            chain = journal.verify(connection)

    assert chain.broken_at == 1
    assert chain.detail == "the columns of entry 1 were altered"


def test_a_journal_without_its_head_says_so(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, clock):
        with catalog.write() as connection:
            connection.execute(delete(journal_head))
        with pytest.raises(ConfigurationError, match="lost its head row"):
            write_some(catalog, clock, 1)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(reasons=st.lists(st.binary(max_size=30), min_size=1, max_size=8))
def test_any_octets_off_the_wire_are_kept_exactly(
    tmp_path_factory: pytest.TempPathFactory, reasons: list[bytes]
) -> None:
    with fresh(tmp_path_factory.mktemp("journal")) as (catalog, clock):
        with catalog.write() as connection:
            for reason in reasons:
                journal.append(connection, clock, GatewayStopped(wire_text(reason)))
        with catalog.read() as connection:
            listed = journal.entries(connection)
            chain = journal.verify(connection)

    assert [entry.event for entry in reversed(listed)] == [
        GatewayStopped(wire_text(reason)) for reason in reasons
    ]
    assert chain.intact


WRITER = """
import sys
from watchgate.catalog import journal
from watchgate.catalog.database import Catalog
from watchgate.clock import SystemClock
from watchgate.session.events import GatewayStopped

with Catalog.open(sys.argv[1]) as catalog:
    for number in range(40):
        with catalog.write() as connection:
            journal.append(connection, SystemClock(), GatewayStopped(f"{sys.argv[2]} {number}"))
"""


def test_processes_that_write_at_once_make_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in ("a", "b")
    ]
    codes = [writer.wait(timeout=60) for writer in writers]
    with Catalog.open(path) as catalog, catalog.read() as connection:
        chain = journal.verify(connection)
        reasons = {
            entry.event.reason
            for entry in journal.entries(connection, limit=1000)
            if isinstance(entry.event, GatewayStopped)
        }

    assert codes == [0, 0]
    assert chain == journal.Chain(80)
    assert reasons == {f"{name} {number}" for name in "ab" for number in range(40)}


def test_coroutines_note_without_blocking_each_other(tmp_path: Path) -> None:
    async def scenario(catalog: Catalog, clock: ManualClock) -> None:
        thread = CatalogThread(catalog)
        noted = CatalogJournal(thread, clock)
        async with asyncio.TaskGroup() as group:
            for number in range(20):
                group.create_task(noted.note(GatewayStopped(str(number)), "s"))
        thread.close()

    with fresh(tmp_path) as (catalog, clock):
        asyncio.run(scenario(catalog, clock))
        with catalog.read() as connection:
            chain = journal.verify(connection)

    assert chain == journal.Chain(20)
