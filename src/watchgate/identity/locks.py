"""Locks operators' accounts: open sessions end, new ones are refused, until an administrator releases it.

A rule locks, at the count that it names, and an administrator does. A locked operator still proves who he is
like anybody else, so that nothing is told to whoever cannot; then he hears that he is locked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select, update

from watchgate.catalog import journal, names
from watchgate.catalog.schema import operator
from watchgate.catalog.thread import CatalogThread
from watchgate.clock import Clock, iso
from watchgate.errors import ConfigurationError, Refused, WatchgateError
from watchgate.identity.repetitions import Repetitions
from watchgate.policy.rules import Rule
from watchgate.session.control import Sessions
from watchgate.session.events import OperatorLocked, OperatorUnlocked
from watchgate.session.model import Ending, EndReason

log = logging.getLogger(__name__)

LONGEST_REASON = 1_000
_BY_RULE = "rule "
"""Before the name of a rule, where it stands who locked."""


@dataclass(frozen=True, slots=True)
class AccountLock:
    """Since when, by whom and why an account is locked."""

    operator: str
    at_us: int
    by: str
    """`rule NAME`, or the administrator."""
    reason: str

    @property
    def rule(self) -> str | None:
        """The rule that locked it, where one did."""
        return self.by.removeprefix(_BY_RULE) if self.by.startswith(_BY_RULE) else None

    def refusal(self) -> Refused:
        """What the operator hears."""
        since = iso(self.at_us)[:16].replace("T", " ")
        by = self.by if self.rule is not None else "an administrator"
        return Refused(
            f"your account is locked since {since} UTC by {by}: ask an administrator",
            code="operator.locked",
        )


# --- in the catalog ------------------------------------------------------------------------------


def find(connection: Connection, name: str) -> AccountLock | None:
    """The lock of that operator's account; None when it is not locked. Raises NotFound."""
    row = connection.execute(
        select(operator).where(operator.c.folded == names.fold(name))
    ).one_or_none()
    if row is None:
        raise names.unknown("operator", name, connection.scalars(select(operator.c.name)))
    return of_row(row)


def of_row(row: Row[tuple[object, ...]]) -> AccountLock | None:
    """The lock that a row of `operator` tells of, with its name and the three columns of a lock."""
    if row.locked_at_us is None:
        return None
    return AccountLock(row.name, row.locked_at_us, row.locked_by or "", row.locked_reason or "")


def lock(
    connection: Connection,
    clock: Clock,
    name: str,
    *,
    by: str,
    reason: str,
    rule: str | None = None,
    session: str = "",
) -> tuple[AccountLock, bool]:
    """Lock the account and note it in the journal; an earlier lock stays as it is.

    The lock that holds now, and whether this made it. *session* is where the rule was met. Raises NotFound.
    """
    reason = _checked(reason)
    earlier = find(connection, name)
    if earlier is not None:
        return earlier, False
    connection.execute(
        update(operator)
        .where(operator.c.folded == names.fold(name))
        .values(
            locked_at_us=clock.wall_us(),
            locked_by=by if rule is None else f"{_BY_RULE}{rule}",
            locked_reason=reason,
        )
    )
    made = find(connection, name)
    assert made is not None
    event = OperatorLocked(made.operator, by, reason, rule)
    journal.append(connection, clock, event, session)
    return made, True


def unlock(
    connection: Connection, clock: Clock, name: str, *, by: str, reason: str
) -> AccountLock | None:
    """Release the account and note it in the journal; the lock that held, None when none did."""
    reason = _checked(reason)
    held = find(connection, name)
    if held is None:
        return None
    connection.execute(
        update(operator)
        .where(operator.c.folded == names.fold(name))
        .values(locked_at_us=None, locked_by=None, locked_reason=None)
    )
    journal.append(connection, clock, OperatorUnlocked(held.operator, by, reason))
    return held


def _checked(reason: str) -> str:
    stripped = " ".join(reason.split())
    if not stripped or len(stripped) > LONGEST_REASON:
        raise ConfigurationError(
            f"a lock and its release have a reason, of at most {LONGEST_REASON:,} characters",
            code="operator.no-reason",
        )
    return stripped


# --- in the gateway ------------------------------------------------------------------------------


class OperatorLocks:
    """The locks of one process, on its event loop: implements `session.ports.Locks`."""

    def __init__(
        self,
        catalog: CatalogThread,
        clock: Clock,
        sessions: Sessions,
        repetitions: Repetitions,
    ) -> None:
        self._catalog = catalog
        self._clock = clock
        self._sessions = sessions
        self._repetitions = repetitions
        self._held: dict[str, tuple[OperatorLocked, Ending]] = {}
        """What this process locked, by operator: also what the catalog could not take."""
        self._told: set[str] = set()
        """The open sessions that were ended for a lock."""

    def count(self, operator: str, rule: Rule, at_us: int) -> int:
        """Count a repetition (see session.deciding.Repetitions)."""
        return self._repetitions.count(operator, rule, at_us)

    async def warm(self, operator: str, rules: Sequence[Rule]) -> None:
        """Know how often *operator* met those of *rules* that lock accounts, before this session."""
        await self._repetitions.warm(operator, rules)

    def held(self, operator: str) -> Ending | None:
        """How a session of *operator* ends that was being opened while he was locked; None: it goes on.

        To be asked once the session is in the register, from where on a lock finds it.
        """
        held = self._held.get(names.fold(operator))
        return None if held is None else held[1]

    async def lock(self, operator: str, rule: str | None, reason: str, session: str) -> None:
        """Lock the account in the name of a rule: durable first, then his sessions end."""
        await self.lock_by(operator, "gateway", reason, rule=rule, session=session)

    async def lock_by(
        self,
        operator: str,
        by: str,
        reason: str,
        *,
        rule: str | None = None,
        session: str = "",
    ) -> tuple[AccountLock, int]:
        """Lock the account; the lock that holds, and how many sessions were ended for it.

        Raises NotFound and ConfigurationError. Whom a rule locks does not go on because a disk is full: then
        the lock holds in this process alone, and the error is raised when his sessions were ended.
        """
        asked = OperatorLocked(operator, by, reason, rule)
        try:
            held, _ = await self._catalog.write(
                lock, self._clock, operator, by=by, reason=reason, rule=rule, session=session
            )
        except asyncio.CancelledError:
            # Whoever asked is gone, as when that session ended meanwhile; the transaction is not.
            self._enforce(asked)
            raise
        except WatchgateError:
            if rule is not None:
                log.error("the lock of %s by rule %s holds in this process alone", operator, rule)
                self._enforce(asked)
            raise
        by = by if held.rule is not None else held.by
        return held, self._enforce(OperatorLocked(held.operator, by, held.reason, held.rule))

    async def unlock(self, operator: str, by: str, reason: str) -> AccountLock | None:
        """Release the account, and forgive what it was locked for; None when it was not locked."""
        held = await self._catalog.write(unlock, self._clock, operator, by=by, reason=reason)
        here = self._held.pop(names.fold(operator), None)
        if held is not None or here is not None:
            self._repetitions.forgive(operator)
        return held

    def _enforce(self, event: OperatorLocked) -> int:
        """End the operator's open sessions, each with the event in its recording, and those to come."""
        folded = names.fold(event.operator)
        ending = _ending(event)
        self._held[folded] = (event, ending)
        everywhere = self._sessions.all()
        self._told &= {session.id for session in everywhere}
        ended = 0
        for session in everywhere:
            if names.fold(session.route.operator.name) != folded or session.id in self._told:
                continue
            self._told.add(session.id)
            session.recorder.event(event)
            session.end(ending)
            ended += 1
        return ended


def _ending(event: OperatorLocked) -> Ending:
    """How the sessions of a locked operator end; its detail is what he reads."""
    whom = event.by if event.rule is None else f"{_BY_RULE}{event.rule}"
    return Ending(
        EndReason.LOCKED,
        f"the account {event.operator} is locked by {whom}: {event.reason}",
        event.by if event.rule is None else None,
    )
