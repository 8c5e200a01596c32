"""How surely a condition holds.

What a line does is not always known: a variable may stand for anything, a glob for several names. A rule
that forbids counts what may match as a match; a rule that permits needs certainty. So a condition is more
than true or false, and `not` keeps what is not known unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class Truth(IntEnum):
    """From surely not to surely; of several conditions that all must hold, the least counts."""

    NO = 0
    DOUBT = 1
    """Nothing speaks for it, but a part is not known: no match, and no certainty that there is none."""
    MAY = 2
    YES = 3


NO, DOUBT, MAY, YES = Truth

_NEGATED = (YES, MAY, MAY, NO)


def negated(truth: Truth) -> Truth:
    """What `not` makes of it."""
    return _NEGATED[truth]


def known(holds: bool) -> Truth:
    """Of something that is known for sure."""
    return YES if holds else NO


def one_or_each(found: Iterable[Truth], every: bool) -> Truth:
    """Of several things: the best when one is enough, the worst when *every* one must; NO for none."""
    return min(found, default=NO) if every else max(found, default=NO)
