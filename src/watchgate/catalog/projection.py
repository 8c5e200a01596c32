"""What a recording says, as rows that can be listed and searched.

Rows are derived from (session, seq) alone: each event sets columns of one row that no other event sets,
so a batch may be applied twice, late, or after the batch that follows it, and the rows are the same.
What several events set has one answer whatever their order: of the verdicts on one command that with the
highest number holds, and points only ever grow. `reindex` proves it: it rebuilds them from recordings to
the same content.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from watchgate.catalog.database import Catalog
from watchgate.catalog.projection_verdicts import decide
from watchgate.catalog.putting import put
from watchgate.catalog.schema import PROJECTIONS, command, file_transfer, forward, session
from watchgate.session.events import (
    CommandDecided,
    CommandFinished,
    CommandRequested,
    Envelope,
    FileChanged,
    FileMoved,
    ForwardClosed,
    ForwardNoted,
    ForwardOpened,
    ForwardRefused,
    SessionClosed,
    TargetReached,
)
from watchgate.session.model import EndReason
from watchgate.session.ports import RecordingRequest


class Status(StrEnum):
    """How far a recording has come."""

    LIVE = "live"
    SEALED = "sealed"
    RECOVERED = "recovered"
    """A crash left it open; a sweep sealed it."""


@dataclass(frozen=True, slots=True)
class Reindexed:
    """What `reindex` did."""

    sessions: int
    removed: int
    """Rows of sessions that have no recording any more."""


def apply(
    connection: Connection,
    request: RecordingRequest,
    envelopes: Iterable[Envelope],
    status: Status = Status.LIVE,
) -> None:
    """Bring the rows of a session up to date with these of its events.

    A sweep that sealed a recording calls it with no events and `Status.RECOVERED`.
    """
    batch = list(envelopes)
    _apply_session(connection, request, batch, status)
    rows: dict[Table, dict[int, dict[str, Any]]] = defaultdict(dict)
    for envelope in batch:
        placed = _row(envelope, request.started_at_us)
        if placed is not None:
            table, number, values = placed
            rows[table].setdefault(number, {}).update(values)
    for table, of_table in rows.items():
        put(connection, request.session, table, of_table)
    decide(connection, request, batch)


# --- the session's own row -----------------------------------------------------------------------


def _apply_session(
    connection: Connection, request: RecordingRequest, batch: Sequence[Envelope], status: Status
) -> None:
    here = session.c.id == request.session
    found = connection.execute(select(session).where(here)).mappings().one_or_none()
    row = dict(found) if found is not None else _fresh(request)
    _merge(row, batch, status)
    if found is None:
        connection.execute(insert(session).values(row))
    elif row != dict(found):
        connection.execute(update(session).where(here).values(row))


def _fresh(request: RecordingRequest) -> dict[str, Any]:
    return {
        "id": request.session,
        "recording": request.recording,
        "protocol": request.protocol,
        "operator": request.operator,
        "account": request.account,
        "target": request.target,
        "client": request.client,
        "grant": request.grant,
        "policy_digest": request.policy_digest,
        "started_at_us": request.started_at_us,
        "last_at_us": request.started_at_us,
        "last_seq": -1,
        "state": "live",
        "ended_at_us": None,
        "reason": None,
        "points": None,
        "risk": None,
    }


def _merge(row: dict[str, Any], batch: Sequence[Envelope], status: Status) -> None:
    for envelope in batch:
        row["last_at_us"] = max(row["last_at_us"], envelope.at)
        row["last_seq"] = max(row["last_seq"], envelope.seq)
        match envelope.event:
            case SessionClosed() as closed:
                row["ended_at_us"] = envelope.at
                row["reason"] = closed.reason
                row["detail"] = closed.detail
                row["ended_by"] = closed.by
                row["input_octets"] = closed.input_octets
                row["output_octets"] = closed.output_octets
            case TargetReached() as reached:
                row["key_id"] = reached.key_id
                row["target_address"] = reached.address
                row["gateway_address"] = reached.gateway
            case CommandDecided() as decided:
                row["points"] = max(row["points"] or 0, decided.session_points)
                row["risk"] = max(row["risk"] or 0, decided.risk)
            case _:
                pass
    _settle(row, status)


def _settle(row: dict[str, Any], status: Status) -> None:
    """The state, which only ever goes from live over closed to recovered."""
    said_closed = row["reason"] not in (None, str(EndReason.RECOVERED))
    if status is Status.RECOVERED or row["state"] == "recovered":
        row["state"] = "recovered"
    elif status is Status.SEALED or said_closed:
        row["state"] = "closed"
    if row["state"] != "live" and not said_closed:
        # No session.closed: it ended with the last that is known of it.
        row["ended_at_us"] = row["last_at_us"]
        if row["state"] == "recovered":
            row["reason"] = str(EndReason.RECOVERED)


# --- commands, transfers, forwards ---------------------------------------------------------------


def _row(envelope: Envelope, started_at_us: int) -> tuple[Table, int, dict[str, Any]] | None:
    """Which row an event writes, and what into it."""
    seq = envelope.seq
    when = {"at_us": envelope.at, "offset_us": envelope.at - started_at_us}
    match envelope.event:
        case CommandRequested() as event:
            return (
                command,
                seq,
                when
                | {
                    "channel": event.channel,
                    "text": event.command,
                    "source": event.source,
                    "confidence": event.confidence,
                    "place": event.place,
                    "program": event.program,
                    "cwd": event.cwd,
                },
            )
        case CommandFinished() as event:
            ended = {
                "exit_status": event.exit_status,
                "exit_signal": event.exit_signal,
                "duration_us": event.duration_us,
            }
            return command, event.command_seq, ended
        case FileMoved() | FileChanged() as event:
            return file_transfer, seq, when | _file(event)
        case ForwardOpened() | ForwardNoted() | ForwardRefused() | ForwardClosed() as event:
            return _forward(event, seq, when)
        case _:
            return None


def _file(event: FileMoved | FileChanged) -> dict[str, Any]:
    both = {"channel": event.channel, "protocol": event.protocol, "path": event.path}
    if isinstance(event, FileMoved):
        return both | {
            "operation": event.direction,
            "destination": None,
            "size": event.size,
            "digest": event.digest,
            "complete": event.complete,
            "note": event.note,
        }
    return both | {
        "operation": event.operation,
        "destination": event.to,
        "complete": event.succeeded,
        "note": "",
    }


def _forward(
    event: ForwardOpened | ForwardNoted | ForwardRefused | ForwardClosed,
    seq: int,
    when: dict[str, int],
) -> tuple[Table, int, dict[str, Any]]:
    match event:
        case ForwardOpened():
            opened = {
                "direction": event.direction,
                "destination": event.destination,
                "origin": event.origin,
            }
            return forward, event.forward, when | opened
        case ForwardNoted():
            refused = f"it carries {event.carries}" if event.refused else None
            return forward, event.forward, {"carries": event.carries, "refused": refused}
        case ForwardClosed():
            moved = {"sent_octets": event.sent_octets, "received_octets": event.received_octets}
            return forward, event.forward, moved
        case ForwardRefused():
            # A forwarding that never was has no number; minus its seq is free, also for seq 0.
            asked = {
                "direction": event.direction,
                "destination": event.destination,
                "refused": event.reason,
            }
            return forward, -1 - seq, when | asked


# --- all again -----------------------------------------------------------------------------------


def reindex(
    catalog: Catalog,
    recordings: Iterable[tuple[RecordingRequest, Iterable[Envelope], Status]],
    *,
    began_at_us: int,
) -> Reindexed:
    """Rebuild all projections from *recordings*; what has none any more goes.

    Each recording is a transaction of its own, so a server that runs meanwhile keeps writing. Live
    recordings are merged, not replaced: the server may know more of them by now than was read; for the
    same reason sessions that started after *began_at_us* stay.
    """
    seen: set[str] = set()
    for request, envelopes, status in recordings:
        batch = list(envelopes)
        with catalog.write() as connection:
            if status is not Status.LIVE:
                _forget(connection, request.session)
            apply(connection, request, batch, status)
        seen.add(request.session)
    with catalog.write() as connection:
        known = connection.scalars(
            select(session.c.id).where(session.c.started_at_us < began_at_us)
        )
        gone = [identifier for identifier in known if identifier not in seen]
        for identifier in gone:
            _forget(connection, identifier)
    return Reindexed(len(seen), len(gone))


def _forget(connection: Connection, identifier: str) -> None:
    for table in PROJECTIONS:
        column = table.c.id if table is session else table.c.session_id
        connection.execute(delete(table).where(column == identifier))
