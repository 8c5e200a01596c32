"""Verdicts as rows: what was decided of each command, and every rule that it met.

A command may be decided twice, when it waited for an approval: of its verdicts that with the highest number
holds, and a rule that it met stays met, at the time of the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, and_, insert, select, update

from watchgate.catalog.putting import ASKED_AT_ONCE, known, put
from watchgate.catalog.schema import rule_hit, verdict
from watchgate.session.events import CommandDecided, Envelope
from watchgate.session.ports import RecordingRequest


def decide(connection: Connection, request: RecordingRequest, batch: Iterable[Envelope]) -> None:
    """What was decided last of each command, and every rule that it ever met."""
    latest: dict[int, tuple[int, dict[str, Any]]] = {}
    hits: dict[tuple[int, str], dict[str, Any]] = {}
    for envelope in batch:
        if not isinstance(envelope.event, CommandDecided):
            continue
        event, number = envelope.event, envelope.event.command_seq
        if number not in latest or latest[number][0] < envelope.seq:
            latest[number] = envelope.seq, _verdict(envelope, event, request.started_at_us)
        for key, hit in _met(envelope.at, event, request.operator):
            hits[key] = _earlier(hits.get(key), hit)
    if not latest:
        return
    held = known(connection, request.session, verdict, latest, verdict.c.decided_seq)
    newer = {
        number: values for number, (seq, values) in latest.items() if held.get(number, -1) <= seq
    }
    put(connection, request.session, verdict, newer)
    _hit(connection, request.session, hits)


def _verdict(envelope: Envelope, event: CommandDecided, started_at_us: int) -> dict[str, Any]:
    return {
        "decided_seq": envelope.seq,
        "at_us": envelope.at,
        "offset_us": envelope.at - started_at_us,
        "outcome": event.outcome,
        "severity": event.severity,
        "points": event.points,
        "normalized": event.normalized,
        "opaque": event.opaque,
        "message": event.message,
        "tries_left": event.tries_left,
        "approval": event.approval,
    }


def _met(
    at_us: int, event: CommandDecided, operator: str
) -> Iterator[tuple[tuple[int, str], dict[str, Any]]]:
    met = dict.fromkeys(event.shadows, True) | dict.fromkeys(event.rules, False)
    for name, shadow in met.items():
        yield (
            (event.command_seq, name),
            {"operator": operator, "at_us": at_us, "shadow": shadow},
        )


def _earlier(known: dict[str, Any] | None, hit: dict[str, Any]) -> dict[str, Any]:
    """Decided again, a command met a rule when it met it first."""
    return hit if known is None or hit["at_us"] < known["at_us"] else known


def _hit(
    connection: Connection, of_session: str, hits: dict[tuple[int, str], dict[str, Any]]
) -> None:
    met: dict[tuple[int, str], int] = {}
    asked = sorted({number for number, _ in hits})
    for start in range(0, len(asked), ASKED_AT_ONCE):
        query = select(rule_hit.c.seq, rule_hit.c.rule, rule_hit.c.at_us).where(
            rule_hit.c.session_id == of_session,
            rule_hit.c.seq.in_(asked[start : start + ASKED_AT_ONCE]),
        )
        met |= {(row.seq, row.rule): row.at_us for row in connection.execute(query)}
    fresh = [
        {"session_id": of_session, "seq": number, "rule": name} | hit
        for (number, name), hit in hits.items()
        if (number, name) not in met
    ]
    if fresh:
        connection.execute(insert(rule_hit), fresh)
    for (number, name), hit in hits.items():
        if hit["at_us"] < met.get((number, name), hit["at_us"]):
            one = and_(
                rule_hit.c.session_id == of_session,
                rule_hit.c.seq == number,
                rule_hit.c.rule == name,
            )
            connection.execute(update(rule_hit).where(one).values(at_us=hit["at_us"]))
