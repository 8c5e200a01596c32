"""The gateway's own log: what happens outside recordings, hash-chained.

Server and CLI append alike, each entry in a transaction that holds the head row, so the chain has one
order. An entry's hash is SHA-256 over the hash before it and its canonical JSON; the head row keeps the
number and hash of the last entry, so that entries cut off the end are missed too. Whoever can write the
catalog could forge the whole chain: send `head()` elsewhere to bind him.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from watchgate.catalog import outbox
from watchgate.catalog.schema import journal, journal_head
from watchgate.catalog.thread import CatalogThread
from watchgate.clock import Clock
from watchgate.errors import ConfigurationError
from watchgate.session.events import Event, UnknownEvent, revive
from watchgate.siem.fact import Fact, uid_of_entry

ORIGIN = "0" * 64
"""What stands before the first entry."""

_BATCH = 1000
_BEFORE_ALL = -(2**63)
"""No entry has a number below 1; one that was put there by hand must be met all the same."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the journal."""

    seq: int
    at_us: int
    session: str
    event: Event
    hash: str

    @property
    def kind(self) -> str:
        """The event's kind, also of one that this version does not know."""
        return self.event.name if isinstance(self.event, UnknownEvent) else self.event.kind


@dataclass(frozen=True, slots=True)
class Chain:
    """What `verify` found."""

    entries: int
    broken_at: int | None = None
    """The number of the first entry that is not as it was written."""
    detail: str = ""

    @property
    def intact(self) -> bool:
        """Nothing was altered or removed."""
        return self.broken_at is None


def append(connection: Connection, clock: Clock, event: Event, session: str = "") -> int:
    """Add *event* in the transaction of *connection*, which must be one that writes; its number."""
    # Taking the number from the head row first makes two writers queue on any engine.
    connection.execute(
        update(journal_head).where(journal_head.c.id == 1).values(seq=journal_head.c.seq + 1)
    )
    seq, before = head(connection)
    at_us, data = clock.wall_us(), event.data()
    entry = json.dumps(
        {
            "at_us": at_us,
            "data": data,
            "kind": event.kind,
            "seq": seq,
            "session": session,
            "v": event.v,
        },
        sort_keys=True,
        separators=(",", ":"),
    )
    digest = _chained(before, entry)
    connection.execute(
        insert(journal).values(
            seq=seq,
            at_us=at_us,
            kind=event.kind,
            session=session,
            entry=entry,
            prev_hash=before,
            hash=digest,
        )
    )
    connection.execute(update(journal_head).where(journal_head.c.id == 1).values(hash=digest))
    fact = Fact(uid_of_entry(digest), at_us, event.kind, event.v, session, seq, data)
    outbox.put(connection, [fact])
    return seq


def _chained(before: str, entry: str) -> str:
    return hashlib.sha256(bytes.fromhex(before) + entry.encode()).hexdigest()


def head(connection: Connection) -> tuple[int, str]:
    """The number and hash of the last entry; worth keeping outside this machine."""
    row = connection.execute(
        select(journal_head.c.seq, journal_head.c.hash).where(journal_head.c.id == 1)
    ).one_or_none()
    if row is None:
        raise ConfigurationError(
            "the journal has lost its head row: the catalog was altered by hand; "
            "put back a backup of it",
            code="journal.headless",
        )
    return row.seq, row.hash


def entries(
    connection: Connection,
    *,
    kind: str | None = None,
    session: str | None = None,
    since_us: int | None = None,
    until_us: int | None = None,
    limit: int = 100,
) -> list[Entry]:
    """The newest entries that match, newest first; *kind* may end in `*` (`operator.*`)."""
    query = select(journal).order_by(journal.c.seq.desc()).limit(limit)
    if kind is not None and kind.endswith("*"):
        query = query.where(journal.c.kind.startswith(kind[:-1], autoescape=True))
    elif kind is not None:
        query = query.where(journal.c.kind == kind)
    if session is not None:
        query = query.where(journal.c.session == session)
    if since_us is not None:
        query = query.where(journal.c.at_us >= since_us)
    if until_us is not None:
        query = query.where(journal.c.at_us < until_us)
    return [
        Entry(row.seq, row.at_us, row.session, _event(row.kind, row.entry), row.hash)
        for row in connection.execute(query)
    ]


def _event(kind: str, entry: str) -> Event:
    """The event of an entry; one that was altered beyond reading is shown, not hidden."""
    try:
        raw = json.loads(entry)
        return revive(str(raw["kind"]), int(raw["v"]), dict(raw["data"]))
    except (ValueError, KeyError, TypeError):
        return UnknownEvent(kind, 0, {"unreadable": entry})


def verify(connection: Connection) -> Chain:
    """Walk the whole chain and say where it first breaks."""
    before, count = ORIGIN, 0
    for row in _in_order(connection):
        expected = count + 1
        if row.seq != expected:
            return Chain(count, expected, f"entry {expected} is missing")
        if row.prev_hash != before or row.hash != _chained(before, row.entry):
            return Chain(count, row.seq, f"entry {row.seq} does not match its hash")
        if not _columns_agree(row.entry, row.seq, row.at_us, row.kind, row.session):
            return Chain(count, row.seq, f"the columns of entry {row.seq} were altered")
        before, count = row.hash, row.seq
    last, digest = head(connection)
    if last < count:
        return Chain(count, last + 1, f"the head ends before entry {last + 1}")
    if last > count:
        return Chain(count, count + 1, f"entries {count + 1} to {last} are missing at the end")
    if digest != before:
        return Chain(count, max(count, 1), "the head does not match the last entry")
    return Chain(count)


def _in_order(connection: Connection) -> Iterator[_Row]:
    """All entries by number, a bounded batch at a time."""
    seen = _BEFORE_ALL
    while True:
        query = select(journal).where(journal.c.seq > seen).order_by(journal.c.seq).limit(_BATCH)
        rows = connection.execute(query).all()
        if not rows:
            return
        for row in rows:
            yield _Row(*row)
        seen = rows[-1].seq


@dataclass(frozen=True, slots=True)
class _Row:
    seq: int
    at_us: int
    kind: str
    session: str
    entry: str
    prev_hash: str
    hash: str


def _columns_agree(entry: str, seq: int, at_us: int, kind: str, session: str) -> bool:
    try:
        raw = json.loads(entry)
        said = raw["seq"], raw["at_us"], raw["kind"], raw["session"]
    except (ValueError, KeyError, TypeError):
        return False
    return said == (seq, at_us, kind, session)


class CatalogJournal:
    """The journal for those who must not wait on a disk: implements `session.ports.Journal`."""

    def __init__(self, catalog: CatalogThread, clock: Clock) -> None:
        self._catalog = catalog
        self._clock = clock

    async def note(self, event: Event, session: str = "") -> None:
        """Append *event*; it is durable when this returns."""
        await self._catalog.write(append, self._clock, event, session)
