"""What rules would have said, counted; each distinct command is decided once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from watchgate.policy.commands import KnownCommand, Place, Source
from watchgate.policy.loading import load_text
from watchgate.policy.reading import Reading, SimpleCommand, Word
from watchgate.policy.ruleset import RuleSet
from watchgate.reports import backtest as reports_backtest
from watchgate.reports.backtest import EXAMPLES, NOT_DECIDED, Asked, Backtest, Ran, Who, most

MONDAY_NOON_US = 1_780_315_200_000_000  # 2026-06-01T12:00Z
HOUR_US = 3_600_000_000

RULES = """
version: 1
rules:
  no-rm:
    description: Nothing is removed.
    action: block
    severity: high
    match: {program: rm}
  ask-reboot:
    description: Somebody else must agree.
    action: approve
    match: {program: reboot}
    scope: {groups: [dba]}
  later:
    description: Not yet.
    action: interrupt
    shadow: true
    match: {program: ls}
  at-night:
    description: No changes at night.
    action: block
    match: {program: touch}
    schedule: {hours: "20:00-06:00", zone: UTC}
  never:
    description: Nobody has it.
    action: block
    match: {program: frobnicate}
"""

ALICE = Who("alice", "web1", "root", "ssh", frozenset({"dba"}))
BOB = Who("bob", "web2", "root", "ssh")


class Reader:
    """Takes a line for one simple command, and counts what it reads."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, command: KnownCommand) -> Sequence[Reading]:
        self.read.append(command.text)
        program, *rest = command.text.split()
        words = tuple(Word(word, word) for word in rest)
        simple = SimpleCommand(
            *(program, None, words, frozenset(), words, {}, (), (), (), None),
            *(command.text, command.text),
        )
        return (Reading(command.text, (simple,)),)


def ran(text: str, who: Who = ALICE, at_us: int = MONDAY_NOON_US, **more: object) -> Ran:
    asked = Asked(text, "exec", exact=True)
    return replace(Ran("s1", at_us, who, asked), **more)  # type: ignore[arg-type]


def counted(*commands: Ran, text: str = RULES) -> tuple[Backtest, Reader]:
    reader = Reader()
    backtest = Backtest(RuleSet(load_text(text, examples=False)), reader)
    backtest.take(commands)
    return backtest, reader


def test_what_would_have_been_is_counted_beside_what_happened() -> None:
    backtest, _ = counted(
        ran("rm x"),
        ran("rm x", BOB, happened="allow"),
        ran("rm y", BOB, happened="block"),
        ran("reboot"),
        ran("reboot", BOB),
        ran("ls"),
        ran("id"),
    )
    counts = backtest.counts

    assert counts.outcomes == {
        (NOT_DECIDED, "block"): 1,
        ("allow", "block"): 1,
        ("block", "block"): 1,
        (NOT_DECIDED, "approve"): 1,
        (NOT_DECIDED, "allow"): 3,
    }
    assert (counts.commands, counts.held_up, counts.newly) == (7, 4, 3)
    assert (counts.operators, counts.targets) == ({"alice": 2, "bob": 2}, {"web1": 2, "web2": 2})
    assert counts.points == 3 * 25 + 1


def test_each_rule_says_whom_it_met_and_where() -> None:
    backtest, _ = counted(ran("rm x"), ran("rm x", BOB), ran("ls -l"), ran("reboot"))
    found = backtest.counts.rules

    assert {name: rule.hits for name, rule in found.items()} == {
        "no-rm": 2,
        "ask-reboot": 1,
        "later": 1,
        "at-night": 0,
        "never": 0,
    }
    assert found["no-rm"].operators == {"alice": 1, "bob": 1}
    assert (found["later"].shadow, found["later"].decided) == (True, 0)
    assert found["no-rm"].decided == 2


def test_the_same_command_is_read_and_decided_once() -> None:
    backtest, reader = counted(
        *[ran("rm x")] * 50, *[ran("rm x", BOB)] * 50, ran("rm x", happened="block")
    )

    assert reader.read == ["rm x"]
    assert (backtest.counts.commands, backtest.counts.distinct) == (101, 2)


def test_a_schedule_is_asked_at_the_time_of_each_command() -> None:
    night_us = MONDAY_NOON_US + 10 * HOUR_US
    backtest, reader = counted(ran("touch x"), ran("touch x", at_us=night_us), ran("touch x"))

    assert backtest.counts.rules["at-night"].hits == 1
    assert backtest.counts.distinct == 2
    assert reader.read == ["touch x"]


def test_some_examples_are_kept_of_each_rule_each_once() -> None:
    commands = [ran(f"rm {number % 20}") for number in range(100)]
    backtest, _ = counted(*commands)
    examples = backtest.counts.rules["no-rm"].examples

    assert list(examples) == [f"rm {number}" for number in range(EXAMPLES)]
    assert examples["rm 0"].what == "rm 0"


def test_what_is_remembered_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports_backtest, "MOST_REMEMBERED", 3)
    backtest, reader = counted(*[ran(f"rm {number}") for number in range(10)] * 2)

    assert backtest.counts.rules["no-rm"].hits == 20
    assert len(reader.read) == 20


def test_words_of_a_later_version_are_taken_for_a_line_off_a_screen() -> None:
    command = Asked("x", "telepathy", exact=False, place="moon").command()

    assert (command.source, command.place) == (Source.SCREEN, Place.SHELL)


def test_the_most_come_first_and_those_alike_by_name() -> None:
    assert most({"b": 2, "a": 2, "c": 9, "d": 1}, 3) == [("c", 9), ("a", 2), ("b", 2)]
