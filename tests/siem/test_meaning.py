"""The table of what each kind means: complete, and within what the formats allow."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import get_type_hints

import pytest

from watchgate.session.events import KINDS
from watchgate.siem.meaning import GENERIC, MEANINGS, VARIANTS, Meaning, meaning_of
from watchgate.siem.ocsf import CLASSES, OBJECTS
from watchgate.siem.severity import severity_of, syslog_severity

from .facts import fact

# ECS 9, "event.category": the types that each category expects.
EXPECTED_TYPES = {
    "authentication": {"start", "end", "info"},
    "configuration": {"access", "change", "creation", "deletion", "info"},
    "database": {"access", "change", "info", "error"},
    "file": {"access", "change", "creation", "deletion", "info"},
    "iam": {"admin", "change", "creation", "deletion", "group", "info", "user"},
    "intrusion_detection": {"allowed", "denied", "info"},
    "network": {"access", "allowed", "connection", "denied", "end", "info", "protocol", "start"},
    "process": {"access", "change", "end", "info", "start"},
    "session": {"start", "end", "info"},
}


def every_meaning() -> list[Meaning]:
    variants = [replace(MEANINGS[kind], **changes) for (kind, _, _), changes in VARIANTS.items()]
    return [GENERIC, *MEANINGS.values(), *variants]


def test_every_kind_of_event_has_a_meaning() -> None:
    assert sorted(MEANINGS) == sorted(KINDS)


@pytest.mark.parametrize("meaning", every_meaning(), ids=lambda meaning: meaning.title)
def test_a_meaning_holds_to_the_formats(meaning: Meaning) -> None:
    class_uid, activity = meaning.ocsf

    assert 1 <= meaning.severity <= 10
    assert meaning.outcome in {"success", "failure", "unknown"}
    assert meaning.type in EXPECTED_TYPES[meaning.category]
    assert class_uid in OBJECTS
    assert activity == 99 or activity in CLASSES[class_uid][1]
    assert re.fullmatch(r"[A-Z][A-Za-z' ]+", meaning.title)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_a_variant_names_a_field_and_a_value_of_it(variant: tuple[str, str, object]) -> None:
    kind, name, value = variant
    hints = get_type_hints(KINDS[kind])

    assert name in {field.name for field in fields(KINDS[kind])}
    assert isinstance(value, hints[name])


def test_refusals_are_graver_than_what_is_normal_and_missing_evidence_than_these() -> None:
    refused = [m.severity for m in MEANINGS.values() if m.refused]
    missing = [MEANINGS[kind].severity for kind in ("recording.gap", "coverage.bypassed")]

    assert MEANINGS["session.opened"].severity <= 3
    assert all(6 <= severity <= 8 for severity in refused)
    assert all(severity >= 9 for severity in missing)


def test_a_value_may_change_the_severity() -> None:
    assert severity_of(fact("session.closed", reason="client")) == 3
    assert severity_of(fact("session.closed", reason="recording-lost")) == 9
    assert severity_of(fact("target.failed", code="target.host-key")) == 9
    assert meaning_of("file.moved", {"direction": "upload", "complete": False}).outcome == "failure"


@pytest.mark.parametrize(
    ("outcome", "severity", "expected", "action"),
    [
        ("allow", None, 3, "allowed"),
        ("allow", "low", 3, "allowed"),
        ("allow", "medium", 5, "allowed"),
        ("allow", "high", 8, "allowed"),
        ("approve", "low", 5, "held"),
        ("approve", "high", 8, "held"),
        ("block", "low", 7, "blocked"),
        ("block", "medium", 7, "blocked"),
        ("block", "high", 8, "blocked"),
        ("force", None, 7, "blocked"),
        ("interrupt", "low", 8, "blocked"),
    ],
)
def test_a_verdict_is_as_grave_as_its_outcome_or_its_rules(
    outcome: str, severity: str | None, expected: int, action: str
) -> None:
    meaning = meaning_of("command.decided", {"outcome": outcome, "severity": severity})

    assert (meaning.severity, meaning.action) == (expected, action)
    assert meaning.alert == (expected >= 7)


def test_a_shell_that_is_tampered_with_is_as_grave_as_the_event_says() -> None:
    told = [
        severity_of(fact("integration.tampered", severity=word, ended=False))
        for word in ("low", "medium", "high")
    ]

    assert told == [5, 7, 9]


def test_values_of_the_wrong_kind_change_nothing() -> None:
    odd = {"reason": ["recording-lost"], "complete": 0, "direction": {}}

    assert meaning_of("session.closed", odd) == MEANINGS["session.closed"]
    assert meaning_of("file.moved", odd) == MEANINGS["file.moved"]


def test_an_unknown_kind_has_the_generic_meaning() -> None:
    assert meaning_of("tomorrow.invented", {}) is GENERIC


def test_syslog_severities_go_down_as_ours_go_up() -> None:
    levels = [syslog_severity(severity) for severity in range(11)]

    assert levels == sorted(levels, reverse=True)
    assert (levels[10], levels[7], levels[3], levels[0]) == (1, 3, 6, 6)
