"""Patterns of names, and what two patterns have in common."""

from __future__ import annotations

import fnmatch
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from watchgate.policy.globs import any_matches, glob, is_pattern, meet

CASES = [
    ("rm", "rm", True),
    ("rm", "rmdir", False),
    ("mkfs*", "mkfs.ext4", True),
    ("mkfs*", "xmkfs", False),
    ("r?", "rm", True),
    ("[rd]m", "dm", True),
    ("[!r]m", "rm", False),
    ("[^r]m", "dm", True),
    ("[]x]", "]", True),
    (r"a\*b", "a*b", True),
    (r"a\*b", "axb", False),
    ("*", "", True),
    ("a.b", "axb", False),
    ("*/x", "a/b/x", True),
    ("*", "two\nlines", True),
    ("[a", "[a", True),
]


@pytest.mark.parametrize(("pattern", "name", "expected"), CASES)
def test_a_pattern_matches_as_a_shell_has_it(pattern: str, name: str, expected: bool) -> None:
    assert glob(pattern).matches(name) is expected
    assert any_matches([glob("no"), glob(pattern)], name) is expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("HIT", "H?T", True),
        ("HIT", "*.log", False),
        ("a*", "*b", True),
        ("a*", "b*", False),
        ("*a*", "b", False),
        ("", "*", True),
        ("", "?", False),
        ("*", "*", True),
        ("a?c", "a[xy]c", True),
        (r"\*", "x", False),
        ("**x", "x", True),
    ],
)
def test_two_patterns_meet_where_one_name_is_meant_by_both(
    first: str, second: str, expected: bool
) -> None:
    assert meet(first, second) is expected
    assert meet(second, first) is expected


PATTERNS = some.text("ab*?", max_size=6)


@given(PATTERNS, some.text("ab", max_size=6))
def test_a_pattern_without_classes_is_that_of_fnmatch(pattern: str, name: str) -> None:
    assert glob(pattern).matches(name) is fnmatch.fnmatchcase(name, pattern)


@given(PATTERNS, PATTERNS, some.text("ab", max_size=5))
def test_patterns_that_have_a_name_in_common_meet(first: str, second: str, name: str) -> None:
    both = glob(first).matches(name) and glob(second).matches(name)

    assert not both or meet(first, second)


@given(some.text(max_size=40))
def test_every_text_is_a_pattern(text: str) -> None:
    made = glob(text)

    assert made.matches(text) or is_pattern(text) or "\\" in text


def test_long_patterns_are_not_worked_out() -> None:
    assert meet("a" * 300, "b")


def test_a_pattern_cannot_take_for_ever() -> None:
    begun = time.perf_counter()
    found = glob("*a" * 200).matches("a" * 100_000 + "b")

    assert not found
    assert time.perf_counter() - begun < 2


def test_what_stands_before_the_first_wildcard_is_known() -> None:
    assert glob("build-*.log").prefix == "build-"
    assert re.escape(glob("plain").literal or "") == "plain"
