"""The sieve lets pass every rule that may match, and few others."""

from __future__ import annotations

from typing import Any

import pytest
from rule_cases import given, reading, rule, simple, typed, typed_into, writing

from watchgate.policy.candidates import candidates
from watchgate.policy.judging import matched, unlisted
from watchgate.policy.reading import Opaque, Reading, Reason
from watchgate.policy.selecting import Cost, Selection, keys


def selected(match: dict[str, Any], line: Reading) -> bool:
    """Whether a rule with that match passes the sieve for something in a line."""
    selection = Selection([rule(match=match)])
    return any(list(selection.of(one)) for one in candidates(*given(line)))


@pytest.mark.parametrize(
    ("match", "costs"),
    [
        ({"program": ["rm", "dd"], "regex": "x"}, {Cost.PROGRAM}),
        ({"program": "mkfs*"}, {Cost.PATTERN}),
        ({"program": "/tmp/*"}, {Cost.NONE}),
        ({"regex": "x", "path": "/etc/**"}, {Cost.REGEX}),
        ({"line": "x"}, {Cost.LINE}),
        ({"path": "/etc/**"}, {Cost.PATHS}),
        ({"redirect": "/etc/**"}, {Cost.REDIRECTED}),
        ({"wrapper": "sudo"}, {Cost.WRAPPED}),
        ({"not": {"program": "rm"}}, {Cost.NONE}),
        ({"any": [{"program": "rm"}, {"regex": "x"}]}, {Cost.PROGRAM, Cost.REGEX}),
        ({"any": [{"program": "rm"}, {"user": "x"}], "regex": "x"}, {Cost.REGEX}),
    ],
)
def test_the_cheapest_of_what_must_hold_is_the_sieve(
    match: dict[str, Any], costs: set[Cost]
) -> None:
    assert {cost for cost, _ in keys(rule(match=match).match)} == costs


@pytest.mark.parametrize(
    ("match", "line", "expected"),
    [
        ({"program": "rm"}, reading(simple("rm x")), True),
        ({"program": "rm"}, reading(simple("ls")), False),
        ({"program": "rm"}, reading(simple("x", program="")), True),
        ({"program": "m*"}, reading(simple("x", program="")), True),
        ({"path": "/etc/**"}, reading(simple("cat /etc/x/y")), True),
        ({"path": "/etc/**"}, reading(simple("cat /usr/x")), False),
        ({"path": "/etc/**"}, reading(simple("cat /e*/x")), True),
        ({"path": "/etc/**"}, reading(simple("cat $X")), True),
        ({"path": "/"}, reading(simple("rm /")), True),
        ({"path": "/etc"}, reading(simple("rm /*")), True),
        ({"path": "id_rsa"}, reading(simple("cat ?/id_rsa")), True),
        ({"path": "id_rsa"}, reading(simple("cat /root/.ssh/id_rsa")), True),
        ({"path": "/{bin,etc}/**"}, reading(simple("cat /etc/x")), True),
        ({"path": "/etc/app/**"}, reading(simple("rm /etc")), False),
        ({"redirect": "/x"}, reading(simple("cat x")), False),
        ({"redirect": "/x"}, reading(simple("cat x", redirects=writing("/x"))), True),
        ({"wrapper": "sudo"}, reading(simple("cat x")), False),
        ({"regex": "ca+t"}, reading(simple("cat x")), True),
        ({"regex": "do+g"}, reading(simple("cat x")), False),
        ({"line": "cat; ls"}, reading(simple("cat"), simple("ls")), True),
        ({"opaque": True}, reading(simple("ls")), False),
        ({"inside": "psql"}, typed("x"), False),
    ],
)
def test_a_rule_that_may_match_passes(match: dict[str, Any], line: Reading, expected: bool) -> None:
    assert selected(match, line) is expected


def test_names_of_programs_are_remembered_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    from watchgate.policy import selecting

    monkeypatch.setattr(selecting, "MOST_REMEMBERED", 3)
    selection = Selection([rule(match={"program": "x*"})])
    lines = [reading(simple(f"x{n}")) for n in range(10)]
    found = [len(selection.of(one)) for line in lines for one in candidates(*given(line))]

    assert found == [1] * 10
    assert len(selection._of_program) <= 3


def test_one_rule_by_itself_says_what_it_matched() -> None:
    command, readings = given(reading(simple("ls"), simple("rm x")))

    assert matched(rule(), command, readings) == "rm x"
    assert matched(rule(match={"program": "dd"}), command, readings) is None


def test_one_list_by_itself_says_what_it_does_not_have() -> None:
    command, readings = given(reading(simple("rm x"), opaque=[Opaque(Reason.SCRIPT, "./x")]))
    listing = rule(action="force")

    assert unlisted(listing, command, readings) == "script: ./x"
    assert unlisted(listing, *given(reading(simple("rm x")))) is None


def test_input_is_put_to_the_regexes_of_rules_that_name_the_program() -> None:
    command, readings = typed_into("psql", "drop table")
    rules = [
        rule("a", match={"inside": "psql", "regex": "drop"}),
        rule("b", match={"inside": "psql", "regex": "select"}),
        rule("c", match={"inside": "psql", "not": {"regex": "select"}}),
        rule("d", match={"regex": "drop"}),
    ]
    (one,) = candidates(command, readings)

    assert sorted(Selection(rules).of(one)) == [0, 2]
