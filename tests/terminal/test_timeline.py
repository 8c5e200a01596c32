"""When a recorded moment is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.terminal.timeline import FASTEST, SLOWEST, Timeline, moment, parse_moment

GAPS = st.lists(st.integers(0, 60_000_000), min_size=1, max_size=20)


def played(timeline: Timeline, gaps: list[int], now: int = 0) -> int:
    """When the last record is shown, if each is shown when it is due."""
    at = 0
    timeline.resume(now)
    for gap in gaps:
        at += gap
        timeline.await_record(now, at)
        due = timeline.due()
        assert due is not None
        now = max(now, due)
        timeline.arrive(now)
    return now


@given(GAPS, st.sampled_from([0.25, 0.5, 1, 2, 8]))
def test_play_lasts_as_long_as_the_recording_by_the_speed(gaps: list[int], speed: float) -> None:
    assert abs(played(Timeline(speed), gaps) - sum(gaps) / speed) <= len(gaps)


@given(GAPS, st.integers(1, 10_000_000))
def test_pauses_are_cut_to_the_idle_limit(gaps: list[int], limit: int) -> None:
    assert played(Timeline(1, limit), gaps) == sum(min(gap, limit) for gap in gaps)


@given(
    st.integers(0, 10**9),
    st.lists(st.tuples(st.integers(0, 10**7), st.sampled_from("prf<>")), max_size=20),
)
def test_the_position_never_goes_back_nor_past_the_next_record(
    gap: int, steps: list[tuple[int, str]]
) -> None:
    timeline = Timeline(1, 5_000_000)
    timeline.resume(0)
    timeline.await_record(0, gap)
    now = last = 0
    for step, what in steps:
        now += step
        before = timeline.position(now)
        match what:
            case "p":
                timeline.pause(now)
            case "r":
                timeline.resume(now)
            case "f":
                timeline.set_speed(now, 100_000)
            case _:
                timeline.set_speed(now, timeline.speed * (2 if what == ">" else 0.5))

        assert last <= before <= gap
        assert abs(timeline.position(now) - before) <= 1
        assert SLOWEST <= timeline.speed <= FASTEST
        last = timeline.position(now)


def test_nothing_is_due_while_paused_and_the_rest_of_the_gap_after() -> None:
    timeline = Timeline(2)
    timeline.resume(0)
    timeline.await_record(0, 10_000_000)
    timeline.pause(2_000_000)

    assert timeline.due() is None
    assert timeline.position(99_000_000) == 4_000_000
    timeline.resume(100_000_000)
    assert timeline.due() == 103_000_000


def test_a_small_delay_is_made_good_and_a_long_one_is_not() -> None:
    timeline = Timeline()
    timeline.resume(0)
    timeline.await_record(0, 1_000_000)
    timeline.arrive(1_100_000)
    timeline.await_record(1_100_000, 2_000_000)

    assert timeline.due() == 2_000_000
    timeline.arrive(60_000_000)
    timeline.await_record(60_000_000, 3_000_000)
    assert timeline.due() == 61_000_000


def test_after_a_jump_only_the_rest_is_waited_for() -> None:
    timeline = Timeline()
    timeline.resume(0)
    timeline.jump(5, 7_000_000)
    timeline.await_record(5, 8_000_000)

    assert timeline.due() == 1_000_005
    assert timeline.position(500_005) == 7_500_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("83", 83_000_000),
        (" 1:23 ", 83_000_000),
        ("1:02:03.5", 3_723_500_000),
        ("0.25", 250_000),
        ("", None),
        ("x", None),
        ("1:-2", None),
        ("1:2:3:4", None),
        ("²", None),
        ("9" * 13, None),
    ],
)
def test_a_moment_is_read(text: str, expected: int | None) -> None:
    assert parse_moment(text) == expected


@given(st.integers(0, 10**12))
def test_a_moment_that_is_written_is_read_again(t_us: int) -> None:
    assert parse_moment(moment(t_us)) == t_us // 100_000 * 100_000
