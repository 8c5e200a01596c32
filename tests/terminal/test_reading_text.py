"""The text of a screen, each line once."""

from __future__ import annotations

from watchgate.terminal.findings import ScreenText
from watchgate.terminal.lazy import LazyScreen
from watchgate.terminal.reading_text import PIECE, SAMPLE_US, ShownText
from watchgate.terminal.screens import open_screen


class Shown:
    """A screen of 20 by 5, and its text."""

    def __init__(self) -> None:
        self.screen = LazyScreen(open_screen(20, 5))
        self.text = ShownText(self.screen)
        self.given: list[ScreenText] = []

    def prints(self, t_us: int, octets: bytes) -> None:
        self.screen.feed_at(t_us, octets)
        self.text.printed(t_us, octets.count(b"\n"))

    def lines(self) -> list[str]:
        return [line for text in self.given for line in text.text.split("\n")]


def test_lines_are_given_when_they_left_the_screen_and_when_they_are_asked_for() -> None:
    shown = Shown()
    shown.prints(0, b"".join(b"%d\r\n" % number for number in range(10)))
    shown.given += shown.text.take_scrolled(0)
    shown.given += shown.text.take_standing(0)
    shown.given += shown.text.take_standing(0)
    shown.prints(0, b"end")
    shown.given += shown.text.finish(0)

    assert shown.lines() == [*(str(number) for number in range(10)), "end"]


def test_a_text_begins_when_its_first_line_was_printed() -> None:
    shown = Shown()
    shown.prints(1000, b"first\r\n")
    shown.prints(2000, b"second\r\n")
    shown.prints(60_000_000, b"much later\r\n")
    shown.given += shown.text.finish(70_000_000)

    assert shown.given == [
        ScreenText(1000, "first\nsecond"),
        ScreenText(60_000_000, "much later"),
    ]


def test_long_text_is_cut_between_lines() -> None:
    shown = Shown()
    for number in range(1000):
        shown.prints(0, b"%018d\r\n" % number)
        shown.given += shown.text.take_scrolled(0)
    shown.given += shown.text.finish(0)

    assert all(len(text.text) <= PIECE for text in shown.given)
    assert shown.lines() == [f"{number:018}" for number in range(1000)]


def test_octets_that_were_not_read_are_said() -> None:
    shown = Shown()
    shown.text.skipped(12_400_000)
    shown.prints(0, b"end\r\n")
    shown.given += shown.text.finish(0)

    assert shown.lines() == ["[... 12.4 MB not read ...]", "end"]


def test_a_full_screen_program_is_sampled_at_intervals() -> None:
    shown = Shown()
    shown.prints(0, b"\x1b[?1049h")
    shown.text.entered(0)
    for second in range(12):
        shown.screen.feed_at(second * 1_000_000, b"\x1b[Hat %d \r\nfixed" % second)
        shown.given += shown.text.sample(second * 1_000_000)

    assert shown.lines() == ["at 5", "fixed", "at 10"]
    assert SAMPLE_US == 5_000_000
    assert all(text.alternate for text in shown.given)


def test_what_was_cleared_is_not_given_again() -> None:
    shown = Shown()
    shown.prints(0, b"one\r\ntwo\r\n")
    shown.given += shown.text.take_standing(0, all_rows=True)
    shown.prints(0, b"\x1b[H\x1b[2J")
    shown.text.cleared()
    shown.prints(0, b"three\r\n")
    shown.given += shown.text.finish(0)

    assert shown.lines() == ["one", "two", "three"]
