"""Operators, targets and grants as facts that people read and compare: a name, and a text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from watchgate.catalog import settings
from watchgate.configuration import keys, terms
from watchgate.configuration.entries import GrantEntry, OperatorEntry, TargetEntry


@dataclass(frozen=True, slots=True)
class Field:
    """One field: from what to what; None is nothing."""

    name: str
    old: str | None
    new: str | None


def changed(old: dict[str, str], new: dict[str, str]) -> tuple[Field, ...]:
    """What differs; an empty text is nothing. A key is told from others by what it is, not by its name."""
    found = (
        Field(name.partition(" SHA256:")[0], old.get(name) or None, new.get(name) or None)
        for name in dict.fromkeys((*old, *new))
    )
    return tuple(field for field in found if field.old != field.new)


def _listed(values: Iterable[str]) -> str:
    return ", ".join(sorted(values))


def of_operator(entry: OperatorEntry) -> dict[str, str]:
    said = {
        "roles": _listed(entry.roles),
        "groups": _listed(entry.groups),
        "login": ", ".join(entry.login or ()),
        "state": "disabled" if entry.disabled else "enabled",
    }
    said |= {f"key {keys.fingerprint(line)}": keys.described(line) for line in entry.keys or ()}
    return said


def of_target(entry: TargetEntry) -> dict[str, str]:
    said = {"address": entry.address, "protocol": entry.protocol if entry.protocol != "ssh" else ""}
    said |= {f"label {key}": value or '""' for key, value in sorted(entry.labels.items())}
    plain, other = asdict(entry.settings), settings.write(entry.settings)
    said |= {name: _setting_text(plain[name]) for name in settings.NAMES if name in other}
    said |= {
        f"host key {keys.fingerprint(line)}": keys.described(line) for line in entry.host_keys or ()
    }
    return said


def _setting_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " ".join(value) or "none"
    return str(value).removesuffix(".0")


def of_grant(entry: GrantEntry) -> dict[str, str]:
    to = entry.operator if entry.operator is not None else f"group {entry.group}"
    said = {"to": to, "for": f"{entry.account}@{entry.where}"}
    for word, value in terms.written_terms(entry.terms).items():
        said[word] = _listed(value) if isinstance(value, list) else str(value)
    return said
