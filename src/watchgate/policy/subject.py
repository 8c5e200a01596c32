"""Whom rules are about: the parts of a session that a rule's scope can name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Subject:
    """One session, as scopes see it."""

    operator: str
    target: str
    account: str
    protocol: str
    groups: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
