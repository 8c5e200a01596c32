"""`watchgate session`: what happened, and ending what happens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from watchgate.api.control import request
from watchgate.catalog import queries
from watchgate.cli import replay, verification
from watchgate.cli.context import Context, verb
from watchgate.cli.indexed import with_indexed
from watchgate.cli.moments import past
from watchgate.cli.output import document, duration, facts, moment, on_one_line, said, size, table

app = typer.Typer()

Name = Annotated[
    str, typer.Argument(metavar="SESSION", help="Its id, or a beginning that no other has.")
]

SHORT_ID = 13
"""The octets of a UUIDv7 that hold its milliseconds: enough to tell sessions apart."""


@verb(app, "list")
def list_sessions(
    context: Context,
    operator: Annotated[str | None, typer.Option(help="Only of this operator.")] = None,
    target: Annotated[str | None, typer.Option(help="Only on this target.")] = None,
    account: Annotated[str | None, typer.Option(help="Only as this account.")] = None,
    state: Annotated[str | None, typer.Option(help="Only live, closed or recovered.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Began after: a date, or 8h (ago).")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Began before: a date, or 1h (ago).")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many.")] = 50,
) -> None:
    """List sessions, the newest first."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        found = queries.sessions(
            connection,
            operator=operator,
            target=target,
            account=account,
            state=state,
            since_us=past(since, context.clock),
            until_us=past(until, context.clock),
            limit=limit,
        )
    table(
        context,
        found,
        {
            "SESSION": [one.id[:SHORT_ID] for one in found],
            "STARTED": [moment(context, one.started_at_us) for one in found],
            "OPERATOR": [one.operator for one in found],
            "WHERE": [f"{one.account}@{one.target}" for one in found],
            "LASTED": [_lasted(one) for one in found],
            "STATE": [one.state for one in found],
            "RISK": [one.risk for one in found],
        },
        empty="No session matches.",
    )


@verb(app, "show")
def show(context: Context, name: Name) -> None:
    """Show one session: who, where, why it ended, its commands and files."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        found = queries.find_session(connection, name)
        commands = queries.commands(connection, found.id)
        files = queries.files(connection, found.id)
        forwards = queries.forwards(connection, found.id)
    commands, missing = with_indexed(context, found, commands)
    if context.json:
        everything = {"commands": commands, "files": files, "forwards": forwards}
        document({"session": found, **everything, "commands_missing": missing})
        return
    facts(context, found, _facts(context, found))
    if commands:
        typer.echo("\ncommands")
    elif missing:
        typer.echo(f"\nno commands: {missing}")
    for number, command in enumerate(commands, 1):
        typer.echo(
            f"  {number:>3}  {_offset(command.offset_us)}  {_exit(command):<7} "
            f"{on_one_line(command.text)}"
        )
        for line in _judged(command):
            typer.echo(f"{'':>22}{line}")
    if any(command.confidence != "exact" for command in commands):
        typer.echo(
            "       ~ was read off the screen; the others are what the client asked for or the shell told"
        )
    if commands and missing:
        typer.echo(f"       there may be more: {missing}")
    if files:
        typer.echo("\nfiles")
    for file in files:
        to = f" -> {on_one_line(file.destination)}" if file.destination else ""
        cut = "" if file.complete else "  INCOMPLETE"
        typer.echo(
            f"  {_offset(file.offset_us)}  {file.protocol} {file.operation:<8} "
            f"{on_one_line(file.path)}{to}  {size(file.size)}{cut}"
        )
        if file.digest:
            typer.echo(f"{'':>14}SHA-256 {file.digest}")
    if forwards:
        typer.echo("\nforwarded connections")
    for forward in forwards:
        how = (
            f"refused: {on_one_line(forward.refused)}" if forward.refused else forward.carries or ""
        )
        typer.echo(
            f"  {_offset(forward.offset_us)}  {forward.direction} "
            f"{on_one_line(forward.destination)}  {how}"
        )


@verb(app, "terminate")
def terminate(
    context: Context,
    name: Name,
    reason: Annotated[
        str, typer.Option(help="Why; the operator sees it, and it is recorded.")
    ] = "ended by an administrator",
) -> None:
    """End a session that is open, at once."""
    question = {"do": "terminate", "session": name, "by": context.actor, "reason": reason}
    answer = request(context.paths.control_socket, question)
    said(context, f"session {answer['session']} is ended", answer)


verb(app, "play")(replay.play)
verb(app, "export")(replay.export)
verb(app, "verify")(verification.verify)


# --- words ---------------------------------------------------------------------------------------


def _facts(context: Context, row: queries.SessionRow) -> dict[str, object]:
    ended = "" if row.ended_at_us is None else f", ended {moment(context, row.ended_at_us)}"
    why = " ".join(filter(None, (row.reason, row.detail and f"({row.detail})")))
    by = f", by {row.ended_by}" if row.ended_by else ""
    return {
        "session": row.id,
        "recording": row.recording,
        "state": row.state,
        "operator": f"{row.operator} from {row.client}",
        "where": f"{row.account}@{row.target} ({row.target_address or 'not reached'})",
        "time": f"{moment(context, row.started_at_us)}{ended}, {_lasted(row)}",
        "ended because": f"{why}{by}",
        "grant": row.grant,
        "key id there": row.key_id,
        "moved": f"{size(row.input_octets)} in, {size(row.output_octets)} out",
        "risk": None if row.risk is None else f"{row.risk} of 100, {row.points} points",
    }


def _lasted(row: queries.SessionRow) -> str:
    return duration((row.ended_at_us or row.last_at_us) - row.started_at_us)


def _offset(microseconds: int) -> str:
    """A place in the recording as `play --at` takes it."""
    minutes, seconds = divmod(microseconds // 1_000_000, 60)
    return f"{minutes:>4}:{seconds:02}"


def _judged(command: queries.CommandRow) -> Iterator[str]:
    """What the rules said of a command: nothing when none of them met it and it ran."""
    severity = f", {command.severity} severity" if command.severity else ""
    rules = ", ".join(map(on_one_line, command.rules))
    if command.verdict not in (None, "allow") or rules:
        said = _OUTCOMES.get(command.verdict or "allow", "decided")
        yield f"{said}{f' by {rules}' if rules else ''}{severity}"
    if command.approval:
        yield f"under approval {on_one_line(command.approval)}"
    if command.shadows:
        yield f"shadow rules: {', '.join(map(on_one_line, command.shadows))}"


_OUTCOMES = {
    "allow": "allowed",
    "approve": "waited for an approval",
    "block": "blocked",
    "force": "blocked: not on the list",
    "interrupt": "blocked: interrupting rule",
}


def _exit(command: queries.CommandRow) -> str:
    if command.verdict in ("block", "interrupt", "force"):
        return "BLOCKED"
    if command.confidence != "exact":
        return "~"
    if command.exit_signal:
        return command.exit_signal
    return "-" if command.exit_status is None else f"exit {command.exit_status}"
