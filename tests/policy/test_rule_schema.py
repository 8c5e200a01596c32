"""The published schema takes what the program takes, and refuses what it refuses."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import yaml
from rule_cases import rule
from test_rule_loading import FULL

from watchgate.policy.match_shapes import MATCH_KEYS
from watchgate.policy.schema import reference_page, rule_schema, schema, schema_text

FILE = jsonschema.Draft202012Validator(schema())
ONE = jsonschema.Draft202012Validator(rule_schema())


def test_the_schemas_are_schemas() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.Draft202012Validator.check_schema(rule_schema())

    assert schema_text().endswith("}\n")


def test_a_file_that_is_read_is_valid() -> None:
    FILE.validate(yaml.safe_load(FULL))

    assert FILE.is_valid({"version": 1, "rules": {}})


def test_what_a_rule_describes_is_valid() -> None:
    made = rule(
        "it",
        "interrupt",
        match={"any": [{"not": {"opaque": True}}, {"flags": {"only": []}, "value": {"o": "x"}}]},
        expect=[{"line": "rm", "matches": True}],
        scope={"labels": {"env": ["prod"]}, "except": {"accounts": "root"}},
    )

    ONE.validate(made.described())


@pytest.mark.parametrize(
    "match",
    [{}, {"progam": "rm"}, {"any": []}, {"opaque": "pipe"}, {"not": [{"x": 1}]}, {"opaque": False}],
)
def test_a_match_that_is_refused_is_not_valid(match: dict[str, Any]) -> None:
    document = {"name": "it", "description": "d", "action": "block", "match": match}

    assert not ONE.is_valid(document)


def test_every_condition_is_in_the_reference() -> None:
    page = reference_page()

    assert all(f"| `{key.name}` |" in page for key in MATCH_KEYS)
    assert "## What is not known" in page
