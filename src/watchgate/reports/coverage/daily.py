"""Coverage by target and day: how many logins came through the gateway, and whether the log was alive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from sqlalchemy import Connection

from watchgate.reports.coverage import store
from watchgate.reports.coverage.intake import Seen
from watchgate.reports.coverage.join import TOLERANCE_US
from watchgate.reports.coverage.judging import Bench, Span, judged_span
from watchgate.reports.coverage.model import DAY_US, Judged, State
from watchgate.reports.coverage.stamps import EPOCH

BLIND_US = DAY_US
"""A log that is silent for so long tells nothing: it is not read, or not sent, or not written."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """One day of one target, or the whole time of one whose log says nothing of it."""

    target: str
    day: date | None
    gateway: int = 0
    bypassed: int = 0
    excepted: int = 0
    unknown: int = 0
    missing: int = 0
    """Sessions that reached the target while its log was alive, and that it does not show."""
    hours: int = 0
    """Of the day, in which the log was alive."""
    blind_since_us: int | None = None
    """The log's last line, when it is older than a day and nothing came after it."""

    @property
    def data(self) -> bool:
        """Whether the log says anything of that day."""
        return self.hours > 0

    @property
    def share(self) -> float | None:
        """The part that came through the gateway, of what should have; None when nobody logged in."""
        counted = self.gateway + self.bypassed
        return self.gateway / counted if counted else None

    def describe(self) -> dict[str, object]:
        """For programs."""
        return {
            "target": self.target,
            "day": None if self.day is None else self.day.isoformat(),
            "data": self.data,
            "gateway": self.gateway,
            "bypassed": self.bypassed,
            "excepted": self.excepted,
            "unknown": self.unknown,
            "missing": self.missing,
            "share": None if self.share is None else round(self.share, 6),
            "hours": self.hours,
            "blind_since_at_us": self.blind_since_us,
        }


def days(from_us: int, until_us: int, zone: tzinfo) -> Iterator[tuple[date, int, int]]:
    """The days of *zone* that a span of time touches, each with its part of the span."""
    begin = from_us
    while begin < until_us:
        day = (EPOCH + timedelta(microseconds=begin)).astimezone(zone).date()
        end = min(until_us, midnight_us(day + timedelta(1), zone))
        yield day, begin, end
        begin = end


def midnight_us(day: date, zone: tzinfo) -> int:
    """When *day* begins in *zone*."""
    return (datetime(day.year, day.month, day.day, tzinfo=zone) - EPOCH) // timedelta(
        microseconds=1
    )


def coverage(
    connection: Connection,
    bench: Bench,
    targets: Sequence[str],
    from_us: int,
    until_us: int,
    zone: tzinfo,
) -> list[Coverage]:
    """By target and day, in the order of *targets*; a target whose log says nothing has one row."""
    now_us = bench.horizon.until_us
    last = store.last_seen(connection, until_us)
    found = []
    for target in targets:
        seen = store.seen_days(connection, target, from_us, until_us)
        silent_since = last.get(target)
        blind = silent_since is not None and min(until_us, now_us) - silent_since > BLIND_US
        blind_since = silent_since if blind else None
        if not seen:
            found.append(Coverage(target, None, blind_since_us=blind_since))
            continue
        for day, begin, end in days(from_us, min(until_us, now_us + DAY_US), zone):
            alive = _alive(seen, begin, end)
            if not alive and begin > now_us:
                continue
            span = judged_span(connection, bench, target, begin, end) if alive else None
            late = blind_since if blind_since is not None and end > blind_since else None
            found.append(_day(target, day, span, seen, alive, late))
    return found


def judged(
    connection: Connection, bench: Bench, target: str, from_us: int, until_us: int
) -> Iterator[Judged]:
    """The logins to *target* one after the other, a day of them in memory."""
    for begin in range(from_us, until_us, DAY_US):
        end = min(begin + DAY_US, until_us)
        yield from judged_span(connection, bench, target, begin, end).judged


def _day(
    target: str,
    day: date,
    span: Span | None,
    seen: Sequence[Seen],
    alive: int,
    blind_since_us: int | None,
) -> Coverage:
    if span is None:
        return Coverage(target, day, blind_since_us=blind_since_us)
    states = Counter(one.state for one in span.judged)
    missing = [
        one
        for one in span.sessions
        if one.id not in span.claimed and _was_alive(seen, one.started_at_us)
    ]
    return Coverage(
        target,
        day,
        gateway=states[State.GATEWAY],
        bypassed=states[State.BYPASSED],
        excepted=states[State.EXCEPTED],
        unknown=states[State.UNKNOWN],
        missing=len(missing),
        hours=alive,
        blind_since_us=blind_since_us,
    )


def _alive(seen: Sequence[Seen], begin_us: int, end_us: int) -> int:
    """In how many hours of that time the log has lines."""
    hour_us = DAY_US // 24
    hours = {
        hour
        for one in seen
        for bit in range(24)
        if one.hours >> bit & 1
        for hour in [one.first_at_us // DAY_US * 24 + bit]
        if hour * hour_us < end_us and (hour + 1) * hour_us > begin_us
    }
    return len(hours)


def _was_alive(seen: Sequence[Seen], at_us: int) -> bool:
    """Whether the log has lines before and after that moment, on one day."""
    return any(
        one.first_at_us <= at_us + TOLERANCE_US and at_us + TOLERANCE_US <= one.last_at_us
        for one in seen
    )
