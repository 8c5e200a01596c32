"""What has to be done to the catalog's rules so that they are what files say.

Files own the rules that came from them and no others. A rule of the same name from elsewhere is a conflict,
until it is said that the files take it over; one that is in its file no more stays until it is said to go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from watchgate.catalog import rules
from watchgate.catalog.change import Change
from watchgate.catalog.rules import StoredRule
from watchgate.policy.rules import Rule


class Step(StrEnum):
    """What is done to a rule."""

    ADD = "add"
    CHANGE = "change"
    ADOPT = "adopt"
    """It is the same, and from now on of these files."""
    REMOVE = "remove"
    LEAVE = "leave"
    """It is in its file no more, and stays."""
    CONFLICT = "conflict"
    """Somebody else's rule has that name."""


@dataclass(frozen=True, slots=True)
class Item:
    """One rule that differs."""

    name: str
    step: Step
    origin: str
    """Where the rule is from, when this is done."""
    before: StoredRule | None = None
    after: Rule | None = None

    @property
    def changes(self) -> tuple[tuple[str, str | None, str | None], ...]:
        """The keys of its document that differ: what they were and what they will be."""
        old = {} if self.before is None else self.before.described()
        new = {} if self.after is None else self.after.described()
        return tuple(_differences(old, new))


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that differs, by name."""

    items: tuple[Item, ...]
    same: int
    """Rules that are as the files say."""

    @property
    def differs(self) -> bool:
        """Something would be done."""
        return any(item.step not in (Step.LEAVE, Step.CONFLICT) for item in self.items)

    @property
    def conflicts(self) -> tuple[Item, ...]:
        """What must be decided before anything is done."""
        return tuple(item for item in self.items if item.step is Step.CONFLICT)

    def count(self, step: Step) -> int:
        """How many rules this is done to."""
        return sum(item.step is step for item in self.items)


def plan(
    held: Iterable[StoredRule],
    wanted: Mapping[str, Sequence[Rule]],
    *,
    prune: bool = False,
    adopt: bool = False,
) -> Plan:
    """What brings the rules that are *held* to those that are *wanted* of each origin."""
    known = {stored.name: stored for stored in held}
    names: set[str] = set()
    items: list[Item] = []
    same = 0
    for origin, some in wanted.items():
        for rule in some:
            names.add(rule.name)
            item = _item(known.get(rule.name), rule, origin, adopt=adopt)
            items += [] if item is None else [item]
            same += item is None
    for stored in known.values():
        if stored.origin in wanted and stored.name not in names:
            step = Step.REMOVE if prune else Step.LEAVE
            items.append(Item(stored.name, step, stored.origin, stored))
    return Plan(tuple(sorted(items, key=lambda one: one.name)), same)


def _item(before: StoredRule | None, rule: Rule, origin: str, *, adopt: bool) -> Item | None:
    if before is None:
        return Item(rule.name, Step.ADD, origin, None, rule)
    if before.origin != origin and not adopt:
        return Item(rule.name, Step.CONFLICT, before.origin, before, rule)
    if before.digest != rule.digest:
        return Item(rule.name, Step.CHANGE, origin, before, rule)
    return None if before.origin == origin else Item(rule.name, Step.ADOPT, origin, before, rule)


def carry_out(change: Change, planned: Plan) -> None:
    """Do what is planned, in the transaction of *change*."""
    at_us = rules.moment(change)
    for item in planned.items:
        if item.step is Step.REMOVE:
            rules.remove(change, item.name)
        elif item.step not in (Step.LEAVE, Step.CONFLICT):
            assert item.after is not None
            rules.put(change, item.after, item.origin, at_us=at_us)


def _differences(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[tuple[str, str | None, str | None]]:
    for key in sorted({*old, *new} - {"name"}):
        if old.get(key) != new.get(key):
            yield key, _said(old.get(key)), _said(new.get(key))


def _said(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
