"""`watchgate search`: find sessions by what was done in them.

Whoever searches sees what others did, so each search is an entry of the journal, written before the first
hit is shown; when it cannot be written, nothing is shown.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from typing import Annotated, Any

import typer

from watchgate.catalog import journal, queries
from watchgate.catalog.search.index import SqliteIndex
from watchgate.catalog.search.model import Answer, Hit, Kind, Mode, Query
from watchgate.cli.context import Context, Gateway, with_common_options
from watchgate.cli.moments import past
from watchgate.cli.output import document, moment, on_one_line, table, warn
from watchgate.clock import iso
from watchgate.errors import ConfigurationError
from watchgate.session.events import IndexSearched
from watchgate.terminal.timeline import moment as position

SHORT_ID = 13
BEFORE_US = 5_000_000
"""A replay begins so long before the hit."""

_BEFORE_MATCH = 60
_LONGEST_LINE = 240
_CANDIDATES_A_SECOND = 10_000
_SESSIONS_LOOKED_AT = 1_000

Text = Annotated[
    str, typer.Argument(metavar="TEXT", help="What to look for: three characters or more.")
]


def search(
    context: Context,
    text: Text,
    regex: Annotated[bool, typer.Option("--regex", help="TEXT is a regular expression.")] = False,
    prefix: Annotated[
        bool, typer.Option("--prefix", help="TEXT is how a command or a screen line begins.")
    ] = False,
    commands: Annotated[bool, typer.Option("--commands", help="Only in commands.")] = False,
    screens: Annotated[bool, typer.Option("--screens", help="Only on screens.")] = False,
    operator: Annotated[str | None, typer.Option(help="Only of this operator.")] = None,
    target: Annotated[str | None, typer.Option(help="Only on this target.")] = None,
    account: Annotated[str | None, typer.Option(help="Only as this account.")] = None,
    protocol: Annotated[str | None, typer.Option(help="Only over this protocol: ssh.")] = None,
    session: Annotated[
        str | None, typer.Option(help="Only in this session: its id, a beginning of it, or last.")
    ] = None,
    verdict: Annotated[
        str | None, typer.Option(help="Only commands that the rules allow, block, interrupt.")
    ] = None,
    severity: Annotated[
        str | None,
        typer.Option(
            "--risk",
            "--severity",
            metavar="RISK",
            help="Only commands of this risk: low, medium, high.",
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Not before: a date, or 8h (ago).")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Before: a date, or 1h (ago).")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The newest so many.")] = 50,
    case: Annotated[
        bool | None,
        typer.Option(
            "--case/--any-case",
            help="Whether capitals count; else they do when TEXT has one.",
            show_default=False,
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=0.1, max=600, help="Look no longer than this.")
    ] = 2.0,
) -> None:
    """Find sessions by what was done in them, the newest first. Each search is journaled."""
    with context.gateway() as gateway:
        query = Query(
            text=text,
            mode=_mode(regex, prefix),
            kinds=_kinds(commands, screens),
            any_case=None if case is None else not case,
            operator=operator,
            target=target,
            account=account,
            protocol=protocol,
            session=session and _session(gateway, session),
            verdict=verdict,
            severity=severity,
            since_us=past(since, context.clock),
            until_us=past(until, context.clock),
            limit=limit,
            seconds=seconds,
            candidates=round(seconds * _CANDIDATES_A_SECOND),
        )
        with closing(SqliteIndex(context.settings.index.directory, context.clock)) as index:
            answer = index.search(query)
            left = None if answer.hits else _left(context, gateway, index, query)
        with gateway.catalog.write() as connection:
            journal.append(connection, context.clock, _event(context.actor, query, answer))
    _show(context, answer, left)


def _mode(regex: bool, prefix: bool) -> Mode:
    if regex and prefix:
        raise ConfigurationError(
            "--regex and --prefix do not go together; a regular expression begins with ^ instead",
            code="cli.usage",
        )
    return Mode.REGEX if regex else Mode.PREFIX if prefix else Mode.LITERAL


def _kinds(commands: bool, screens: bool) -> frozenset[Kind]:
    chosen = {Kind.COMMAND: commands, Kind.SCREEN: screens}
    return frozenset(kind for kind, wanted in chosen.items() if wanted) or frozenset(Kind)


def _session(gateway: Gateway, name: str) -> str:
    with gateway.catalog.read() as connection:
        return queries.find_session(connection, name).id


def _event(actor: str, query: Query, answer: Answer) -> IndexSearched:
    filters: dict[str, Any] = {}
    for field in fields(query):
        value = getattr(query, field.name)
        if field.name not in ("text", "mode", "seconds", "candidates") and value is not None:
            filters[field.name] = sorted(value) if isinstance(value, frozenset) else value
    return IndexSearched(
        actor=actor,
        text=query.text,
        mode=query.mode,
        filters=filters,
        hits=len(answer.hits),
        partial=bool(answer.partial or answer.problems),
    )


# --- what is not in the index -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Left:
    """Sessions that the filters fit and that could not, or not wholly, be searched."""

    enabled: bool
    """Whether this gateway has an index."""
    sessions: int
    off: int
    """Their targets want nothing indexed."""
    commands_only: int
    """Their targets want no screens indexed."""
    behind: int
    """Not read to their end: they go on, or wait for a key."""


def _left(context: Context, gateway: Gateway, index: SqliteIndex, query: Query) -> Left:
    """Why there may be nothing to find."""
    with gateway.catalog.read() as connection:
        found = queries.sessions(
            connection,
            operator=query.operator,
            target=query.target,
            account=query.account,
            since_us=query.since_us,
            until_us=query.until_us,
            limit=_SESSIONS_LOOKED_AT,
        )
    chosen = [one for one in found if query.session in (None, one.id)]
    states: Counter[str] = Counter()
    for one in chosen:
        progress = index.progress(one.recording)
        states[progress.policy if progress else ""] += 1
        states["behind"] += progress is None or (progress.policy != "off" and not progress.complete)
    only = states["commands"] if Kind.SCREEN in query.kinds else 0
    enabled = context.settings.index.enabled
    return Left(enabled, len(chosen), states["off"], only, states["behind"])


def _why_nothing(left: Left) -> Iterator[str]:
    if not left.enabled:
        yield "Sessions are not indexed: index.enabled is false."
    elif not left.sessions:
        yield "No session fits the filters; `watchgate session list` shows which there are."
    if left.off:
        yield (
            f"{_sessions(left.off)} not indexed, because the target wants it so "
            "(`watchgate target set TARGET index=commands`, for sessions from then on)."
        )
    if left.enabled and left.behind:
        yield (
            f"{_sessions(left.behind)} not indexed to the end, going on or waiting for a key; "
            "`watchgate doctor` says more."
        )
    if left.commands_only:
        yield (
            f"{_sessions(left.commands_only)} indexed without what screens showed "
            "(`watchgate target set TARGET index=screen`, for sessions from then on)."
        )


def _sessions(count: int) -> str:
    return "1 session is" if count == 1 else f"{count} sessions are"


# --- showing ---------------------------------------------------------------------------------------


def _show(context: Context, answer: Answer, left: Left | None) -> None:
    if context.json:
        document(_described(answer, left))
        return
    if answer.hits:
        _table(context, answer.hits)
        typer.echo(f"\n{_replay(answer.hits[0])}")
    else:
        typer.echo("Nothing matches.")
    for sentence in _why_nothing(left) if left else ():
        typer.echo(sentence)
    for problem in answer.problems:
        warn(problem)
    if answer.partial:
        warn(f"there may be more: {answer.partial}{_advice(answer)}")


def _advice(answer: Answer) -> str:
    if answer.partial.startswith("only"):
        return " (--limit)"
    return "; narrow it (--operator, --target, --since), or give it more time (--seconds)"


def _described(answer: Answer, left: Left | None) -> dict[str, object]:
    return {
        "hits": [
            {
                "session": hit.about.session,
                "recording": hit.about.recording,
                "operator": hit.about.operator,
                "account": hit.about.account,
                "target": hit.about.target,
                "protocol": hit.about.protocol,
                "kind": hit.document.kind,
                "at_us": hit.document.at_us,
                "at": iso(hit.document.at_us),
                "offset_us": hit.document.offset_us,
                "play_at": _position(hit),
                "channel": hit.document.channel,
                "line": hit.line,
                "text": hit.text,
                "spans": hit.spans,
                "source": hit.document.source,
                "confidence": hit.document.confidence,
                "verdict": hit.document.verdict,
                "severity": hit.document.severity,
            }
            for hit in answer.hits
        ],
        "partial": answer.partial,
        "problems": answer.problems,
        "candidates": answer.candidates,
        "elapsed_us": answer.elapsed_us,
        "not_indexed": left,
    }


def _table(context: Context, hits: Sequence[Hit]) -> None:
    columns = {
        "WHEN": [moment(context, hit.document.at_us) for hit in hits],
        "OPERATOR": [hit.about.operator for hit in hits],
        "WHERE": [f"{hit.about.account}@{hit.about.target}" for hit in hits],
        "SESSION": [hit.about.session[:SHORT_ID] for hit in hits],
        "AT": [position(hit.document.offset_us) for hit in hits],
    }
    if sys.stdout.isatty():
        _print_highlighted(columns, hits)
        return
    lines = ["".join(piece for piece, _ in pieces(hit)) for hit in hits]
    table(context, hits, {**columns, "LINE": lines}, empty="")


def _print_highlighted(columns: dict[str, list[str]], hits: Sequence[Hit]) -> None:
    """The table for a terminal, with what matched in bold."""
    import rich.box
    import rich.console
    import rich.table
    import rich.text

    shown = rich.table.Table(box=rich.box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in columns:
        shown.add_column(heading, no_wrap=heading == "AT", overflow="fold")
    shown.add_column("LINE", overflow="fold", ratio=1)
    for row, hit in zip(zip(*columns.values(), strict=True), hits, strict=True):
        line = rich.text.Text()
        for piece, matched in pieces(hit):
            line.append(piece, style="bold reverse" if matched else "")
        shown.add_row(*(rich.text.Text(on_one_line(cell)) for cell in row), line)
    rich.console.Console(file=sys.stdout, highlight=False, emoji=False).print(shown)


def pieces(hit: Hit) -> Iterator[tuple[str, bool]]:
    """The line of a hit in pieces, each with whether it matched; nothing in it that a terminal obeys.

    Of a long line only what is around the first match.
    """
    first = hit.spans[0][0] if hit.spans else 0
    start = max(0, first - _BEFORE_MATCH)
    stop = min(len(hit.text), start + _LONGEST_LINE)
    at = start
    if start:
        yield "…", False
    for begin, end in hit.spans:
        if begin >= stop:
            break
        yield on_one_line(hit.text[at:begin]), False
        yield on_one_line(hit.text[begin : min(end, stop)]), True
        at = min(end, stop)
    yield on_one_line(hit.text[at:stop]), False
    if stop < len(hit.text):
        yield "…", False


def _replay(hit: Hit) -> str:
    """The command that plays the session from a little before the hit."""
    channel = f" --channel {hit.document.channel}" if hit.document.channel else ""
    return f"watchgate session play {hit.about.session} --at {_position(hit)}{channel}"


def _position(hit: Hit) -> str:
    return position(max(0, hit.document.offset_us - BEFORE_US))


command = with_common_options(search)
