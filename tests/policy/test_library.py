"""The ready rules load, do what their examples say, are worth having, and leave a day's work alone."""

from __future__ import annotations

from importlib import resources

import library_lines
import pytest

from watchgate.policy.commands import KnownCommand, Place, Source
from watchgate.policy.expectations import check
from watchgate.policy.library import PACKAGE, Ready, library
from watchgate.policy.linting import lint
from watchgate.policy.readings import readings
from watchgate.policy.ruleset import RuleSet
from watchgate.policy.verdicts import Action, Outcome

NOON_US = 1_763_726_400_000_000
LONGEST_FILE = 450
LEAST_EXAMPLES = 3
GROUPS = {
    "destructive",
    "exfiltration",
    "history",
    "network-gear",
    "opaque",
    "outages",
    "persistence",
    "privilege",
}

READY = library()
ALL = RuleSet(tuple(one.rule for one in READY))


def matched(line: str, place: Place = Place.SHELL, program: str | None = None) -> list[str]:
    """The ready rules that match *line*, by name."""
    command = KnownCommand(0, line, Source.EXEC, True, place, program)
    return [one.rule for one in ALL.decide(command, readings(command), NOON_US).matches]


def outcome(line: str) -> Outcome:
    command = KnownCommand(0, line, Source.EXEC, True)
    return ALL.decide(command, readings(command), NOON_US).outcome


# --- each rule by itself -------------------------------------------------------------------------


@pytest.mark.parametrize("ready", READY, ids=lambda one: one.rule.name)
def test_a_ready_rule_does_what_its_examples_say(ready: Ready) -> None:
    failures = [str(failure) for failure in check(ready.rule)]

    assert failures == []


def test_every_ready_rule_says_what_it_is_about_and_shows_it() -> None:
    wanting = [
        one.rule.name
        for one in READY
        for shown in ([e.matches for e in one.rule.expect],)
        if not one.rule.description or min(shown.count(True), shown.count(False)) < LEAST_EXAMPLES
    ]

    assert wanting == []


def test_every_ready_rule_that_holds_somebody_up_tells_him_what_to_do() -> None:
    silent = [
        one.rule.name
        for one in READY
        if one.rule.action is not Action.ALLOW and not one.rule.message
    ]

    assert silent == []


def test_nothing_is_odd_about_the_ready_rules() -> None:
    odd = [str(found) for found in lint([one.rule for one in READY])]

    assert odd == []


def test_ready_rules_are_grouped_by_their_file() -> None:
    assert {one.group for one in READY} == GROUPS
    assert [(one.group, one.rule.name) for one in READY] == sorted(
        (one.group, one.rule.name) for one in READY
    )
    assert ("history", "history-erased") in [(one.group, one.rule.name) for one in READY]


def test_a_file_of_ready_rules_can_be_read_in_one_sitting() -> None:
    files = [one for one in resources.files(PACKAGE).iterdir() if one.name.endswith(".yaml")]
    long = {
        one.name: lines
        for one in files
        if (lines := len(one.read_text("utf-8").splitlines())) >= LONGEST_FILE
    }

    assert files
    assert long == {}


# --- false alarms --------------------------------------------------------------------------------


@pytest.mark.parametrize("line", library_lines.ordinary())
def test_no_ready_rule_matches_an_ordinary_line(line: str) -> None:
    assert matched(line) == []


@pytest.mark.parametrize("line", library_lines.NOT_KNOWN.splitlines())
def test_no_ready_rule_matches_an_ordinary_line_with_words_that_are_not_known(line: str) -> None:
    assert matched(line) == []


@pytest.mark.parametrize("line", library_lines.HALF.splitlines())
def test_no_ready_rule_matches_half_a_line(line: str) -> None:
    assert matched(line) == []


@pytest.mark.parametrize("line", library_lines.ON_DEVICES.splitlines())
def test_no_ready_rule_matches_an_ordinary_line_of_a_device(line: str) -> None:
    assert matched(line, Place.DEVICE) == []


@pytest.mark.parametrize("program", ["psql", "mysql", "vim", "less"])
@pytest.mark.parametrize("line", library_lines.IN_PROGRAMS.splitlines())
def test_no_ready_rule_matches_an_ordinary_line_typed_into_a_program(
    line: str, program: str
) -> None:
    assert matched(line, Place.PROGRAM, program) == []


@pytest.mark.parametrize("line", ["reload", "shutdown", "write erase", "delete flash:x", "bash"])
def test_words_of_devices_mean_nothing_to_a_shell(line: str) -> None:
    of_devices = {one.rule.name for one in READY if one.group == "network-gear"}

    assert of_devices.isdisjoint(matched(line))


@pytest.mark.parametrize(
    "line",
    [
        example.line
        for one in READY
        if one.group == "network-gear"
        for example in one.rule.expect
        if example.place is Place.DEVICE
    ],
)
def test_a_line_of_a_device_is_a_matter_of_the_rules_for_devices_alone(line: str) -> None:
    others = {one.rule.name for one in READY if one.group not in ("network-gear", "opaque")}

    assert others.isdisjoint(matched(line, Place.DEVICE))


# --- what must not get through -------------------------------------------------------------------


@pytest.mark.parametrize("line", library_lines.REWRITTEN.splitlines())
def test_a_rewritten_destructive_line_does_not_run(line: str) -> None:
    assert outcome(line) in (Outcome.BLOCK, Outcome.INTERRUPT)
