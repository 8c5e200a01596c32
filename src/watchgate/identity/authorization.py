"""Whether there is a grant, now: implements `session.ports.Authorizer`.

Everything is read from the catalog at each question, so a grant that was revoked a moment ago permits
nothing. Grants are not added up: the best one that holds is the session's, so that the evidence names one
reason. Best is: permits most, then lasts longest, then is oldest; with the same capabilities a shell on the
target is more than one in the gateway, and an answered elevation more than none.

What an operator hears gives nothing away: a target that does not exist and one that he has no grant for
are the same words. Of a grant that he has he hears why it does not hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Hashable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, or_, select, true

from watchgate.catalog import targets
from watchgate.catalog.schema import account, grant, operator, operator_group, target, target_label
from watchgate.catalog.thread import CatalogThread
from watchgate.clock import Clock
from watchgate.errors import Refused
from watchgate.identity import grants, locks
from watchgate.identity.grants import GrantRecord
from watchgate.session.model import (
    Account,
    Address,
    Claim,
    Grant,
    Operator,
    Route,
    ShellKind,
    Target,
)
from watchgate.vault import accounts

_LISTED = 10
_MOST_SELECTORS = 20
"""More different selectors than this are not put into one statement; all targets are read then."""
_MOST_NAMED = 200

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Choice:
    """A way that is open to an operator now, for the menu."""

    target: str
    account: str
    address: str
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question, with what this process alone knows."""

    operator: Operator
    claim: Claim
    at_us: int
    held: Counter[str]
    """Places that the operator holds now, by grant."""

    def full(self, record: GrantRecord) -> bool:
        return bool(record.max_sessions) and self.held[record.id] >= record.max_sessions

    def obstacle(self, record: GrantRecord) -> str | None:
        found = record.obstacle(self.at_us, self.claim.client.host)
        if found is None and self.full(record):
            return f"allows {_sessions(record.max_sessions)} at once"
        return found


class GrantAuthorizer:
    """Answers for one process; its counts belong to its event loop."""

    def __init__(self, catalog: CatalogThread, clock: Clock, *, max_per_operator: int = 0) -> None:
        """*max_per_operator* bounds an operator's sessions at once over all grants; 0 is no limit."""
        self._catalog = catalog
        self._clock = clock
        self._most = max_per_operator
        self._by_grant: Counter[tuple[str, str]] = Counter()
        self._by_operator: Counter[str] = Counter()

    async def authorize(self, operator: Operator, claim: Claim) -> Route:
        """The route that the best grant permits; raises Refused with what the operator may know."""
        if claim.target is None:
            raise Refused("no target was named", code="session.no-target")
        return await self._catalog.read(_decide, self._asked(operator, claim), claim.target)

    async def choices(self, operator: Operator, claim: Claim) -> list[Choice]:
        """Every account on every target that the operator may reach now from where he is."""
        return await self._catalog.read(_choices, self._asked(operator, claim))

    @asynccontextmanager
    async def admit(self, route: Route, session: str) -> AsyncIterator[None]:
        """Hold a place under the grant's limit and the operator's; raises Refused when there is none.

        A group's grant allows its number to each operator. *session* is who holds the place.
        """
        who, pair = route.operator.id, (route.grant.id, route.operator.id)
        most = route.grant.max_sessions
        if most and self._by_grant[pair] >= most:
            raise Refused(
                f"your grant for {_at(route.account.name, route.target.name)} "
                f"allows {_sessions(most)} at once",
                code="session.limit",
            )
        if self._most and self._by_operator[who] >= self._most:
            raise Refused(
                f"you have {_sessions(self._most)} open, which is the limit; end one first",
                code="session.limit",
            )
        self._by_grant[pair] += 1
        self._by_operator[who] += 1
        try:
            yield
        finally:
            _leave(self._by_grant, pair)
            _leave(self._by_operator, who)

    def _asked(self, operator: Operator, claim: Claim) -> _Asked:
        held = Counter(
            {grant: count for (grant, who), count in self._by_grant.items() if who == operator.id}
        )
        return _Asked(operator, claim, self._clock.wall_us(), held)


def _leave(counter: Counter[K], key: K) -> None:
    """Count one down and keep no zeros, so that the table is as long as what is open."""
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]


# --- the decision --------------------------------------------------------------------------------


def _decide(connection: Connection, asked: _Asked, wanted: str) -> Route:
    asking = _present(connection, asked.operator)
    nothing = _no_grant(asked.claim.account, wanted)
    found = targets.candidates(connection, wanted)
    records = _grants_on(connection, asking, found, asked.claim.account)
    # An operator without a grant must not learn that a name means two targets.
    mine = [one for one in found if _covering(records, one)]
    if not mine:
        raise nothing
    if len(mine) > 1:
        listed = ", ".join(sorted(one.name for one in mine))
        raise Refused(f"{wanted} is the address of {listed}: use a name", code="target.ambiguous")
    there = mine[0]
    covering = _covering(records, there)
    existing = accounts.load(connection, account.c.target_id == there.id)
    chosen = _account(asked, there, covering, existing, nothing)
    best = _best(asked, [one for one in covering if one.covers_account(chosen.name)])
    if best is None:
        raise _hindered(asked, covering, chosen.name, there.name)
    return Route(asking, there, chosen, _frozen(best, asked.at_us))


def _present(connection: Connection, asking: Operator) -> Operator:
    """The operator with the roles and groups that he has by now; Refused when disabled or locked."""
    row = connection.execute(select(operator).where(operator.c.id == asking.id)).one_or_none()
    if row is None or row.disabled_at_us is not None:
        raise Refused("your account is disabled", code="operator.disabled")
    if (lock := locks.of_row(row)) is not None:
        raise lock.refusal()
    groups = connection.scalars(
        select(operator_group.c.name).where(operator_group.c.operator_id == asking.id)
    )
    return Operator(asking.id, row.name, frozenset(row.roles), frozenset(groups))


def _grants_on(
    connection: Connection, asking: Operator, found: Sequence[Target], name: str | None
) -> list[GrantRecord]:
    """His grants for any of these targets, and all that go by labels; for the account, if named."""
    if not found:
        return []
    return grants.load(
        connection,
        true() if name is None else grant.c.account.in_([name, grants.EVERY]),
        grants.given_to(asking.id, asking.groups),
        grant.c.revoked_at_us.is_(None),
        or_(grant.c.target_id.in_([one.id for one in found]), grant.c.selector.is_not(None)),
    )


def _covering(records: Iterable[GrantRecord], there: Target) -> list[GrantRecord]:
    return [one for one in records if one.covers_target(there.id, there.labels)]


def _account(
    asked: _Asked,
    there: Target,
    covering: Sequence[GrantRecord],
    existing: Sequence[Account],
    nothing: Refused,
) -> Account:
    """The account that is meant; without a name it is the only one that he may use now."""
    granted = [
        one for one in existing if any(record.covers_account(one.name) for record in covering)
    ]
    if not granted:
        raise nothing
    if asked.claim.account is not None:
        for one in granted:
            if one.name == asked.claim.account:
                return one
        raise nothing
    usable = [
        one
        for one in granted
        if any(
            record.covers_account(one.name) and asked.obstacle(record) is None
            for record in covering
        )
    ]
    if len(usable) == 1:
        return usable[0]
    if not usable:
        raise _hindered(asked, covering, granted[0].name, there.name)
    listed = ", ".join(_at(one.name, there.name) for one in usable[:_LISTED])
    more = ", …" if len(usable) > _LISTED else ""
    raise Refused(f"name an account: {listed}{more}", code="session.no-account")


def _best(asked: _Asked, records: Iterable[GrantRecord]) -> GrantRecord | None:
    holding = [record for record in records if asked.obstacle(record) is None]
    most = max(map(_width, holding), default=None)
    widest = [record for record in holding if _width(record) == most]
    if len(widest) < 2:
        return widest[0] if widest else None

    def lasts(record: GrantRecord) -> float:
        end = record.ends_us(asked.at_us)
        return float("inf") if end is None else end

    return max(widest, key=lasts)


def _width(record: GrantRecord) -> tuple[int, bool, bool]:
    """How much it permits."""
    free = record.shell is ShellKind.TARGET
    return len(record.capabilities), free, record.elevation is not None


def _hindered(asked: _Asked, records: Iterable[GrantRecord], name: str, on: str) -> Refused:
    """Why none of his grants holds; of several reasons that of the youngest grant."""
    reason = "does not hold now"
    for record in records:
        if record.covers_account(name):
            reason = asked.obstacle(record) or reason
    return Refused(f"your grant for {_at(name, on)} {reason}", code="session.grant-does-not-hold")


def _no_grant(name: str | None, wanted: str) -> Refused:
    what = wanted if name is None else _at(name, wanted)
    return Refused(f"no grant for {what}", code="session.no-grant")


def _frozen(record: GrantRecord, at_us: int) -> Grant:
    return Grant(
        record.id,
        record.capabilities,
        record.ends_us(at_us),
        record.max_sessions,
        record.shell,
        record.elevation,
    )


def _at(name: str, on: str) -> str:
    return f"{name}@{on}"


def _sessions(count: int) -> str:
    return "1 session" if count == 1 else f"{count} sessions"


# --- the menu ------------------------------------------------------------------------------------


def _choices(connection: Connection, asked: _Asked) -> list[Choice]:
    """One query for the grants and one or two for what they cover, whatever their number."""
    asking = _present(connection, asked.operator)
    holding = [
        record
        for record in grants.load(
            connection, grants.given_to(asking.id, asking.groups), grant.c.revoked_at_us.is_(None)
        )
        if asked.obstacle(record) is None
    ]
    if not holding:
        return []
    by_target: dict[str, list[GrantRecord]] = {}
    for record in holding:
        by_target.setdefault(record.target_id or "", []).append(record)
    by_labels = by_target.pop("", [])
    rows = connection.execute(
        select(target.c.id, target.c.name, target.c.host, target.c.port, account.c.name)
        .join(account, account.c.target_id == target.c.id)
        .where(_reached(asking, by_labels))
        .order_by(target.c.folded, account.c.name)
    ).all()
    labels = _labels(connection, {row.id for row in rows})
    found = []
    for identifier, on, host, port, name in rows:
        borne = labels.get(identifier, {})
        covering = (
            *by_target.get(identifier, ()),
            *(record for record in by_labels if record.covers_target(identifier, borne)),
        )
        if any(record.covers_account(name) for record in covering):
            address = str(Address(host, port))
            found.append(Choice(on, name, address, tuple(sorted(borne.items()))))
    return found


def _reached(asking: Operator, by_labels: Iterable[GrantRecord]) -> ColumnElement[bool]:
    """The condition for targets that any of his grants is for."""
    named = select(grant.c.target_id).where(
        grants.given_to(asking.id, asking.groups), grant.c.target_id.is_not(None)
    )
    selectors = {grants.describe_selector(record.selector or {}) for record in by_labels}
    if len(selectors) > _MOST_SELECTORS:
        return true()
    borne = [targets.bearing(grants.parse_selector(text)) for text in sorted(selectors)]
    return or_(target.c.id.in_(named), *borne)


def _labels(connection: Connection, of_targets: set[str]) -> dict[str, dict[str, str]]:
    """The labels of these targets; of all when they are too many to name in a statement."""
    query = select(target_label)
    if len(of_targets) <= _MOST_NAMED:
        query = query.where(target_label.c.target_id.in_(of_targets))
    labels: dict[str, dict[str, str]] = {}
    for row in connection.execute(query):
        labels.setdefault(row.target_id, {})[row.key] = row.value
    return labels
