"""Scores of operators, targets and accounts: what their sessions' commands add up to, of late.

A session's points are those of the rules that its commands met. Each counts half as much for every 30 days
since the session ended; one that is open counts whole. An account is `root@web1`: the same name elsewhere is
another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, func, select

from watchgate.catalog.schema import session
from watchgate.policy.verdicts import HALF_LIFE_DAYS, decayed

_DAY_US = 86_400 * 1_000_000
_FORGOTTEN_DAYS = 20 * HALF_LIFE_DAYS
"""After twenty half-lives less than a millionth is left: older sessions are not read."""

_BATCH = 10_000


class Scored(StrEnum):
    """What has a score."""

    OPERATOR = "operator"
    TARGET = "target"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one operator, target or account."""

    kind: Scored
    name: str
    score: float
    """To one decimal."""
    points: int
    """What it would be if nothing were forgotten."""
    sessions: int
    """How many sessions have points."""
    worst_risk: int
    """The highest risk among them, 0 to 100."""
    last_at_us: int
    """When the youngest of them ended, or was last heard of."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one session adds to a score."""

    session: str
    operator: str
    account: str
    target: str
    at_us: int
    points: int
    risk: int
    counts: float
    """What is left of its points."""


def scores(connection: Connection, kind: Scored, now_us: int) -> list[Score]:
    """Everybody and everything of that kind with a score, the highest first."""
    name_of = _NAMES[kind]
    sums: dict[str, _Sum] = {}
    for share in _shares(connection, now_us):
        sums.setdefault(name_of(share), _Sum()).add(share)
    found = [total.score(kind, name) for name, total in sums.items()]
    return sorted(found, key=lambda one: (-one.score, one.name))


def score_of(connection: Connection, kind: Scored, name: str, now_us: int) -> Score | None:
    """The score of that one; None when no session of it has points."""
    total = _Sum()
    for share in _of(connection, kind, name, now_us):
        total.add(share)
    return total.score(kind, name) if total.sessions else None


def shares(
    connection: Connection, kind: Scored, name: str, now_us: int, *, limit: int = 20
) -> list[Share]:
    """The sessions that make its score, those that count most first."""
    found = sorted(_of(connection, kind, name, now_us), key=lambda one: (-one.counts, -one.at_us))
    return found[:limit]


@dataclass(slots=True)
class _Sum:
    exact: float = 0.0
    points: int = 0
    sessions: int = 0
    worst: int = 0
    last_at_us: int = 0

    def add(self, share: Share) -> None:
        self.exact += share.counts
        self.points += share.points
        self.sessions += 1
        self.worst = max(self.worst, share.risk)
        self.last_at_us = max(self.last_at_us, share.at_us)

    def score(self, kind: Scored, name: str) -> Score:
        rounded = round(self.exact, 1)
        return Score(kind, name, rounded, self.points, self.sessions, self.worst, self.last_at_us)


_NAMES: dict[Scored, Callable[[Share], str]] = {
    Scored.OPERATOR: lambda share: share.operator,
    Scored.TARGET: lambda share: share.target,
    Scored.ACCOUNT: lambda share: f"{share.account}@{share.target}",
}


def _of(connection: Connection, kind: Scored, name: str, now_us: int) -> Iterator[Share]:
    name_of, wanted = _NAMES[kind], _folded(kind, name)
    return (one for one in _shares(connection, now_us) if _folded(kind, name_of(one)) == wanted)


def _folded(kind: Scored, name: str) -> str:
    """Operators and targets are found whatever the case; accounts exactly, as Unix does."""
    if kind is not Scored.ACCOUNT:
        return name.lower()
    account, at, target = name.rpartition("@")
    return f"{account}{at}{target.lower()}"


def _shares(connection: Connection, now_us: int) -> Iterator[Share]:
    """What every session with points adds, a bounded batch at a time in memory."""
    ended = func.coalesce(session.c.ended_at_us, session.c.last_at_us)
    rows = connection.execution_options(yield_per=_BATCH).execute(
        select(
            session.c.id,
            session.c.operator,
            session.c.account,
            session.c.target,
            session.c.state,
            ended.label("at_us"),
            session.c.points,
            session.c.risk,
        ).where(session.c.points > 0, ended > now_us - math.ceil(_FORGOTTEN_DAYS * _DAY_US))
    )
    for row in rows:
        age_us = 0 if row.state == "live" else now_us - row.at_us
        yield Share(
            session=row.id,
            operator=row.operator,
            account=row.account,
            target=row.target,
            at_us=row.at_us,
            points=row.points,
            risk=row.risk or 0,
            counts=decayed(row.points, age_us),
        )
