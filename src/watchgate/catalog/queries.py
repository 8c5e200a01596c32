"""Finding sessions, and what happened in them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, Select, and_, func, select

from watchgate.catalog.schema import command, file_transfer, forward, rule_hit, session, verdict
from watchgate.errors import NotFound

SHORTEST_PREFIX = 4
_LISTED = 5


LAST = "last"
"""Stands for the session that began last, wherever a session is named."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as the catalog knows it."""

    id: str
    recording: str
    protocol: str
    operator: str
    account: str
    target: str
    client: str
    grant: str
    policy_digest: str
    started_at_us: int
    last_at_us: int
    ended_at_us: int | None
    state: str
    """`live`, `closed`, or `recovered`: a crash left its recording open and a sweep sealed it."""
    reason: str | None
    detail: str | None
    ended_by: str | None
    input_octets: int | None
    output_octets: int | None
    key_id: str | None
    target_address: str | None
    gateway_address: str | None
    points: int | None
    """What the rules that its commands met add up to; None: nothing was decided in it."""
    risk: int | None
    """The same as a risk from 0 to 100."""
    commands: int
    files: int
    forwards: int


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A command of a session."""

    seq: int
    at_us: int
    offset_us: int
    channel: int
    text: str
    source: str
    confidence: str
    exit_status: int | None
    exit_signal: str | None
    duration_us: int | None
    place: str | None = None
    program: str | None = None
    cwd: str | None = None
    verdict: str | None = None
    """What the rules said of it last; None: nothing decided it."""
    severity: str | None = None
    points: int = 0
    normalized: tuple[str, ...] = ()
    """Its simple commands as the rules saw them."""
    opaque: tuple[str, ...] = ()
    message: str = ""
    """What the operator read when it held him up."""
    approval: str | None = None
    rules: tuple[str, ...] = ()
    """Those that matched."""
    shadows: tuple[str, ...] = ()
    """Those that would have."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file that was moved (`upload`, `download`) or changed (`remove`, `rename`, …)."""

    seq: int
    at_us: int
    offset_us: int
    channel: int
    protocol: str
    operation: str
    path: str
    destination: str | None
    size: int | None
    digest: str | None
    complete: bool
    note: str


@dataclass(frozen=True, slots=True)
class ForwardRow:
    """A forwarded connection, or one that was refused and why."""

    at_us: int
    offset_us: int
    direction: str
    destination: str
    origin: str | None
    carries: str | None
    refused: str | None
    sent_octets: int | None
    received_octets: int | None


def sessions(
    connection: Connection,
    *,
    operator: str | None = None,
    target: str | None = None,
    account: str | None = None,
    state: str | None = None,
    since_us: int | None = None,
    until_us: int | None = None,
    limit: int = 50,
) -> list[SessionRow]:
    """The newest sessions that match, newest first; names as they are written."""
    query = _with_counts()
    for column, wanted in (
        (session.c.operator, operator),
        (session.c.target, target),
        (session.c.account, account),
        (session.c.state, state),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if since_us is not None:
        query = query.where(session.c.started_at_us >= since_us)
    if until_us is not None:
        query = query.where(session.c.started_at_us < until_us)
    # UUIDv7 ids break ties in the order of their making.
    newest = query.order_by(session.c.started_at_us.desc(), session.c.id.desc()).limit(limit)
    return [_session_row(row) for row in connection.execute(newest)]


def find_session(connection: Connection, name: str) -> SessionRow:
    """The session with this id, recording id, or unique beginning of its id; else NotFound.

    `last` is the one that began last.
    """
    wanted = name.strip().lower()
    query = _with_counts()
    if wanted == LAST:
        newest = query.order_by(session.c.started_at_us.desc(), session.c.id.desc()).limit(1)
        row = connection.execute(newest).first()
        if row is None:
            raise NotFound("there is no session yet", code="session.not-found")
        return _session_row(row)
    exact = (session.c.id == wanted) | (session.c.recording == wanted)
    row = connection.execute(query.where(exact)).first()
    if row is not None:
        return _session_row(row)
    if len(wanted) < SHORTEST_PREFIX:
        raise NotFound(
            f"{name!r} is too short for a session id; give at least {SHORTEST_PREFIX} characters",
            code="session.not-found",
        )
    begins = session.c.id.startswith(wanted, autoescape=True)
    newest = query.where(begins).order_by(session.c.id.desc()).limit(_LISTED + 1)
    found = connection.execute(newest).all()
    if not found:
        raise NotFound(
            f"there is no session {name!r}; see `watchgate session list`, and run "
            "`watchgate reindex` if its recording exists",
            code="session.not-found",
        )
    if len(found) > 1:
        listed = ", ".join(row.id for row in found[:_LISTED])
        more = ", …" if len(found) > _LISTED else ""
        raise NotFound(
            f"{name!r} begins several session ids: {listed}{more}; give more of it",
            code="session.ambiguous",
        )
    return _session_row(found[0])


def commands(connection: Connection, of_session: str) -> list[CommandRow]:
    """The commands of a session in their order, with what was decided of each."""
    decided = and_(verdict.c.session_id == command.c.session_id, verdict.c.seq == command.c.seq)
    query = (
        select(*_COMMAND_COLUMNS, *_VERDICT_COLUMNS)
        .select_from(command.outerjoin(verdict, decided))
        .where(command.c.session_id == of_session, command.c.text.is_not(None))
        .order_by(command.c.seq)
    )
    hits = _hits(connection, of_session)
    rows = connection.execute(query).mappings()
    return [_command_row(row, *hits[row["seq"]]) for row in rows]


def _hits(connection: Connection, of_session: str) -> defaultdict[int, tuple[list[str], list[str]]]:
    """The rules that each command met, and the shadows among them apart."""
    found: defaultdict[int, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    query = (
        select(rule_hit.c.seq, rule_hit.c.rule, rule_hit.c.shadow)
        .where(rule_hit.c.session_id == of_session)
        .order_by(rule_hit.c.seq, rule_hit.c.rule)
    )
    for seq, name, shadow in connection.execute(query):
        found[seq][1 if shadow else 0].append(name)
    return found


def _command_row(row: RowMapping, rules: list[str], shadows: list[str]) -> CommandRow:
    values: dict[str, Any] = {str(name): value for name, value in row.items()}
    values["points"] = values["points"] or 0
    values["message"] = values["message"] or ""
    for name in ("normalized", "opaque"):
        values[name] = tuple(values[name] or ())
    return CommandRow(**values, rules=tuple(rules), shadows=tuple(shadows))


def files(connection: Connection, of_session: str) -> list[FileRow]:
    """The files that a session moved or changed, in order."""
    query = (
        select(*file_transfer.c)
        .where(file_transfer.c.session_id == of_session)
        .order_by(file_transfer.c.seq)
    )
    return [FileRow(*tuple(row)[1:]) for row in connection.execute(query)]


def forwards(connection: Connection, of_session: str) -> list[ForwardRow]:
    """The forwarded connections of a session, and those refused, in order."""
    query = (
        select(*forward.c)
        .where(forward.c.session_id == of_session, forward.c.at_us.is_not(None))
        .order_by(forward.c.at_us, forward.c.item)
    )
    return [ForwardRow(*tuple(row)[2:]) for row in connection.execute(query)]


_COMMAND_COLUMNS = tuple(column for column in command.c if column.name != "session_id")
_VERDICT_COLUMNS = (
    verdict.c.outcome.label("verdict"),
    *(verdict.c.severity, verdict.c.points, verdict.c.normalized),
    *(verdict.c.opaque, verdict.c.message, verdict.c.approval),
)
_ROW_COLUMNS = tuple(column for column in session.c if column.name != "last_seq")


def _with_counts() -> Select[tuple[object, ...]]:
    """Sessions with how much happened in each; the counts are read only for the rows returned."""
    counts = [
        select(func.count())
        .select_from(table)
        .where(table.c.session_id == session.c.id)
        .scalar_subquery()
        .label(name)
        for table, name in ((command, "commands"), (file_transfer, "files"), (forward, "forwards"))
    ]
    return select(*_ROW_COLUMNS, *counts)


def _session_row(row: Row[tuple[object, ...]]) -> SessionRow:
    return SessionRow(**row._mapping)  # noqa: SLF001 - public, in spite of its name
