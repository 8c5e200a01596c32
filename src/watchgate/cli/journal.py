"""`watchgate journal`: what happened outside of sessions, in a chain that shows what was altered."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from watchgate.catalog import journal
from watchgate.cli.context import Context, verb
from watchgate.cli.moments import past
from watchgate.cli.output import document, moment, said, table
from watchgate.errors import WatchgateError

app = typer.Typer()


@verb(app, "list")
def list_entries(
    context: Context,
    kind: Annotated[
        str | None, typer.Option(help="Only this kind: operator.refused, or 'operator.*'.")
    ] = None,
    session: Annotated[
        str | None, typer.Option(help="Only of this session (its whole id).")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Not before: a date, or 8h (ago).")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Before: a date, or 1h.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many.")] = 50,
) -> None:
    """List entries of the journal, the newest first."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        found = journal.entries(
            connection,
            kind=kind,
            session=session,
            since_us=past(since, context.clock),
            until_us=past(until, context.clock),
            limit=limit,
        )
    if context.json:
        document(
            [
                {
                    "seq": one.seq,
                    "at_us": one.at_us,
                    "kind": one.kind,
                    "session": one.session or None,
                    "data": one.event.data(),
                    "hash": one.hash,
                }
                for one in found
            ]
        )
        return
    table(
        context,
        found,
        {
            "NUMBER": [one.seq for one in found],
            "WHEN": [moment(context, one.at_us) for one in found],
            "WHAT": [one.kind for one in found],
            "DETAIL": [_detail(one) for one in found],
        },
        empty="Nothing in the journal matches.",
    )


@verb(app, "verify")
def verify(context: Context) -> None:
    """Walk the whole chain and say whether an entry was altered or removed."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        found = journal.verify(connection)
        last, digest = journal.head(connection)
    if not found.intact:
        if context.json:
            document({"state": "altered", "chain": found})
        raise WatchgateError(
            f"the journal is not as it was written: {found.detail}; keep the catalog as it is and "
            "compare it with your last backup",
            code="journal.altered",
        )
    said(
        context,
        f"intact: {found.entries} entries; entry {last} has the hash {digest} "
        "(kept elsewhere, it proves later that nothing before it changed)",
        {"state": "intact", "entries": found.entries, "head": {"seq": last, "hash": digest}},
    )


def _detail(entry: journal.Entry) -> str:
    data = {key: value for key, value in entry.event.data().items() if value not in (None, "", {})}
    return " ".join(
        f"{key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in data.items()
    )
