"""What a policy says of a command, and how its words weigh.

Precedence (design §5): interrupt beats block beats "not on the force list" beats approve beats allow. Every
rule that matched is named, whatever came of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

HALF_LIFE_DAYS = 30.0
"""After so long a point of an operator, a target or an account counts half."""

_SCALE = 50.0


class Action(StrEnum):
    """What a rule does with a command that it matches."""

    ALLOW = "allow"
    BLOCK = "block"
    INTERRUPT = "interrupt"
    FORCE = "force"
    """A list: where any force rule applies to a session, only commands that match one may run."""
    APPROVE = "approve"
    """It waits until somebody else has approved it."""


class Severity(StrEnum):
    """How grave a command is that a rule matches."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def points(self) -> int:
        """What it adds to a score when the rule says nothing else."""
        return _POINTS[self]


_POINTS = {Severity.LOW: 1, Severity.MEDIUM: 5, Severity.HIGH: 25}
SEVERITIES = tuple(Severity)
"""From the least to the gravest."""


class Outcome(StrEnum):
    """What becomes of a command, from the mildest to the strictest."""

    ALLOW = "allow"
    APPROVE = "approve"
    FORCE = "force"
    """Refused: it is not on the list that a force rule makes."""
    BLOCK = "block"
    INTERRUPT = "interrupt"

    @property
    def rank(self) -> int:
        """The higher wins."""
        return _RANKS[self]


_RANKS = {outcome: rank for rank, outcome in enumerate(Outcome)}


@dataclass(frozen=True, slots=True)
class Match:
    """One rule that matched."""

    rule: str
    action: Action
    severity: Severity
    points: int
    shadow: bool = False
    """The rule only records what it would have done."""
    what: str = ""
    """The simple command, or the reason for which it cannot be read, that it matched."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of one command, before anybody counts tries."""

    outcome: Outcome
    matches: tuple[Match, ...] = ()
    """Every rule that matched, each once, in the order of their names; shadow rules too."""
    unlisted: tuple[str, ...] = ()
    """The simple commands that no force rule permits, where there are force rules."""

    @property
    def severity(self) -> Severity | None:
        """The gravest of the rules that matched and are no shadows."""
        found = [match.severity for match in self.matches if not match.shadow]
        return max(found, key=SEVERITIES.index, default=None)

    @property
    def points(self) -> int:
        """What the command adds to the score."""
        return sum(match.points for match in self.matches if not match.shadow)

    def deciding(self) -> tuple[Match, ...]:
        """The rules whose action is the outcome."""
        return tuple(
            match
            for match in self.matches
            if not match.shadow and match.action.value == self.outcome.value
        )


def risk(points: float) -> int:
    """A session's risk from 0 to 100 for its points: 100 × (1 − e^(−points/50)), rounded."""
    return round(100 * (1 - math.exp(-max(0.0, points) / _SCALE)))


def decayed(points: float, age_us: int) -> float:
    """What is left of *points* that old."""
    days = max(0, age_us) / 86_400e6
    return float(points * 0.5 ** (days / HALF_LIFE_DAYS))
