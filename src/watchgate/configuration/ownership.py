"""Which operators, keys, targets, accounts and grants came from files, and whose files.

What is not in this table was made by hand, and no apply ever removes it by itself. A row may outlive
what it is about, when that was removed by hand: nothing has its id again, and the next apply drops it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, bindparam, delete, insert, select

from watchgate.catalog.change import Change
from watchgate.catalog.schema import account, grant, managed, operator, operator_key, target


class Kind(StrEnum):
    """What may be owned."""

    OPERATOR = "operator"
    KEY = "key"
    TARGET = "target"
    ACCOUNT = "account"
    GRANT = "grant"


_THERE = {
    Kind.OPERATOR: select(operator.c.id),
    Kind.KEY: select(operator_key.c.id),
    Kind.TARGET: select(target.c.id),
    Kind.ACCOUNT: select(account.c.id),
    Kind.GRANT: select(grant.c.id).where(grant.c.revoked_at_us.is_(None)),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose something is, and what it is called in the files."""

    owner: str
    name: str


def read(connection: Connection) -> dict[Kind, dict[str, Mark]]:
    """All marks by kind and row id."""
    found: dict[Kind, dict[str, Mark]] = {kind: {} for kind in Kind}
    for row in connection.execute(select(managed)):
        if row.kind in set(Kind):
            found[Kind(row.kind)][row.row_id] = Mark(row.owner, row.name)
    return found


def mark(change: Change, owner: str, things: Mapping[tuple[Kind, str], str]) -> None:
    """Say that the files of *owner* have these: names by kind and row id."""
    release(change, things)
    if things:
        change.connection.execute(
            insert(managed),
            [
                {"kind": str(kind), "row_id": row_id, "owner": owner, "name": name}
                for (kind, row_id), name in things.items()
            ],
        )


def release(change: Change, things: Iterable[tuple[Kind, str]]) -> None:
    """Say that no files have these any more."""
    rows = [{"of_kind": str(kind), "of_row": row_id} for kind, row_id in things]
    if rows:
        here = (managed.c.kind == bindparam("of_kind"), managed.c.row_id == bindparam("of_row"))
        change.connection.execute(delete(managed).where(*here), rows)


def drop_stale(change: Change) -> None:
    """Forget the marks of what is not there any more, and of grants that were revoked."""
    marks = read(change.connection)
    for kind, query in _THERE.items():
        there = set(change.connection.scalars(query))
        release(change, [(kind, row_id) for row_id in sorted(set(marks[kind]) - there)])
