"""Text that a log may hold."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.siem.fitting import compact_within, nested
from watchgate.siem.legible import clipped, cut, lines, one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain äß漢😀 \\ |=", "plain äß漢😀 \\ |="),
        ("\x00\x1b[2J\x7f", "\\x00\\x1b[2J\\x7f"),
        ("\x85\x9b", "\\u0085\\u009b"),
        ("\udc80\udcff", "\\x80\\xff"),
        ("\ud800", "\\ud800"),
        ("\u202eevil\u2066\u200f", "\\u202eevil\\u2066\\u200f"),
        ("\u2028\ufeff\uffff", "\\u2028\\ufeff\\uffff"),
        ("a\tb\nc\r", "a\\x09b\\x0ac\\x0d"),
    ],
)
def test_what_a_log_must_not_hold_is_written_visibly(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_formats_that_escape_line_ends_get_them() -> None:
    assert lines("a\tb\nc\r\x0b") == "a\tb\nc\r\\x0b"


@given(st.text(alphabet=st.characters()), st.integers(3, 50))
def test_what_is_shown_is_utf_8_and_bounded(text: str, most: int) -> None:
    shown = clipped(text, most)

    assert len(shown.encode().decode()) <= most
    assert one_line(shown) == shown.replace("\t", "\\x09").replace("\n", "\\x0a").replace(
        "\r", "\\x0d"
    )


def test_a_cut_text_ends_in_dots() -> None:
    assert cut("abcdefgh", 6) == "abc..."
    assert cut("abcdef", 6) == "abcdef"


def test_nested_values_are_bounded_in_depth_and_width() -> None:
    deep: object = "x"
    for _ in range(1000):
        deep = [deep]
    shown = clipped({"deep": deep, "wide": list(range(1000))}, 4000)

    assert json.dumps(shown["deep"]) == '[[[[["..."]]]]]'
    assert shown["wide"] == [*range(64), "..."]
    assert len(clipped({str(n): n for n in range(1000)}, 4000)) == 65


def test_details_are_cut_until_they_fit_and_stay_json() -> None:
    text = compact_within({"a": "x" * 5000, "b": ["y" * 5000] * 10}, 1000)

    assert len(text) <= 1000
    assert json.loads(text)["a"].endswith("...")


def test_dotted_names_become_objects_and_what_is_unknown_is_left_out() -> None:
    assert nested({"a.b": 1, "a.c": None, "d": "", "e": [], "f": 0, "g": False}) == {
        "a": {"b": 1},
        "f": 0,
        "g": False,
    }
