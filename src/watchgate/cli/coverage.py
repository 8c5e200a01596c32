"""`watchgate coverage`: which logins to the targets came through the gateway, by the targets' own logs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from sqlalchemy import Connection

from watchgate.catalog import targets
from watchgate.cli import zones
from watchgate.cli.context import Context, verb
from watchgate.cli.moments import coming, past
from watchgate.cli.output import document, moment, said, table, visible, warn
from watchgate.errors import ConfigurationError
from watchgate.reports import csv
from watchgate.reports.coverage import daily, exceptions, importing
from watchgate.reports.coverage.authorities import fingerprints
from watchgate.reports.coverage.judging import Bench
from watchgate.reports.coverage.lines import Lines
from watchgate.reports.coverage.model import Judged, State

app = typer.Typer()
except_app = typer.Typer()
app.add_typer(
    except_app,
    name="except",
    help="Logins that may go round the gateway: consoles, monitoring.",
    no_args_is_help=True,
)

SHORT_ID = 13
WEEK = "7d"


class Wanted(StrEnum):
    """Which logins to list."""

    ALL = "all"
    GATEWAY = "gateway"
    BYPASSED = "bypassed"
    EXCEPTED = "excepted"
    UNKNOWN = "unknown"


Begin = Annotated[
    str, typer.Option("--from", metavar="WHEN", help="Not before: a date, or 7d (ago).")
]
Until = Annotated[str, typer.Option("--to", metavar="WHEN", help="Before: a date, or 1h (ago).")]
OnTarget = Annotated[str | None, typer.Option("--target", help="Only of this target.")]


@verb(app, "import")
def import_log(
    context: Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="A log with sshd's lines, also .gz; - is stdin.")
    ],
    target: Annotated[str | None, typer.Option(help="All of it is of this target.")] = None,
    by_host: Annotated[
        bool, typer.Option("--by-host", help="The host in each line says of which target it is.")
    ] = False,
    zone: Annotated[
        str | None, typer.Option(help="The time zone of stamps without one; else this machine's.")
    ] = None,
) -> None:
    """Read a target's own log of logins: syslog's files, RFC 5424, `journalctl -o json`."""
    if by_host == (target is not None):
        raise ConfigurationError(
            "say whose log it is: --target NAME or --by-host", code="cli.usage"
        )
    with context.gateway() as gateway, _opened(file, context) as log:
        with gateway.catalog.read() as connection:
            origin = _origin(connection, target, zones.named(zone), log.written_us)
        lines = Lines(log.file, file)
        done = importing.import_log(
            gateway.catalog, context.clock, context.actor, lines, origin, _authorities(context)
        )
    if context.json:
        document(_described(done, lines.problem))
    else:
        _tell(done)
    _warn(done, lines.problem, by_host=by_host)


@verb(app, "report")
def report(
    context: Context,
    target: OnTarget = None,
    begin: Begin = WEEK,
    until: Until = "now",
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Answer with comma-separated values.")
    ] = False,
) -> None:
    """Say by target and day how many logins came through the gateway, and where nothing is known."""
    zone = zones.shown(context)
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        rows = daily.coverage(
            connection,
            _bench(context, connection),
            _names(connection, target),
            *_span(context, begin, until),
            zone,
        )
    if as_csv:
        typer.echo(csv.text(_HEADINGS, [_fields(one) for one in rows]), nl=False)
        return
    table(
        context,
        [one.describe() for one in rows],
        {
            "TARGET": [one.target for one in rows],
            "DAY": [one.day or "" for one in rows],
            "GATEWAY": [one.gateway if one.data else "" for one in rows],
            "BYPASSED": [one.bypassed if one.data else "" for one in rows],
            "EXCEPTED": [one.excepted if one.data else "" for one in rows],
            "UNKNOWN": [one.unknown if one.data else "" for one in rows],
            "MISSING": [one.missing if one.data else "" for one in rows],
            "SHARE": [_share(one) for one in rows],
            "LOG": [_life(context, one) for one in rows],
        },
        empty="There is no target; add one: watchgate target add",
    )


@verb(app, "logins")
def logins(
    context: Context,
    target: OnTarget = None,
    begin: Begin = WEEK,
    until: Until = "now",
    state: Annotated[Wanted, typer.Option(help="Only these.")] = Wanted.BYPASSED,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The first so many.")] = 1000,
) -> None:
    """List the logins that the targets' logs tell of, with what is thought of each and why."""
    found: list[Judged] = []
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        bench, span = _bench(context, connection), _span(context, begin, until)
        for name in _names(connection, target):
            for one in daily.judged(connection, bench, name, *span):
                if state in (Wanted.ALL, one.state) and len(found) <= limit:
                    found.append(one)
    if len(found) > limit:
        warn(
            f"these are the first {limit}; say less with --target, --from and --to, or more with --limit"
        )
        found.pop()
    table(
        context,
        found,
        {
            "WHEN": [moment(context, one.login.at_us) for one in found],
            "WHERE": [f"{one.login.accepted.account}@{one.login.target}" for one in found],
            "FROM": [one.login.accepted.source for one in found],
            "METHOD": [one.login.accepted.method for one in found],
            "STATE": [one.state for one in found],
            "SESSION": [(one.session or "")[:SHORT_ID] for one in found],
            "WHY": [one.reason for one in found],
        },
        empty="No login is like that.",
    )


# --- exceptions ----------------------------------------------------------------------------------


@verb(except_app, "add")
def add_exception(
    context: Context,
    until: Annotated[str, typer.Option("--until", metavar="WHEN", help="Its end: a date, or 90d.")],
    reason: Annotated[str, typer.Option(help="Why; it stands in every report.")],
    target: Annotated[str | None, typer.Option(help="On this target; else on all.")] = None,
    account: Annotated[str | None, typer.Option(help="Logins as this account.")] = None,
    source: Annotated[
        str | None, typer.Option(metavar="NETWORK", help="Logins from there: 10.0.0.0/8.")
    ] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="WHEN", help="Its begin; else now.")
    ] = None,
) -> None:
    """Let some logins go round the gateway; they are counted by themselves."""
    end = coming(until, context.clock)
    assert end is not None
    with context.gateway() as gateway, gateway.change() as change:
        made = exceptions.add(
            change,
            target=target,
            account=account,
            source=source,
            from_us=past(begin, context.clock),
            until_us=end,
            reason=reason,
        )
    said(
        context, f"excepted until {moment(context, made.until_us)}: {_whom(made)} ({made.id})", made
    )


@verb(except_app, "list")
def list_exceptions(context: Context) -> None:
    """List exceptions, the oldest first; those that are over too."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        found = exceptions.list_all(connection)
    table(
        context,
        found,
        {
            "EXCEPTION": [one.id[:SHORT_ID] for one in found],
            "WHO": [_whom(one) for one in found],
            "FROM": [moment(context, one.from_us) for one in found],
            "UNTIL": [moment(context, one.until_us) for one in found],
            "BY": [one.created_by for one in found],
            "WHY": [one.reason for one in found],
        },
        empty="There is no exception.",
    )


@verb(except_app, "remove")
def remove_exception(
    context: Context,
    which: Annotated[
        str, typer.Argument(metavar="EXCEPTION", help="Its id, or a beginning that no other has.")
    ],
) -> None:
    """Take an exception away, also for the logins that it covered so far."""
    with context.gateway() as gateway, gateway.change() as change:
        gone = exceptions.remove(change, which)
    said(context, f"removed: {_whom(gone)} must come through the gateway again", gone)


def _whom(one: exceptions.CoverageException) -> str:
    where = f"{one.account or 'any account'} on {one.target or 'any target'}"
    return f"{where} from {one.source}" if one.source else where


# --- what is read --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Log:
    file: BinaryIO
    written_us: int


@contextmanager
def _opened(name: str, context: Context) -> Iterator[_Log]:
    if name == "-":
        yield _Log(sys.stdin.buffer, context.clock.wall_us())
        return
    path = Path(name)
    try:
        with path.open("rb", buffering=0) as file:
            written_us = path.stat().st_mtime_ns // 1000
            yield _Log(file, min(written_us, context.clock.wall_us()))
    except OSError as error:
        raise ConfigurationError(
            f"{name} cannot be read: {error.strerror}", code="coverage.unreadable"
        ) from error


def _origin(
    connection: Connection, target: str | None, zone: tzinfo, written_us: int
) -> importing.Origin:
    if target is None:
        return importing.Origin(zone, written_us, importing.by_host(connection), None)
    name = targets.get(connection, target).name
    return importing.Origin(zone, written_us, importing.one_target(name), name)


def _names(connection: Connection, target: str | None) -> list[str]:
    if target is not None:
        return [targets.get(connection, target).name]
    return [one.name for one in targets.list_all(connection) if one.protocol == "ssh"]


def _span(context: Context, begin: str, until: str) -> tuple[int, int]:
    from_us, until_us = past(begin, context.clock), past(until, context.clock)
    assert from_us is not None
    assert until_us is not None
    if from_us >= until_us:
        raise ConfigurationError(f"{begin} is not before {until}", code="cli.usage")
    return from_us, until_us


def _authorities(context: Context) -> frozenset[str]:
    key = context.paths.authority_key
    return fingerprints(key.with_name(f"{key.name}.pub"))


def _bench(context: Context, connection: Connection) -> Bench:
    return Bench.of(connection, context.clock.wall_us(), _authorities(context))


# --- what is said --------------------------------------------------------------------------------


def _tell(done: importing.Imported) -> None:
    tally = done.tally
    typer.echo(f"{tally.lines} lines, {tally.logins} logins, {done.new} of them new")
    for state, reasons in importing.reasons(done).items():
        typer.echo(f"{done.states[state]:>8} {_STATES[state]}")
        for reason, count in reasons.items():
            typer.echo(f"{count:>16} {visible(reason)}")
    if done.told:
        typer.echo(f"{done.told} bypasses are new in the journal")


def _described(done: importing.Imported, problem: str) -> dict[str, object]:
    tally = done.tally
    return {
        "lines": tally.lines,
        "unreadable": tally.unreadable,
        "overlong": tally.overlong,
        "of_others": tally.of_others,
        "logins": tally.logins,
        "unreadable_logins": tally.unreadable_logins,
        "new": done.new,
        "bypasses_told": done.told,
        "states": {state: done.states[state] for state in State},
        "reasons": importing.reasons(done),
        "unknown_hosts": tally.unknown_hosts,
        "problem": problem or None,
    }


def _warn(done: importing.Imported, problem: str, *, by_host: bool) -> None:
    tally = done.tally
    if problem:
        warn(problem)
    if tally.unreadable_logins:
        warn(
            f"{tally.unreadable_logins} logins are in words that were not understood: look at them"
        )
    if tally.unreadable or tally.overlong:
        warn(f"{tally.unreadable} lines have no form that is known, {tally.overlong} are too long")
    if tally.lines and tally.lines == tally.unreadable:
        warn("nothing was read; of systemd's journal take `journalctl -o json`")
    if tally.unknown_hosts:
        named = ", ".join(f"{host} ({n})" for host, n in list(tally.unknown_hosts.items())[:10])
        warn(f"logins on hosts that no target has, or that several have: {named}")
    if not by_host and len(tally.hosts) > 1:
        warn(f"the log is of {len(tally.hosts)} hosts; with --by-host each would be its own target")


_STATES = {
    State.GATEWAY: "through the gateway",
    State.BYPASSED: "bypassed it",
    State.EXCEPTED: "excepted",
    State.UNKNOWN: "unknown",
}

_HEADINGS = tuple(daily.Coverage("", None).describe())


def _fields(one: daily.Coverage) -> Sequence[object]:
    return list(one.describe().values())


def _share(one: daily.Coverage) -> str:
    return "" if one.share is None else f"{100 * one.share:.1f} %"


def _life(context: Context, one: daily.Coverage) -> str:
    """Whether what is said of that day is to be believed."""
    if one.blind_since_us is not None:
        return f"blind since {moment(context, one.blind_since_us)}"
    if not one.data:
        return "no data"
    return "ok" if not one.missing else f"{one.missing} sessions are not in it"
