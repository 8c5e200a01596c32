"""Rows below a session that may be there already: in few statements, however many they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Column, Connection, Table, Update, and_, bindparam, insert, select, update

from watchgate.catalog.schema import forward

ASKED_AT_ONCE = 500
"""So many numbers stand in one statement: a database has a bound on them."""

_SESSION, _NUMBER = "of_session", "of_number"


def put(
    connection: Connection, of_session: str, table: Table, rows: Mapping[int, Mapping[str, Any]]
) -> None:
    """Update the rows that there are and insert the others: portable where `ON CONFLICT` is not."""
    counter = _counter(table)
    there = known(connection, of_session, table, rows)
    alike: dict[tuple[bool, frozenset[str]], list[dict[str, Any]]] = defaultdict(list)
    for number, values in rows.items():
        alike[number in there, frozenset(values)].append({"number": number, **values})
    for (is_there, names), some in alike.items():
        if is_there:
            bound = [{_SESSION: of_session, _NUMBER: one.pop("number")} | one for one in some]
            connection.execute(_update(table, counter, names), bound)
        else:
            fresh = [
                {"session_id": of_session, counter.name: one.pop("number")} | one for one in some
            ]
            connection.execute(insert(table), fresh)


def known(
    connection: Connection,
    of_session: str,
    table: Table,
    numbers: Iterable[int],
    column: Column[Any] | None = None,
) -> dict[int, Any]:
    """Of the rows of a session with these numbers those that are there, with what they have in *column*."""
    counter = _counter(table)
    found: dict[int, Any] = {}
    asked = sorted(numbers)
    for start in range(0, len(asked), ASKED_AT_ONCE):
        some = asked[start : start + ASKED_AT_ONCE]
        query = select(counter, counter if column is None else column).where(
            table.c.session_id == of_session, counter.in_(some)
        )
        found |= {row[0]: row[1] for row in connection.execute(query)}
    return found


def _update(table: Table, counter: Column[Any], names: Iterable[str]) -> Update:
    """One statement for all rows of which the same columns are set."""
    here = and_(table.c.session_id == bindparam(_SESSION), counter == bindparam(_NUMBER))
    return update(table).where(here).values({name: bindparam(name) for name in sorted(names)})


def _counter(table: Table) -> Column[Any]:
    return table.c.item if table is forward else table.c.seq
