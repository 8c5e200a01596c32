"""Puts a channel's commands to the session's rules; what comes of it are effects, in order.

The verdict is recorded, and in the file, before anything is done with the command. What waits for that, or
for an approval, goes on in the call that comes back.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from watchgate.policy.commands import KnownCommand
from watchgate.protocols.ssh.effects import (
    Commit,
    Effect,
    EndSession,
    LockOperator,
    Note,
    NoteCommand,
    Resume,
    Seek,
    Withdraw,
)
from watchgate.session.deciding import Decider, Decision
from watchgate.session.events import ApprovalAnswered, ApprovalAsked, ApprovalClosed
from watchgate.session.model import Ending, EndReason, Route
from watchgate.session.ports import ApprovalAnswer, ApprovalRequest

Then = Callable[[Decision, int], list[Effect]]
"""What is done with a command: the final decision, and the number under which it was recorded."""

Waiting = Callable[[str], list[Effect]]
"""What the operator is shown while his command waits for an approval: who was asked."""


@dataclass(slots=True)
class _Pending:
    decision: Decision
    then: Then
    waiting: Waiting
    seq: int = 0
    approval: str = ""


class Judge:
    """Decides for one channel."""

    def __init__(self, decider: Decider, session: str, route: Route) -> None:
        self._decider = decider
        self._session = session
        self._route = route
        self._tickets = itertools.count(1)
        self._pending: dict[int, _Pending] = {}
        self._after: dict[int, Callable[[], list[Effect]]] = {}
        self._noted: _Pending | None = None

    @property
    def active(self) -> bool:
        """There are rules, so that commands have to be known before they run."""
        return self._decider.active

    @property
    def decider(self) -> Decider:
        """The session's rules, at work."""
        return self._decider

    @property
    def account(self) -> str:
        """The session's account on its target."""
        return self._route.account.name

    @property
    def waits(self) -> bool:
        """A command has no answer yet."""
        return bool(self._pending)

    def judge(self, command: KnownCommand, then: Then, waiting: Waiting) -> list[Effect]:
        """Decide *command*; *then* is called once, when all is said and written, *waiting* perhaps before."""
        decision = self._decider.decide(command)
        pending = self._noted = _Pending(decision, then, waiting)
        ticket = next(self._tickets)
        self._pending[ticket] = pending
        return [NoteCommand(decision), Commit(), Resume(ticket)]

    def after(self, then: Callable[[], list[Effect]]) -> int:
        """A ticket to `Resume`: *then* is done when everything before it is."""
        ticket = next(self._tickets)
        self._after[ticket] = then
        return ticket

    def recorded(self, seq: int) -> None:
        """The number under which the last command was recorded."""
        if self._noted is not None:
            self._noted.seq = seq

    def resumed(self, ticket: int) -> list[Effect]:
        """What was to be written is written."""
        if (then := self._after.pop(ticket, None)) is not None:
            return then()
        pending = self._pending.pop(ticket, None)
        if pending is None:
            return []
        decision = pending.decision
        after: list[Effect] = []
        if decision.lock is not None:
            after.append(LockOperator(decision.lock))
        if decision.ends is not None:
            after.append(EndSession(Ending(EndReason.INTERRUPTED, decision.ends)))
        if decision.waits and not after:
            ticket = next(self._tickets)
            self._pending[ticket] = pending
            return [Seek(ticket, self._request(decision))]
        return [*pending.then(decision, pending.seq), *after]

    def asked(self, ticket: int, approval: str, whom: str) -> list[Effect]:
        """The approval is asked for under this id; *whom* says who may answer."""
        pending = self._pending.get(ticket)
        if pending is None:
            return []
        pending.approval = approval
        request = self._request(pending.decision)
        event = ApprovalAsked(
            approval=approval,
            operator=self._route.operator.name,
            account=self._route.account.name,
            target=self._route.target.name,
            command=request.command,
            normalized=list(request.normalized),
            rules=list(request.rules),
            channel=request.channel,
        )
        return [Note(event), *pending.waiting(whom)]

    def approved(self, ticket: int, answer: ApprovalAnswer) -> list[Effect]:
        """Somebody answered, or nobody did in time."""
        pending = self._pending.pop(ticket, None)
        if pending is None:
            return []
        operator, command = self._route.operator.name, pending.decision.command.shown
        event: ApprovalAnswered | ApprovalClosed
        if answer.by:
            verb = "approved" if answer.approved else "not approved"
            why = f"{verb} by {answer.by}" + (f": {answer.reason}" if answer.reason else "")
            event = ApprovalAnswered(
                answer.approval, operator, answer.by, answer.approved, answer.reason, command
            )
        else:
            why = f"not approved: {answer.reason or 'nobody answered in time'}"
            event = ApprovalClosed(answer.approval, operator, answer.reason or "expired", command)
        decision = self._decider.answered(
            pending.decision, answer.approval, approved=answer.approved, why=why
        )
        pending.decision = decision
        ticket = next(self._tickets)
        self._pending[ticket] = pending
        return [Note(event), Note(decision.decided(pending.seq)), Commit(), Resume(ticket)]

    def withdraw(self) -> list[Effect]:
        """The operator takes back what waits for an approval: as if nobody had answered."""
        effects: list[Effect] = []
        for ticket, pending in list(self._pending.items()):
            if pending.decision.waits:
                answer = ApprovalAnswer(pending.approval, approved=False, by="", reason="withdrawn")
                effects += [Withdraw(ticket), *self.approved(ticket, answer)]
        return effects

    def _request(self, decision: Decision) -> ApprovalRequest:
        return ApprovalRequest(
            session=self._session,
            route=self._route,
            channel=decision.command.channel,
            command=decision.command.shown,
            normalized=tuple(text for one in decision.told for text in one.normalized),
            key=decision.key,
            rules=tuple(match.rule for match in decision.verdict.deciding()),
        )
