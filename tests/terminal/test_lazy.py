"""A screen that is fed within a budget of the recording's own time."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchgate.terminal.lazy import BURST, PER_SECOND, TAIL, LazyScreen, ModeScan
from watchgate.terminal.screen import Screen
from watchgate.terminal.screens import open_screen

SECOND = 1_000_000


def lazy(**options: int) -> LazyScreen[Screen]:
    return LazyScreen(open_screen(40, 5, history=100_000), **options)


def numbered(first: int, last: int) -> bytes:
    return b"".join(b"line %06d\r\n" % number for number in range(first, last))


def shown(screen: LazyScreen[Screen]) -> list[str]:
    return [line.text for line in screen.screen.lines()]


def test_within_the_budget_every_row_is_seen() -> None:
    screen = lazy()
    for number in range(10):
        screen.feed_at(number * SECOND, numbered(number * 4000, number * 4000 + 4000))

    assert screen.skipped == 0
    assert len(screen.screen.scrolled()) == 40_000 - 4


def test_beyond_the_budget_only_the_end_is_seen_and_the_rest_is_counted() -> None:
    screen = lazy()
    octets = numbered(0, 100_000)
    screen.feed_at(0, octets)

    assert shown(screen) == [f"line {number:06}" for number in range(99_996, 100_000)] + [""]
    rows = [line.text for line in screen.screen.scrolled()]
    assert rows[0] == "line 000000"
    whole = [row for row in rows if len(row) == len("line 000000")]
    jumps = [
        (before, after)
        for before, after in pairwise(whole)
        if int(after[5:]) != int(before[5:]) + 1
    ]
    assert len(jumps) == 1
    assert len(octets) - BURST - TAIL <= screen.skipped <= len(octets) - BURST - TAIL + 13


def test_what_is_kept_begins_with_a_whole_line() -> None:
    screen = lazy(burst=40, per_second=0, tail=30)
    screen.feed_at(0, b"a" * 39 + b"\n" + b"b" * 100 + b"\r\nlast line\r\nand the end")

    assert "last line" in shown(screen)
    assert not any("b" in line for line in shown(screen))


def test_looking_twice_feeds_once() -> None:
    screen = lazy(burst=0, per_second=0, tail=100)
    screen.feed_at(0, b"once ")

    assert shown(screen)[0] == "once"
    assert shown(screen)[0] == "once"
    screen.feed_at(1, b"more")
    assert shown(screen)[0] == "once more"
    assert screen.skipped == 0


def test_with_time_the_budget_comes_back() -> None:
    screen = lazy(burst=1000, per_second=1000, tail=100)
    screen.feed_at(0, numbered(0, 200))
    skipped = screen.skipped
    screen.feed_at(5 * SECOND, numbered(200, 250))
    rows = [line.text for line in screen.screen.scrolled()]

    assert 0 < skipped <= screen.skipped < skipped + 13
    assert f"line {210:06}" in rows
    assert f"line {100:06}" not in rows


def test_time_that_goes_backwards_earns_nothing() -> None:
    screen = lazy(burst=100, per_second=1000, tail=10)
    screen.feed_at(9 * SECOND, b"x" * 100)
    for _ in range(100):
        screen.feed_at(0, b"y" * 50)
        screen.feed_at(9 * SECOND, b"y" * 50)

    assert screen.skipped == 10_000 - 10


def test_a_flood_is_fed_no_faster_than_the_budget() -> None:
    class Counting:
        fed = 0
        alternate = False
        cursor = (0, 0)

        def feed(self, octets: bytes) -> None:
            self.fed += len(octets)

    counting = Counting()
    screen = LazyScreen(counting)  # type: ignore[type-var]
    for number in range(100):
        screen.feed_at(number * SECOND // 10, b"flood of lines\r\n" * 10_000)

    assert counting.fed <= BURST + 10 * PER_SECOND + TAIL + 100 * 16
    assert screen.skipped > 15_000_000


@pytest.mark.parametrize("mode", [b"1049", b"1047", b"47", b"25;1049"])
def test_a_full_screen_program_that_began_in_what_was_skipped_is_known(mode: bytes) -> None:
    screen = lazy(burst=0, per_second=0, tail=64)
    screen.feed_at(0, b"\x1b[?" + mode + b"h\x1b[?2004h" + b"x" * 500 + b"\r\n\x1b[Hpicture")

    seen = [(screen.alternate, screen.bracketed_paste, screen.screen.alternate)]
    screen.feed_at(0, b"\x1b[?" + mode + b"l" + b"x" * 500 + b"\r\nshell")
    seen.append((screen.alternate, screen.bracketed_paste, screen.screen.alternate))

    assert seen == [(True, True, True), (False, True, False)]


@given(
    st.lists(
        st.sampled_from([b"\x1b[?1049h", b"\x1b[?2004;47l", b"\x1b[?25h", b"te\x1bxt", b"\x1b["])
    )
)
def test_a_switch_is_found_however_it_is_cut(parts: list[bytes]) -> None:
    octets = b"".join(parts)
    whole, cut = ModeScan(), ModeScan()
    whole.feed(octets)
    for number in range(len(octets)):
        cut.feed(octets[number : number + 1])

    assert (cut.alternate, cut.switch, cut.bracketed_paste) == (
        whole.alternate,
        whole.switch,
        whole.bracketed_paste,
    )


STEPS = st.lists(
    st.tuples(
        st.integers(0, SECOND // 2),
        st.sampled_from(
            [numbered(0, 30), b"\x1b[?1049h", b"\x1b[?1049l", b"x" * 333, b"\x1b[31mred\r\n"]
        ),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, sizes=st.lists(st.integers(1, 97), min_size=1, max_size=5))
def test_how_the_octets_were_cut_makes_no_difference(
    steps: list[tuple[int, bytes]], sizes: list[int]
) -> None:
    whole = lazy(burst=600, per_second=500, tail=100)
    cut = lazy(burst=600, per_second=500, tail=100)
    at = number = 0
    for wait, octets in steps:
        at += wait
        whole.feed_at(at, octets)
        position = 0
        while position < len(octets):
            size = sizes[number % len(sizes)]
            cut.feed_at(at, octets[position : position + size])
            position += size
            number += 1

    assert cut.skipped == whole.skipped
    assert cut.alternate == whole.alternate
    assert shown(cut) == shown(whole)
    assert cut.screen.scrolled() == whole.screen.scrolled()
    assert cut.skipped == whole.skipped
