"""Who may answer a request for approval, and each change to one with its checks, in one transaction.

Nobody answers his own request: four eyes. Roles and locks are looked up when the answer is given, so whoever
lost the role a moment ago answers no more.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from watchgate.catalog import approvals, names
from watchgate.catalog.approvals import ApprovalRecord, Asked, State
from watchgate.catalog.schema import operator
from watchgate.clock import Clock
from watchgate.errors import Refused
from watchgate.identity.operators import Role

NO_APPROVER = "nobody else has the role approver, so nobody can approve it"


def approvers(connection: Connection, but_not: str) -> tuple[str, ...]:
    """Who may answer a request of *but_not*."""
    query = select(operator).where(
        operator.c.disabled_at_us.is_(None),
        operator.c.locked_at_us.is_(None),
        operator.c.folded != names.fold(but_not),
    )
    rows = connection.execute(query.order_by(operator.c.folded))
    return tuple(row.name for row in rows if Role.APPROVER in row.roles)


def require_approver(connection: Connection, name: str) -> str:
    """The name, as it is written, of an operator who may answer now; raises Refused."""
    row = connection.execute(
        select(operator).where(operator.c.folded == names.fold(name))
    ).one_or_none()
    if row is None or Role.APPROVER not in row.roles:
        raise Refused(f"{name} does not have the role approver", code="approval.not-approver")
    if row.disabled_at_us is not None or row.locked_at_us is not None:
        raise Refused(f"the account {row.name} is disabled or locked", code="approval.not-approver")
    return str(row.name)


def ask(connection: Connection, clock: Clock, asked: Asked) -> tuple[str, ...]:
    """Enter a request, and say who may answer it; with nobody it is closed at once."""
    who = approvers(connection, but_not=asked.operator)
    approvals.ask(connection, clock, asked)
    if not who:
        approvals.close(connection, clock, asked.id, State.EXPIRED, NO_APPROVER)
    return who


def answer(
    connection: Connection,
    clock: Clock,
    name: str,
    by: str,
    *,
    approved: bool,
    reason: str,
    until_us: int | None = None,
) -> ApprovalRecord:
    """Answer what waits under this id, or unique beginning of it; raises NotFound and Refused."""
    approver = require_approver(connection, by)
    waiting = approvals.find(connection, name)
    if names.fold(waiting.operator) == names.fold(approver):
        raise Refused("nobody answers his own request; ask somebody else", code="approval.own")
    answered = approvals.answer(
        connection, clock, waiting, approved=approved, by=approver, reason=reason, until_us=until_us
    )
    if answered is None:
        by_whom = f" by {waiting.answered_by}" if waiting.answered_by else ""
        raise Refused(
            f"the request {waiting.id} waits no more: it was {waiting.state}{by_whom}",
            code="approval.not-waiting",
        )
    return answered


def revoke(
    connection: Connection, clock: Clock, name: str, *, by: str, reason: str
) -> ApprovalRecord:
    """Take back what stands under this id; raises NotFound and Refused."""
    given = approvals.find(connection, name)
    if not approvals.revoke(connection, clock, given, by=by, reason=reason):
        raise Refused(
            f"the approval {given.id} does not stand, so there is nothing to take back",
            code="approval.not-standing",
        )
    return approvals.find(connection, given.id)
