"""The catalog's configuration as files that `watchgate apply` takes without a difference."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from watchgate.catalog import hosts, names, settings
from watchgate.configuration import terms
from watchgate.configuration.current import Current, Held
from watchgate.configuration.documents import VERSION
from watchgate.configuration.emitting import emit
from watchgate.configuration.entries import (
    OWNER,
    Documents,
    GrantEntry,
    OperatorEntry,
    TargetEntry,
)
from watchgate.errors import ConfigurationError
from watchgate.identity.operators import DEFAULT_ROLES

OWNER_FILE, OPERATORS_FILE = "watchgate.yaml", "operators.yaml"
TARGETS_FILE, GRANTS_FILE = "targets.yaml", "grants.yaml"

_HEAD = "# Written by `watchgate export-config`; `watchgate apply DIR` brings the gateway to what it says.\n"
_NO_OPERATOR_SECRETS = (
    "# Passwords and one-time codes are not here: `watchgate operator password NAME` and\n"
    "# `watchgate operator totp NAME` set them.\n"
)
_NO_ACCOUNT_SECRETS = (
    "# Passwords and private keys of accounts are not here: `watchgate account set ACCOUNT@TARGET`\n"
    "# sets them. Host keys that were pinned are here: without host_keys an apply leaves them alone.\n"
)
_NO_REVOKED = "# Grants that were revoked are not here.\n"


def documents(current: Current, owner: str | None = None) -> Documents:
    """Everything that is of *owner* or was made by hand, each grant with a name.

    Without *owner* it is the one that there is; ConfigurationError when there are several.
    """
    owners = current.owners()
    if owner is None and len(owners) > 1:
        raise ConfigurationError(
            f"there are files of several owners ({', '.join(sorted(owners))}); say --owner NAME",
            code="configuration.several-owners",
        )
    if owner is None:
        owner = next(iter(owners), OWNER)
    ours = {owner, None}
    theirs = {
        (folded, name) for (folded, name), one in current.accounts.items() if one.owner not in ours
    }
    return Documents(
        owner=names.checked("owner", owner),
        operators=tuple(one.entry for one in current.operators.values() if one.owner in ours),
        targets=tuple(
            _without_accounts(folded, one.entry, theirs)
            for folded, one in current.targets.items()
            if one.owner in ours
        ),
        grants=tuple(_named(one for one in current.grants if one.owner in ours)),
    )


def _without_accounts(folded: str, entry: TargetEntry, theirs: set[tuple[str, str]]) -> TargetEntry:
    kept = {name: kind for name, kind in entry.accounts.items() if (folded, name) not in theirs}
    return replace(entry, accounts=kept)


def _named(grants: Iterable[Held[GrantEntry]]) -> list[GrantEntry]:
    """Grants by name; one that was made by hand is named after what it says."""
    entries = [one.entry for one in grants]
    taken = {entry.name for entry in entries if entry.name}
    made = []
    for entry in entries:
        name = entry.name or _free(_grant_name(entry), taken)
        taken.add(name)
        made.append(replace(entry, name=name))
    return sorted(made, key=lambda one: one.name)


def _grant_name(entry: GrantEntry) -> str:
    where = "all" if entry.where == "*" else entry.where
    account = "all" if entry.account == "*" else entry.account
    text = f"{entry.operator or entry.group}-{account}-{where}"
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-")[: names.LONGEST - 5].rstrip("-")


def _free(name: str, taken: set[str]) -> str:
    folded = {names.fold(one) for one in taken}
    if names.fold(name) not in folded:
        return name
    return next(
        candidate
        for number in range(2, len(taken) + 3)
        if names.fold(candidate := f"{name}-{number}") not in folded
    )


# --- as text -------------------------------------------------------------------------------------


def files(found: Documents) -> dict[str, str]:
    """The text of each file by its name."""
    return {
        OWNER_FILE: _HEAD + emit({"version": VERSION, "owner": found.owner}),
        OPERATORS_FILE: _HEAD + _NO_OPERATOR_SECRETS + _section("operators", _operators(found)),
        TARGETS_FILE: _HEAD + _NO_ACCOUNT_SECRETS + _section("targets", _targets(found)),
        GRANTS_FILE: _HEAD + _NO_REVOKED + _section("grants", _grants(found)),
    }


def one_file(found: Documents) -> str:
    """Everything in one text, as `watchgate.yaml`."""
    head = emit({"version": VERSION, "owner": found.owner})
    sections = (
        _NO_OPERATOR_SECRETS + _section("operators", _operators(found)),
        _NO_ACCOUNT_SECRETS + _section("targets", _targets(found)),
        _NO_REVOKED + _section("grants", _grants(found)),
    )
    return "\n".join((_HEAD + head, *sections))


def targets_file(entries: Iterable[TargetEntry]) -> str:
    """Targets alone, as a file."""
    return _section("targets", {entry.name: dict(_target(entry)) for entry in entries})


def _section(name: str, things: dict[str, Any]) -> str:
    return emit({name: things})


def _operators(found: Documents) -> dict[str, Any]:
    return {entry.name: dict(_operator(entry)) for entry in found.operators}


def _targets(found: Documents) -> dict[str, Any]:
    return {entry.name: dict(_target(entry)) for entry in found.targets}


def _grants(found: Documents) -> dict[str, Any]:
    return {entry.name: terms.written(entry) for entry in found.grants}


def _operator(entry: OperatorEntry) -> Iterator[tuple[str, Any]]:
    if entry.roles != DEFAULT_ROLES:
        yield "roles", sorted(entry.roles)
    if entry.groups:
        yield "groups", sorted(entry.groups)
    if entry.login is not None:
        yield "login", list(entry.login)
    # An enabled operator is not said to be one: an apply must not let in whom an admin disabled since.
    if entry.disabled:
        yield "disabled", True
    if entry.keys:
        yield "keys", sorted(entry.keys)


def _target(entry: TargetEntry) -> Iterator[tuple[str, Any]]:
    yield "address", entry.host if entry.port == hosts.SSH_PORT else entry.address
    if entry.labels:
        yield "labels", dict(sorted(entry.labels.items()))
    if values := settings.write(entry.settings):
        yield "settings", {name: values[name] for name in settings.NAMES if name in values}
    if entry.host_keys:
        yield "host_keys", sorted(entry.host_keys)
    if entry.accounts:
        yield "accounts", {name: str(kind) for name, kind in sorted(entry.accounts.items())}
