"""What every back end of `Screen` does, whichever emulates."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from watchgate.terminal.screen import PLAIN, Line, Run, Screen, Style
from watchgate.terminal.screen_bounds import MAX_COLUMNS, MAX_ROWS
from watchgate.terminal.screens import Backend, open_screen

BACKENDS: list[Backend] = ["ghostty", "pyte"]
Open = Callable[..., Screen]


@pytest.fixture(params=BACKENDS)
def opened(request: pytest.FixtureRequest) -> Open:
    def opener(columns: int = 20, rows: int = 5, octets: bytes = b"", history: int = 100) -> Screen:
        screen = open_screen(columns, rows, history=history, backend=request.param)
        screen.feed(octets)
        return screen

    return opener


def texts(lines: object) -> list[str]:
    return [line.text for line in lines]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("octets", "expected", "cursor"),
    [
        (b"one\r\ntwo", ["one", "two", "", "", ""], (3, 1)),
        (b"abc\rX", ["Xbc", "", "", "", ""], (1, 0)),
        (b"10%\r50%\r100%", ["100%", "", "", "", ""], (4, 0)),
        (b"a\tb", ["a       b", "", "", "", ""], (9, 0)),
        (b"abc\b\b\x1b[K", ["a", "", "", "", ""], (1, 0)),
        (b"x\x1b[3;5Hy\x1b[1;1H\x1b[2K", ["", "", "    y", "", ""], (0, 0)),
        (b"1\r\n2\r\n3\x1b[2;1H\x1b[L", ["1", "", "2", "3", ""], (0, 1)),
        (b"1\r\n2\r\n3\x1b[2;1H\x1b[M", ["1", "3", "", "", ""], (0, 1)),
        (b"abcdef\x1b[3G\x1b[2P", ["abef", "", "", "", ""], (2, 0)),
        (b"abc\x1b[2G\x1b[2@", ["a  bc", "", "", "", ""], (1, 0)),
        (b"x\x1b[4by", ["xxxxxy", "", "", "", ""], (6, 0)),
        (b"\x1b(0lqk\x1b(B", ["┌─┐", "", "", "", ""], (3, 0)),
        ("日本e\u0301".encode(), ["日本e\u0301", "", "", "", ""], (5, 0)),
        (b"\xff\xfeab", ["\ufffd\ufffdab", "", "", "", ""], (4, 0)),
        (b"\x1b]0;title\x07ok", ["ok", "", "", "", ""], (2, 0)),
        (b"\x1bP+q544e\x1b\\ok", ["ok", "", "", "", ""], (2, 0)),
        (b"\x1b7abc\x1b8X", ["Xbc", "", "", "", ""], (1, 0)),
        (b"\x1b[2;4r\x1b[2;1Ha\r\nb\r\nc\r\nd", ["", "b", "c", "d", ""], (1, 3)),
    ],
)
def test_octets_make_a_picture(
    opened: Open, octets: bytes, expected: list[str], cursor: tuple[int, int]
) -> None:
    screen = opened(octets=octets)

    assert texts(screen.lines()) == expected
    assert screen.cursor == cursor


def test_octets_one_by_one_make_the_same_picture(opened: Open) -> None:
    octets = "\x1b[31;1mröd\x1b[0m\r\n日本\x1b[?25l\x1b]0;t\x07\x1b[38;2;1;2;3mx".encode()
    whole, cut = opened(octets=octets), opened()
    for number in range(len(octets)):
        cut.feed(octets[number : number + 1])

    assert cut.styled() == whole.styled()
    assert cut.cursor == whole.cursor


def test_a_line_longer_than_the_screen_goes_on_in_the_next_row(opened: Open) -> None:
    screen = opened(octets=b"x" * 18 + b"  " + b"yz")

    assert list(screen.lines()[:2]) == [Line("x" * 18 + "  ", wrapped=True), Line("yz")]


def test_colors_and_attributes(opened: Open) -> None:
    screen = opened(
        octets=b"a\x1b[1;31mb\x1b[0;38;5;200;48;2;1;2;3mc\x1b[0;2;3;4;5;7;8;9md\x1b[22;23me\x1b[0;97mf"
    )

    assert list(screen.styled()[0]) == [
        Run("a", 1),
        Run("b", 1, Style(foreground=1, bold=True)),
        Run("c", 1, Style(foreground=200, background=(1, 2, 3))),
        Run(
            "d",
            1,
            Style(
                dim=True,
                italic=True,
                underline=True,
                blink=True,
                inverse=True,
                hidden=True,
                strikethrough=True,
            ),
        ),
        Run(
            "e", 1, Style(underline=True, blink=True, inverse=True, hidden=True, strikethrough=True)
        ),
        Run("f", 1, Style(foreground=15)),
    ]


def test_blanks_are_erased_in_the_color_of_the_pen(opened: Open) -> None:
    screen = opened(octets=b"\x1b[44m\x1b[K")

    assert list(screen.styled()[0]) == [Run(" " * 20, 20, Style(background=4))]
    assert screen.lines()[0] == Line("")


def test_wide_characters_count_two_columns(opened: Open) -> None:
    assert list(opened(octets="日a".encode()).styled()[0]) == [Run("日a", 3, PLAIN)]


def test_a_suggestion_is_dim(opened: Open) -> None:
    screen = opened(octets=b"gi\x1b[2mt status\x1b[0m")

    assert not screen.dim(1, 0)
    assert screen.dim(2, 0)
    assert not screen.dim(15, 0)
    assert not screen.dim(99, 99)


def test_rows_that_left_are_given_out_once(opened: Open) -> None:
    screen = opened(octets=b"".join(b"line %d\r\n" % number for number in range(7)))

    assert texts(screen.scrolled()) == ["line 0", "line 1", "line 2"]
    assert screen.scrolled() == []
    screen.feed(b"a\r\n")
    assert texts(screen.scrolled()) == ["line 3"]
    assert screen.missed == 0


def test_rows_that_wrapped_leave_as_rows_that_wrapped(opened: Open) -> None:
    screen = opened(octets=b"x" * 45 + b"\r\n" * 7)

    assert list(screen.scrolled()) == [
        Line("x" * 20, wrapped=True),
        Line("x" * 20, wrapped=True),
        Line("x" * 5),
        Line(""),
        Line(""),
    ]


def test_more_rows_than_are_kept_are_counted(opened: Open) -> None:
    screen = opened(octets=b"".join(b"%d\r\n" % number for number in range(20_004)))

    assert texts(screen.scrolled()) == [str(number) for number in range(19_900, 20_000)]
    assert screen.missed == 19_900


def test_every_row_is_given_out_or_counted_in_whatever_pieces_it_comes(opened: Open) -> None:
    screen = opened(history=10)
    given = 0
    for number in range(300):
        screen.feed(b"%d\r\n" % number * (number % 17))
        if number % 5 == 0:
            given += len(screen.scrolled())
    given += len(screen.scrolled())

    assert given + screen.missed == sum(number % 17 for number in range(300)) - 4


def test_a_full_screen_program_gives_no_rows_and_leaves_the_screen_as_it_was(opened: Open) -> None:
    screen = opened(octets=b"shell$ vim\r\n\x1b[?1049h\x1b[H" + b"text\r\n" * 50)

    seen = [screen.alternate]
    assert screen.scrolled() == []
    screen.feed(b"\x1b[?1049l")
    seen.append(screen.alternate)
    assert seen == [True, False]
    assert screen.lines()[0] == Line("shell$ vim")
    assert screen.cursor == (0, 1)
    assert screen.scrolled() == []


def test_rows_that_left_before_a_full_screen_program_are_given_out_while_it_runs(
    opened: Open,
) -> None:
    screen = opened(octets=b"1\r\n2\r\n3\r\n4\r\n5\r\n6\x1b[?1049h\x1b[2J")

    assert texts(screen.scrolled()) == ["1"]


@pytest.mark.parametrize("clear", [b"\x1b[3J", b"\x1b[H\x1b[2J\x1b[3J", b"\x1bc", b"\x1b[0;3J"])
def test_clearing_what_left_loses_no_row(opened: Open, clear: bytes) -> None:
    screen = opened(
        octets=b"1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7" + clear + b"\x1b[H8\r\n9\r\n" + b"\n" * 4
    )

    assert texts(screen.scrolled())[:2] == ["1", "2"]
    assert screen.missed == 0
    assert texts(screen.scrolled()) == []
    screen.feed(b"\n\n")
    assert len(screen.scrolled()) == 2


@pytest.mark.parametrize("size", [(40, 5), (10, 5), (20, 12), (7, 3), (1, 1)])
def test_no_row_is_given_out_twice_when_the_window_changes(
    opened: Open, size: tuple[int, int]
) -> None:
    words = [f"word{number:02}" for number in range(30)]
    screen = opened(octets="".join(word + "\r\n" for word in words[:15]).encode())
    seen = "".join(texts(screen.scrolled()))
    screen.resize(*size)
    seen += "".join(texts(screen.scrolled()))
    screen.resize(20, 5)
    screen.feed("".join(word + "\r\n" for word in words[15:]).encode())
    seen += "".join(texts(screen.scrolled()))

    for word in words[:26]:
        assert seen.count(word) <= 1
    assert all(word in seen for word in words[15:26])


def test_an_anchor_stays_with_its_text(opened: Open) -> None:
    screen = opened(octets=b"a\r\nb\r\nprompt$ ")
    anchor = screen.anchor()

    assert anchor.place() == (8, 2)
    screen.feed(b"\r\n\n\n\n")
    assert anchor.place() == (8, 0)
    screen.feed(b"\n\n")
    assert anchor.place() == (8, -2)
    screen.feed(b"\x1b[?1049h")
    assert anchor.place() is None
    screen.feed(b"\x1b[?1049l")
    assert anchor.place() == (8, -2)


def test_the_cursor_is_hidden_and_shown(opened: Open) -> None:
    screen = opened(octets=b"\x1b[?25l")

    seen = [screen.cursor_visible]
    screen.feed(b"\x1b[?25h")
    seen.append(screen.cursor_visible)

    assert seen == [False, True]


@pytest.mark.parametrize("size", [(0, 0), (-3, 5), (1, 1), (100_000, 100_000), (65536, 1)])
def test_sizes_are_brought_within_bounds(opened: Open, size: tuple[int, int]) -> None:
    screen = opened(octets=b"hello\r\nworld")
    screen.resize(*size)
    screen.feed(b"x\r\ny")

    assert 1 <= screen.columns <= MAX_COLUMNS
    assert 1 <= screen.rows <= MAX_ROWS
    assert len(screen.lines()) == len(screen.styled()) == screen.rows


PIECES = st.sampled_from(
    [
        b"ls -l\r\n",
        b"hello world ",
        b"\r\n",
        b"\r",
        b"\x1b[2J",
        b"\x1b[H",
        b"\x1b[K",
        b"\x1b[1;31m",
        b"\x1b[0m",
        b"\x1b[44m",
        b"\x1b[3;2H",
        b"\x1b[A",
        b"\x1b[10C",
        b"\x1b[?25l",
        b"\x1b[?25h",
        b"\x1b[?1049h",
        b"\x1b[?1049l",
        b"\x1b[2;4r",
        b"\x1b[r",
        b"\x1b[?7l",
        b"\x1b[?7h",
        b"\x1b[4h",
        b"\x1b[4l",
        b"\x1b(0",
        b"\x1b(B",
        b"\x1b7",
        b"\x1b8",
        b"\x1b[L",
        b"\x1b[2M",
        b"\x1bM",
        b"\x1b[3X",
        b"\t",
        b"x" * 33,
        "日本語 e\u0301".encode(),
        b"\x1b[38;2;9;8;7m",
        b"\x1b[7;2m",
    ]
)
STREAM = st.lists(PIECES, max_size=25).map(b"".join)


def look(screen: Screen) -> tuple[object, ...]:
    return (
        [line.text.rstrip() for line in screen.lines()],
        [list(row) for row in screen.styled()],
        screen.cursor,
        screen.cursor_visible,
        screen.alternate,
    )


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=150, deadline=None)
@given(before=STREAM, after=STREAM)
@example(before=b"\thello world \x1b7", after=b"\x1b8ls -l\r\n")
def test_a_keyframe_goes_on_as_the_screen_would(
    backend: Backend, before: bytes, after: bytes
) -> None:
    # Wide characters have no place in the set of line drawing characters.
    assume(not (b"\x1b(0" in before + after and "日".encode() in before + after))
    # What the pen was on an alternate screen that was left is forgotten.
    assume(not (b"1049l" in before + after and b"1049h" in after))
    screen = open_screen(20, 5, backend=backend)
    screen.feed(before)
    again = open_screen(20, 5, backend=backend)
    again.feed(screen.keyframe())

    assert look(again) == look(screen)
    screen.feed(after)
    again.feed(after)
    assert look(again) == look(screen)


@pytest.mark.parametrize("backend", BACKENDS)
@settings(max_examples=60, deadline=None)
@given(octets=st.binary(max_size=300), columns=st.integers(1, 12), rows=st.integers(1, 5))
def test_any_octets_leave_a_screen_that_can_be_read(
    backend: Backend, octets: bytes, columns: int, rows: int
) -> None:
    screen = open_screen(columns, rows, backend=backend)
    screen.feed(octets)

    assert len(screen.lines()) == len(screen.styled()) == rows
    assert all(sum(run.columns for run in row) <= columns for row in screen.styled())
    column, row = screen.cursor
    assert 0 <= column < columns
    assert 0 <= row < rows
    assert isinstance(screen.keyframe(), bytes)


@pytest.mark.parametrize("ending", [b"\x1b[?1049h", b"\x1b[3J", b"\x1bc"])
def test_what_hides_the_rows_that_left_may_be_cut_anywhere(opened: Open, ending: bytes) -> None:
    octets = b"".join(b"line %d\r\n" % number for number in range(40)) + ending
    whole, cut = opened(octets=octets), opened()
    for octet in octets:
        cut.feed(bytes([octet]))

    rows = texts(whole.scrolled())

    assert rows[0] == "line 0"
    assert texts(cut.scrolled()) == rows
    assert cut.missed == whole.missed == 0
