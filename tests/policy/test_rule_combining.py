"""Conditions together, the ways through them, and the parts that files say them in."""

from __future__ import annotations

import pytest
from rule_cases import given, reading, rule, simple

from watchgate.configuration.places import Place, Problems
from watchgate.configuration.shapes import WRONG, Spot
from watchgate.errors import ConfigurationError
from watchgate.policy import plain
from watchgate.policy.candidates import Kind, candidates
from watchgate.policy.combining import NEVER, All, Any_, Not, by_way_of, mentions, told, within
from watchgate.policy.conditions import IsOpaque, Program, globs_of
from watchgate.policy.example_shapes import EXAMPLES
from watchgate.policy.examples import Example
from watchgate.policy.findings import Gravity
from watchgate.policy.lint_matches import of_match
from watchgate.policy.rule_shapes import finished, rule_name
from watchgate.policy.scopes import EVERYTHING, EVERYWHERE, parts_of
from watchgate.policy.subject import Subject
from watchgate.policy.truth import NO, YES

RM = Program(globs_of(["rm"]))
LS = Program(globs_of(["ls"]))
(THE_RM,) = candidates(*given(reading(simple("rm x"))))


def test_all_any_and_not_hold_as_they_say() -> None:
    assert All((RM, Not(LS))).truth(THE_RM, False) is YES
    assert All((RM, LS)).truth(THE_RM, False) is NO
    assert Any_((RM, LS)).truth(THE_RM, False) is YES
    assert NEVER.truth(THE_RM, False) is NO


def test_a_way_counts_only_when_it_is_named() -> None:
    either = Any_((RM, All((LS, IsOpaque()))))

    assert by_way_of(either, THE_RM, False, lambda part: part is RM) is YES
    assert by_way_of(either, THE_RM, False, lambda part: part is LS) is NO
    assert by_way_of(Not(LS), THE_RM, False, lambda part: part is LS) is YES


def test_what_a_condition_is_made_of_is_found() -> None:
    made = All((RM, Not(IsOpaque())))

    assert [part.key for part in within(made)] == ["all", "program", "not", "opaque"]
    assert mentions(made, Kind.OPAQUE)
    assert not mentions(made, Kind.INPUT)


def test_conditions_are_told_as_a_file_has_them() -> None:
    assert told(All((RM, Not(LS)))) == {"program": "rm", "not": {"program": "ls"}}
    assert told(All((RM, LS))) == {"all": [{"program": "rm"}, {"program": "ls"}]}


def test_a_scope_that_asks_nothing_is_every_session() -> None:
    bob = Subject("bob", "db1", "app", "ssh")

    assert parts_of({}) == EVERYTHING
    assert EVERYWHERE.holds(bob)
    assert EVERYWHERE.described() == {}
    assert parts_of({"targets": ["DB*", "db*"]}).described() == {"targets": ["db*"]}


def test_examples_are_read_with_the_places_of_their_lines() -> None:
    problems = Problems()
    spot = Spot(problems, ("expect",))
    node = plain.tree([{"matches": ["a"], "misses": ["b"]}], Place("r.yaml", 3, 1), problems)

    assert EXAMPLES.read(node, spot) == (Example("a", True), Example("b", False))
    assert spot.places[("expect", "b")] == Place("r.yaml", 3, 1)


def test_an_example_that_is_none_is_a_problem() -> None:
    problems = Problems()
    node = plain.tree([{"line": "a"}], Place("r.yaml"), problems)

    assert EXAMPLES.read(node, Spot(problems)) is WRONG
    assert problems.count == 1


@pytest.mark.parametrize("name", ["", "-x", "X", "a_b", "a b", "a" * 65, "a\n"])
def test_a_name_that_no_rule_may_bear_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot name a rule"):
        rule_name(name)


def test_the_digest_is_that_of_the_document() -> None:
    made = rule("one")
    renamed = finished(made, "two")

    assert renamed.described() == made.described() | {"name": "two"}
    assert len(renamed.digest) == 64
    assert renamed.digest != made.digest


def test_a_match_is_linted_by_itself() -> None:
    found = list(of_match(rule(match={"all": [{"program": "a"}, {"program": "b"}]})))

    assert [(code, gravity) for code, gravity, _ in found] == [("never-matches", Gravity.ERROR)]
