from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchgate.errors import ConfigurationError
from watchgate.identity.hours import ALL_DAYS, MIDNIGHT, Hours

MINUTE = 60_000_000
BERLIN = "Europe/Berlin"


def at(text: str, zone: str = BERLIN, fold: int = 0) -> int:
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return int(local.timestamp()) * 1_000_000


OFFICE = Hours.parse("Mon-Fri", "08:00-18:00", BERLIN)
NIGHT = Hours.parse("Fri", "22:00-06:00", BERLIN)


@pytest.mark.parametrize(
    ("hours", "moment", "holds"),
    [
        (OFFICE, "2026-11-20 07:59:59", False),
        (OFFICE, "2026-11-20 08:00", True),
        (OFFICE, "2026-11-20 17:59:59", True),
        (OFFICE, "2026-11-20 18:00", False),
        (OFFICE, "2026-11-21 12:00", False),
        (NIGHT, "2026-11-20 21:59", False),
        (NIGHT, "2026-11-20 22:00", True),
        (NIGHT, "2026-11-21 05:59", True),
        (NIGHT, "2026-11-21 06:00", False),
        (NIGHT, "2026-11-21 22:00", False),
        (NIGHT, "2026-11-20 05:00", False),
    ],
)
def test_hours_hold_by_the_clock_on_the_wall(hours: Hours, moment: str, holds: bool) -> None:
    assert hours.holds(at(moment)) is holds


@pytest.mark.parametrize(
    ("hours", "moment", "end"),
    [
        (OFFICE, "2026-11-20 09:00", "2026-11-20 18:00"),
        (NIGHT, "2026-11-20 23:00", "2026-11-21 06:00"),
        (NIGHT, "2026-11-21 01:00", "2026-11-21 06:00"),
        (Hours.parse("Mon-Fri", None, BERLIN), "2026-11-18 09:00", "2026-11-21 00:00"),
        (Hours.parse("Sat,Sun", None, BERLIN), "2026-11-21 09:00", "2026-11-23 00:00"),
        (Hours.parse(None, "00:00-23:59", BERLIN), "2026-11-21 09:00", "2026-11-21 23:59"),
    ],
)
def test_hours_end_when_they_first_cease_to_hold(hours: Hours, moment: str, end: str) -> None:
    assert hours.ends_us(at(moment)) == at(end)


def test_hours_around_the_clock_never_end() -> None:
    assert Hours().ends_us(at("2026-11-21 09:00")) is None
    assert Hours(zone=BERLIN).ends_us(at("2026-03-28 09:00")) is None


# In 2026 Berlin's clocks go from 02:00 to 03:00 on 29 March and from 03:00 to 02:00 on 25 October.


def test_a_window_that_the_clock_jumps_over_ends_at_the_jump() -> None:
    hours = Hours.parse(None, "22:00-02:30", BERLIN)

    assert hours.ends_us(at("2026-03-28 23:00")) == at("2026-03-29 03:00")
    assert not hours.holds(at("2026-03-29 03:00"))
    assert not any(
        Hours.parse(None, "02:10-02:40", BERLIN).holds(at("2026-03-29 00:00") + n * MINUTE)
        for n in range(24 * 60)
    )


def test_a_time_that_comes_twice_closes_opens_and_closes_again() -> None:
    hours = Hours.parse(None, "22:00-02:30", BERLIN)
    first, again = at("2026-10-25 02:30"), at("2026-10-25 02:00", fold=1)
    second = at("2026-10-25 02:30", fold=1)

    assert second - first == 60 * MINUTE
    assert hours.ends_us(at("2026-10-24 23:00")) == first
    assert [hours.holds(moment) for moment in (first, again, second)] == [False, True, False]
    assert hours.ends_us(again) == second


windows = st.builds(
    Hours,
    weekdays=st.sets(st.integers(0, 6), min_size=1).map(frozenset),
    start=st.integers(0, MIDNIGHT - 1),
    end=st.integers(0, MIDNIGHT),
    zone=st.sampled_from(
        [BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]
    ),
).filter(lambda hours: hours.start != hours.end)

# Around changes of the clocks of these zones, and at any time.
moments = st.one_of(
    st.integers(at("2026-01-01 00:00", "UTC"), at("2027-01-01 00:00", "UTC")),
    st.builds(
        lambda day, minutes: at(day, "UTC") + minutes * MINUTE + 7,
        st.sampled_from(
            ["2026-03-08", "2026-03-29", "2026-04-04", "2026-10-03", "2026-10-25", "2026-11-01"]
        ),
        st.integers(-12 * 60, 36 * 60),
    ),
)


@settings(max_examples=150, deadline=None)
@given(hours=windows, moment=moments)
def test_hours_are_what_a_clock_shows(hours: Hours, moment: int) -> None:
    local = datetime.fromtimestamp(moment / 1e6, UTC).astimezone(ZoneInfo(hours.zone))
    minute = local.hour * 60 + local.minute
    began = local if hours.start < hours.end or minute >= hours.start else local - timedelta(days=1)
    inside = (
        hours.start <= minute < hours.end
        if hours.start < hours.end
        else minute >= hours.start or minute < hours.end
    )

    assert hours.holds(moment) is (inside and began.weekday() in hours.weekdays)


@settings(max_examples=150, deadline=None)
@given(hours=windows, moment=moments)
def test_between_now_and_their_end_hours_hold_at_every_minute(hours: Hours, moment: int) -> None:
    if not hours.holds(moment):
        return
    end = hours.ends_us(moment)
    if end is None:
        assert hours.weekdays == ALL_DAYS
        return
    minutes = range(moment // MINUTE * MINUTE + MINUTE, end, 7 * MINUTE)

    assert moment < end
    assert not hours.holds(end)
    assert hours.holds(end - 1)
    assert all(hours.holds(minute) for minute in minutes)


@pytest.mark.parametrize(
    ("days", "window", "described"),
    [
        ("Mon-Fri", "08:00-18:00", "Mon-Fri 08:00-18:00 Europe/Berlin"),
        ("sat, sunday", "8:00 - 9:30", "Sat-Sun 08:00-09:30 Europe/Berlin"),
        ("Fri-Mon", None, "Mon,Fri-Sun 00:00-24:00 Europe/Berlin"),
        (None, "22:00-06:00", "22:00-06:00 Europe/Berlin"),
    ],
)
def test_hours_are_described_as_people_write_them(
    days: str | None, window: str | None, described: str
) -> None:
    hours = Hours.parse(days, window, BERLIN)

    assert hours.describe() == described
    assert Hours.from_json(hours.to_json()) == hours


@pytest.mark.parametrize(
    ("days", "window", "zone", "message"),
    [
        ("Mon-Fry", None, "UTC", "does not name weekdays"),
        ("", None, "UTC", "does not name weekdays"),
        ("1-5", None, "UTC", "does not name weekdays"),
        (None, "8-18", "UTC", "not a window of hours"),
        (None, "08:00", "UTC", "not a window of hours"),
        (None, "08:00-08:00", "UTC", "not a window of hours"),
        (None, "24:00-06:00", "UTC", "not a window of hours"),
        (None, "08:00-24:30", "UTC", "not a window of hours"),
        (None, "08:60-09:00", "UTC", "not a window of hours"),
        (None, None, "Europe/Atlantis", "time zone 'Europe/Atlantis' is not known"),
        (None, None, "../etc/passwd", "is not known"),
        (None, None, "", "is not known"),
    ],
)
def test_what_are_no_hours_is_refused(
    days: str | None, window: str | None, zone: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Hours.parse(days, window, zone)
