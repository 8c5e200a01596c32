"""Time and chance as arguments, so that tests own both.

*wall* is what people read and may jump; *monotonic* is what durations are measured with and never
goes back. A recording keeps both: offsets are monotonic, checkpoints say the wall time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where every module of Watchgate takes the time from."""

    def wall_us(self) -> int:
        """Microseconds since 1970 in UTC."""

    def monotonic_us(self) -> int:
        """Microseconds since an arbitrary moment; never goes back."""


class SystemClock:
    """The clock of this machine."""

    def wall_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic_us(self) -> int:
        return time.monotonic_ns() // 1000


@dataclass(slots=True)
class ManualClock:
    """A clock that stands still until a test moves it."""

    wall: int = 1_780_000_000_000_000
    monotonic: int = 0

    def wall_us(self) -> int:
        return self.wall

    def monotonic_us(self) -> int:
        return self.monotonic

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass on both clocks."""
        step = round(seconds * 1_000_000)
        self.wall += step
        self.monotonic += step

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward or back, as NTP or an administrator does."""
        self.wall += round(seconds * 1_000_000)


def iso(wall_us: int) -> str:
    """The moment as RFC 3339 text in UTC with microseconds: `2026-11-21T09:30:00.000000Z`."""
    moment = datetime.fromtimestamp(wall_us // 1_000_000, UTC).replace(
        microsecond=wall_us % 1_000_000
    )
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
