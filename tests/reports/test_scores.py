"""Scores: points of sessions, halved every 30 days."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from watchgate.catalog.database import Catalog
from watchgate.catalog.schema import session
from watchgate.clock import ManualClock
from watchgate.reports import scores
from watchgate.reports.scores import Scored

DAY = 86_400_000_000
NOW = ManualClock().wall


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(tmp_path / "catalog.db") as opened:
        yield opened


def session_of(
    catalog: Catalog,
    number: int,
    points: int | None,
    *,
    days: float = 0,
    operator: str = "alice",
    account: str = "root",
    target: str = "web1",
    live: bool = False,
) -> None:
    at_us = NOW - round(days * DAY)
    with catalog.write() as connection:
        connection.execute(
            insert(session).values(
                id=f"s{number}",
                recording=f"r{number}",
                protocol="ssh",
                operator=operator,
                account=account,
                target=target,
                client="c",
                grant="g",
                policy_digest="d",
                started_at_us=at_us - 1,
                last_at_us=at_us,
                last_seq=1,
                state="live" if live else "closed",
                ended_at_us=None if live else at_us,
                points=points,
                risk=None if points is None else min(100, points),
            )
        )


def listed(catalog: Catalog, kind: Scored) -> dict[str, float]:
    with catalog.read() as connection:
        return {one.name: one.score for one in scores.scores(connection, kind, NOW)}


def test_points_halve_every_thirty_days_from_the_end_of_their_session(catalog: Catalog) -> None:
    session_of(catalog, 1, 40)
    session_of(catalog, 2, 40, days=30)
    session_of(catalog, 3, 40, days=60)

    with catalog.read() as connection:
        (found,) = scores.scores(connection, Scored.OPERATOR, NOW)

    assert found.score == 70.0
    assert (found.points, found.sessions, found.worst_risk) == (120, 3, 40)
    assert found.last_at_us == NOW


def test_each_kind_adds_up_its_own_and_the_highest_is_first(catalog: Catalog) -> None:
    session_of(catalog, 1, 5)
    session_of(catalog, 2, 25, operator="bob", target="web2")
    session_of(catalog, 3, 1, operator="bob", account="app")

    assert list(listed(catalog, Scored.OPERATOR).items()) == [("bob", 26.0), ("alice", 5.0)]
    assert listed(catalog, Scored.TARGET) == {"web2": 25.0, "web1": 6.0}
    assert listed(catalog, Scored.ACCOUNT) == {"root@web2": 25.0, "root@web1": 5.0, "app@web1": 1.0}


def test_sessions_without_points_and_forgotten_ones_have_no_part(catalog: Catalog) -> None:
    session_of(catalog, 1, None)
    session_of(catalog, 2, 0)
    session_of(catalog, 3, 1000, days=601)

    assert listed(catalog, Scored.OPERATOR) == {}


def test_an_open_session_counts_whole(catalog: Catalog) -> None:
    session_of(catalog, 1, 25, days=30, live=True)

    assert listed(catalog, Scored.TARGET) == {"web1": 25.0}


def test_a_clock_that_was_set_back_makes_nothing_count_more(catalog: Catalog) -> None:
    session_of(catalog, 1, 25, days=-3)

    assert listed(catalog, Scored.TARGET) == {"web1": 25.0}


def test_one_is_found_with_the_sessions_that_make_its_score(catalog: Catalog) -> None:
    session_of(catalog, 1, 25, days=30, target="Web1")
    session_of(catalog, 2, 20, target="Web1")
    session_of(catalog, 3, 100, account="app", target="Web1")

    with catalog.read() as connection:
        found = scores.score_of(connection, Scored.ACCOUNT, "root@WEB1", NOW)
        shares = scores.shares(connection, Scored.ACCOUNT, "root@web1", NOW, limit=5)
        newest = scores.shares(connection, Scored.TARGET, "web1", NOW, limit=1)
        nobody = scores.score_of(connection, Scored.ACCOUNT, "Root@web1", NOW)

    assert found is not None
    assert found.score == 32.5
    assert [(one.session, one.counts) for one in shares] == [("s2", 20.0), ("s1", 12.5)]
    assert [one.session for one in newest] == ["s3"]
    assert nobody is None
