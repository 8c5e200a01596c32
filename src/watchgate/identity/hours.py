"""Weekly hours by a clock on a wall: `Mon-Fri 08:00-18:00 Europe/Berlin`.

Hours hold while the local clock of their zone shows a time inside them, so summer time needs no rule of
its own: in the night when 02:30 comes twice, a window until 02:30 closes, opens and closes again; in the
night without a 02:30 it closes when the clock jumps over it. A window whose end is not after its start
crosses midnight and belongs to the weekday on which it began.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from watchgate.errors import ConfigurationError

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ALL_DAYS = frozenset(range(7))
MIDNIGHT = 24 * 60

_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Hours:
    """A window of local time on some weekdays; Monday is 0, times are minutes since midnight."""

    weekdays: frozenset[int] = ALL_DAYS
    start: int = 0
    end: int = MIDNIGHT
    zone: str = "UTC"

    @classmethod
    def parse(cls, days: str | None, window: str | None, zone: str = "UTC") -> Hours:
        """Hours as an administrator writes them: `Mon-Fri`, `08:00-18:00`, `Europe/Berlin`."""
        weekdays = ALL_DAYS if days is None else _weekdays(days)
        start, end = (0, MIDNIGHT) if window is None else _window(window)
        _zone(zone)
        return cls(weekdays, start, end, zone)

    def holds(self, at_us: int) -> bool:
        """Whether the wall clock of the zone shows a time inside the window."""
        return self._shows(_local(at_us, _zone(self.zone)))

    def _shows(self, local: datetime) -> bool:
        minute, today = local.hour * 60 + local.minute, local.weekday()
        if self.start < self.end:
            return today in self.weekdays and self.start <= minute < self.end
        if minute >= self.start:
            return today in self.weekdays
        return minute < self.end and (today - 1) % 7 in self.weekdays

    def ends_us(self, at_us: int) -> int | None:
        """The first moment after *at_us* at which the hours do not hold; None when they always do.

        Between two boundaries nothing changes, so it is enough to look at each boundary.
        """
        zone = _zone(self.zone)
        moments = sorted(self._boundaries(_local(at_us, zone).date(), zone))
        for moment in moments:
            if moment > at_us and not self._shows(_local(moment, zone)):
                return moment
        return None

    def _boundaries(self, today: date, zone: ZoneInfo) -> Iterator[int]:
        """Every moment in the next eight days at which the answer may change."""
        for ahead in range(-1, 9):
            day = today + timedelta(days=ahead)
            for minute in (self.start % MIDNIGHT, self.end % MIDNIGHT):
                local = datetime.combine(day, time(minute // 60, minute % 60), zone)
                # A time that comes twice has two moments; one that never comes has two that are
                # harmless: each is asked again what the clock shows then.
                yield _moment(local)
                yield _moment(local.replace(fold=1))
            changed = _clock_change(day, zone)
            if changed is not None:
                yield changed

    def describe(self) -> str:
        """The hours as people write them."""
        window = f"{_clock(self.start)}-{_clock(self.end)}"
        days = _describe_days(self.weekdays)
        return " ".join(part for part in (days, window, self.zone) if part)

    def to_json(self) -> dict[str, Any]:
        """The hours as plain JSON values."""
        return {
            "weekdays": sorted(self.weekdays),
            "start": self.start,
            "end": self.end,
            "zone": self.zone,
        }

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Hours:
        """The inverse of `to_json`."""
        return cls(frozenset(raw["weekdays"]), raw["start"], raw["end"], raw["zone"])


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"the time zone {name!r} is not known; write it as Europe/Berlin "
            "(if all are unknown, install the package tzdata)",
            code="grant.unknown-zone",
        ) from error


def _local(at_us: int, zone: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone)


def _moment(local: datetime) -> int:
    return (local.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def _clock_change(day: date, zone: ZoneInfo) -> int | None:
    """The moment in the 24 hours from local midnight at which the zone's offset changes."""
    low = datetime.combine(day, time(), zone).astimezone(UTC)
    high = low + timedelta(days=1)
    before = low.astimezone(zone).utcoffset()
    if before == high.astimezone(zone).utcoffset():
        return None
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return _moment(high)


def _weekdays(text: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        start = _weekday(first, text)
        end = _weekday(last, text) if dash else start
        days.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    return frozenset(days)


def _weekday(word: str, text: str) -> int:
    short = word[:3].capitalize()
    if short not in DAYS or not word.isalpha():
        raise ConfigurationError(
            f"{text!r} does not name weekdays; write them as Mon-Fri or Mon,Wed,Sat",
            code="grant.illegal-days",
        )
    return DAYS.index(short)


def _window(text: str) -> tuple[int, int]:
    first, _, last = text.replace(" ", "").partition("-")
    start, end = _minutes(first, text), _minutes(last, text)
    if start in (end, MIDNIGHT):
        raise _bad_window(text)
    return start, end


def _minutes(word: str, text: str) -> int:
    match = _CLOCK.fullmatch(word)
    if match is None:
        raise _bad_window(text)
    minutes = int(match[1]) * 60 + int(match[2])
    if minutes > MIDNIGHT:
        raise _bad_window(text)
    return minutes


def _bad_window(text: str) -> ConfigurationError:
    return ConfigurationError(
        f"{text!r} is not a window of hours; write it as 08:00-18:00, or 22:00-06:00 for a night",
        code="grant.illegal-hours",
    )


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _describe_days(weekdays: frozenset[int]) -> str:
    if weekdays == ALL_DAYS:
        return ""
    runs: list[list[int]] = []
    for day in sorted(weekdays):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    names = (DAYS[run[0]] if len(run) == 1 else f"{DAYS[run[0]]}-{DAYS[run[-1]]}" for run in runs)
    return ",".join(names)
