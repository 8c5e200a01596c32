"""Targets: where operators may be let, by name or by address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import asyncssh
from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, true, update
from sqlalchemy.exc import IntegrityError

from watchgate.catalog import hosts, names, settings
from watchgate.catalog.change import Change
from watchgate.catalog.schema import account, secret, target, target_host_key, target_label
from watchgate.errors import ConfigurationError, NotFound, Refused
from watchgate.session.model import Address, Target

PROTOCOLS = ("ssh",)

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")
_VALUE = re.compile(r"[A-Za-z0-9._/@ -]{0,255}")
_MOST_LABELS = 64


# --- reading -------------------------------------------------------------------------------------


def list_all(connection: Connection, *, selector: Mapping[str, str] | None = None) -> list[Target]:
    """All targets by name, or those that bear every label of *selector*."""
    return load(connection, bearing(selector or {}))


def get(connection: Connection, name: str) -> Target:
    """The target of that name; raises NotFound with the nearest."""
    found = load(connection, target.c.folded == names.fold(name))
    if not found:
        raise names.unknown("target", name, connection.scalars(select(target.c.name)))
    return found[0]


def candidates(connection: Connection, text: str) -> list[Target]:
    """The targets that *text* may mean: that of this name, else those at this address.

    *text* is a name, a host or an address, with a port or without. Port 22 after a name says nothing
    (ssh's `-J` always sends one); another port must be the target's.
    """
    host, port = hosts.split(text)
    by_name = load(connection, target.c.folded == names.fold(host))
    if by_name and port in (None, hosts.SSH_PORT, by_name[0].address.port):
        return by_name
    at_host = load(connection, target.c.host == hosts.normal(host))
    if port is not None:
        there = [found for found in at_host if found.address.port == port]
        # A client that adds its default port does not insist on it.
        return there or (at_host if port == hosts.SSH_PORT else [])
    return at_host


def find_target(connection: Connection, name_or_host: str, port: int | None = None) -> Target:
    """The one target that is meant; NotFound when there is none, Refused when there are several."""
    text = name_or_host if port is None else str(Address(name_or_host, port))
    found = candidates(connection, text)
    if not found:
        raise names.unknown("target", name_or_host, connection.scalars(select(target.c.name)))
    if len(found) > 1:
        listed = ", ".join(sorted(one.name for one in found))
        raise Refused(f"{text} is the address of {listed}: use a name", code="target.ambiguous")
    return found[0]


def load(connection: Connection, *conditions: ColumnElement[bool]) -> list[Target]:
    """The targets that meet *conditions*, by name, in three queries whatever their number."""
    rows = connection.execute(select(target).where(*conditions).order_by(target.c.folded)).all()
    if not rows:
        return []
    # Few ids are named; many would not fit a statement, so all labels are read then.
    ids = [row.id for row in rows]
    named = len(ids) <= 200
    labels: dict[str, dict[str, str]] = {}
    wanted = select(target_label).order_by(target_label.c.key)
    if named:
        wanted = wanted.where(target_label.c.target_id.in_(ids))
    for row in connection.execute(wanted):
        labels.setdefault(row.target_id, {})[row.key] = row.value
    keys: dict[str, list[str]] = {}
    pinned = select(target_host_key.c.target_id, target_host_key.c.line)
    if named:
        pinned = pinned.where(target_host_key.c.target_id.in_(ids))
    for row in connection.execute(pinned.order_by(target_host_key.c.fingerprint)):
        keys.setdefault(row.target_id, []).append(row.line)
    return [
        Target(
            id=row.id,
            name=row.name,
            protocol=row.protocol,
            address=Address(row.host, row.port),
            labels=labels.get(row.id, {}),
            settings=settings.read(row.settings),
            host_keys=tuple(keys.get(row.id, ())),
        )
        for row in rows
    ]


def bearing(selector: Mapping[str, str]) -> ColumnElement[bool]:
    """The condition for targets that bear every label of *selector*."""
    labels = (
        target.c.id.in_(
            select(target_label.c.target_id).where(
                target_label.c.key == key, target_label.c.value == value
            )
        )
        for key, value in selector.items()
    )
    return and_(true(), *labels)


# --- changing ------------------------------------------------------------------------------------


def add(
    change: Change,
    name: str,
    host: str,
    port: int = hosts.SSH_PORT,
    *,
    protocol: str = "ssh",
    labels: Mapping[str, str] | None = None,
    values: Mapping[str, Any] | None = None,
    host_keys: Sequence[str] = (),
) -> Target:
    """Add a target; *values* are its settings by name, *host_keys* OpenSSH public key lines."""
    names.checked("target", name)
    if protocol not in PROTOCOLS:
        raise ConfigurationError(
            f"the protocol {protocol!r} is not known; there is {', '.join(PROTOCOLS)}",
            code="target.unknown-protocol",
        )
    row = {
        "id": change.fresh_id(),
        "name": name,
        "folded": names.fold(name),
        "protocol": protocol,
        "host": hosts.checked(host),
        "port": hosts.checked_port(port),
        "settings": settings.write(settings.read(values or {})),
        "created_at_us": change.at_us,
    }
    try:
        change.connection.execute(insert(target).values(row))
    except IntegrityError as error:
        raise names.taken("target", name) from error
    _put_labels(change, str(row["id"]), labels or {})
    for line in host_keys:
        _pin(change, str(row["id"]), line)
    added = get(change.connection, name)
    change.note(
        "target.added", name, address=str(added.address), labels=added.labels, settings=values or {}
    )
    return added


def configure(
    change: Change,
    name: str,
    *,
    host: str | None = None,
    port: int | None = None,
    labels: Mapping[str, str | None] | None = None,
    values: Mapping[str, Any] | None = None,
) -> Target:
    """Change what is given and keep the rest; a label that is None is taken away."""
    before = get(change.connection, name)
    merged = settings.write(before.settings) | dict(values or {})
    row = {
        "host": before.address.host if host is None else hosts.checked(host),
        "port": before.address.port if port is None else hosts.checked_port(port),
        "settings": settings.write(settings.read(merged)),
    }
    change.connection.execute(update(target).where(target.c.id == before.id).values(row))
    if labels:
        kept = {key: value for key, value in before.labels.items() if key not in labels}
        kept |= {key: value for key, value in labels.items() if value is not None}
        change.connection.execute(delete(target_label).where(target_label.c.target_id == before.id))
        _put_labels(change, before.id, kept)
    after = get(change.connection, name)
    change.note(
        "target.changed",
        after.name,
        address=str(after.address),
        labels=after.labels,
        settings=dict(values or {}),
    )
    return after


def remove(change: Change, name: str) -> None:
    """Remove a target with its accounts, their secrets, and the grants that name it."""
    gone = get(change.connection, name)
    accounts = select(account.c.id).where(account.c.target_id == gone.id)
    change.connection.execute(
        delete(secret).where(secret.c.purpose == "account", secret.c.owner.in_(accounts))
    )
    change.connection.execute(delete(target).where(target.c.id == gone.id))
    change.note("target.removed", gone.name)


def pin(change: Change, name: str, line: str) -> Target:
    """Trust this host key (or, under the policy `ca`, this CA key) of the target."""
    found = get(change.connection, name)
    fingerprint = _pin(change, found.id, line)
    change.note("target.key-pinned", found.name, fingerprint=fingerprint)
    return get(change.connection, name)


def unpin(change: Change, name: str) -> Target:
    """Forget every trusted key of the target: the next login sees it for the first time again."""
    found = get(change.connection, name)
    change.connection.execute(
        delete(target_host_key).where(target_host_key.c.target_id == found.id)
    )
    change.note("target.keys-cleared", found.name, forgotten=len(found.host_keys))
    return replace(found, host_keys=())


def trust_first(change: Change, target_id: str, line: str) -> bool:
    """Pin the key that a target showed at its first login; False when another came first.

    Two sessions may see a new target at once: the one whose transaction is later must compare its key
    with what is pinned by then.
    """
    pinned = select(target_host_key.c.fingerprint).where(target_host_key.c.target_id == target_id)
    if change.connection.execute(pinned).first() is not None:
        return False
    name = change.connection.scalar(select(target.c.name).where(target.c.id == target_id))
    if name is None:
        raise NotFound("the target was removed meanwhile", code="target.not-found")
    fingerprint = _pin(change, target_id, line)
    change.note("target.key-trusted", name, fingerprint=fingerprint)
    return True


def _pin(change: Change, target_id: str, line: str) -> str:
    try:
        key = asyncssh.import_public_key(line.strip())
    except (asyncssh.KeyImportError, ValueError) as error:
        raise ConfigurationError(
            f"{line.strip()[:40]!r}… is not an OpenSSH public key line; copy it from the target's "
            "/etc/ssh/ssh_host_*_key.pub",
            code="target.illegal-key",
        ) from error
    fingerprint = key.get_fingerprint()
    here = (
        target_host_key.c.target_id == target_id,
        target_host_key.c.fingerprint == fingerprint,
    )
    if change.connection.execute(select(target_host_key.c.line).where(*here)).first() is None:
        plain = b" ".join(key.export_public_key("openssh").split()[:2]).decode()
        change.connection.execute(
            insert(target_host_key).values(
                target_id=target_id, fingerprint=fingerprint, line=plain, pinned_at_us=change.at_us
            )
        )
    return fingerprint


def _put_labels(change: Change, target_id: str, labels: Mapping[str, str]) -> None:
    checked_labels(labels.items())
    if labels:
        change.connection.execute(
            insert(target_label),
            [{"target_id": target_id, "key": key, "value": value} for key, value in labels.items()],
        )


def checked_labels(labels: Iterable[tuple[str, str]]) -> dict[str, str]:
    """*labels* as a mapping, when targets may bear them; else ConfigurationError."""
    pairs = dict(labels)
    if len(pairs) > _MOST_LABELS:
        raise ConfigurationError(
            f"{len(pairs)} labels are too many; {_MOST_LABELS} are allowed",
            code="target.illegal-label",
        )
    for key, value in pairs.items():
        if not _KEY.fullmatch(key) or not _VALUE.fullmatch(value):
            raise ConfigurationError(
                f"{key}={value!r} cannot be a label: write key=value with letters, digits, spaces "
                "(in the value) and . _ - / @",
                code="target.illegal-label",
            )
    return pairs
