"""What is made of repeated measurements."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """The median, the 99th percentile and the extremes of *count* values."""

    median: float
    p99: float
    least: float
    most: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of *values*, of which there is at least one."""
        ordered = sorted(values)
        return cls(
            median=statistics.median(ordered),
            p99=ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
            least=ordered[0],
            most=ordered[-1],
            count=len(ordered),
        )
