"""Erased sessions stay listed and say nothing any more."""

from __future__ import annotations

from pathlib import Path

from catalog_world import envelopes, fresh, request
from sqlalchemy import func, select

from watchgate.catalog import projection, queries
from watchgate.catalog.erasure import erase
from watchgate.catalog.projection import Status
from watchgate.catalog.schema import PROJECTIONS, session
from watchgate.session.events import (
    CommandDecided,
    CommandRequested,
    FileMoved,
    ForwardOpened,
    SessionClosed,
)

HISTORY = (
    CommandRequested(0, "mysql -psecret"),
    FileMoved(1, "sftp", "upload", "/tmp/secret", 5, "ab" * 32, True),
    ForwardOpened(0, "local", "secret:5432", "127.0.0.1:1"),
    CommandDecided(
        *(0, 0, "mysql -psecret", ["mysql --password=secret"], [], "block", ["no-mysql"], []),
        *("low", 1, 1, 2, "exact", "exec", "ab" * 32),
    ),
    SessionClosed("terminated", "secret", "admin", 10, 20),
)


def test_what_a_session_said_goes_and_that_it_was_stays(tmp_path: Path) -> None:
    erased, other = request(1), request(2)
    with fresh(tmp_path) as (catalog, _):
        with catalog.write() as connection:
            for one in (erased, other):
                projection.apply(connection, one, envelopes(one, *HISTORY), Status.SEALED)
        with catalog.read() as connection:
            before = queries.find_session(connection, erased.session)
        with catalog.write() as connection:
            gone = erase(connection, erased, Status.SEALED, 7)
        with catalog.read() as connection:
            after = queries.find_session(connection, erased.session)
            left = [queries.commands(connection, one.session) for one in (erased, other)]
            counts = {
                table.name: connection.scalar(select(func.count()).select_from(table))
                for table in PROJECTIONS
            }

    assert gone == 5
    assert (before.detail, after.detail) == ("secret", None)
    assert (after.state, after.ended_at_us, after.operator) == (
        before.state,
        before.ended_at_us,
        before.operator,
    )
    assert (len(left[0]), len(left[1])) == (0, 1)
    assert counts == {
        "session": 2,
        "command": 1,
        "verdict": 1,
        "rule_hit": 1,
        "file_transfer": 1,
        "forward": 1,
    }


def test_a_session_that_was_not_known_is_listed_with_its_end(tmp_path: Path) -> None:
    of = request()
    with fresh(tmp_path) as (catalog, _):
        with catalog.write() as connection:
            assert erase(connection, of, Status.RECOVERED, of.started_at_us + 9) == 0
        with catalog.read() as connection:
            row = connection.execute(select(session)).one()

    assert (row.state, row.reason) == ("recovered", "recovered")
    assert row.ended_at_us == row.last_at_us == of.started_at_us + 9


def test_a_session_that_goes_on_is_not_ended_by_it(tmp_path: Path) -> None:
    of = request()
    with fresh(tmp_path) as (catalog, _):
        with catalog.write() as connection:
            erase(connection, of, Status.LIVE, of.started_at_us + 9)
        with catalog.read() as connection:
            row = connection.execute(select(session)).one()

    assert (row.state, row.ended_at_us) == ("live", None)


def test_what_a_session_said_is_gone_from_the_file(tmp_path: Path) -> None:
    of = request()
    with fresh(tmp_path) as (catalog, _):
        with catalog.write() as connection:
            said = CommandRequested(0, "mysql -p'a long password of theirs'")
            projection.apply(connection, of, envelopes(of, said), Status.SEALED)
        held = _octets(tmp_path)
        with catalog.write() as connection:
            erase(connection, of, Status.SEALED, 7)

    assert b"password of theirs" in held
    assert b"password of theirs" not in _octets(tmp_path)


def _octets(directory: Path) -> bytes:
    """All files of the catalog, its log with them."""
    return b"".join(path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file())
