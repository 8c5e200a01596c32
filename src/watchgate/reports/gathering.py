"""Gathering a report: from the catalog, the index, the journal, and the recordings' own files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import tzinfo

from sqlalchemy import Connection, func, select

from watchgate.catalog import names, queries
from watchgate.catalog.queries import CommandRow, FileRow, ForwardRow, SessionRow
from watchgate.catalog.schema import journal as journal_table
from watchgate.catalog.schema import operator as operators
from watchgate.catalog.schema import session as sessions
from watchgate.catalog.schema import target as targets
from watchgate.catalog.search.model import Document
from watchgate.errors import ConfigurationError, NotFound
from watchgate.identity import grants
from watchgate.reports.activity import (
    About,
    Action,
    Activity,
    Proof,
    Question,
    Refusal,
    What,
    Work,
)
from watchgate.reports.indexed import NO_INDEX, IndexedCommands
from watchgate.session.events import Event, OperatorRefused, SessionRefused, revive

MOST = 10_000
"""Sessions, and refusals one by one, that one report may hold: nobody reads more, and memory is bounded."""

Examine = Callable[[SessionRow], Proof]
Indexed = Callable[[SessionRow], IndexedCommands]
"""The commands that the index has of a session."""


def no_index(_: SessionRow) -> IndexedCommands:
    """For a gateway without an index."""
    return NO_INDEX


def canonical(connection: Connection, about: About, name: str) -> str:
    """The subject as it is written; also one that is not configured any more, but has sessions."""
    table = operators if about is About.OPERATOR else targets
    found = connection.scalar(select(table.c.name).where(table.c.folded == names.fold(name)))
    if found is not None:
        return str(found)
    column = sessions.c.operator if about is About.OPERATOR else sessions.c.target
    if connection.scalar(select(column).where(column == name).limit(1)) is not None:
        return name
    raise names.unknown(str(about), name, connection.scalars(select(table.c.name)))


def gather(
    connection: Connection,
    question: Question,
    zone: tzinfo,
    indexed: Indexed = no_index,
) -> Activity:
    """What there is to say, but for the recordings; moments are shown in *zone*."""
    works = []
    for identifier in _sessions(connection, question):
        work = _work(connection, identifier, question, indexed)
        if not question.matching or work.actions:
            works.append(work)
    refusals, left_out = _refusals(connection, question)
    return Activity(question, zone, tuple(works), tuple(refusals), left_out)


def prove(activity: Activity, examine: Examine) -> Activity:
    """*activity* with what is found of each recording: it takes its time, and no transaction."""
    works = (replace(work, proof=examine(work.session)) for work in activity.sessions)
    return replace(activity, sessions=tuple(works))


def _sessions(connection: Connection, question: Question) -> Sequence[str]:
    """Those that were open in that time, the oldest first."""
    column = sessions.c.operator if question.about is About.OPERATOR else sessions.c.target
    ended = func.coalesce(sessions.c.ended_at_us, question.until_us)
    query = (
        select(sessions.c.id)
        .where(column == question.subject)
        .where(sessions.c.started_at_us < question.until_us, ended >= question.from_us)
        .order_by(sessions.c.started_at_us, sessions.c.id)
        .limit(MOST + 1)
    )
    found = connection.scalars(query).all()
    if len(found) > MOST:
        raise ConfigurationError(
            f"there are more than {MOST} sessions in that time; report on a shorter one",
            code="report.too-long",
        )
    return found


def _work(connection: Connection, identifier: str, question: Question, indexed: Indexed) -> Work:
    row = queries.find_session(connection, identifier)
    found = indexed(row)
    actions = [
        one
        for one in _actions(connection, row, found.documents)
        if question.from_us <= one.at_us < question.until_us
    ]
    shown = tuple(one for one in actions if holds(question.matching, one.text))
    grant = _grant(connection, row.grant)
    return Work(row, grant, shown, len(actions) - len(shown), found.problem)


def holds(matching: str, *texts: str) -> bool:
    """Whether one of *texts* holds what was asked for, in letters of either case."""
    wanted = matching.casefold()
    return any(wanted in text.casefold() for text in texts)


def _grant(connection: Connection, identifier: str) -> str:
    try:
        found = grants.get(connection, identifier)
    except (NotFound, ConfigurationError):
        return identifier
    comment = f" ({found.comment})" if found.comment else ""
    return f"{found.account}@{found.where} to {found.subject}{comment}, {found.id}"


# --- actions -------------------------------------------------------------------------------------


def _actions(connection: Connection, row: SessionRow, found: Iterable[Document]) -> list[Action]:
    commands = queries.commands(connection, row.id)
    actions = [_command(one) for one in commands]
    # The index numbers a command that an event tells by the event, and others beyond all events.
    told = {command.seq for command in commands}
    actions += [_indexed(one) for one in found if one.item not in told]
    actions += [_file(one) for one in queries.files(connection, row.id)]
    actions += [_forward(one) for one in queries.forwards(connection, row.id)]
    return sorted(actions, key=lambda one: (one.at_us, one.what, one.text, one.how))


def _command(row: CommandRow) -> Action:
    ended = row.exit_signal or ("" if row.exit_status is None else f"exit {row.exit_status}")
    outcome = ", ".join(filter(None, (ended, _judged(row.verdict, row.severity, row.rules))))
    return Action(
        *(row.at_us, row.offset_us, What.COMMAND, row.source, row.text, outcome),
        inferred=row.confidence != "exact",
        verdict=row.verdict,
        severity=row.severity,
    )


def _judged(verdict: str | None, severity: str | None, rules: Sequence[str] = ()) -> str:
    """What the rules said; nothing of a command that ran and that no rule met."""
    if verdict is None or (verdict == "allow" and severity is None):
        return ""
    by = f" by {', '.join(rules)}" if rules else ""
    grave = f" ({severity} severity)" if severity else ""
    return f"{_OUTCOMES.get(verdict, verdict)}{by}{grave}"


_OUTCOMES = {
    "allow": "allowed",
    "approve": "waited for an approval",
    "block": "blocked",
    "force": "blocked, not on the list",
    "interrupt": "blocked",
}


def _indexed(document: Document) -> Action:
    return Action(
        *(document.at_us, document.offset_us, What.COMMAND, document.source, document.text),
        outcome=_judged(document.verdict, document.severity),
        inferred=document.confidence != "exact",
        verdict=document.verdict,
        severity=document.severity,
    )


def _file(row: FileRow) -> Action:
    moved = row.operation in ("upload", "download")
    failed = "incomplete" if moved else "failed"
    outcome = ("complete" if moved else "done") if row.complete else failed
    return Action(
        *(row.at_us, row.offset_us, What.FILE, f"{row.protocol} {row.operation}"),
        text=f"{row.path} -> {row.destination}" if row.destination else row.path,
        outcome=f"{outcome}: {row.note}" if row.note else outcome,
        size=row.size,
        digest=row.digest,
    )


def _forward(row: ForwardRow) -> Action:
    outcome = f"refused: {row.refused}" if row.refused else f"carries {row.carries or 'unknown'}"
    if row.sent_octets is not None or row.received_octets is not None:
        outcome += f", {row.sent_octets or 0} octets sent, {row.received_octets or 0} received"
    return Action(
        row.at_us, row.offset_us, What.FORWARD, row.direction, row.destination or "", outcome
    )


# --- what was refused ----------------------------------------------------------------------------


def _refusals(connection: Connection, question: Question) -> tuple[list[Refusal], int]:
    """The first of them, and how many attempts there were besides: who guesses passwords makes many."""
    table = journal_table
    query = (
        select(table.c.at_us, table.c.entry)
        .where(table.c.kind.in_((SessionRefused.kind, OperatorRefused.kind)))
        .where(table.c.at_us >= question.from_us, table.c.at_us < question.until_us)
        .order_by(table.c.seq)
    )
    found: list[Refusal] = []
    left_out = 0
    for at_us, entry in connection.execute(query):
        refusal = _refusal(at_us, _event(entry), question)
        if refusal is None:
            continue
        if len(found) < MOST:
            found.append(refusal)
        else:
            left_out += refusal.attempts
    return found, left_out


def _event(entry: str) -> Event | None:
    """The event of an entry; None of one that was altered beyond reading, which `journal verify` finds."""
    try:
        raw = json.loads(entry)
        return revive(str(raw["kind"]), int(raw["v"]), dict(raw["data"]))
    except (ValueError, KeyError, TypeError):
        return None


def _refusal(at_us: int, event: Event | None, question: Question) -> Refusal | None:
    match event:
        case SessionRefused():
            subject = event.operator if question.about is About.OPERATOR else event.target
            where = "@".join(filter(None, (event.account, event.target)))
            made = Refusal(at_us, event.operator, where, event.client, event.reason)
        case OperatorRefused():
            subject = event.operator if question.about is About.OPERATOR else None
            made = Refusal(at_us, event.operator, "", event.client, event.reason)
            made = replace(made, attempts=event.attempts)
        case _:
            return None
    if subject is None or names.fold(subject) != names.fold(question.subject):
        return None
    return made if holds(question.matching, made.where, made.reason) else None
