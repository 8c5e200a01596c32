"""When a line was logged: stamps with a zone, without a zone, and without a year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from watchgate.reports.coverage.model import DAY_US, HOUR_US

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OLDEST_US = 631_152_000_000_000
"""1990: SSH is younger."""

_MICROSECOND = timedelta(microseconds=1)
_MONTHS = {
    name: number
    for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)
}
_MOST_YEARS_BACK = 8
"""Between two 29ths of February there are up to eight years."""


class Stamps:
    """Turns stamps into moments; what cannot have been logged yet, or is no date, is None."""

    def __init__(self, zone: tzinfo, written_us: int, now_us: int) -> None:
        """*zone* is that of stamps without one; the log was written until *written_us*."""
        self._zone = zone
        self._anchor = EPOCH.astimezone(zone) + timedelta(microseconds=written_us) + timedelta(1)
        self._latest_us = now_us + DAY_US
        self._stamp, self._moment = b"", 0
        self._last_us = 0

    def iso(self, stamp: bytes) -> int | None:
        """`2026-11-21T02:30:00.123456+01:00`, with Z, or without a zone."""
        try:
            at = datetime.fromisoformat(stamp.decode("ascii"))
        except ValueError:
            return None
        return self._checked(at) if at.tzinfo is not None else self._local(at)

    def microseconds(self, moment: int) -> int | None:
        """A moment as systemd's journal counts."""
        return moment if OLDEST_US <= moment <= self._latest_us else None

    def yearless(self, stamp: bytes) -> int | None:
        """`Nov 21 02:30:00`: in the last year in which the log can have been written."""
        if stamp == self._stamp:
            return self._moment
        at = self._yearless(stamp)
        if at is not None:
            self._stamp, self._moment = stamp, at
        return at

    def _yearless(self, stamp: bytes) -> int | None:
        month = _MONTHS.get(stamp[:3])
        try:
            day, (hour, minute, second) = int(stamp[4:6]), map(int, stamp[7:].split(b":"))
        except ValueError:
            return None
        if month is None:
            return None
        for year in range(self._anchor.year, self._anchor.year - _MOST_YEARS_BACK - 1, -1):
            try:
                at = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=self._zone)
            except ValueError:
                if (month, day) == (2, 29):
                    continue
                return None
            if at <= self._anchor:
                return self._local(at)
        return None

    def _local(self, at: datetime) -> int | None:
        """A moment by the clock on the target's wall; of an hour that it shows twice the one that follows."""
        first = at.replace(tzinfo=self._zone, fold=0)
        moment = self._checked(first)
        if moment is not None and moment < self._last_us - HOUR_US // 2:
            second = self._checked(first.replace(fold=1))
            moment = second if second is not None and second >= moment else moment
        if moment is not None:
            self._last_us = moment
        return moment

    def _checked(self, at: datetime) -> int | None:
        try:
            return self.microseconds((at - EPOCH) // _MICROSECOND)
        except OverflowError:
            return None
