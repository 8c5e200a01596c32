"""Operators: the people who work through the gateway, their roles and groups.

A role says what somebody may do in Watchgate itself; what may be reached through it, grants say. A group
is a name that operators share and grants may be given to; it exists while somebody is in it or a grant
names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from watchgate.catalog import names
from watchgate.catalog.change import Change
from watchgate.catalog.schema import operator, operator_group, operator_key, secret
from watchgate.errors import ConfigurationError
from watchgate.identity.combinations import Combinations
from watchgate.session.model import Operator
from watchgate.vault.vault import TOTP


class Role(StrEnum):
    """What somebody may do in Watchgate itself."""

    ADMIN = "admin"
    AUDITOR = "auditor"
    APPROVER = "approver"
    OPERATOR = "operator"


DEFAULT_ROLES = frozenset({Role.OPERATOR})


@dataclass(frozen=True, slots=True)
class OperatorAccount:
    """An operator with what an administrator wants to see of him; nothing here is secret."""

    id: str
    name: str
    roles: frozenset[str]
    groups: frozenset[str]
    disabled_at_us: int | None
    locked_at_us: int | None
    locked_by: str | None
    """`rule NAME`, or the administrator."""
    locked_reason: str | None
    has_password: bool
    has_totp: bool
    keys: int
    combinations: tuple[str, ...] | None
    """His own combinations of methods; None when the gateway's hold."""
    created_at_us: int

    @property
    def disabled(self) -> bool:
        """No login, no session."""
        return self.disabled_at_us is not None

    @property
    def locked(self) -> bool:
        """No session, until an administrator releases him."""
        return self.locked_at_us is not None

    def operator(self) -> Operator:
        """The noun that sessions know."""
        return Operator(self.id, self.name, self.roles, self.groups)


# --- reading -------------------------------------------------------------------------------------


def list_all(connection: Connection, *, group: str | None = None) -> list[OperatorAccount]:
    """All operators by name, or those of a group."""
    if group is None:
        return _load(connection)
    members = select(operator_group.c.operator_id).where(operator_group.c.name == names.fold(group))
    return _load(connection, operator.c.id.in_(members))


def get(connection: Connection, name: str) -> OperatorAccount:
    """The operator of that name; raises NotFound with the nearest."""
    found = _load(connection, operator.c.folded == names.fold(name))
    if not found:
        raise names.unknown("operator", name, connection.scalars(select(operator.c.name)))
    return found[0]


def groups(connection: Connection) -> dict[str, int]:
    """Each group and the number of its members."""
    query = select(operator_group.c.name, func.count()).group_by(operator_group.c.name)
    rows = connection.execute(query.order_by(operator_group.c.name))
    return {row[0]: row[1] for row in rows}


def _load(connection: Connection, *conditions: ColumnElement[bool]) -> list[OperatorAccount]:
    keys = (
        select(func.count())
        .select_from(operator_key)
        .where(operator_key.c.operator_id == operator.c.id)
        .scalar_subquery()
    )
    totp = (
        select(func.count())
        .select_from(secret)
        .where(secret.c.purpose == TOTP, secret.c.owner == operator.c.id)
        .scalar_subquery()
    )
    query = select(operator, keys.label("keys"), totp.label("totp")).where(*conditions)
    rows = connection.execute(query.order_by(operator.c.folded)).all()
    members: dict[str, set[str]] = {}
    wanted = select(operator_group)
    if len(rows) == 1:
        wanted = wanted.where(operator_group.c.operator_id == rows[0].id)
    for row in connection.execute(wanted):
        members.setdefault(row.operator_id, set()).add(row.name)
    return [
        OperatorAccount(
            id=row.id,
            name=row.name,
            roles=frozenset(row.roles),
            groups=frozenset(members.get(row.id, ())),
            disabled_at_us=row.disabled_at_us,
            locked_at_us=row.locked_at_us,
            locked_by=row.locked_by,
            locked_reason=row.locked_reason,
            has_password=row.password_hash is not None,
            has_totp=row.totp > 0,
            keys=row.keys,
            combinations=None if row.combinations is None else tuple(row.combinations),
            created_at_us=row.created_at_us,
        )
        for row in rows
    ]


# --- changing ------------------------------------------------------------------------------------


def add(
    change: Change,
    name: str,
    *,
    roles: Iterable[str] = DEFAULT_ROLES,
    in_groups: Iterable[str] = (),
) -> OperatorAccount:
    """Add an operator; he can log in once he has a key, a password or a trusted certificate."""
    names.checked("operator", name)
    wanted = checked_roles(roles)
    identifier = change.fresh_id()
    try:
        change.connection.execute(
            insert(operator).values(
                id=identifier,
                name=name,
                folded=names.fold(name),
                roles=sorted(wanted),
                created_at_us=change.at_us,
            )
        )
    except IntegrityError as error:
        raise names.taken("operator", name) from error
    for group in sorted(set(in_groups)):
        _join(change, identifier, group)
    change.note("operator.added", name, roles=sorted(wanted), groups=sorted(set(in_groups)))
    return get(change.connection, name)


def remove(change: Change, name: str) -> None:
    """Remove an operator with his keys, secrets and grants; what he did stays in the recordings."""
    gone = get(change.connection, name)
    change.connection.execute(delete(secret).where(secret.c.owner == gone.id))
    change.connection.execute(delete(operator).where(operator.c.id == gone.id))
    change.note("operator.removed", gone.name)


def disable(change: Change, name: str) -> OperatorAccount:
    """Let him log in no more; sessions that are open go on until somebody terminates them."""
    found = get(change.connection, name)
    if not found.disabled:
        _set(change, found.id, disabled_at_us=change.at_us)
        change.note("operator.disabled", found.name)
    return get(change.connection, name)


def enable(change: Change, name: str) -> OperatorAccount:
    """Let him log in again."""
    found = get(change.connection, name)
    if found.disabled:
        _set(change, found.id, disabled_at_us=None)
        change.note("operator.enabled", found.name)
    return get(change.connection, name)


def set_roles(change: Change, name: str, roles: Iterable[str]) -> OperatorAccount:
    """Give him these roles and no others."""
    found, wanted = get(change.connection, name), checked_roles(roles)
    _set(change, found.id, roles=sorted(wanted))
    change.note("operator.roles-set", found.name, roles=sorted(wanted))
    return get(change.connection, name)


def set_combinations(
    change: Change, name: str, combinations: Sequence[str] | None
) -> OperatorAccount:
    """Ask him for these combinations of methods in place of the gateway's; None is the gateway's."""
    found = get(change.connection, name)
    wanted = None if combinations is None else list(Combinations.parse(combinations).describe())
    _set(change, found.id, combinations=wanted)
    change.note("operator.combinations-set", found.name, combinations=wanted)
    return get(change.connection, name)


def join(change: Change, name: str, group: str) -> OperatorAccount:
    """Put him into a group."""
    found = get(change.connection, name)
    if names.fold(group) not in found.groups:
        _join(change, found.id, group)
        change.note("operator.joined", found.name, group=names.fold(group))
    return get(change.connection, name)


def leave(change: Change, name: str, group: str) -> OperatorAccount:
    """Take him out of a group; raises NotFound when he is not in it."""
    found, folded = get(change.connection, name), names.fold(group)
    if folded not in found.groups:
        raise names.unknown("group", group, found.groups, "operator")
    change.connection.execute(
        delete(operator_group).where(
            operator_group.c.operator_id == found.id, operator_group.c.name == folded
        )
    )
    change.note("operator.left", found.name, group=folded)
    return get(change.connection, name)


def checked_roles(roles: Iterable[str]) -> frozenset[Role]:
    """*roles* when they exist; else ConfigurationError."""
    wanted = set(roles)
    unknown = sorted(wanted - set(Role))
    if unknown or not wanted:
        named = ", ".join(repr(role) for role in unknown) or "no role"
        raise ConfigurationError(
            f"{named}: the roles are {', '.join(Role)}", code="operator.unknown-role"
        )
    return frozenset(Role(role) for role in wanted)


def _join(change: Change, identifier: str, group: str) -> None:
    change.connection.execute(
        insert(operator_group).values(
            operator_id=identifier, name=names.fold(names.checked("group", group))
        )
    )


def _set(change: Change, identifier: str, **values: object) -> None:
    change.connection.execute(update(operator).where(operator.c.id == identifier).values(**values))
