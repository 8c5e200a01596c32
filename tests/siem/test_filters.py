"""What a sink is sent and what not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from watchgate.siem.filters import Filter, is_kind_pattern

from .facts import fact


@pytest.mark.parametrize(
    ("kinds", "wanted", "unwanted"),
    [
        ((), "session.opened channel.opened", ""),
        (("session.*",), "session.opened session.closed", "channel.opened"),
        (("!channel.*",), "session.opened", "channel.opened channel.closed"),
        (("*", "!session.claimed"), "session.opened command.requested", "session.claimed"),
        (("!session.closed", "session.*"), "session.opened", "session.closed"),
        (("command.requested",), "command.requested", "command.finished"),
        (("*.refused",), "session.refused operator.refused", "session.opened"),
    ],
)
def test_kinds_are_chosen_by_patterns(kinds: tuple[str, ...], wanted: str, unwanted: str) -> None:
    chosen = Filter(kinds=kinds)

    assert all(chosen.wants(fact(kind)) for kind in wanted.split())
    assert not any(chosen.wants(fact(kind)) for kind in unwanted.split())


def test_only_what_is_grave_enough() -> None:
    assert Filter(minimum_severity=7).wants(fact("session.refused"))
    assert not Filter(minimum_severity=7).wants(fact("session.opened"))
    assert Filter(minimum_severity=0).wants(fact("policy.frozen"))


def test_only_some_operators_and_targets() -> None:
    event = fact("session.opened")

    assert Filter(operators=("bob", "ALI*")).wants(event)
    assert not Filter(operators=("bob",)).wants(event)
    assert Filter(operators=("alice",), targets=("web?",)).wants(event)
    assert not Filter(operators=("alice",), targets=("db*",)).wants(event)


def test_an_event_outside_of_sessions_is_chosen_by_what_it_says_itself() -> None:
    refused = replace(fact("session.refused", operator="carol", target=None), context={})
    started = replace(fact("gateway.started"), context={})

    assert Filter(operators=("carol",)).wants(refused)
    assert not Filter(targets=("*",)).wants(refused)
    assert not Filter(operators=("*",)).wants(started)
    assert Filter().wants(started)


def test_a_name_of_a_hostile_client_matches_no_more_than_it_should() -> None:
    event = replace(fact("session.opened"), context={"operator": "bob\nalice\udcff["})

    assert not Filter(operators=("alice",)).wants(event)
    assert Filter(operators=("bob*",)).wants(event)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("session.*", True),
        ("!session.opened", True),
        ("*", True),
        ("*.refused", True),
        ("session", False),
        ("", False),
        ("Session.opened", False),
        ("session.opened ", False),
        ("!!x.y", False),
    ],
)
def test_what_may_stand_among_kinds(text: str, fits: bool) -> None:
    assert is_kind_pattern(text) is fits
