"""What the menu offers, and which of it matches what was typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from watchgate.protocols.ssh.menu_text import clean, width


@dataclass(frozen=True, slots=True)
class Choice:
    """An account on a target that the operator may use now."""

    target: str
    account: str
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a menu ended: with a choice, or None when the operator left."""

    choice: Choice | None


LEFT = Outcome(None)


@dataclass(frozen=True, slots=True)
class Row:
    """A choice as it is shown: without control characters."""

    choice: Choice
    target: str
    account: str
    labels: str
    searched: str

    @classmethod
    def of(cls, choice: Choice) -> Row:
        """The row of *choice*."""
        target, account = clean(choice.target), clean(choice.account)
        labels = " ".join(clean(f"{key}={value}") for key, value in sorted(choice.labels.items()))
        return cls(choice, target, account, labels, f"{target} {account} {labels}".casefold())


class Listing:
    """The rows of a menu, in the order that they were given."""

    __slots__ = ("account_width", "rows", "target_width")

    def __init__(self, choices: Sequence[Choice]) -> None:
        self.rows = [Row.of(choice) for choice in choices]
        self.target_width = max((width(row.target) for row in self.rows), default=0)
        self.account_width = max((width(row.account) for row in self.rows), default=0)

    def matching(self, text: str) -> list[Row]:
        """The rows that hold every word of *text* somewhere, in any case."""
        words = text.casefold().split()
        return [row for row in self.rows if all(word in row.searched for word in words)]
