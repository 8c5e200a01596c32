"""The logins and the life of the targets' logs, in the catalog."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from watchgate.catalog import hosts
from watchgate.catalog.schema import journal, session, target_log, target_login
from watchgate.reports.coverage.intake import Day, Seen
from watchgate.reports.coverage.join import TOLERANCE_US, SessionFacts
from watchgate.reports.coverage.model import SECOND_US, Accepted, Login

T = TypeVar("T")

_FEW = 500
"""So many names fit one statement."""

_TWIN_US = 2 * SECOND_US
"""How far two logs may be apart on the moment of one login."""


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """*items* in lists of at most *size*."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


# --- writing -------------------------------------------------------------------------------------


def add_logins(connection: Connection, logins: Sequence[Login], imported_at_us: int) -> int:
    """Add those of *logins* that are not there yet, from this or from another log; how many."""
    fresh = {login.uid: login for login in logins}
    for uids in batches(list(fresh), _FEW):
        there = select(target_login.c.uid).where(target_login.c.uid.in_(uids))
        for uid in connection.scalars(there):
            del fresh[uid]
    by_target: dict[str, list[tuple[str, Login]]] = {}
    for uid, login in fresh.items():
        by_target.setdefault(login.target, []).append((uid, login))
    rows = []
    for target, found in by_target.items():
        twins = _Twins(connection, target, [login for _, login in found])
        rows += [_row(uid, login, imported_at_us) for uid, login in found if twins.is_new(login)]
    if rows:
        connection.execute(insert(target_login), rows)
    return len(rows)


class _Twins:
    """Logins that another log of the same target told already, with a stamp that differs a little.

    A client cannot use its port for another connection to the same server as soon as that.
    """

    def __init__(self, connection: Connection, target: str, logins: Sequence[Login]) -> None:
        moments = [login.at_us for login in logins]
        nearby = _in_span(target, min(moments) - _TWIN_US, max(moments) + _TWIN_US + 1)
        self._moments: dict[Accepted, list[int]] = {}
        for row in connection.execute(nearby):
            found = _login(row)
            self._moments.setdefault(found.accepted, []).append(found.at_us)

    def is_new(self, login: Login) -> bool:
        """Whether it has no twin; from now on it is one."""
        moments = self._moments.setdefault(login.accepted, [])
        if any(abs(moment - login.at_us) <= _TWIN_US for moment in moments):
            return False
        moments.append(login.at_us)
        return True


def _row(uid: str, login: Login, imported_at_us: int) -> dict[str, object]:
    said = login.accepted
    return {
        "uid": uid,
        "target": login.target,
        "at_us": login.at_us,
        "account": said.account,
        "method": said.method,
        "source": said.source,
        "port": said.port,
        "key_id": said.key_id,
        "fingerprint": said.fingerprint,
        "authority": said.authority,
        "imported_at_us": imported_at_us,
    }


def add_seen(connection: Connection, seen: Mapping[Day, Seen], imported_at_us: int) -> None:
    """Note when the targets' logs were alive; what is known already stays."""
    for (target, day), now in sorted(seen.items()):
        here = (target_log.c.target == target, target_log.c.day == day)
        row = connection.execute(select(target_log).where(*here)).first()
        if row is None:
            values = {"hours": now.hours, "first": now.first_at_us, "last": now.last_at_us}
            connection.execute(
                insert(target_log).values(target=target, day=day, **_seen(values, imported_at_us))
            )
            continue
        merged = {
            "hours": row.hours | now.hours,
            "first": min(row.first_at_us, now.first_at_us),
            "last": max(row.last_at_us, now.last_at_us),
        }
        if merged != {"hours": row.hours, "first": row.first_at_us, "last": row.last_at_us}:
            changed = update(target_log).where(*here).values(**_seen(merged, imported_at_us))
            connection.execute(changed)


def _seen(values: Mapping[str, int], imported_at_us: int) -> dict[str, int]:
    return {
        "hours": values["hours"],
        "first_at_us": values["first"],
        "last_at_us": values["last"],
        "imported_at_us": imported_at_us,
    }


def mark_told(connection: Connection, logins: Iterable[Login], at_us: int) -> None:
    """Remember that the journal has these bypasses."""
    for few in batches([login.uid for login in logins], _FEW):
        marked = update(target_login).where(target_login.c.uid.in_(few)).values(told_at_us=at_us)
        connection.execute(marked)


# --- reading -------------------------------------------------------------------------------------


def logins(connection: Connection, target: str, from_us: int, until_us: int) -> list[Login]:
    """The logins to *target* in a span of time."""
    return [_login(row) for row in connection.execute(_in_span(target, from_us, until_us))]


def untold(connection: Connection, uids: Sequence[str]) -> set[str]:
    """Those of *uids* that the journal does not have as bypasses."""
    table, found = target_login, set[str]()
    for few in batches(uids, _FEW):
        query = select(table.c.uid).where(table.c.uid.in_(few), table.c.told_at_us.is_(None))
        found.update(connection.scalars(query))
    return found


def _in_span(target: str, from_us: int, until_us: int) -> Select[tuple[object, ...]]:
    table = target_login
    return select(
        *(table.c.target, table.c.at_us, table.c.account, table.c.method, table.c.source),
        *(table.c.port, table.c.key_id, table.c.fingerprint, table.c.authority),
    ).where(table.c.target == target, table.c.at_us >= from_us, table.c.at_us < until_us)


def _login(row: Row[tuple[object, ...]]) -> Login:
    return Login(
        row.target,
        row.at_us,
        Accepted(
            *(row.account, row.method, row.source, row.port),
            *(row.key_id, row.fingerprint, row.authority),
        ),
    )


def seen_days(connection: Connection, target: str, from_us: int, until_us: int) -> list[Seen]:
    """When the log of *target* was alive, a day at a time, about that span."""
    table = target_log
    query = (
        select(table.c.hours, table.c.first_at_us, table.c.last_at_us)
        .where(table.c.target == target, table.c.last_at_us >= from_us)
        .where(table.c.first_at_us < until_us)
        .order_by(table.c.day)
    )
    return [Seen(*row) for row in connection.execute(query)]


def last_seen(connection: Connection, until_us: int) -> dict[str, int]:
    """The last line of each target's log before *until_us*, or of the day in which that falls."""
    table = target_log
    query = (
        select(table.c.target, func.max(table.c.last_at_us))
        .where(table.c.first_at_us < until_us)
        .group_by(table.c.target)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def sessions_on(
    connection: Connection, target: str, from_us: int, until_us: int
) -> list[SessionFacts]:
    """The sessions that reached *target* and were open in a span of time."""
    table = session
    query = (
        _facts()
        .where(table.c.target == target, table.c.gateway_address.is_not(None))
        .where(table.c.started_at_us < until_us + TOLERANCE_US)
        .where(
            table.c.ended_at_us.is_(None) | (table.c.ended_at_us >= from_us - TOLERANCE_US),
        )
        .order_by(table.c.started_at_us, table.c.id)
    )
    return [_session(row) for row in connection.execute(query)]


def sessions_named(connection: Connection, key_ids: Iterable[str]) -> dict[str, SessionFacts]:
    """The sessions, by the key ids that are theirs."""
    found: dict[str, SessionFacts] = {}
    # Longer ones are another's, and a statement should not carry them.
    for few in batches(sorted({key_id for key_id in key_ids if len(key_id) <= 36}), _FEW):
        for row in connection.execute(_facts().where(session.c.id.in_(few))):
            found[row.id] = _session(row)
    return found


def _facts() -> Select[tuple[object, ...]]:
    table = session
    return select(
        *(table.c.id, table.c.target, table.c.account, table.c.started_at_us),
        *(table.c.ended_at_us, table.c.key_id, table.c.gateway_address),
    )


def _session(row: Row[tuple[object, ...]]) -> SessionFacts:
    host, _, port = (row.gateway_address or "").rpartition(":")
    return SessionFacts(
        id=row.id,
        target=row.target,
        account=row.account,
        started_at_us=row.started_at_us,
        ended_at_us=row.ended_at_us,
        key_id=row.key_id,
        host=_normal(host),
        port=int(port) if port.isdigit() else 0,
    )


# A gateway has few addresses, and each session is asked for one.
_normal = lru_cache(1024)(hosts.normal)


def records_begin(connection: Connection) -> int | None:
    """When the gateway's own records begin; None when there are none."""
    firsts = (
        connection.scalar(select(func.min(journal.c.at_us))),
        connection.scalar(select(func.min(session.c.started_at_us))),
    )
    return min((first for first in firsts if first is not None), default=None)
