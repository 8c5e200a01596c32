"""How long is waited for an answer follows how quickly answers came."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from watchgate.terminal.live.pace import LEAST_US, Pace

MS = 1000
LONGEST = 150 * MS


def paced(*took_ms: int, rtt_ms: int = 0) -> Pace:
    """A terminal that answered keys so quickly, beyond a round trip."""
    pace, t_us = Pace(), 0
    for took in took_ms:
        pace.typed(t_us)
        pace.printed(t_us + (took + rtt_ms) * MS, rtt_ms * MS)
        t_us += 10_000 * MS
    return pace


def test_where_nothing_is_known_the_full_time_is_waited() -> None:
    assert Pace().patience_us(LONGEST) == LONGEST
    assert paced(1, 1, 1).patience_us(LONGEST) == LONGEST


def test_a_quick_terminal_is_waited_for_the_least_time() -> None:
    assert paced(1, 2, 1, 2).patience_us(LONGEST) == LEAST_US
    assert paced(1, 2, 1, 2).patience_us(LONGEST, 75 * MS) == 75 * MS


def test_the_slowest_answer_decides_and_a_round_trip_is_no_part_of_it() -> None:
    assert paced(1, 1, 8, 1).patience_us(LONGEST) == 80 * MS
    assert paced(1, 1, 8, 1, rtt_ms=100).patience_us(LONGEST) == 80 * MS
    assert paced(1, 1, 40, 1).patience_us(LONGEST) == LONGEST


def test_an_answer_that_came_very_late_makes_all_unknown_again() -> None:
    assert paced(1, 1, 1, 1, 1, 400).patience_us(LONGEST) == LONGEST
    assert paced(400, 1, 1, 1, 1).patience_us(LONGEST) == LEAST_US


def test_a_key_that_changes_nothing_is_forgotten_when_the_next_is_answered() -> None:
    pace = paced(1, 1, 1, 1)
    pace.typed(100_000 * MS)
    pace.typed(102_000 * MS)
    pace.printed(102_001 * MS, 0)

    assert pace.patience_us(LONGEST) == LEAST_US


def test_what_a_command_prints_is_no_answer_to_a_key() -> None:
    pace = paced(1, 1, 1, 1)
    pace.typed(100_000 * MS)
    pace.passed()
    pace.printed(100_100 * MS, 0)

    assert pace.patience_us(LONGEST) == LEAST_US


def test_old_answers_are_forgotten() -> None:
    assert paced(14, *[1] * 40).patience_us(LONGEST) == LEAST_US


@given(
    st.lists(st.tuples(st.sampled_from("tpo"), st.integers(0, 10**7))),
    st.integers(0, 3 * 10**6),
    st.integers(LEAST_US, 10**6),
)
def test_a_wait_is_never_longer_than_its_full_time_nor_shorter_than_the_least(
    happenings: list[tuple[str, int]], rtt_us: int, longest_us: int
) -> None:
    pace, t_us = Pace(), 0
    for what, later in happenings:
        t_us += later
        match what:
            case "t":
                pace.typed(t_us)
            case "p":
                pace.passed()
            case _:
                pace.printed(t_us, rtt_us)
        assert LEAST_US <= pace.patience_us(longest_us) <= longest_us
