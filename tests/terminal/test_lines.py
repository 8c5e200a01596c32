"""Output as lines of text."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watchgate.terminal.lines import LONGEST_LINE, Lines

CASES = [
    (b"one\r\ntwo\r\n", ["one", "two"]),
    (b"\x1b[1;32mgreen\x1b[0m \x1b]0;title\x07text", ["green text"]),
    (b"10%\r50%\r100%\n", ["100%"]),
    (b"lx\b \bs\n", ["ls"]),
    (b"lx\b\x1b[Ks\n", ["ls"]),
    (b"ls\bxs\b\n", ["lxs"]),
    (b"abcdef\r\x1b[2Px\n", ["xdef"]),
    (b"abc\r\x1b[2@x\n", ["x abc"]),
    (b"a\tb\n", ["a       b"]),
    (b"a\x1b[5Cb\n", ["a     b"]),
    (b"\xff\x9b ok\n", ["\\xff\\x9b ok"]),
    ("a\u202eb\ufeff\n".encode(), ["a\\u202eb\\ufeff"]),
    (b"\x1b[5;1Hrow five\x1b[6;1Hrow six", ["row five", "row six"]),
    (b"before\x1b[?1049hfull\x1b[?1049lafter\n", ["before", "full", "after"]),
    (b"colors \x1b[?25lstay\x1b[?25h on\n", ["colors stay on"]),
    (b"no end", ["no end"]),
    (b"cut \x1b[3", ["cut \\x1b\\x5b\\x33"]),
    (b"\n\n", ["", ""]),
]


def lines(data: bytes, columns: int = 0) -> list[str]:
    reader = Lines(columns)
    return [*reader.feed(data), *reader.finish()]


@pytest.mark.parametrize(("data", "expected"), CASES)
def test_output_is_read_as_it_was_seen(data: bytes, expected: list[str]) -> None:
    assert lines(data) == expected


def test_a_line_that_wraps_is_one_line() -> None:
    # What bash shows on 10 columns when `$ echo 123456` is typed key by key.
    assert lines(b"$ echo 123 \r456\r\n", columns=10) == ["$ echo 123456"]


def test_a_line_without_an_end_is_cut() -> None:
    found = lines(b"x" * (LONGEST_LINE * 2 + 5))

    assert [len(line) for line in found] == [LONGEST_LINE, LONGEST_LINE, 5]


@given(st.lists(st.binary(max_size=20), max_size=10), st.integers(0, 20))
def test_whatever_comes_lines_stay_short_and_chunks_do_not_matter(
    chunks: list[bytes], columns: int
) -> None:
    reader = Lines(columns)
    found = [line for chunk in chunks for line in reader.feed(chunk)]
    found += reader.finish()

    assert found == lines(b"".join(chunks), columns)
    assert all(len(line) <= 2 * LONGEST_LINE for line in found)


@given(
    st.lists(
        st.sampled_from([b"\x1b[99999C", b"x", b"\x1b[99999@", b"\t", b"\b", b"\x1b[9999G", b"\r"])
    )
)
@example(pieces=[b"\x1b[99999C", b"x", b"\r", b"\x1b[99999@", b"\x1b[99999@"])
def test_moves_cannot_make_a_line_grow(pieces: list[bytes]) -> None:
    assert all(len(line) <= 2 * LONGEST_LINE for line in lines(b"".join(pieces)))


COMMON = st.sampled_from(
    [
        b"\x1b[1;31m",
        b"\x1b[0m",
        b"text ",
        b"\r",
        b"\n",
        b"\r\n",
        b"\x1b[",
        b"\xc3",
        b"\xa4",
        b"\x1b[5;5H",
        b"\b",
        b"  ",
    ]
)


@given(st.lists(COMMON, max_size=40), st.integers(0, 12))
def test_the_short_way_for_simple_lines_gives_the_same_lines(
    pieces: list[bytes], columns: int
) -> None:
    whole = b"".join(pieces)
    reader = Lines(columns)
    bitwise = [line for octet in whole for line in reader.feed(bytes((octet,)))]

    assert lines(whole, columns) == [*bitwise, *reader.finish()]
