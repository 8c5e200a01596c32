"""The line at the cursor, read when the terminal goes on."""

from __future__ import annotations

from watchgate.terminal.lazy import LazyScreen
from watchgate.terminal.prompts import Prompts
from watchgate.terminal.reading_lines import LeftLine, LineWatch, current, index_of
from watchgate.terminal.screens import open_screen


class Terminal:
    """A terminal of 40 columns whose output rests between its parts."""

    def __init__(self, columns: int = 40, rows: int = 6) -> None:
        self.screen = LazyScreen(open_screen(columns, rows))
        self.watch = LineWatch(self.screen)
        self.number = 0
        self.prompts = Prompts()

    def shows(self, *parts: bytes) -> bool:
        came_back = False
        for part in parts:
            self.screen.feed_at(0, part)
            came_back = self.watch.rest()
        return came_back

    def leaves(self, octets: bytes = b"\r\n", *, accepted: bool = False) -> LeftLine | None:
        left = self.watch.leave(5, self.number, accepted=accepted, prompts=self.prompts)
        self.screen.feed_at(0, octets)
        self.number += octets.count(b"\n")
        return left


def test_a_line_is_read_with_the_places_where_it_rested() -> None:
    terminal = Terminal()
    terminal.shows(b"out\r\n$ ", b"l", b"s")

    assert terminal.leaves() == LeftLine(5, 0, "$ ls", (2, 3, 4))


def test_a_wrapped_line_is_read_as_one_even_when_it_scrolled() -> None:
    terminal = Terminal()
    terminal.shows(b"\r\n" * 5 + b"$ ", b"x" * 100)
    left = terminal.leaves()

    assert left is not None
    assert (left.text, left.rows, left.stops[0]) == ("$ " + "x" * 100, 3, 2)


def test_wide_characters_count_as_one() -> None:
    terminal = Terminal()
    terminal.shows("日本$ ".encode(), b"ls")
    left = terminal.leaves()

    assert left is not None
    assert (left.text, left.stops) == ("日本$ ls", (4, 6))
    assert index_of("日本x", 4) == 2
    assert index_of("日", 5) == 4


def test_a_prompt_at_the_right_margin_is_left_out() -> None:
    terminal = Terminal()
    terminal.shows(b"$ \x1b7\x1b[1;35H12:30\x1b8", b"ls")
    left = terminal.leaves()

    assert left is not None
    assert left.text == "$ ls"


def test_a_suggestion_is_left_out_unless_the_cursor_is_at_its_prompt() -> None:
    terminal = Terminal()
    terminal.shows(b"$ ", b"to\x1b[2much HIT\x1b[m\x1b[7D")
    left = terminal.leaves()
    terminal.shows(b"\x1b[2m$ ", b"rm HIT\x1b[6D")
    spoofed = terminal.leaves()

    assert left is not None
    assert left.behind(2) == "to"
    assert spoofed is not None
    assert spoofed.behind(2) == "rm HIT"


def test_a_gray_suggestion_is_one_too() -> None:
    terminal = Terminal()
    terminal.shows(b"$ ", b"to\x1b[90much HIT\x1b[m\x1b[7D")
    left = terminal.leaves()

    assert left is not None
    assert left.behind(2) == "to"


def test_output_that_comes_back_to_the_line_has_not_left_it() -> None:
    terminal = Terminal()
    terminal.shows(b"$ ", b"rm H")
    terminal.leaves(b"\r\nHAT  HIT\x1b[A\r\x1b[6C")
    came_back = terminal.shows(b"I")
    left = terminal.leaves()

    assert came_back
    assert left is not None
    assert (left.text, left.stops[0]) == ("$ rm HI", 2)


def test_a_line_knows_the_operators_line_right_above() -> None:
    terminal = Terminal()
    terminal.shows(b"$ ", b"for i in 1")
    first = terminal.leaves()
    terminal.shows(b"> ", b"do")
    second = terminal.leaves(b"\r\noutput\r\n")
    terminal.shows(b"$ ", b"ls")
    third = terminal.leaves()

    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.follows, second.follows, third.follows) == (None, first.number, None)


def test_a_line_at_which_nothing_rested_counts_behind_a_known_prompt() -> None:
    terminal = Terminal()
    terminal.prompts.learn("$ ")
    terminal.screen.feed_at(0, b"$ ls")

    assert terminal.leaves() == LeftLine(5, 0, "$ ls", (2,))
    terminal.screen.feed_at(0, b"output")
    assert terminal.leaves() is None


def test_the_text_up_to_the_cursor_keeps_its_blanks() -> None:
    terminal = Terminal()
    terminal.screen.feed_at(0, b"root@h:~#  ")

    assert current(terminal.screen.screen) == "root@h:~#  "
