"""What the catalog has now, in the nouns of the files, each with its owner."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy import Connection, select

from watchgate.catalog import names, targets
from watchgate.catalog.schema import operator_key, secret
from watchgate.configuration import keys, ownership, terms
from watchgate.configuration.entries import GrantEntry, OperatorEntry, TargetEntry
from watchgate.configuration.ownership import Kind, Mark
from watchgate.identity import grants, operators
from watchgate.identity.grants import GrantRecord, Terms
from watchgate.session.model import CredentialKind
from watchgate.vault import accounts
from watchgate.vault.vault import ACCOUNT

T = TypeVar("T", OperatorEntry, TargetEntry, GrantEntry)


@dataclass(frozen=True, slots=True)
class Held(Generic[T]):
    """Something that the catalog has; *owner* is None when it was made by hand."""

    id: str
    owner: str | None
    entry: T


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key of an operator."""

    id: str
    owner: str | None
    line: str


@dataclass(frozen=True, slots=True)
class HeldAccount:
    """An account on a target."""

    id: str
    owner: str | None
    target: str
    name: str
    credential: CredentialKind
    has_secret: bool

    @property
    def lacks_secret(self) -> bool:
        """Nobody can log in as it yet."""
        return self.credential is not CredentialKind.CERTIFICATE and not self.has_secret


@dataclass(frozen=True, slots=True)
class Current:
    """The configuration of the catalog; operators and targets by their folded names."""

    operators: dict[str, Held[OperatorEntry]] = field(default_factory=dict)
    keys: dict[str, tuple[HeldKey, ...]] = field(default_factory=dict)
    """By the folded name of the operator."""
    targets: dict[str, Held[TargetEntry]] = field(default_factory=dict)
    accounts: dict[tuple[str, str], HeldAccount] = field(default_factory=dict)
    """By the folded name of the target and the account's own."""
    grants: tuple[Held[GrantEntry], ...] = ()
    """Those that are not revoked; one that was made by hand has no name."""

    def owners(self) -> set[str]:
        """All owners of anything."""
        found = {one.owner for one in self.operators.values()}
        found |= {one.owner for one in self.targets.values()}
        found |= {one.owner for one in self.accounts.values()}
        found |= {one.owner for one in self.grants}
        return {owner for owner in found if owner is not None}


def load(connection: Connection) -> Current:
    """The configuration as it is in this transaction."""
    marks = ownership.read(connection)
    held_keys = _keys(connection, marks[Kind.KEY])
    held_accounts = _accounts(connection, marks[Kind.ACCOUNT])
    return Current(
        operators=_operators(connection, marks[Kind.OPERATOR], held_keys),
        keys=held_keys,
        targets=_targets(connection, marks[Kind.TARGET], held_accounts),
        accounts=held_accounts,
        grants=_grants(connection, marks[Kind.GRANT]),
    )


def _owner(marks: dict[str, Mark], row_id: str) -> str | None:
    return marks[row_id].owner if row_id in marks else None


def _keys(connection: Connection, marks: dict[str, Mark]) -> dict[str, tuple[HeldKey, ...]]:
    of: dict[str, list[HeldKey]] = defaultdict(list)
    for row in connection.execute(select(operator_key).order_by(operator_key.c.fingerprint)):
        line = keys.joined(row.line, row.comment)
        of[row.operator_id].append(HeldKey(row.id, _owner(marks, row.id), line))
    by_name = {one.id: names.fold(one.name) for one in operators.list_all(connection)}
    return {by_name[operator_id]: tuple(held) for operator_id, held in of.items()}


def _operators(
    connection: Connection, marks: dict[str, Mark], held_keys: dict[str, tuple[HeldKey, ...]]
) -> dict[str, Held[OperatorEntry]]:
    found = {}
    for one in operators.list_all(connection):
        folded = names.fold(one.name)
        entry = OperatorEntry(
            name=one.name,
            roles=frozenset(map(operators.Role, one.roles)),
            groups=one.groups,
            keys=frozenset(key.line for key in held_keys.get(folded, ())),
            login=one.combinations,
            disabled=one.disabled,
        )
        found[folded] = Held(one.id, _owner(marks, one.id), entry)
    return found


def _accounts(connection: Connection, marks: dict[str, Mark]) -> dict[tuple[str, str], HeldAccount]:
    sealed = set(connection.scalars(select(secret.c.owner).where(secret.c.purpose == ACCOUNT)))
    return {
        (names.fold(one.target), one.name): HeldAccount(
            one.id, _owner(marks, one.id), one.target, one.name, one.credential, one.id in sealed
        )
        for one in accounts.list_all(connection)
    }


def _targets(
    connection: Connection,
    marks: dict[str, Mark],
    held_accounts: dict[tuple[str, str], HeldAccount],
) -> dict[str, Held[TargetEntry]]:
    on: dict[str, dict[str, CredentialKind]] = defaultdict(dict)
    for (folded, name), held in held_accounts.items():
        on[folded][name] = held.credential
    found = {}
    for one in targets.list_all(connection):
        folded = names.fold(one.name)
        entry = TargetEntry(
            name=one.name,
            host=one.address.host,
            port=one.address.port,
            protocol=one.protocol,
            labels=one.labels,
            settings=one.settings,
            host_keys=frozenset(one.host_keys),
            accounts=on.get(folded, {}),
        )
        found[folded] = Held(one.id, _owner(marks, one.id), entry)
    return found


def _grants(connection: Connection, marks: dict[str, Mark]) -> tuple[Held[GrantEntry], ...]:
    return tuple(
        Held(
            one.id,
            _owner(marks, one.id),
            grant_entry(one, marks[one.id].name if one.id in marks else ""),
        )
        for one in grants.list_all(connection)
    )


def grant_entry(record: GrantRecord, name: str) -> GrantEntry:
    """A grant of the catalog as files would say it."""
    given = Terms(
        capabilities=record.capabilities,
        from_us=record.from_us,
        until_us=record.until_us,
        hours=record.hours,
        networks=terms.ordered(record.networks),
        max_sessions=record.max_sessions,
        comment=record.comment,
        shell=record.shell,
        elevation=record.elevation,
    )
    return GrantEntry(name, record.operator, record.group, record.account, record.where, given)
