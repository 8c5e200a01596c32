"""Examples in rules: read in both forms, checked when a rule is loaded, and told with their place."""

from __future__ import annotations

from typing import Any

import pytest
from rule_cases import rule

from watchgate.configuration.places import FilesRefused
from watchgate.policy.expectations import check, command_of
from watchgate.policy.loading import from_document, load_text


def failures(expect: list[dict[str, Any]], **said: Any) -> list[str]:
    """What is said of a rule whose match is `program: rm` and its examples."""
    return [str(one) for one in check(rule(expect=expect, **said))]


def test_examples_that_hold_say_nothing() -> None:
    expect: list[dict[str, Any]] = [
        {"line": "rm x", "matches": True},
        {"matches": ["ls; rm x", "sudo rm x"], "misses": ["echo rm", "ls # rm"]},
    ]

    assert failures(expect) == []


def test_a_failure_names_the_example_what_came_and_why() -> None:
    assert failures([{"line": "ls -l", "matches": True}]) == [
        "rule it must match 'ls -l', and it matched nothing of 'ls -l'"
    ]
    assert failures([{"misses": ["ls; rm x"]}]) == [
        "rule it must not match 'ls; rm x', and it matched 'rm x'"
    ]


def test_a_list_must_have_all_of_a_line() -> None:
    expect = [{"matches": ["ls", "ls; exit"], "misses": ["ls; rm x"]}]

    assert failures(expect, action="force", match={"program": "ls"}) == []
    assert failures([{"matches": ["ls; rm x"]}], action="force", match={"program": "ls"}) == [
        "rule it must match 'ls; rm x', and its list does not have 'rm x'"
    ]


def test_what_an_example_says_of_the_session_is_held_against_the_scope() -> None:
    scope = {"operators": ["alice"], "groups": ["dba"], "except": {"targets": ["test*"]}}

    assert failures([{"line": "rm x", "operator": "alice", "matches": True}], scope=scope) == []
    assert failures([{"line": "rm x", "operator": "bob", "matches": False}], scope=scope) == []
    assert failures([{"line": "rm x", "target": "test1", "matches": False}], scope=scope) == []
    assert failures([{"line": "rm x", "operator": "bob", "matches": True}], scope=scope) == [
        "rule it must match 'rm x', and its scope is another"
    ]


def test_a_schedule_matters_where_an_example_says_when() -> None:
    schedule = {"hours": "08:00-18:00", "zone": "UTC"}
    night = "2026-11-21T23:00Z"

    assert failures([{"line": "rm x", "matches": True}], schedule=schedule) == []
    assert failures([{"line": "rm x", "at": night, "matches": False}], schedule=schedule) == []
    assert failures([{"line": "rm x", "at": night, "matches": True}], schedule=schedule) == [
        "rule it must match 'rm x', and it does not hold at that time"
    ]


def test_an_example_may_say_the_directory_the_account_and_the_program() -> None:
    near = {"path": "/etc/**"}
    queries = {"inside": "psql", "regex": "(?i)drop"}
    by_root = {"user": "root"}

    assert failures([{"line": "rm passwd", "cwd": "/etc", "matches": True}], match=near) == []
    assert failures([{"line": "DROP x", "inside": "psql", "matches": True}], match=queries) == []
    assert failures([{"line": "DROP x", "matches": False}], match=queries) == []
    assert failures([{"line": "ls", "account": "root", "matches": True}], match=by_root) == []


def test_examples_are_kept_with_the_rule() -> None:
    made = rule(
        expect=[{"matches": ["rm x"], "cwd": "/"}, {"misses": ["ls"], "at": "2026-01-01T00:00Z"}]
    )

    assert [one.described() for one in made.expect] == [
        {"line": "rm x", "matches": True, "cwd": "/"},
        {"line": "ls", "matches": False, "at": "2026-01-01T00:00:00.000000Z"},
    ]
    assert from_document(made.described()) == made
    assert command_of(made.expect[0]).context.cwd == "/"


@pytest.mark.parametrize(
    ("example", "sentence"),
    [
        ({"line": "rm"}, "says whether it matches"),
        ({"line": "rm", "misses": ["x"]}, "says whether it matches"),
        ({"matches": True}, "needs a line"),
        ({"cwd": "/"}, "needs a line"),
        ({"misses": ["x"], "at": "2026-01-01T00:00"}, "another moment in each time zone"),
        ({"misses": ["x"], "at": "soon"}, "is not a moment"),
        ({"misses": ["x" * 70_000]}, "65,536 are allowed"),
    ],
)
def test_an_example_that_says_too_little_is_refused(example: dict[str, Any], sentence: str) -> None:
    with pytest.raises(FilesRefused, match=sentence):
        rule(expect=[example])


def test_a_failed_example_is_told_with_its_line_and_column() -> None:
    text = (
        "version: 1\nrules:\n  it:\n    description: d\n    action: block\n    match: {program: rm}\n"
        "    expect:\n      - matches:\n        - rm x\n        - rmdir x\n"
    )
    with pytest.raises(
        FilesRefused, match=r"r.yaml:10:11: rules.it.expect: rule it must match 'rmdir x'"
    ):
        load_text(text, "r.yaml")


def test_a_document_whose_example_fails_is_refused() -> None:
    document = {
        "name": "it", "description": "d", "action": "block", "match": {"program": "rm"},
        "expect": [{"line": "ls", "matches": True}],
    }  # fmt: skip
    with pytest.raises(FilesRefused, match=r"expect\[0\]: rule it must match 'ls'"):
        from_document(document)

    assert from_document(document, examples=False).name == "it"
