"""The ready rules load, do what their examples say, and are worth having."""

from __future__ import annotations

from watchgate.policy.expectations import check
from watchgate.policy.library import library


def test_every_ready_rule_does_what_its_examples_say() -> None:
    failures = [str(failure) for one in library() for failure in check(one.rule)]

    assert failures == []


def test_every_ready_rule_says_what_it_is_about_and_shows_it() -> None:
    ready = library()
    wanting = [
        one.rule.name
        for one in ready
        if not one.rule.description
        or {True, False} - {example.matches for example in one.rule.expect}
    ]

    assert ready
    assert wanting == []


def test_ready_rules_are_grouped_by_their_file() -> None:
    ready = library()

    assert [(one.group, one.rule.name) for one in ready] == sorted(
        (one.group, one.rule.name) for one in ready
    )
    assert ("history", "history-erased") in [(one.group, one.rule.name) for one in ready]
