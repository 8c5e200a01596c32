"""`watchgate score`: who and what gave the rules most to say, of late."""

from __future__ import annotations

from typing import Annotated

import typer

from watchgate.cli.context import Context, with_common_options
from watchgate.cli.output import document, moment, table
from watchgate.errors import NotFound
from watchgate.policy.verdicts import HALF_LIFE_DAYS
from watchgate.reports import scores
from watchgate.reports.scores import Score, Scored, Share

SHORT_ID = 13


def score(
    context: Context,
    kind: Annotated[
        Scored, typer.Argument(metavar="[KIND]", help="operator, target or account.")
    ] = Scored.OPERATOR,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="Only this one, with its sessions: alice, root@web1."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The highest so many.")] = 50,
) -> None:
    """Show scores: the points of the rules that were met, each halved every 30 days.

    The risk of one session, 0 to 100, is in `watchgate session show`.
    """
    now_us = context.clock.wall_us()
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        if name is None:
            _list(context, kind, scores.scores(connection, kind, now_us)[:limit])
            return
        found = scores.score_of(connection, kind, name, now_us)
        shares = scores.shares(connection, kind, name, now_us, limit=limit)
    if found is None:
        raise NotFound(
            f"the {kind} {name!r} has no score: no session of it met a rule that has points",
            code="score.not-found",
        )
    _show(context, found, shares)


def _list(context: Context, kind: Scored, found: list[Score]) -> None:
    table(
        context,
        found,
        {
            kind.upper(): [one.name for one in found],
            "SCORE": [f"{one.score:.1f}" for one in found],
            "SESSIONS": [one.sessions for one in found],
            "WORST RISK": [one.worst_risk for one in found],
            "LAST": [moment(context, one.last_at_us) for one in found],
        },
        empty="Nothing has a score: no session met a rule that has points.",
    )


def _show(context: Context, found: Score, shares: list[Share]) -> None:
    if context.json:
        document({"score": found, "sessions": shares})
        return
    typer.echo(
        f"{found.kind} {found.name}: {found.score:.1f}, out of {found.points} points in "
        f"{_sessions(found.sessions)}; each halves every {HALF_LIFE_DAYS:.0f} days\n"
    )
    table(
        context,
        shares,
        {
            "SESSION": [one.session[:SHORT_ID] for one in shares],
            "ENDED": [moment(context, one.at_us) for one in shares],
            "OPERATOR": [one.operator for one in shares],
            "WHERE": [f"{one.account}@{one.target}" for one in shares],
            "RISK": [one.risk for one in shares],
            "POINTS": [one.points for one in shares],
            "COUNTS": [f"{one.counts:.1f}" for one in shares],
        },
        empty="",
    )


def _sessions(number: int) -> str:
    return "1 session" if number == 1 else f"{number} sessions"


command = with_common_options(score)
