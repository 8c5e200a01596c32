"""Grants: why an operator may reach an account on a target, when, from where, and how often at once.

A grant is given to an operator or to a group, for one account or all (`*`), on one target, on all that
bear some labels (`env=prod,role=web`: every one of them), or on all (`*`). Nothing is permitted without
one. A revoked grant stays in the list, because sessions name it.
"""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, Row, insert, or_, select, update

from watchgate.catalog import names, targets
from watchgate.catalog.change import Change
from watchgate.catalog.hosts import address_of
from watchgate.catalog.schema import grant, operator, target
from watchgate.clock import iso
from watchgate.errors import ConfigurationError
from watchgate.identity import operators
from watchgate.identity.hours import Hours
from watchgate.session.model import DEFAULT_CAPABILITIES, Capability, ShellKind

EVERY = "*"
SAME = "same"
"""How people write the session's own account, where a grant names the account whose password elevates."""
_MOST_NETWORKS = 100

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class GrantRecord:
    """A grant as it was given."""

    id: str
    operator: str | None
    """The operator's name; None when it is a group's."""
    group: str | None
    account: str
    target: str | None
    """The target's name; None when *selector* says which."""
    selector: Mapping[str, str] | None
    """Labels that a target must bear, all of them; empty is every target."""
    capabilities: frozenset[Capability]
    from_us: int | None
    until_us: int | None
    hours: Hours | None
    networks: tuple[Network, ...]
    max_sessions: int
    """Of each operator at once; 0 is no limit."""
    comment: str
    created_at_us: int
    revoked_at_us: int | None
    target_id: str | None = None
    shell: ShellKind = ShellKind.TARGET
    elevation: str | None = None
    """Whose password answers an elevation: `""` is the session's own account; None: nobody's."""

    @property
    def subject(self) -> str:
        """To whom it was given, as people write it."""
        return self.operator if self.operator is not None else f"group {self.group}"

    @property
    def where(self) -> str:
        """On what it was given, as people write it."""
        return self.target or describe_selector(self.selector or {})

    def covers_account(self, name: str) -> bool:
        """Whether it is for this account."""
        return self.account in (EVERY, name)

    def covers_target(self, target_id: str, labels: Mapping[str, str]) -> bool:
        """Whether it is for this target."""
        if self.selector is None:
            return self.target_id == target_id
        return all(labels.get(key) == value for key, value in self.selector.items())

    def obstacle(self, at_us: int, source: str) -> str | None:
        """Why it does not hold at that moment for a client there; None when it holds."""
        if self.from_us is not None and at_us < self.from_us:
            return f"begins at {_short(self.from_us)}"
        if self.until_us is not None and at_us >= self.until_us:
            return f"ended at {_short(self.until_us)}"
        if self.hours is not None and not self.hours.holds(at_us):
            return f"holds {self.hours.describe()}"
        if self.networks and not in_networks(source, self.networks):
            return "does not hold from your network"
        return None

    def ends_us(self, at_us: int) -> int | None:
        """When it ceases to hold, for one that holds now; None is never."""
        ends = [self.until_us, None if self.hours is None else self.hours.ends_us(at_us)]
        return min((end for end in ends if end is not None), default=None)


# --- reading -------------------------------------------------------------------------------------


def list_all(
    connection: Connection,
    *,
    of_operator: str | None = None,
    of_group: str | None = None,
    on_target: str | None = None,
    revoked: bool = False,
) -> list[GrantRecord]:
    """Grants by age; of an operator with those of his groups, on a target with those by its labels."""
    conditions: list[ColumnElement[bool]] = [] if revoked else [grant.c.revoked_at_us.is_(None)]
    if of_operator is not None:
        found = operators.get(connection, of_operator)
        conditions.append(given_to(found.id, found.groups))
    if of_group is not None:
        conditions.append(grant.c.group_name == names.fold(of_group))
    listed = load(connection, *conditions)
    if on_target is not None:
        there = targets.get(connection, on_target)
        listed = [one for one in listed if one.covers_target(there.id, there.labels)]
    return listed


def get(connection: Connection, which: str) -> GrantRecord:
    """The grant with this id, or a unique beginning of it; else NotFound."""
    begins = grant.c.id.startswith(which.lower(), autoescape=True)
    found = load(connection, begins) if len(which) >= 4 else []
    if not found:
        raise names.unknown("grant", which, ())
    if len(found) > 1:
        listed = ", ".join(one.id for one in found[:5])
        raise ConfigurationError(
            f"{which!r} begins several grants: {listed}; give more of it", code="grant.ambiguous"
        )
    return found[0]


def given_to(operator_id: str, groups: Iterable[str]) -> ColumnElement[bool]:
    """The condition for grants of an operator or of one of his groups."""
    return or_(grant.c.operator_id == operator_id, grant.c.group_name.in_(sorted(groups)))


def load(connection: Connection, *conditions: ColumnElement[bool]) -> list[GrantRecord]:
    """The grants that meet *conditions*, by age, in one query."""
    query = (
        select(grant, operator.c.name.label("operator"), target.c.name.label("target"))
        .outerjoin(operator, operator.c.id == grant.c.operator_id)
        .outerjoin(target, target.c.id == grant.c.target_id)
        .where(*conditions)
        .order_by(grant.c.id)
    )
    return [_record(row) for row in connection.execute(query)]


def _record(row: Row[tuple[object, ...]]) -> GrantRecord:
    return GrantRecord(
        id=row.id,
        operator=row.operator,
        group=row.group_name,
        account=row.account,
        target=row.target,
        selector=None if row.selector is None else _split_selector(row.selector),
        capabilities=frozenset(map(Capability, row.capabilities)),
        from_us=row.from_us,
        until_us=row.until_us,
        hours=None if row.hours is None else Hours.from_json(row.hours),
        networks=tuple(ipaddress.ip_network(text) for text in row.networks),
        max_sessions=row.max_sessions,
        comment=row.comment,
        created_at_us=row.created_at_us,
        revoked_at_us=row.revoked_at_us,
        target_id=row.target_id,
        shell=ShellKind.TARGET if row.shell is None else ShellKind(row.shell),
        elevation=row.elevation,
    )


# --- changing ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Terms:
    """What a grant permits and until when, as an administrator gives it."""

    capabilities: frozenset[Capability] = DEFAULT_CAPABILITIES
    from_us: int | None = None
    until_us: int | None = None
    hours: Hours | None = None
    networks: tuple[Network, ...] = ()
    max_sessions: int = 0
    comment: str = ""
    shell: ShellKind = ShellKind.TARGET
    elevation: str | None = None
    """Whose password answers an elevation: `""` is the session's own account; None: nobody's."""


def add(
    change: Change,
    *,
    account: str,
    on: str,
    to_operator: str | None = None,
    to_group: str | None = None,
    terms: Terms | None = None,
) -> GrantRecord:
    """Give an operator or a group a grant; *on* is a target's name, labels (`env=prod`), or `*`."""
    chosen = _checked(terms or Terms(), change.at_us)
    operator_id, group = _subject(change.connection, to_operator, to_group)
    if account != EVERY:
        names.checked_account(account)
    by_labels = on == EVERY or "=" in on
    target_id = None if by_labels else targets.get(change.connection, on).id
    selector = describe_selector(parse_selector(on)) if by_labels else None
    identifier = change.fresh_id()
    change.connection.execute(
        insert(grant).values(
            id=identifier,
            operator_id=operator_id,
            group_name=group,
            account=account,
            target_id=target_id,
            selector=selector,
            capabilities=sorted(chosen.capabilities),
            from_us=chosen.from_us,
            until_us=chosen.until_us,
            hours=None if chosen.hours is None else chosen.hours.to_json(),
            networks=[str(network) for network in chosen.networks],
            max_sessions=chosen.max_sessions,
            comment=chosen.comment,
            created_at_us=change.at_us,
            shell=None if chosen.shell is ShellKind.TARGET else str(chosen.shell),
            elevation=chosen.elevation,
        )
    )
    added = load(change.connection, grant.c.id == identifier)[0]
    change.note(
        "grant.added",
        identifier,
        to=added.subject,
        account=account,
        on=added.where,
        capabilities=sorted(chosen.capabilities),
        **_noted(chosen),
    )
    return added


def revoke(change: Change, which: str) -> GrantRecord:
    """End a grant for good; sessions that it opened go on until they end or are terminated."""
    found = get(change.connection, which)
    if found.revoked_at_us is None:
        at_us = change.at_us
        change.connection.execute(
            update(grant).where(grant.c.id == found.id).values(revoked_at_us=at_us)
        )
        change.note("grant.revoked", found.id, to=found.subject, on=found.where)
        found = replace(found, revoked_at_us=at_us)
    return found


def _noted(terms: Terms) -> dict[str, str]:
    """What the journal says of how its shells and elevations are, where they are not as usual."""
    noted = {} if terms.shell is ShellKind.TARGET else {"shell": str(terms.shell)}
    if terms.elevation is not None:
        noted["elevation"] = describe_elevation(terms.elevation)
    return noted


def _subject(
    connection: Connection, to_operator: str | None, to_group: str | None
) -> tuple[str | None, str | None]:
    if to_operator is not None and to_group is None:
        return operators.get(connection, to_operator).id, None
    if to_group is not None and to_operator is None:
        return None, names.fold(names.checked("group", to_group))
    raise ConfigurationError(
        "a grant is given to one operator or to one group", code="grant.no-subject"
    )


def _checked(terms: Terms, now_us: int) -> Terms:
    if not terms.capabilities:
        raise ConfigurationError(
            f"a grant that permits nothing is no grant; there are {', '.join(Capability)}",
            code="grant.no-capability",
        )
    if terms.until_us is not None and terms.until_us <= max(now_us, terms.from_us or 0):
        raise ConfigurationError(
            f"the grant would end at {_short(terms.until_us)}, before it begins",
            code="grant.illegal-time",
        )
    if not 0 <= terms.max_sessions <= 1_000_000:
        raise ConfigurationError(
            f"{terms.max_sessions} is not a number of sessions; 0 is no limit",
            code="grant.illegal-limit",
        )
    if terms.elevation:
        names.checked_account(terms.elevation)
    return terms


# --- words ---------------------------------------------------------------------------------------


def parse_capabilities(texts: Iterable[str]) -> frozenset[Capability]:
    """Capabilities by name; raises ConfigurationError naming the nearest."""
    found = set()
    for text in texts:
        if text not in set(Capability):
            near = difflib.get_close_matches(text, list(Capability), n=1)
            advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(Capability)}"
            raise ConfigurationError(
                f"there is no capability {text!r}; {advice}", code="grant.unknown-capability"
            )
        found.add(Capability(text))
    return frozenset(found)


def parse_shell(text: str) -> ShellKind:
    """Whose line editor, by its word; raises ConfigurationError."""
    try:
        return ShellKind(text)
    except ValueError as error:
        raise ConfigurationError(
            f"there is no kind of shell {text!r}; there are {', '.join(ShellKind)}",
            code="grant.unknown-shell",
        ) from error


def parse_elevation(text: str) -> str:
    """The account whose password elevates; `same`, or nothing, is the session's own (`""`)."""
    return "" if text in ("", SAME) else names.checked_account(text)


def describe_elevation(elevation: str) -> str:
    """The inverse of `parse_elevation`."""
    return elevation or SAME


def parse_selector(text: str) -> dict[str, str]:
    """Labels from `env=prod,role=web`; `*` is none, which every target bears."""
    if text != EVERY and not all("=" in part for part in text.split(",")):
        raise ConfigurationError(
            f"{text!r} does not select targets; write key=value, key=value,key=value, or *",
            code="grant.illegal-selector",
        )
    return targets.checked_labels(_split_selector(text).items())


def _split_selector(text: str) -> dict[str, str]:
    """The labels of a selector that was checked when it was entered."""
    if text == EVERY:
        return {}
    pairs = (part.strip().partition("=") for part in text.split(","))
    return {key: value for key, _, value in pairs}


def describe_selector(labels: Mapping[str, str]) -> str:
    """The inverse of `parse_selector`, in a fixed order."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or EVERY


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks as `10.0.0.0/8`, `2001:db8::/32`, or an address alone."""
    networks = []
    for text in texts:
        try:
            networks.append(ipaddress.ip_network(text))
        except ValueError as error:
            raise ConfigurationError(
                f"{text!r} is not a network; {_network_advice(text)}", code="grant.illegal-network"
            ) from error
    if len(networks) > _MOST_NETWORKS:
        raise ConfigurationError(
            f"{len(networks)} networks are too many for a grant; {_MOST_NETWORKS} are allowed",
            code="grant.illegal-network",
        )
    return tuple(networks)


def _network_advice(text: str) -> str:
    try:
        return f"did you mean {ipaddress.ip_network(text, strict=False)}?"
    except ValueError:
        return "write it as 10.0.0.0/8 or 2001:db8::/32"


def in_networks(host: str, networks: Iterable[Network]) -> bool:
    """Whether *host* is an address in one of *networks*; an IPv4 address in IPv6's clothes is IPv4."""
    address = address_of(host)
    return address is not None and any(address in network for network in networks)


def _short(at_us: int) -> str:
    """A moment as people read it, in UTC."""
    return iso(at_us)[:16].replace("T", " ") + " UTC"
