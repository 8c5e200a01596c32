"""The forms of a text: kept, compared in any case, indexed."""

from __future__ import annotations

import sys
import unicodedata

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from watchgate.catalog.search.packing import token
from watchgate.catalog.search.text import LONGEST, asked, fold, indexed, kept, trigrams

SAME = [
    ("Ä", "ä"),
    ("ÉCOLE", "école"),
    ("ſ", "s"),
    ("ς", "σ"),
    ("ΟΔΟΣ", "οδος"),
    ("ẞ", "ß"),
    ("İ", "i"),
    ("ı", "I"),
    ("\u212a", "k"),
    ("µ", "μ"),
    ("Ǆ", "ǆ"),
    ("ЖУРНАЛ", "журнал"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_all_cases_of_a_letter_are_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_what_is_no_case_stays_apart() -> None:
    assert fold("ß") != fold("ss")
    assert fold("ä") != fold("a")
    assert fold("日本") == "日本"


@given(st.text())
def test_folding_keeps_positions_and_is_done_at_once(text: str) -> None:
    folded = fold(text)

    assert len(folded) == len(text)
    assert fold(folded) == folded


def test_folding_joins_whatever_the_regular_expressions_join() -> None:
    """Else a regular expression in any case would match what the index does not offer."""
    options = re2.Options()
    options.case_sensitive = False
    apart = []
    for point in range(sys.maxunicode + 1):
        character = chr(point)
        cases = {character.upper(), character.lower(), character.title(), character.swapcase()}
        for case in cases - {character}:
            if len(case) != 1 or fold(case) == fold(character):
                continue
            if re2.fullmatch(re2.escape(character), case, options):
                apart.append((character, case))

    assert apart == []


@given(st.text())
def test_what_is_kept_is_kept_again_as_it_is(text: str) -> None:
    once = kept(text)

    assert kept(once) == once
    assert unicodedata.is_normalized("NFC", once)


def test_composed_and_combining_letters_are_kept_alike() -> None:
    assert kept("cafe\u0301") == kept("caf\u00e9")
    assert asked("\u1100\u1161") == "가"


def test_nul_and_lone_surrogates_are_kept_as_backslashes() -> None:
    assert kept("a\0b\udc80c") == "a\\x00b\\udc80c"


def test_a_text_beyond_the_ceiling_ends_with_a_mark() -> None:
    found = kept("x" * 10_000_000)

    assert len(found) < LONGEST + 100
    assert found.endswith("…[9934464 more characters are only in the recording]")


def test_trigrams_of_a_long_text_are_spread_over_it() -> None:
    found = trigrams("abcdefghijklmnopqrstuvwxyz", 5)

    assert found[0] == "abc"
    assert found[-1] == "xyz"
    assert len(found) == 5


def test_trigrams_are_those_that_the_document_has() -> None:
    assert trigrams("Rm -RF", 16) == ["rm ", "m -", " -r", "-rf"]
    assert trigrams("ab", 16) == []


@given(st.integers(0, (1 << 28) - 1), st.booleans(), st.text())
def test_no_text_has_the_trigram_of_a_filter(number: int, session: bool, text: str) -> None:
    mark = token(number, session=session)

    assert len(mark) == 3
    assert mark not in indexed(text)
    assert mark not in indexed(mark)


@given(st.integers(0, (1 << 28) - 1), st.integers(0, (1 << 28) - 1))
def test_neighboring_marks_make_no_other_mark(one: int, other: int) -> None:
    joined = token(one) + token(other)
    windows = {joined[start : start + 3] for start in (1, 2)}

    assert not any(window[0] <= "\U00100001" for window in windows)


def test_icons_of_prompts_can_be_searched() -> None:
    icons = "\ue0b0 \uf07c \U000f024b"

    assert indexed(icons) == icons
