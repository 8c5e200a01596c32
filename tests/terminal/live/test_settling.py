"""How long a held key waits."""

from __future__ import annotations

import pytest

from watchgate.terminal.live.settling import Settling

MS = 1000


@pytest.mark.parametrize("rtt_ms", [0, 50, 150, 2000])
def test_every_wait_has_a_bound_that_follows_the_round_trip(rtt_ms: int) -> None:
    settling = Settling(0, rtt_ms * MS)

    due = settling.rest_due(-1, 10**9, completing=False)

    assert due == (400 + 2 * rtt_ms) * MS
    assert settling.echo_due <= due


def test_output_that_came_before_an_answer_could_is_none() -> None:
    settling = Settling(0, 100 * MS)

    assert not settling.answered(1000 * MS, 1010 * MS)
    assert settling.answered(1000 * MS, 1100 * MS)


def test_a_line_that_stands_still_for_long_is_not_waited_for() -> None:
    settling = Settling(10_000 * MS, 0)

    assert settling.rest_due(9_000 * MS, 9_001 * MS, completing=False) <= 10_000 * MS


def test_nothing_is_waited_for_longer_than_the_terminal_is_known_to_take() -> None:
    quick = Settling(0, 10 * MS, echo_us=40 * MS, unanswered_us=40 * MS)

    assert quick.echo_due == 60 * MS
    assert quick.rest_due(0, -1, completing=False) == 40 * MS


def test_a_completion_is_waited_for_longer() -> None:
    settling = Settling(0, 0)

    assert settling.rest_due(0, -1, completing=True) > settling.rest_due(0, -1, completing=False)
