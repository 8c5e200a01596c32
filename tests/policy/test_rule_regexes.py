"""Regexes of rules: linear, bounded, refused with a reason, and many at once."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from watchgate.errors import ConfigurationError
from watchgate.policy.regexes import Bank, encoded, regex


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        (r"(a)\1", r"character 4, '\\\\1': .*back reference"),
        ("rm (?=x)", "character 4, .*looking ahead or behind"),
        ("(?<!x)y", "looking ahead or behind"),
        ("(?x)a b", "this kind of group or flag"),
        ("a{2000}", "repeat less"),
        ("((a{100}){100}){100}", "repe"),
        ("(a", "is not closed"),
        ("a)", "has no \\("),
        ("[a", "a \\[ is not closed"),
        ("*a", "nothing to repeat"),
        ("a\\", "a backslash at the end"),
        ("a" * 5_000, "5,000 characters; 4,096 are allowed"),
    ],
)
def test_a_regex_that_cannot_be_run_is_refused_with_the_reason(pattern: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence) as caught:
        regex(pattern)

    assert caught.value.code == "rule.illegal-regex"


def test_a_dot_is_a_line_break_too() -> None:
    assert regex("rm.*-rf").found(encoded("rm '\n' -rf"))


def test_what_is_no_text_is_one_character() -> None:
    assert regex("^a.b$").found(encoded("a\udcffb"))


def test_a_regex_that_would_take_for_ever_elsewhere_takes_no_time() -> None:
    begun = time.perf_counter()
    found = regex("(a*)*(a|a)*b$").found(b"a" * 100_000)

    assert not found
    assert time.perf_counter() - begun < 2


def test_a_regex_that_needs_more_memory_than_it_has_is_still_right() -> None:
    greedy = regex(r"[ab]*a[ab]{300}c$")
    text = b"ab" * 20_000 + b"a" + b"b" * 300 + b"c"

    assert greedy.found(text)
    assert not greedy.found(text[:-1])


def test_many_regexes_find_what_each_finds_alone() -> None:
    patterns = [regex(f"x{n}\\b") for n in range(300)]
    bank = Bank(patterns)

    assert list(bank.found(b"x7 x299")) == [patterns[7], patterns[299]]
    assert list(bank.found(b"y")) == []
    assert list(Bank([]).found(b"x")) == []


def test_regexes_that_cannot_be_joined_are_asked_one_by_one() -> None:
    same_group = [regex("(?P<x>a)"), regex("(?P<x>b)")]
    quoting = [regex(r"\Qa"), regex("b|c"), regex("(?i)D")]

    assert list(Bank(same_group).found(b"b")) == [same_group[1]]
    assert set(Bank(quoting).found(b"d b a")) == set(quoting)


PIECES = some.sampled_from(
    ["a", "b+", "(?i)C", "^d", "e$", r"\bf\b", "g|h", "[ij]", ".", r"\Qk+", "(?:l)", ""]
)


@given(some.lists(PIECES.filter(bool), max_size=70), some.text("abcdefghijkl+ ", max_size=12))
def test_a_bank_is_its_regexes(patterns: list[str], text: str) -> None:
    regexes = list(dict.fromkeys(map(regex, patterns)))

    assert set(Bank(regexes).found(encoded(text))) == {
        one for one in regexes if one.found(encoded(text))
    }
