"""`watchgate approval`: commands that wait for somebody else's word."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from watchgate.api.control import request
from watchgate.catalog import approvals
from watchgate.catalog.approvals import ApprovalRecord, State
from watchgate.cli import secrets
from watchgate.cli.context import Context, verb
from watchgate.cli.moments import coming
from watchgate.cli.output import duration, facts, moment, on_one_line, said, table
from watchgate.errors import ConfigurationError
from watchgate.identity import operators
from watchgate.identity.combinations import Combinations, Method

app = typer.Typer()

SHORT_ID = 13

Name = Annotated[
    str, typer.Argument(metavar="ID", help="Its id, or a beginning that no other has.")
]
Approver = Annotated[
    str, typer.Option("--as", metavar="OPERATOR", help="Who answers; he proves that it is he.")
]
Reason = Annotated[str, typer.Option(help="Why; it is recorded, and the operator sees it.")]
PasswordFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Read the approver's password from a file.")
]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read it from standard input.")
]
CodeFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Read the one-time code, where one is asked for, from a file."
    ),
]


@verb(app, "list")
def list_approvals(
    context: Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that are answered or over.")
    ] = False,
    operator: Annotated[str | None, typer.Option(help="Only what this operator asked.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest so many.")] = 50,
) -> None:
    """List what waits for an answer, then the approvals that stand; the newest first."""
    now_us = context.clock.wall_us()
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        wanted = None if operator is None else operators.get(connection, operator).name
        states = () if everything else (State.WAITING,)
        found = approvals.list_all(connection, states=states, operator=wanted, limit=limit)
        if not everything:
            found += approvals.standing(connection, now_us, operator=wanted, limit=limit)
    table(
        context,
        found,
        {
            "APPROVAL": [one.id[:SHORT_ID] for one in found],
            "ASKED": [moment(context, one.asked_at_us) for one in found],
            "OPERATOR": [one.operator for one in found],
            "WHERE": [f"{one.account}@{one.target}" for one in found],
            "STATE": [_state(context, one) for one in found],
            "COMMAND": [one.command for one in found],
        },
        empty="No command waits for an approval, and no approval stands.",
    )


@verb(app, "show")
def show(context: Context, name: Name) -> None:
    """Show one request: the exact command, who asked, which rules, and what became of it."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        found = approvals.find(connection, name)
    facts(context, found, _facts(context, found))


@verb(app, "approve")
def approve(
    context: Context,
    name: Name,
    approver: Approver,
    reason: Reason,
    lasts: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help="May be repeated for so long: 2h; else once."),
    ] = None,
    password_file: PasswordFile = None,
    password_stdin: PasswordStdin = False,
    code_file: CodeFile = None,
) -> None:
    """Let a command run that waits: this exact one, of this operator, as this account there."""
    until_us = coming(lasts, context.clock)
    found = _found(context, name)
    answer = request(
        context.paths.control_socket,
        {
            "do": "approve",
            "approval": found.id,
            "as": approver,
            "reason": reason,
            "for_us": None if until_us is None else until_us - context.clock.wall_us(),
            **_proof(context, found, approver, password_file, password_stdin, code_file),
        },
    )
    until = answer["until_us"] if until_us is not None else None
    how = "once" if until is None else f"until {moment(context, until)}"
    said(context, f"approved, {how}: {found.operator} may run {found.command}", answer)


@verb(app, "refuse")
def refuse(
    context: Context,
    name: Name,
    approver: Approver,
    reason: Reason,
    password_file: PasswordFile = None,
    password_stdin: PasswordStdin = False,
    code_file: CodeFile = None,
) -> None:
    """Refuse a command that waits; the operator is told why."""
    found = _found(context, name)
    answer = request(
        context.paths.control_socket,
        {
            "do": "refuse",
            "approval": found.id,
            "as": approver,
            "reason": reason,
            **_proof(context, found, approver, password_file, password_stdin, code_file),
        },
    )
    said(context, f"refused: {found.operator} may not run {found.command}", answer)


@verb(app, "revoke")
def revoke(context: Context, name: Name, reason: Reason) -> None:
    """Take back an approval that stands; it needs no approver, only who administers the gateway."""
    question = {"do": "revoke", "approval": name, "by": context.actor, "reason": reason}
    answer = request(context.paths.control_socket, question)
    said(
        context,
        f"revoked: {answer['operator']} may no longer run {answer['command']}",
        answer,
    )


# --- who answers ---------------------------------------------------------------------------------


def _found(context: Context, name: str) -> ApprovalRecord:
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        return approvals.find(connection, name)


def _proof(
    context: Context,
    found: ApprovalRecord,
    approver: str,
    password_file: Path | None,
    password_stdin: bool,
    code_file: Path | None,
) -> dict[str, str]:
    """The approver's password, and his code where his login has one; he sees first what he decides."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        way = _way(connection, approver, context.settings.authentication.combinations)
    if not (context.json or password_stdin or password_file):
        where = f"{found.account}@{found.target}"
        typer.echo(f"{found.operator} on {where}: {on_one_line(found.command)}", err=True)
    password = secrets.chosen(f"password of {approver}", password_file, password_stdin, twice=False)
    proof = {"password": password.reveal().decode("utf-8", "surrogateescape")}
    if Method.TOTP in way:
        code = secrets.chosen(f"one-time code of {approver}", code_file, False, twice=False)
        proof["code"] = code.reveal().decode("utf-8", "replace").strip()
    return proof


def _way(connection: Connection, approver: str, default: tuple[str, ...]) -> tuple[Method, ...]:
    """The login of the approver that needs no key, which cannot be proven here."""
    own = operators.get(connection, approver).combinations
    for way in Combinations.parse(own or default).ways:
        if Method.PUBLICKEY not in way and way[0] is Method.PASSWORD:
            return way
    raise ConfigurationError(
        f"{approver} logs in with a key only, which cannot be proven here; "
        f"he answers over SSH: ssh -p PORT {approver}@GATEWAY approvals",
        code="approval.key-only",
    )


# --- words ---------------------------------------------------------------------------------------


def _state(context: Context, one: ApprovalRecord) -> str:
    now_us = context.clock.wall_us()
    if one.state is State.WAITING:
        left = one.expires_at_us - now_us
        return f"waiting, {duration(left)} left" if left > 0 else "waiting, overdue"
    if one.state is not State.APPROVED:
        return str(one.state)
    if one.uses_left == 0:
        return "approved once, used"
    if not one.stands(now_us):
        return "approved, over"
    return "approved once" if one.once else f"approved until {moment(context, one.until_us)}"


def _facts(context: Context, one: ApprovalRecord) -> dict[str, object]:
    answered = None
    if one.answered_at_us is not None:
        answered = f"{moment(context, one.answered_at_us)} by {one.answered_by}"
    lines: dict[str, object] = {
        "approval": one.id,
        "state": _state(context, one),
        "operator": one.operator,
        "where": f"{one.account}@{one.target}",
        "session": one.session,
        "asked": moment(context, one.asked_at_us),
        "rules": one.rules,
        "command": one.command,
    }
    many = len(one.normalized) > 1
    for number, text in enumerate(one.normalized, 1):
        lines[f"which is {number}" if many else "which is"] = text
    return lines | {"answered": answered, "reason": one.reason}
