"""Events that leave for SIEMs: put here in the transaction that makes them true, taken by delivery.

There are rows only while a sink is configured. Every sink has a cursor; what all of them have passed is
removed. An event may be here twice, under the same id, when a crash made it uncertain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from watchgate.catalog.schema import outbox, sink
from watchgate.siem.fact import Fact

BATCH_OCTETS = 4 << 20


@dataclass(frozen=True, slots=True)
class Waiting:
    """One event in the outbox."""

    number: int
    kind: str
    entry: str
    """A `Fact` as JSON."""


@dataclass(frozen=True, slots=True)
class SinkState:
    """How far a sink has come."""

    name: str
    cursor: int
    """The last event that it has for good."""
    delivered: int
    dropped: int
    delivered_at_us: int | None
    failing_since_us: int | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class Lag:
    """What waits behind a cursor."""

    events: int
    oldest_at_us: int | None


def wanted(connection: Connection) -> bool:
    """Whether a sink is configured, so that events are kept at all."""
    return bool(connection.scalar(select(exists(select(sink.c.name)))))


def put(connection: Connection, facts: Iterable[Fact]) -> bool:
    """Keep *facts* in the transaction of *connection*; false when nobody wants them."""
    if not wanted(connection):
        return False
    rows = [
        {"uid": fact.uid, "at_us": fact.at_us, "kind": fact.kind, "entry": fact.to_json()}
        for fact in facts
    ]
    if rows:
        connection.execute(insert(outbox), rows)
    return bool(rows)


# --- sinks -----------------------------------------------------------------------------------------


def register(connection: Connection, names: Collection[str]) -> None:
    """Make the sinks those with *names*: a new one begins with what happens from now on."""
    known = set(connection.scalars(select(sink.c.name)))
    gone = known - set(names)
    if gone:
        connection.execute(delete(sink).where(sink.c.name.in_(gone)))
    now = newest(connection)
    fresh = [
        {"name": name, "cursor": now, "delivered": 0, "dropped": 0}
        for name in names
        if name not in known
    ]
    if fresh:
        connection.execute(insert(sink), fresh)
    if not names:
        connection.execute(delete(outbox))


def states(connection: Connection) -> dict[str, SinkState]:
    """Every sink by its name."""
    return {row.name: SinkState(*row) for row in connection.execute(select(*sink.c))}


def advance(
    connection: Connection, name: str, cursor: int, *, delivered: int, at_us: int | None
) -> None:
    """The sink has all up to *cursor*, *delivered* more than the last time, the last at *at_us*."""
    values: dict[str, Any] = {"delivered": sink.c.delivered + delivered}
    if delivered:
        values["delivered_at_us"] = at_us
    connection.execute(update(sink).where(sink.c.name == name).values(values))
    _pass(connection, name, cursor)


def drop(connection: Connection, name: str, cursor: int, events: int) -> None:
    """The sink will never be sent *events* of those up to *cursor*."""
    values = {"dropped": sink.c.dropped + events}
    connection.execute(update(sink).where(sink.c.name == name).values(values))
    _pass(connection, name, cursor)


def _pass(connection: Connection, name: str, cursor: int) -> None:
    """Move a cursor, never back."""
    behind = (sink.c.name == name) & (sink.c.cursor < cursor)
    connection.execute(update(sink).where(behind).values(cursor=cursor))


def failing(connection: Connection, name: str, since_us: int | None, failure: str | None) -> None:
    """The sink takes nothing since then, and why; None: it does again."""
    values = {"failing_since_us": since_us, "failure": failure}
    connection.execute(update(sink).where(sink.c.name == name).values(values))


# --- events ----------------------------------------------------------------------------------------


def newest(connection: Connection) -> int:
    """The number of the newest event; 0 when none waits."""
    return connection.scalar(select(func.max(outbox.c.id))) or 0


def span(connection: Connection) -> tuple[int, int]:
    """The numbers of the oldest and the newest event; (0, 0) when none waits."""
    oldest = connection.scalar(select(func.min(outbox.c.id))) or 0
    return oldest, newest(connection)


def after(
    connection: Connection, cursor: int, most: int, octets: int = BATCH_OCTETS
) -> list[Waiting]:
    """The next events behind *cursor*: at most so many, and about so many octets."""
    columns = (outbox.c.id, outbox.c.kind, outbox.c.entry)
    query = select(*columns).where(outbox.c.id > cursor).order_by(outbox.c.id).limit(most)
    found, size = [], 0
    with connection.execute(query) as rows:
        for row in rows:
            found.append(Waiting(*row))
            size += len(found[-1].entry)
            if size >= octets:
                break
    return found


def lag(connection: Connection, cursor: int) -> Lag:
    """How much waits behind *cursor*, and since when."""
    behind = outbox.c.id > cursor
    count = connection.scalar(select(func.count()).select_from(outbox).where(behind)) or 0
    query = select(outbox.c.at_us).where(behind).order_by(outbox.c.id).limit(1)
    return Lag(count, connection.scalar(query))


def prune(connection: Connection, most: int) -> int:
    """Remove what every sink has, at most *most* events, the oldest first; how many went."""
    done = connection.scalar(select(func.min(sink.c.cursor)))
    oldest = connection.scalar(select(func.min(outbox.c.id)))
    if done is None or oldest is None or oldest > done:
        return 0
    # Numbers have hardly any gaps, so a range of them is a bound on the rows.
    until = min(done, oldest + most - 1)
    return connection.execute(delete(outbox).where(outbox.c.id <= until)).rowcount
