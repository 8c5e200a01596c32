"""Stamps: without a year over New Year, without a zone when clocks are set back."""

from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from coverage_lines import at

from watchgate.reports.coverage.stamps import Stamps

BERLIN = ZoneInfo("Europe/Berlin")


def stamps(written: str, zone: object = UTC) -> Stamps:
    return Stamps(zone, at(written), at(written))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stamp", "written", "moment"),
    [
        (b"Nov 21 02:30:00", "2026-11-22T00:00Z", "2026-11-21T02:30Z"),
        (b"Nov  1 02:30:00", "2026-11-22T00:00Z", "2026-11-01T02:30Z"),
        (b"Dec 31 23:59:59", "2027-01-02T00:00Z", "2026-12-31T23:59:59Z"),
        (b"Jan  1 00:00:00", "2027-01-02T00:00Z", "2027-01-01T00:00Z"),
        (b"Nov 22 12:00:00", "2026-11-22T00:00Z", "2026-11-22T12:00Z"),
        (b"Nov 24 12:00:00", "2026-11-22T00:00Z", "2025-11-24T12:00Z"),
        (b"Feb 29 12:00:00", "2026-11-22T00:00Z", "2024-02-29T12:00Z"),
        (b"Dec 31 23:59:60", "2027-01-02T00:00Z", "2026-12-31T23:59:59Z"),
    ],
)
def test_the_year_is_the_last_in_which_it_can_have_been_written(
    stamp: bytes, written: str, moment: str
) -> None:
    assert stamps(written).yearless(stamp) == at(moment)


@pytest.mark.parametrize("stamp", [b"Nov 31 02:30:00", b"Foo 21 02:30:00", b"Nov 21 25:00:00"])
def test_what_is_no_date_is_none(stamp: bytes) -> None:
    assert stamps("2026-11-22T00:00Z").yearless(stamp) is None


def test_a_stamp_without_a_zone_is_the_targets_clock() -> None:
    reader = stamps("2026-11-22T00:00Z", BERLIN)

    assert reader.yearless(b"Jul 21 02:30:00") == at("2026-07-21T00:30Z")
    assert reader.iso(b"2026-07-21T02:30:00") == at("2026-07-21T00:30Z")
    assert reader.iso(b"2026-07-21T02:30:00Z") == at("2026-07-21T02:30Z")


def test_the_hour_that_comes_twice_is_read_twice() -> None:
    reader = stamps("2026-11-22T00:00Z", BERLIN)
    read = [
        reader.yearless(f"Oct 25 {clock}".encode())
        for clock in ("02:10:00", "02:50:00", "02:10:01")
    ]

    assert read == [at("2026-10-25T00:10Z"), at("2026-10-25T00:50Z"), at("2026-10-25T01:10:01Z")]


def test_what_cannot_have_been_logged_yet_is_none() -> None:
    reader = stamps("2026-11-22T00:00Z")

    assert reader.iso(b"2026-11-24T00:00:00Z") is None
    assert reader.microseconds(at("2026-11-24T00:00Z")) is None
    assert reader.microseconds(-1) is None
