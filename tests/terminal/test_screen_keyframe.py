"""Painting rows on an empty screen."""

from __future__ import annotations

import pytest

from watchgate.terminal.screen import PLAIN, Run, Style
from watchgate.terminal.screen_keyframe import ending, paint, select

RED = Style(foreground=1)


@pytest.mark.parametrize(
    ("style", "octets"),
    [
        (PLAIN, b"\x1b[0m"),
        (Style(bold=True, dim=True, hidden=True), b"\x1b[0;1;2;8m"),
        (Style(foreground=7, background=0), b"\x1b[0;37;40m"),
        (Style(foreground=8, background=15), b"\x1b[0;90;107m"),
        (Style(foreground=16, background=255), b"\x1b[0;38;5;16;48;5;255m"),
        (Style(foreground=(1, 2, 3)), b"\x1b[0;38;2;1;2;3m"),
    ],
)
def test_a_style_is_selected_whatever_came_before(style: Style, octets: bytes) -> None:
    assert select(style) == octets


@pytest.mark.parametrize(
    ("rows", "wrapped", "octets"),
    [
        ([[], []], [False, False], b""),
        ([[], [Run("a", 1)]], [False, False], b"\x1b[2Ha"),
        ([[Run("a", 1, RED)], []], [False, False], b"\x1b[1H\x1b[0;31ma\x1b[0m"),
        ([[Run("abcd", 4)], [Run("e", 1)]], [True, False], b"\x1b[1Habcde"),
        ([[Run("ab", 2)], [Run("e", 1)]], [True, False], b"\x1b[1Hab  e"),
        ([[Run("abc", 3)], [Run("日", 2)]], [True, False], b"\x1b[1Habc\xe6\x97\xa5"),
        ([[Run("abcd", 4)], []], [True, False], b"\x1b[1Habcd "),
        ([[], [Run("日", 2)]], [True, False], b"\x1b[1H   \xe6\x97\xa5"),
        (
            [[Run("ab", 2, RED)], [Run("c", 1, RED)]],
            [True, False],
            b"\x1b[1H\x1b[0;31mab\x1b[0m  \x1b[0;31mc\x1b[0m",
        ),
    ],
)
def test_rows_are_painted(rows: list[list[Run]], wrapped: list[bool], octets: bytes) -> None:
    assert paint(rows, wrapped, 4) == octets


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], (b"\x1b[0m ", 1)),
        ([Run("abc", 3)], (b"\x1b[0m ", 1)),
        ([Run("abcd", 4, RED)], (b"\x1b[0;31md", 1)),
        ([Run("ab日", 4)], (b"\x1b[0m\xe6\x97\xa5", 2)),
        ([Run("abce\u0301", 4)], ("\x1b[0me\u0301".encode(), 1)),
    ],
)
def test_the_last_column_is_printed_again(runs: list[Run], expected: tuple[bytes, int]) -> None:
    assert ending(runs, 4) == expected
