"""What guards operators beyond the rules: locked accounts, and approvals by somebody else.

One object of the composition root: it makes the parts, brings back what the last gateway left, and answers
the control socket's verbs about them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from watchgate.catalog import approvals
from watchgate.catalog.approvals import ApprovalRecord, State
from watchgate.catalog.thread import CatalogThread
from watchgate.clock import Clock
from watchgate.errors import Refused
from watchgate.identity.answering import Answering
from watchgate.identity.approving import Approving
from watchgate.identity.locks import OperatorLocks
from watchgate.identity.repetitions import Repetitions
from watchgate.secret import Secret
from watchgate.session.control import Sessions
from watchgate.session.model import Address, Operator
from watchgate.session.ports import Authenticator, Journal, Step

HERE = Address("control-socket", 0)
"""Where a proof comes from that was given on this machine."""

LISTED = 1_000


class Guarding:
    """Locks and approvals of one gateway; an async context manager."""

    def __init__(
        self,
        thread: CatalogThread,
        clock: Clock,
        journal: Journal,
        sessions: Sessions,
        authenticator: Authenticator,
        *,
        wait: float,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """*wait* is how many seconds a command waits for an approval."""
        self.locks = OperatorLocks(thread, clock, sessions, Repetitions(thread, clock))
        self.approvals = Approving(thread, clock, wait=wait, random=random)
        self._answering = Answering(self.approvals, thread, clock)
        self._thread = thread
        self._clock = clock
        self._journal = journal
        self._authenticator = authenticator
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Guarding:
        await self._stack.enter_async_context(self.approvals)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()

    async def answer_over_ssh(self, operator: Operator, line: str) -> list[str] | None:
        """What an exec request to the menu is answered with (see identity.answering)."""
        return await self._answering.answer_over_ssh(operator, line)

    async def control(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """Answer a question of another process about locks and approvals; None when it is about neither."""
        match message:
            case {"do": "approvals"}:
                return await self._waiting()
            case {"do": "approve" | "refuse" as verb, "approval": str(name), "reason": str(reason)}:
                by = await self._proven(message)
                for_us = message.get("for_us") if verb == "approve" else None
                return _told(
                    await self.approvals.answer(
                        name, by, approved=verb == "approve", reason=reason, for_us=_number(for_us)
                    )
                )
            case {"do": "revoke", "approval": str(name), "by": str(by), "reason": str(reason)}:
                return _told(await self.approvals.revoke(name, by=by, reason=reason))
            case {"do": "lock", "operator": str(operator), "by": str(by), "reason": str(reason)}:
                held, ended = await self.locks.lock_by(operator, by, reason)
                return {"operator": held.operator, "at_us": held.at_us, "sessions": ended}
            case {"do": "unlock", "operator": str(operator), "by": str(by), "reason": str(reason)}:
                released = await self.locks.unlock(operator, by, reason)
                name = operator if released is None else released.operator
                return {"operator": name, "was_locked": released is not None}
            case _:
                return None

    async def _waiting(self) -> dict[str, Any]:
        found = await self._thread.read(approvals.list_all, states=[State.WAITING], limit=LISTED)
        return {"approvals": [_told(one) for one in found]}

    async def _proven(self, message: dict[str, Any]) -> str:
        """Who the approver is, by his own password and code; the same throttle as for every login."""
        name, password, code = (message.get(key) for key in ("as", "password", "code"))
        if not isinstance(name, str) or not isinstance(password, str):
            raise Refused(
                "an answer names its approver and has his password", code="approval.usage"
            )
        attempt = await self._authenticator.begin(name, HERE)
        step = await attempt.password(_secret(password))
        if step is Step.PARTIAL and isinstance(code, str):
            step = await attempt.totp(code)
        if step is not Step.ACCEPTED or attempt.operator is None:
            await self._journal.note(attempt.refused())
            raise Refused(
                f"{name} is not proven: a wrong password or code, or he does not log in by these",
                code="approval.not-proven",
            )
        return attempt.operator.name


def _secret(text: str) -> Secret:
    """A password as JSON carried it, with octets that are no UTF-8 as lone surrogates."""
    try:
        return Secret(text.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError as error:
        raise Refused("the password is no text", code="approval.usage") from error


def _number(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise Refused("for_us is a number of microseconds", code="approval.usage")


def _told(one: ApprovalRecord) -> dict[str, Any]:
    return {
        "id": one.id,
        "state": str(one.state),
        "operator": one.operator,
        "account": one.account,
        "target": one.target,
        "command": one.command,
        "normalized": list(one.normalized),
        "rules": list(one.rules),
        "session": one.session,
        "asked_at_us": one.asked_at_us,
        "expires_at_us": one.expires_at_us,
        "answered_by": one.answered_by,
        "reason": one.reason,
        "until_us": one.until_us,
    }
