"""Rules that are legal and odd."""

from __future__ import annotations

from typing import Any

import pytest
from rule_cases import rule

from watchgate.policy.findings import Finding, Gravity
from watchgate.policy.linting import lint
from watchgate.policy.rules import Rule

EXPECT = [{"matches": ["rm x"], "misses": ["ls"]}]
FLAGS = {"rm": frozenset({"recursive", "force"}), "ls": frozenset({"all"})}


def found(*rules: Rule) -> list[Finding]:
    """All findings."""
    return list(lint(rules, FLAGS.get))


def codes(**said: Any) -> set[str]:
    """The codes for one rule that is otherwise as it should be."""
    return {one.code for one in found(rule(**({"expect": EXPECT} | said)))}


def test_a_rule_as_it_should_be_is_not_odd() -> None:
    assert codes(match={"program": "rm", "flags": "recursive", "path": "/etc/**"}) == set()


@pytest.mark.parametrize(
    "match",
    [
        {"all": [{"program": "rm"}, {"program": "ls"}]},
        {"program": "rm", "not": {"program": "rm"}},
        {"all": [{"program": "rm*"}, {"program": "ls*"}], "args": "x"},
        {"flags": {"all": ["force"], "only": ["recursive"]}},
        {"inside": "psql", "place": "shell"},
        {"all": [{"confidence": "exact"}, {"confidence": "inferred"}]},
        {"all": [{"source": "exec"}, {"source": ["keys", "screen"]}]},
        {"any": [{"program": "ls"}, {"all": [{"program": "a"}, {"program": "b"}]}]},
    ],
)
def test_a_match_that_contradicts_itself_is_an_error(match: dict[str, Any]) -> None:
    findings = [
        one for one in found(rule(match=match, expect=EXPECT)) if one.code == "never-matches"
    ]

    assert [one.gravity for one in findings] == [Gravity.ERROR]


@pytest.mark.parametrize(
    "match",
    [
        {"all": [{"program": "r*"}, {"program": ["rm", "dd"]}]},
        {"any": [{"program": "rm"}, {"program": "ls"}]},
        {"program": "tar", "beside": {"program": "nc"}},
        {"program": "rm", "not": {"program": "rm*", "path": "/tmp/**"}},
    ],
)
def test_a_match_that_can_be_met_is_none(match: dict[str, Any]) -> None:
    assert "never-matches" not in codes(match=match)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("matches-everything", {"match": {"program": "*"}}),
        ("matches-everything", {"match": {"any": [{"path": "/x"}, {"regex": ".*"}]}}),
        ("regex-everything", {"match": {"regex": "x?"}}),
        ("regex-slashes", {"match": {"regex": "/.*passwd.*/"}}),
        ("regex-not-normal", {"match": {"regex": 'echo "x"'}}),
        ("regex-not-normal", {"match": {"regex": "ls; rm"}}),
        ("regex-not-normal", {"match": {"regex": r"cat x \| sh"}}),
        ("regex-not-normal", {"match": {"regex": "rm  -rf"}}),
        ("unknown-flag", {"match": {"program": "rm", "flags": "recursiv"}}),
        ("unknown-flag", {"match": {"program": "rm", "flags": {"any": ["-r"]}}}),
        ("opaque-rules-nothing-out", {"match": {"opaque": True, "path": "/etc/**"}}),
        ("inside-everything", {"match": {"inside": "*", "regex": "x"}}),
        ("interrupts-at-once", {"action": "interrupt"}),
        ("locks-at-once", {"lock_account_after": 1}),
        ("shadow-locks-nobody", {"lock_account_after": 3, "shadow": True}),
        ("message-unseen", {"action": "allow", "message": "Hello."}),
        ("allow-says-nothing", {"action": "allow", "points": 0}),
        ("no-examples", {"expect": []}),
        ("one-sided-examples", {"expect": [{"matches": ["rm x"]}]}),
        ("list-without-opaque", {"action": "force"}),
        ("list-of-exits", {"action": "force", "match": {"program": ["exit", "logout"]}}),
    ],
)
def test_what_is_odd_is_said(code: str, said: dict[str, Any]) -> None:
    assert code in codes(**said)


def test_what_is_never_certain_is_an_error_in_a_rule_that_permits() -> None:
    assert "never-matches" in codes(action="allow", match={"opaque": True, "flags": "x"})


def test_a_flag_of_a_program_that_is_not_known_is_not_odd() -> None:
    assert "unknown-flag" not in codes(match={"program": "tool", "flags": "x"})
    assert "unknown-flag" not in codes(match={"program": ["rm", "tool"], "flags": "x"})
    assert "unknown-flag" not in codes(match={"program": "r*", "flags": "x"})


def test_the_nearest_flag_is_named() -> None:
    findings = found(rule(match={"program": "rm", "flags": "recursiv"}, expect=EXPECT))

    assert str(findings[0]).endswith("the flag 'recursiv'; did you mean recursive?")


def test_rules_that_match_the_same_are_named() -> None:
    findings = found(
        rule("a", expect=EXPECT), rule("b", expect=EXPECT), rule("c", "approve", expect=EXPECT)
    )

    assert [(one.rule, one.code) for one in findings] == [("b", "double"), ("c", "overruled")]


def test_for_other_sessions_the_same_is_no_double() -> None:
    assert found(rule("a", expect=EXPECT), rule("b", expect=EXPECT, scope={"targets": "db1"})) == []


def test_flags_are_those_that_the_reader_of_shells_knows() -> None:
    right = rule(match={"program": "rm", "flags": ["recursive", "force"]}, expect=EXPECT)
    wrong = rule(match={"program": "rm", "flags": "recursion"}, expect=EXPECT)

    assert lint([right]) == ()
    assert [one.code for one in lint([wrong])] == ["unknown-flag"]
