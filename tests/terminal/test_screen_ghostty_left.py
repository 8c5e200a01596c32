"""Rows that leave a screen that wraps its text anew when the window changes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from watchgate.terminal.screen import Line
from watchgate.terminal.screen_ghostty import GhosttyScreen


def texts(screen: GhosttyScreen) -> list[str]:
    return [line.text for line in screen.scrolled()]


def test_of_a_line_that_was_given_out_in_part_the_rest_is_given_out() -> None:
    screen = GhosttyScreen(10, 3)
    screen.feed(b"abcdefghijklmnopqrstuvwxy\r\n\n")

    assert screen.scrolled() == [Line("abcdefghij", wrapped=True), Line("klmnopqrst", wrapped=True)]
    screen.resize(40, 3)
    screen.feed(b"\n\n\n\n")
    assert texts(screen)[0] == "uvwxy"


def test_of_a_line_that_was_given_out_whole_nothing_is_given_out_again() -> None:
    screen = GhosttyScreen(10, 3)
    screen.feed(b"abcdefghijklmnopqrstuvwxy\r\nnext\r\n1\r\n2")

    assert texts(screen) == ["abcdefghij", "klmnopqrst", "uvwxy"]
    for columns in (40, 5, 3, 80, 10):
        screen.resize(columns, 3)
        assert not any(set(text) & set("abcdfghijklm") for text in texts(screen))


def test_rows_that_a_narrower_window_pushed_out_are_given_out() -> None:
    screen = GhosttyScreen(20, 3)
    screen.feed(b"aaaaaaaaaaaaaaa\r\nbbbbbbbbbbbbbbb\r\nccc")
    screen.resize(5, 3)

    assert "".join(texts(screen)).startswith("aaaaaaaaaaaaaaabb")


def test_rows_that_left_do_not_come_back_when_the_window_grows() -> None:
    screen = GhosttyScreen(20, 3)
    screen.feed(b"1\r\n2\r\n3\r\n4\r\n5")

    assert texts(screen) == ["1", "2"]
    screen.resize(20, 10)
    assert [line.text for line in screen.lines()][:3] == ["3", "4", "5"]


def test_a_repeated_character_that_fills_screens_is_given_out_within_the_bound() -> None:
    screen = GhosttyScreen(10, 5, history=7000)
    screen.feed(b"x\x1b[65534b\r\n" + b"end\r\n" * 5)
    rows = screen.scrolled()

    assert len(rows) + screen.missed == 6554 + 1
    assert screen.missed == 0
    assert sum(line.text.count("x") for line in rows) == 65_535


def test_a_screen_that_is_cleared_again_and_again_is_read_within_bounds() -> None:
    screen = GhosttyScreen(10, 5, history=1000)
    screen.feed(b"x\x1b[65534b\x1b[3J" * 20)

    assert len(screen.scrolled()) <= 1000
    assert screen.missed > 100_000


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("line"), st.integers(1, 4)),
        st.tuples(st.just("size"), st.sampled_from([(20, 5), (7, 5), (33, 3), (12, 9), (80, 5)])),
        st.tuples(st.just("read"), st.none()),
        st.tuples(st.just("cover"), st.none()),
    ),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_every_word_is_given_out_once_however_the_window_changes(
    steps: list[tuple[str, object]],
) -> None:
    screen = GhosttyScreen(20, 5, history=10_000)
    words: list[str] = []
    seen: list[str] = []
    for step, argument in steps:
        match step, argument:
            case "line", int(count):
                line = [f"<{len(words) + number:03}>" for number in range(count * 3)]
                words += line
                screen.feed("".join(line).encode() + b"\r\n")
            case "size", (int(columns), int(rows)):
                screen.resize(columns, rows)
            case "cover", _:
                screen.feed(b"\x1b[?1049h\x1b[Hcovered\r\n" * 3 + b"\x1b[?1049l")
            case _:
                seen += texts(screen)
    screen.feed(b"\r\n" * 20)
    seen += texts(screen)
    text = "".join(seen).replace(" ", "")

    assert [word for word in words if text.count(word) != 1] == []
    assert screen.missed == 0
