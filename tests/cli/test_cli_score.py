"""`watchgate score`: who gave the rules most to say."""

from __future__ import annotations

from sqlalchemy import update

from watchgate.catalog.database import Catalog
from watchgate.catalog.schema import session as sessions
from watchgate.settings import load

from .command_line import Cli


def scored(gate: Cli, points: int) -> None:
    """Give the one session of the gateway its points, as the projection does."""
    with (
        Catalog.open(load(gate.data, environment={}).paths.catalog) as catalog,
        catalog.write() as connection,
    ):
        connection.execute(update(sessions).values(points=points, risk=40))


def test_operators_are_listed_by_their_score(gate: Cli, session: str) -> None:
    scored(gate, 25)
    listed = gate.done("score").splitlines()
    value = gate.json("score", "account")

    assert listed[0].split() == ["OPERATOR", "SCORE", "SESSIONS", "WORST", "RISK", "LAST"]
    assert listed[1].split()[:4] == ["alice", "25.0", "1", "40"]
    assert value[0]["name"] == "root@web1"
    assert value[0]["score"] == 25.0


def test_one_is_shown_with_its_sessions(gate: Cli, session: str) -> None:
    scored(gate, 25)
    shown = gate.done("score", "target", "web1")
    value = gate.json("score", "target", "web1")

    assert shown.startswith("target web1: 25.0, out of 25 points in 1 session;")
    assert session[:13] in shown
    assert value["sessions"][0]["session"] == session


def test_without_points_there_is_no_score(gate: Cli, session: str) -> None:
    assert gate.done("score").startswith("Nothing has a score")
    assert gate("score", "operator", "alice").status == 3
    assert gate("score", "planet").status == 2
