"""What a row of the tables of programs says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Operands(StrEnum):
    """Which operands of a program are paths."""

    PATHS = "paths"
    NONE = "none"
    FIRST = "first"
    AFTER_ONE = "after-one"
    """All but the first: a mode, an owner."""
    AFTER_PATTERN = "after-pattern"
    """All, or all but the first where no flag gives the pattern: grep, sed."""
    ASSIGNED = "assigned"
    """`of=PATH`."""
    OWN = "own"
    """Whoever steps through the program tells."""
    LIKELY = "likely"
    """Those that look like one."""


@dataclass(frozen=True, slots=True)
class Known:
    """A program."""

    flags: str
    operands: Operands = Operands.LIKELY
    bundled: bool = False
    """Flags may stand without a dash as the first operand: `tar xzf`."""
    verb: bool = False
    """Its first operand says what it does: `git push`; in the normal form it comes before the flags."""


def names(text: str) -> frozenset[str]:
    """The words of *text*: long lists of programs read better without a quote around each."""
    return frozenset(text.split())


def pairs(text: str) -> dict[str, str]:
    """What stands left and right of each `=`."""
    return dict(one.split("=", 1) for one in text.split())
