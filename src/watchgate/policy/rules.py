"""A rule, as it is after loading."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from watchgate.identity.hours import Hours
from watchgate.policy.combining import NEVER
from watchgate.policy.conditions import Condition
from watchgate.policy.examples import Example
from watchgate.policy.scopes import EVERYWHERE, Scope
from watchgate.policy.verdicts import Action, Severity

DAY_US = 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class Rule:
    """One audited-command rule."""

    name: str
    action: Action
    severity: Severity = Severity.LOW
    points: int = 1
    description: str = ""
    message: str = ""
    """What the operator reads when it holds him up."""
    attempts: int = 1
    """Of an interrupting rule: the try at which the session ends."""
    lock_account_after: int = 0
    """After so many within `lock_window_us` the operator's account is locked; 0 is never."""
    lock_window_us: int = DAY_US
    shadow: bool = False
    document: str = "{}"
    """The rule as JSON in one normal form."""
    digest: str = ""
    """SHA-256 of `document`, in hexadecimal."""
    match: Condition = NEVER
    scope: Scope = EVERYWHERE
    schedule: Hours | None = None
    """When it holds; None is always."""
    certain: bool = False
    """What only may match is no match; so it always is with a rule that permits, and with `allow` unless it says otherwise."""
    expect: tuple[Example, ...] = ()

    @property
    def permits(self) -> bool:
        """It has commands on a list of what may run, so that all of each must match, and surely.

        A rule with `allow` permits nothing that another forbids: it names and scores what it matches.
        """
        return self.action is Action.FORCE

    def holds_at(self, at_us: int) -> bool:
        """Whether its schedule has it hold at that wall time."""
        return self.schedule is None or self.schedule.holds(at_us)

    def described(self) -> dict[str, Any]:
        """The rule as plain JSON values, exactly as it holds."""
        return dict(json.loads(self.document))
