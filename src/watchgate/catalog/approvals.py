"""Approvals: commands that waited for somebody else's word, and what became of each.

A request is in one state and leaves `waiting` once: every change names the state that it comes from, so that
an answer, the end of the time and the operator's Ctrl-C cannot all win. Each change and its journal entry
are one transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select, true, update

from watchgate.catalog import journal
from watchgate.catalog.schema import approval
from watchgate.clock import Clock
from watchgate.errors import NotFound
from watchgate.session.events import ApprovalAnswered, ApprovalAsked, ApprovalClosed

SHORTEST_PREFIX = 4
_LISTED = 5


class State(StrEnum):
    """How far a request has come."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    EXPIRED = "expired"
    """Nobody answered in time, or the gateway stopped before anybody did."""
    WITHDRAWN = "withdrawn"
    """The operator did not wait, or his session ended."""
    REVOKED = "revoked"
    """It was approved, and taken back."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it is made."""

    id: str
    session: str
    operator: str
    account: str
    target: str
    channel: int
    command: str
    normalized: tuple[str, ...]
    key_digest: str
    """SHA-256 of the exact parsed command; the answer is bound to it."""
    rules: tuple[str, ...]
    expires_at_us: int


@dataclass(frozen=True, slots=True)
class ApprovalRecord:
    """A request with all that became of it."""

    id: str
    session: str
    operator: str
    account: str
    target: str
    channel: int
    command: str
    normalized: tuple[str, ...]
    key_digest: str
    rules: tuple[str, ...]
    state: State
    asked_at_us: int
    expires_at_us: int
    answered_at_us: int | None
    answered_by: str | None
    reason: str | None
    until_us: int | None
    """Until when it covers the command."""
    uses_left: int | None
    """1 or 0 for one that is for once; None for one that is for a time."""

    @property
    def once(self) -> bool:
        """It covers the command a single time."""
        return self.uses_left is not None

    def stands(self, at_us: int) -> bool:
        """Whether the operator may still run the command under it."""
        return (
            self.state is State.APPROVED
            and self.uses_left != 0
            and self.until_us is not None
            and at_us < self.until_us
        )


# --- reading -------------------------------------------------------------------------------------


def find(connection: Connection, name: str) -> ApprovalRecord:
    """The request with this id or unique beginning of it; raises NotFound."""
    wanted = name.strip().lower()
    if len(wanted) < SHORTEST_PREFIX:
        raise NotFound(
            f"{name!r} is too short for an approval's id; give at least {SHORTEST_PREFIX} characters",
            code="approval.not-found",
        )
    begins = approval.c.id.startswith(wanted, autoescape=True)
    found = _load(connection, begins, limit=_LISTED + 1)
    exact = [one for one in found if one.id == wanted]
    if exact:
        return exact[0]
    if not found:
        raise NotFound(
            f"there is no approval {name!r}; see `watchgate approval list`",
            code="approval.not-found",
        )
    if len(found) > 1:
        listed = ", ".join(one.id for one in found[:_LISTED])
        more = ", …" if len(found) > _LISTED else ""
        raise NotFound(
            f"{name!r} begins several approvals: {listed}{more}; give more of it",
            code="approval.ambiguous",
        )
    return found[0]


def list_all(
    connection: Connection,
    *,
    states: Collection[State] = (),
    operator: str | None = None,
    limit: int = 50,
) -> list[ApprovalRecord]:
    """The newest requests, newest first; of these states and this operator where they are given."""
    conditions: list[ColumnElement[bool]] = []
    if states:
        conditions.append(approval.c.state.in_(sorted(states)))
    if operator is not None:
        conditions.append(approval.c.operator == operator)
    return _load(connection, *conditions, limit=limit)


def standing(
    connection: Connection, at_us: int, *, operator: str | None = None, limit: int
) -> list[ApprovalRecord]:
    """Those under which commands may still run, the newest first; of this operator where one is given."""
    return _load(
        connection,
        true() if operator is None else approval.c.operator == operator,
        approval.c.state == State.APPROVED,
        approval.c.until_us > at_us,
        or_(approval.c.uses_left.is_(None), approval.c.uses_left > 0),
        limit=limit,
    )


def _load(
    connection: Connection, *conditions: ColumnElement[bool], limit: int
) -> list[ApprovalRecord]:
    query = (
        select(approval)
        .where(*conditions)
        .order_by(approval.c.asked_at_us.desc(), approval.c.id.desc())
        .limit(limit)
    )
    return [
        ApprovalRecord(
            id=row.id,
            session=row.session,
            operator=row.operator,
            account=row.account,
            target=row.target,
            channel=row.channel,
            command=row.command,
            normalized=tuple(row.normalized),
            key_digest=row.key_digest,
            rules=tuple(row.rules),
            state=State(row.state),
            asked_at_us=row.asked_at_us,
            expires_at_us=row.expires_at_us,
            answered_at_us=row.answered_at_us,
            answered_by=row.answered_by,
            reason=row.reason,
            until_us=row.until_us,
            uses_left=row.uses_left,
        )
        for row in connection.execute(query)
    ]


# --- changing ------------------------------------------------------------------------------------


def ask(connection: Connection, clock: Clock, asked: Asked) -> None:
    """Enter a request that waits."""
    connection.execute(
        insert(approval).values(
            id=asked.id,
            session=asked.session,
            operator=asked.operator,
            account=asked.account,
            target=asked.target,
            channel=asked.channel,
            command=asked.command,
            normalized=list(asked.normalized),
            key_digest=asked.key_digest,
            rules=list(asked.rules),
            state=State.WAITING,
            asked_at_us=clock.wall_us(),
            expires_at_us=asked.expires_at_us,
        )
    )
    event = ApprovalAsked(
        approval=asked.id,
        operator=asked.operator,
        account=asked.account,
        target=asked.target,
        command=asked.command,
        normalized=list(asked.normalized),
        rules=list(asked.rules),
        channel=asked.channel,
        expires_at_us=asked.expires_at_us,
    )
    journal.append(connection, clock, event, asked.session)


def answer(
    connection: Connection,
    clock: Clock,
    waiting: ApprovalRecord,
    *,
    approved: bool,
    by: str,
    reason: str,
    until_us: int | None = None,
) -> ApprovalRecord | None:
    """Approve or refuse what waits; None when it waits no more.

    Without *until_us* an approval is for once, and as long as the request itself would have waited.
    """
    at_us = clock.wall_us()
    changed = _leave(
        connection,
        waiting,
        State.WAITING,
        state=State.APPROVED if approved else State.REFUSED,
        answered_at_us=at_us,
        answered_by=by,
        reason=reason,
        until_us=(until_us or waiting.expires_at_us) if approved else None,
        uses_left=1 if approved and until_us is None else None,
    )
    if not changed:
        return None
    event = ApprovalAnswered(
        approval=waiting.id,
        operator=waiting.operator,
        by=by,
        approved=approved,
        reason=reason,
        command=waiting.command,
        until_us=until_us if approved else None,
    )
    journal.append(connection, clock, event, waiting.session)
    return find(connection, waiting.id)


def close(connection: Connection, clock: Clock, identifier: str, state: State, why: str) -> bool:
    """Close what waits without an answer; False when it waits no more, or never did."""
    for waiting in _load(connection, approval.c.id == identifier, limit=1):
        if _leave(connection, waiting, State.WAITING, state=state, reason=why):
            _note_closed(connection, clock, waiting, why)
            return True
    return False


def revoke(
    connection: Connection, clock: Clock, given: ApprovalRecord, *, by: str, reason: str
) -> bool:
    """Take back what was approved; False when it was not, or no longer stands."""
    if not given.stands(clock.wall_us()):
        return False
    why = f"revoked by {by}: {reason}"
    if not _leave(connection, given, State.APPROVED, state=State.REVOKED, reason=why):
        return False
    _note_closed(connection, clock, given, why)
    return True


def use(connection: Connection, identifier: str) -> bool:
    """Use up one that is for once; False when it was used or taken back before."""
    done = connection.execute(
        update(approval)
        .where(
            approval.c.id == identifier,
            approval.c.state == State.APPROVED,
            approval.c.uses_left > 0,
        )
        .values(uses_left=0)
    )
    return done.rowcount > 0


def close_abandoned(connection: Connection, clock: Clock) -> int:
    """Close what a gateway that is gone left behind; how many requests.

    Nobody waits any more for what waited. What was approved for once and not used is void too, because
    whether it was used may only have been in that gateway's memory.
    """
    unused = and_(approval.c.state == State.APPROVED, approval.c.uses_left > 0)
    waiting = approval.c.state == State.WAITING
    left = connection.scalars(select(approval.c.id).where(or_(waiting, unused))).all()
    for identifier in left:
        one = find(connection, identifier)
        why = "the gateway stopped before anybody answered"
        if one.state is State.APPROVED:
            why = "the gateway stopped; what is approved for once ends with it"
        _leave(connection, one, one.state, state=State.EXPIRED, reason=why, uses_left=None)
        _note_closed(connection, clock, one, why)
    return len(left)


def _leave(connection: Connection, one: ApprovalRecord, before: State, **values: object) -> bool:
    here = and_(approval.c.id == one.id, approval.c.state == before)
    return connection.execute(update(approval).where(here).values(**values)).rowcount > 0


def _note_closed(connection: Connection, clock: Clock, one: ApprovalRecord, why: str) -> None:
    event = ApprovalClosed(one.id, one.operator, why, one.command)
    journal.append(connection, clock, event, one.session)
