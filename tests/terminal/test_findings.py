"""Text as it is searched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.terminal.findings import readable, width


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rm -rf /", "rm -rf /"),
        ("r\u200bm\u2060 -\u200er\u202ef\ufeff /", "rm -rf /"),
        ("a\u00adb\u034fc\ufe0fd\U000e0041e", "abcde"),
        ("cafe\u0301", "cafe\u0301"),
        ("日本語 ñ 🎉 שלום", "日本語 ñ 🎉 שלום"),
        ("a\x00b\x1bc\x7fd\x9be", "abcde"),
        ("a\ud800b", "a\ufffdb"),
    ],
)
def test_what_shows_nothing_is_left_out(text: str, expected: str) -> None:
    assert readable(text) == expected


@given(st.text(st.characters()))
def test_readable_text_can_be_stored_and_stays_as_it_is(text: str) -> None:
    once = readable(text)

    assert once.encode("utf-8").decode("utf-8") == once
    assert readable(once) == once


@pytest.mark.parametrize(
    ("character", "columns"), [("a", 1), ("日", 2), ("\u0301", 0), ("🎉", 2), ("é", 1)]
)
def test_characters_have_a_width(character: str, columns: int) -> None:
    assert width(character) == columns
