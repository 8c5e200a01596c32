"""Moments as people type them: `2026-11-21`, `2026-11-21 18:00`, `…Z`, `now`, `8h`."""

from __future__ import annotations

from datetime import UTC, datetime

from watchgate.clock import Clock
from watchgate.errors import ConfigurationError
from watchgate.quantities import parse_duration


def past(text: str | None, clock: Clock) -> int | None:
    """A moment in wall microseconds; a duration counts back from now (`--since 8h`)."""
    return _parse(text, clock, -1)


def coming(text: str | None, clock: Clock) -> int | None:
    """A moment in wall microseconds; a duration counts on from now (`--until 8h`)."""
    return _parse(text, clock, +1)


def _parse(text: str | None, clock: Clock, direction: int) -> int | None:
    if text is None:
        return None
    if text.strip() == "now":
        return clock.wall_us()
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return clock.wall_us() + direction * _microseconds(text)
    # What carries no zone is meant as the clock on the wall shows it.
    return round(at.astimezone(UTC).timestamp() * 1_000_000)


def _microseconds(text: str) -> int:
    try:
        # A bare number might be a year as well as seconds: it is neither.
        if text.strip().isdigit():
            raise ValueError("no unit")
        return round(parse_duration(text) * 1_000_000)
    except ValueError as error:
        raise ConfigurationError(
            f"{text!r} is not a moment; write 2026-11-21, '2026-11-21 18:00', "
            "2026-11-21T18:00Z, now, or a duration such as 8h",
            code="cli.illegal-moment",
        ) from error
