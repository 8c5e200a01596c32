"""Where in a text a query matches, and what is no regular expression."""

from __future__ import annotations

import time

import pytest

from watchgate.catalog.search.matching import Found, matcher
from watchgate.catalog.search.model import Kind, Mode, Query
from watchgate.errors import Refused


def found(text: str, wanted: str, mode: Mode = Mode.LITERAL, **fields: object) -> Found | None:
    kind = fields.pop("kind", Kind.SCREEN)
    assert isinstance(kind, Kind)
    return matcher(Query(wanted, mode, **fields)).find(kind, text)  # type: ignore[arg-type]


def test_the_first_line_that_matches_is_said_with_all_its_matches() -> None:
    text = "one\ntwo fish, two birds\ntwo"

    assert found(text, "two") == Found(1, ((0, 3), (10, 13)))
    assert found(text, "t.o", Mode.REGEX) == Found(1, ((0, 3), (10, 13)))


def test_a_match_over_lines_is_shown_to_the_end_of_the_first() -> None:
    text = "zero\nroot:\nx:0"

    assert found(text, "ot:\nx") == Found(1, ((2, 5),))
    assert found(text, r"ot:\s*x", Mode.REGEX) == Found(1, ((2, 5),))


def test_positions_hold_behind_letters_of_other_sizes() -> None:
    text = "日本 ÄÖ İx 🎉 needle"
    at = text.index("needle")

    assert found(text, "NEEDLE", any_case=True) == Found(0, ((at, at + 6),))
    assert found(text, "need.e", Mode.REGEX) == Found(0, ((at, at + 6),))


def test_a_capital_in_the_text_asks_for_capitals() -> None:
    assert found("Root", "root")
    assert found("root", "Root") is None
    assert found("root", "Root", any_case=True)
    assert found("Root", "root", any_case=False) is None


@pytest.mark.parametrize(
    "pattern", [r"\S+oot", r"\Woot|oot", "(?P<Name>oot)", r"\p{L}oot", "[[:^space:]]oot"]
)
def test_letters_that_mean_no_letter_ask_for_nothing(pattern: str) -> None:
    assert found("ROOT -OOT", pattern, Mode.REGEX)


def test_a_prefix_stands_where_a_command_or_a_line_begins() -> None:
    assert found("rm -rf /", "rm ", Mode.PREFIX, kind=Kind.COMMAND) == Found(0, ((0, 3),))
    assert found("echo\nrm x", "rm ", Mode.PREFIX, kind=Kind.COMMAND) is None
    assert found("echo\nrm x", "rm ", Mode.PREFIX) == Found(1, ((0, 3),))
    assert found("xrm ", "rm ", Mode.PREFIX) is None


def test_anchors_are_where_lines_begin_and_end() -> None:
    assert found("a\nroot x\nb", "^root", Mode.REGEX) == Found(1, ((0, 4),))
    assert found("a\nx root\nb", "root$", Mode.REGEX) == Found(1, ((2, 6),))
    assert found("a|b", "^b|^c", Mode.REGEX) is None


def test_a_match_of_nothing_has_no_spans() -> None:
    assert found("abc", "x*", Mode.REGEX) == Found(0, ())
    assert found("abc", "") == Found(0, ())


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("foo(?!x)", ["'(?!'", "at character 4", "looking ahead is not possible", "RE2"]),
        ("(?<=a)b", ["looking behind", "not possible"]),
        (r"(x)\1", ["at character 4", "referring back", "not possible"]),
        ("(a", ["missing )"]),
        ("a)b(", ["unexpected )"]),
        ("x**", ["at character 2", "bad repetition"]),
        ("(.{1,1000}){1000}", ["{1000}", "repeat fewer times"]),
        ("((((a{1,9}){1,9}){1,9}){1,9}){1,9}", ["repeat fewer times"]),
        ("[z-a]", ["z-a"]),
        ("\\", ["trailing \\"]),
        ("\udc80(", ["missing )"]),
    ],
)
def test_what_is_no_regular_expression_is_refused_with_the_place(
    pattern: str, words: list[str]
) -> None:
    with pytest.raises(Refused) as refused:
        matcher(Query(pattern, Mode.REGEX))

    assert refused.value.code == "search.not-a-regex"
    assert [word for word in words if word not in str(refused.value)] == []


def test_octets_that_were_not_text_are_found_as_they_are_kept() -> None:
    assert found("a\\x00b\\udc80", "\0b\udc80")
    assert found("a\\x00b\\udc80", "\0b\udc80$", Mode.REGEX)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(.*)*x", "(a?){50}a{50}b", "(x+x+)+y"])
def test_no_pattern_runs_away(pattern: str) -> None:
    begun = time.monotonic()
    asked = matcher(Query(pattern, Mode.REGEX))
    asked.find(Kind.SCREEN, "a" * 60_000 + "\n" + "x" * 5_000)

    assert time.monotonic() - begun < 5
