from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from catalog_world import STARTED, envelopes, fresh, request
from sqlalchemy import Connection

from watchgate.catalog import projection, queries
from watchgate.errors import NotFound
from watchgate.session.events import SessionClosed


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with fresh(tmp_path) as (catalog, _):
        with catalog.write() as writing:
            for number in range(1, 21):
                header = request(
                    number,
                    operator="alice" if number % 2 else "bob",
                    target=f"web{number % 3}",
                    account="root" if number < 10 else "deploy",
                )
                events = envelopes(header, SessionClosed("client", "", None, 1, 2))
                projection.apply(writing, header, events if number < 15 else [])
        with catalog.read() as reading:
            yield reading


def numbers(rows: list[queries.SessionRow]) -> list[int]:
    return [int(row.id[-6:]) for row in rows]


def test_the_newest_sessions_come_first(connection: Connection) -> None:
    assert numbers(queries.sessions(connection, limit=3)) == [20, 19, 18]


def test_sessions_are_filtered(connection: Connection) -> None:
    assert numbers(queries.sessions(connection, operator="bob", limit=2)) == [20, 18]
    assert numbers(queries.sessions(connection, target="web0", limit=2)) == [18, 15]
    assert numbers(queries.sessions(connection, account="root", limit=2)) == [9, 8]
    assert numbers(queries.sessions(connection, state="live")) == [20, 19, 18, 17, 16, 15]
    assert numbers(
        queries.sessions(connection, since_us=STARTED + 4_000_000, until_us=STARTED + 6_000_000)
    ) == [5, 4]
    assert queries.sessions(connection, operator="carol") == []


def test_a_session_is_found_by_its_id_its_recording_and_a_unique_beginning(
    connection: Connection,
) -> None:
    whole = request(7)
    with pytest.raises(NotFound, match="begins several session ids"):
        queries.find_session(connection, whole.session[:20])

    assert queries.find_session(connection, whole.session).id == whole.session
    assert queries.find_session(connection, whole.recording).id == whole.session
    assert queries.find_session(connection, request(20).session[:-1].upper()).id.endswith("20")


@pytest.mark.parametrize("name", ["", "01", "%%%%", "____", "0190ffff", "\udcff\udcff\udcff\0"])
def test_a_session_that_is_not_there_is_not_found(connection: Connection, name: str) -> None:
    with pytest.raises(NotFound) as caught:
        queries.find_session(connection, name)

    assert caught.value.code == "session.not-found"


def test_what_happened_in_an_unknown_session_is_nothing(connection: Connection) -> None:
    assert queries.commands(connection, "x") == []
    assert queries.files(connection, "x") == []
    assert queries.forwards(connection, "x") == []


def test_last_is_the_session_that_began_last(connection: Connection) -> None:
    newest = queries.sessions(connection)[0]

    assert queries.find_session(connection, "last").id == newest.id


def test_without_sessions_there_is_no_last_one(tmp_path: Path) -> None:
    with (
        fresh(tmp_path) as (catalog, _),
        catalog.read() as empty,
        pytest.raises(NotFound, match="no session yet"),
    ):
        queries.find_session(empty, "last")
