"""Rows that may be there: inserted or updated, in any number."""

from __future__ import annotations

from pathlib import Path

from catalog_world import STARTED, fresh, request
from sqlalchemy import select

from watchgate.catalog import projection
from watchgate.catalog.putting import ASKED_AT_ONCE, known, put
from watchgate.catalog.schema import command, forward


def test_rows_are_inserted_or_updated_whatever_columns_they_have(tmp_path: Path) -> None:
    of = request()
    number = 2 * ASKED_AT_ONCE + 3
    begun = {n: {"at_us": STARTED + n, "channel": 0, "text": f"c{n}"} for n in range(number)}
    ended = {n: {"exit_status": n % 3} for n in range(0, number + 2, 2)}
    with fresh(tmp_path) as (catalog, _):
        with catalog.write() as connection:
            projection.apply(connection, of, ())
            put(connection, of.session, command, begun)
            put(connection, of.session, command, ended)
            put(connection, of.session, command, {})
        with catalog.read() as connection:
            rows = connection.execute(select(command).order_by(command.c.seq)).all()
            there = known(connection, of.session, command, [0, 1, 10**6], command.c.text)

    assert len(rows) == number + 1
    assert [(row.text, row.exit_status) for row in rows[:3]] == [("c0", 0), ("c1", None), ("c2", 2)]
    assert (rows[-1].text, rows[-1].seq) == (None, number + 1)
    assert there == {0: "c0", 1: "c1"}


def test_forwards_are_numbered_by_item(tmp_path: Path) -> None:
    of = request()
    with fresh(tmp_path) as (catalog, _), catalog.write() as connection:
        projection.apply(connection, of, ())
        put(connection, of.session, forward, {-1: {"direction": "local", "destination": "x:1"}})
        put(connection, of.session, forward, {-1: {"refused": "no"}})
        (row,) = connection.execute(select(forward)).all()

    assert (row.item, row.direction, row.refused) == (-1, "local", "no")
