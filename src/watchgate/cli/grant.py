"""`watchgate grant`: who may reach which account on which target, when and from where."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from watchgate.cli.context import Context, verb
from watchgate.cli.moments import coming
from watchgate.cli.output import moment, said, table
from watchgate.errors import ConfigurationError
from watchgate.identity import grants
from watchgate.identity.hours import Hours
from watchgate.session.model import DEFAULT_CAPABILITIES, Capability, ShellKind

app = typer.Typer()

SHORT_ID = 13
"""The octets of a UUIDv7 that hold its milliseconds: enough to tell grants apart."""

CAPABILITIES = ", ".join(Capability)
SHELLS = " or ".join(ShellKind)


@verb(app, "add")
def add(
    context: Context,
    where: Annotated[
        str,
        typer.Argument(
            metavar="ACCOUNT@TARGET",
            help="root@web1, root@env=prod (all targets with that label), '*@*' (everything).",
        ),
    ],
    operator: Annotated[str | None, typer.Option("--operator", help="To this operator.")] = None,
    group: Annotated[str | None, typer.Option("--group", help="To this group.")] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(help=f"Only this ({CAPABILITIES}); may be repeated."),
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(help="This beyond shell, exec, upload and download; may be repeated."),
    ] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="WHEN", help="Not before: a date, or 8h.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="WHEN", help="Not after: a date, or 8h.")
    ] = None,
    days: Annotated[str | None, typer.Option(help="Weekdays: Mon-Fri, or Sat,Sun.")] = None,
    hours: Annotated[str | None, typer.Option(help="Hours of the day: 08:00-18:00.")] = None,
    zone: Annotated[
        str | None, typer.Option(help="The time zone of days and hours; else this machine's.")
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option("--network", metavar="NET", help="Only from this; may be repeated."),
    ] = None,
    max_sessions: Annotated[
        int, typer.Option(help="At most so many sessions at one time; 0 is no limit.")
    ] = 0,
    shell: Annotated[
        str,
        typer.Option(
            help=f"Whose line editor the operator types into: {SHELLS}. With the gateway's, each command "
            "must be permitted, and no shell on the target sees free text."
        ),
    ] = ShellKind.TARGET,
    elevate: Annotated[
        str | None,
        typer.Option(
            metavar="ACCOUNT",
            help="Answer the password prompt of sudo, su, doas and enable from the vault: with the "
            "password of this account of the same target, or of the session's own: same.",
        ),
    ] = None,
    comment: Annotated[str, typer.Option(help="Why; for those who review grants.")] = "",
) -> None:
    """Grant an operator or a group an account on a target."""
    account, at, target = where.partition("@")
    if not at or not account or not target:
        raise ConfigurationError(
            f"{where!r}: write ACCOUNT@TARGET, as root@web1, root@env=prod, '*@*'", code="cli.usage"
        )
    terms = grants.Terms(
        capabilities=_capabilities(allow, also),
        from_us=coming(begin, context.clock),
        until_us=coming(until, context.clock),
        hours=_hours(days, hours, zone),
        networks=grants.parse_networks(network or ()),
        max_sessions=max_sessions,
        comment=comment,
        shell=grants.parse_shell(shell),
        elevation=None if elevate is None else grants.parse_elevation(elevate),
    )
    with context.gateway() as gateway, gateway.change() as change:
        added = grants.add(
            change, account=account, on=target, to_operator=operator, to_group=group, terms=terms
        )
    said(context, f"granted: {added.subject} may reach {account}@{added.where} ({added.id})", added)


@verb(app, "list")
def list_grants(
    context: Context,
    operator: Annotated[
        str | None, typer.Option("--operator", help="Only his, with those of his groups.")
    ] = None,
    group: Annotated[str | None, typer.Option("--group", help="Only this group's.")] = None,
    target: Annotated[
        str | None, typer.Option("--target", help="Only those that reach this target.")
    ] = None,
    revoked: Annotated[bool, typer.Option("--revoked", help="Also those revoked.")] = False,
) -> None:
    """List grants, the oldest first."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        found = grants.list_all(
            connection, of_operator=operator, of_group=group, on_target=target, revoked=revoked
        )
    table(
        context,
        found,
        {
            "GRANT": [one.id[:SHORT_ID] for one in found],
            "TO": [one.subject for one in found],
            "FOR": [f"{one.account}@{one.where}" for one in found],
            "TERMS": [_terms(context, one) for one in found],
        },
        empty="There is no grant; add one: watchgate grant add ACCOUNT@TARGET --operator NAME",
    )


@verb(app, "revoke")
def revoke(
    context: Context,
    which: Annotated[
        str, typer.Argument(metavar="GRANT", help="Its id, or a beginning that no other has.")
    ],
) -> None:
    """End a grant for good; sessions that it opened go on."""
    with context.gateway() as gateway, gateway.change() as change:
        gone = grants.revoke(change, which)
    said(
        context,
        f"revoked: {gone.subject} may no longer reach {gone.account}@{gone.where}; "
        "open sessions go on, end them with watchgate session terminate",
        gone,
    )


# --- words ---------------------------------------------------------------------------------------


def _capabilities(only: list[str] | None, also: list[str] | None) -> frozenset[Capability]:
    if only and also:
        raise ConfigurationError("--allow says all, --also says more; choose one", code="cli.usage")
    if only:
        return grants.parse_capabilities(only)
    return DEFAULT_CAPABILITIES | grants.parse_capabilities(also or ())


def _hours(days: str | None, hours: str | None, zone: str | None) -> Hours | None:
    if days is None and hours is None:
        if zone is not None:
            raise ConfigurationError("--zone goes with --days or --hours", code="cli.usage")
        return None
    return Hours.parse(days, hours, zone or local_zone())


def local_zone() -> str:
    """The name of this machine's time zone; UTC where it has none."""
    if named := os.environ.get("TZ", "").lstrip(":"):
        return named
    try:
        where = str(Path("/etc/localtime").resolve(strict=True))
    except OSError:
        return "UTC"
    _, found, name = where.partition("/zoneinfo/")
    return name if found else "UTC"


def _terms(context: Context, grant: grants.GrantRecord) -> str:
    """The terms that are not the usual ones."""
    parts = []
    if grant.revoked_at_us is not None:
        parts.append(f"REVOKED {moment(context, grant.revoked_at_us)}")
    if grant.capabilities != DEFAULT_CAPABILITIES:
        parts.append("may " + ", ".join(sorted(grant.capabilities)))
    if grant.from_us is not None:
        parts.append(f"from {moment(context, grant.from_us)}")
    if grant.until_us is not None:
        parts.append(f"until {moment(context, grant.until_us)}")
    if grant.hours is not None:
        parts.append(grant.hours.describe())
    if grant.networks:
        parts.append("from " + ", ".join(map(str, grant.networks)))
    if grant.max_sessions:
        parts.append(f"{grant.max_sessions} at once")
    if grant.shell is not ShellKind.TARGET:
        parts.append(f"types into the {grant.shell}'s shell")
    if grant.elevation is not None:
        parts.append(f"elevates as {grants.describe_elevation(grant.elevation)}")
    if grant.comment:
        parts.append(grant.comment)
    return "; ".join(parts)
