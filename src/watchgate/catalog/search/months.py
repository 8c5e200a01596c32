"""Which file a document lies in, and under which number.

One file a month (of UTC) and kind. In a file numbers follow the time, so that the newest is found first
without sorting: a number is the second of the month and a place in that second. The full-text index writes
numbers as differences, so few places make a small index: with 32 it is half as large again as with
consecutive numbers, with microseconds it would be three times as large. What finds a second full goes to
the crowded half of the numbers, in the same order and with room for everything.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from watchgate.catalog.search.model import Kind
from watchgate.catalog.search.opening import not_permitted

LATEST_US = 253_402_300_799_000_000
"""The last second of the year 9999, the latest that the calendar knows."""

SECOND_US = 1_000_000
CROWDED = 1 << 40
"""The first number of the crowded half."""

_PLACES = 5
_CROWDED_PLACES = 31
_NAME = re.compile(r"(command|screen)s-(\d{4}-(?:0[1-9]|1[0-2]))\.db")


@dataclass(frozen=True, slots=True, order=True)
class MonthFile:
    """One file of the index."""

    month: str
    """`2026-11`."""
    kind: Kind

    @property
    def name(self) -> str:
        return f"{self.kind}s-{self.month}.db"

    @property
    def start_us(self) -> int:
        """When its month begins."""
        year, month = map(int, self.month.split("-"))
        return _begin_us(year, month)

    @property
    def end_us(self) -> int:
        """When the next month begins."""
        year, month = map(int, self.month.split("-"))
        if (year, month) == (9999, 12):
            return LATEST_US + SECOND_US
        return _begin_us(year + month // 12, month % 12 + 1)


def _begin_us(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * SECOND_US


def month_of(at_us: int) -> str:
    """The month of a moment."""
    at = datetime.fromtimestamp(at_us // SECOND_US, UTC)
    return f"{at.year:04}-{at.month:02}"


def file_of(name: str) -> MonthFile | None:
    """The file with this name; None when it is none of the index."""
    match = _NAME.fullmatch(name)
    return MonthFile(match[2], Kind(match[1])) if match and match[2] >= "0001" else None


def files_in(directory: Path) -> list[MonthFile]:
    """The files of the index, the newest month first; none when there is no directory."""
    try:
        names = os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise not_permitted(directory, error) from error
    return sorted((file for name in names if (file := file_of(name))), reverse=True)


def places(second: int, *, crowded: bool) -> range:
    """The numbers of one second of the month."""
    if crowded:
        start = CROWDED + (second << _CROWDED_PLACES)
        return range(start, start + (1 << _CROWDED_PLACES))
    return range(second << _PLACES, (second + 1) << _PLACES)


def second_of(number: int) -> int:
    """The second of the month that a number lies in."""
    if number >= CROWDED:
        return (number - CROWDED) >> _CROWDED_PLACES
    return number >> _PLACES
