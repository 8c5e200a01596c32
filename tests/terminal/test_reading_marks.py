"""Where a reader looks at the screen, and how often."""

from __future__ import annotations

import pytest

from watchgate.terminal.reading_marks import BROKEN_OFF, SWITCH, Allowance, leaves_alternate

SWITCHES = (
    *(b"\x1b[?1049h", b"\x1b[?1047l", b"\x1b[?47h", b"\x1b[?25;1049h", b"\x1b[?1049;25l"),
    *(b"\x1b[2J", b"\x1b[3J", b"\x1bc", b"\x1b[H\x1b[J", b"\x1b[1;1H\x1b[0J"),
)


@pytest.mark.parametrize("sequence", SWITCHES)
def test_what_changes_the_whole_screen_is_seen_wherever_it_is_broken_off(sequence: bytes) -> None:
    found = SWITCH.search(b"text" + sequence + b"text")
    starts = [BROKEN_OFF.search(b"text" + sequence[:cut]) for cut in range(1, len(sequence))]

    assert found is not None
    assert found[0] == sequence
    assert all(start is not None and start.start() == 4 for start in starts)


@pytest.mark.parametrize("octets", [b"\x1b[?25h", b"\x1b[J", b"\x1b[1J", b"[2J", b"\x1b[31m"])
def test_other_sequences_are_none(octets: bytes) -> None:
    assert SWITCH.search(octets) is None


def test_a_program_leaves_by_switching_back_and_not_by_clearing() -> None:
    assert leaves_alternate(b"bye\x1b[?1049l")
    assert not leaves_alternate(b"\x1b[?1049h\x1b[2J")


def test_an_allowance_comes_back_with_the_time_of_the_recording() -> None:
    allowance = Allowance(2, 10)
    taken = [allowance.take(t_us) for t_us in (0, 0, 0, 50_000, 100_000, 100_000, 60_000_000)]

    assert taken == [True, True, False, False, True, False, True]
