"""What rules say together: precedence, lists, scopes, schedules, and what must hold for all of them."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as some
from rule_cases import NOON_US, decided, given, reading, rule, simple, typed, writing

from watchgate.errors import ConfigurationError
from watchgate.policy.commands import KnownCommand, Place
from watchgate.policy.reading import Opaque, Reading, Reason
from watchgate.policy.rules import Rule
from watchgate.policy.ruleset import NO_RULES, RuleSet
from watchgate.policy.subject import Subject
from watchgate.policy.verdicts import Action, Outcome, Severity

ALICE = Subject(
    "Alice", "web1", "root", "ssh", frozenset({"DBA"}), {"env": "prod", "site": "Berlin"}
)
RM = reading(simple("rm x"))
LS_RM = reading(simple("ls"), simple("rm x"))
PIPED = Opaque(Reason.PIPED, "sh", "sh")


# --- precedence ----------------------------------------------------------------------------------


def test_without_rules_everything_runs() -> None:
    command, readings = given(RM)

    assert NO_RULES.decide(command, readings, NOON_US).outcome is Outcome.ALLOW
    assert not NO_RULES


@pytest.mark.parametrize(
    ("actions", "outcome"),
    [
        (["allow"], Outcome.ALLOW),
        (["allow", "approve"], Outcome.APPROVE),
        (["approve", "block"], Outcome.BLOCK),
        (["block", "interrupt", "allow"], Outcome.INTERRUPT),
        (["force"], Outcome.ALLOW),
        (["force", "block"], Outcome.BLOCK),
        (["force", "approve"], Outcome.APPROVE),
    ],
)
def test_the_strictest_action_wins_and_all_are_named(actions: list[str], outcome: Outcome) -> None:
    verdict = decided([rule(f"rule-{action}", action) for action in actions], RM)

    assert verdict.outcome is outcome
    assert [match.rule for match in verdict.matches] == sorted(f"rule-{one}" for one in actions)


def test_not_on_the_list_beats_approve_and_is_beaten_by_block() -> None:
    listing = rule("list", "force", match={"program": "ls"})

    assert decided([listing, rule("ask", "approve")], RM).outcome is Outcome.FORCE
    assert decided([listing, rule("no", "block")], RM).outcome is Outcome.BLOCK


def test_a_match_says_what_it_matched_with_severity_and_points() -> None:
    verdict = decided(rule(severity="high", points=40), LS_RM)

    assert verdict.matches[0].what == "rm x"
    assert verdict.points == 40
    assert verdict.severity is Severity.HIGH


def test_a_line_is_all_of_its_simple_commands() -> None:
    assert decided(rule(), LS_RM).outcome is Outcome.BLOCK


def test_a_rule_in_the_shadow_is_recorded_and_decides_nothing() -> None:
    verdict = decided([rule("dark", shadow=True), rule("light", "allow")], RM)

    assert verdict.outcome is Outcome.ALLOW
    assert [(match.rule, match.shadow) for match in verdict.matches] == [
        ("dark", True),
        ("light", False),
    ]
    assert verdict.points == 1


# --- lists ---------------------------------------------------------------------------------------

LIST = rule("list", "force", match={"program": ["ls", "cat"]})


def test_where_there_is_a_list_each_simple_command_must_be_on_it() -> None:
    verdict = decided(LIST, LS_RM)

    assert verdict.outcome is Outcome.FORCE
    assert verdict.unlisted == ("rm x",)
    assert [match.rule for match in verdict.matches] == ["list"]


def test_several_lists_add_up() -> None:
    assert decided([LIST, rule("more", "force")], LS_RM).outcome is Outcome.ALLOW


@pytest.mark.parametrize("line", ["exit", "logout", "exit 3"])
def test_who_wants_to_leave_always_may(line: str) -> None:
    assert decided(LIST, reading(simple(line, builtin=True))).outcome is Outcome.ALLOW


def test_leaving_is_no_way_to_write_a_file() -> None:
    line = reading(simple("exit", redirects=writing("/etc/passwd")))

    assert decided(LIST, line).outcome is Outcome.FORCE


@pytest.mark.parametrize("name", ["./exit", "/tmp/logout"])
def test_a_program_called_exit_is_not_leaving(name: str) -> None:
    assert decided(LIST, reading(simple(name))).outcome is Outcome.FORCE


def test_what_cannot_be_read_is_on_no_list_but_one_that_says_opaque() -> None:
    line = reading(simple("ls"), opaque=[PIPED])
    everything = rule("all", "force", match={"not": {"program": "rm"}})
    permitting = rule("open", "force", match={"opaque": "piped", "program": "sh"})

    assert decided(LIST, line).unlisted == ("piped: sh",)
    assert decided([LIST, everything], line).outcome is Outcome.FORCE
    assert decided([LIST, permitting], line).outcome is Outcome.ALLOW


def test_a_line_that_does_not_parse_is_on_no_list() -> None:
    broken = reading(simple("ls"), opaque=[Opaque(Reason.UNPARSED, "ls '")], line="ls '")
    wide = rule("wide", "force", match={"regex": "."})

    assert decided([LIST, wide], broken).outcome is Outcome.FORCE


@pytest.mark.parametrize("line", ["", "   ", "# a comment", "X=1"])
def test_a_line_that_runs_nothing_needs_no_list(line: str) -> None:
    assert decided(LIST, Reading(line)).outcome is Outcome.ALLOW


def test_a_listed_command_may_not_write_a_file_unless_the_list_says_so() -> None:
    to_null = reading(simple("ls", redirects=writing("/dev/null")))
    to_file = reading(simple("ls", redirects=writing("/tmp/x")))
    saying = rule("save", "force", match={"program": "ls", "redirect": "/tmp/**"})

    assert decided(LIST, to_null).outcome is Outcome.ALLOW
    assert decided(LIST, to_file).outcome is Outcome.FORCE
    assert decided([LIST, saying], to_file).outcome is Outcome.ALLOW


def test_a_redirection_must_be_named_where_the_command_is() -> None:
    ways = [{"program": "ls"}, {"program": "cat", "redirect": "/tmp/**"}]
    either = rule("either", "force", match={"any": ways})

    def line(program: str) -> Reading:
        return reading(simple(program, redirects=writing("/tmp/x")))

    assert decided(either, line("cat")).outcome is Outcome.ALLOW
    assert decided(either, line("ls")).outcome is Outcome.FORCE


def test_a_list_that_rules_a_program_out_is_none_for_its_input() -> None:
    outside = rule("outside", "force", match={"program": "ls", "not": {"inside": "psql"}})
    into: dict[str, Any] = {"place": Place.PROGRAM, "program": "psql"}

    assert decided(outside, typed("select 1"), **into).outcome is Outcome.ALLOW


def test_a_list_wants_certainty() -> None:
    paths = rule("paths", "force", match={"program": "cat", "path": "/var/log/**"})

    assert decided(paths, reading(simple("cat $X"))).outcome is Outcome.FORCE
    assert decided(paths, reading(simple("cat /var/log/a"))).outcome is Outcome.ALLOW


def test_a_list_in_the_shadow_is_no_list() -> None:
    assert decided(replace(LIST, shadow=True), RM).outcome is Outcome.ALLOW


def test_every_reading_must_be_on_the_list() -> None:
    assert decided(LIST, reading(simple("ls")), RM).outcome is Outcome.FORCE


def test_a_command_that_has_no_reading_is_on_no_list() -> None:
    command = given(text="?")[0]

    assert RuleSet((LIST,)).decide(command, (), NOON_US).outcome is Outcome.FORCE


def test_input_of_a_program_has_a_list_where_a_rule_names_the_program() -> None:
    queries = rule("queries", "force", match={"inside": "psql", "regex": "(?i)^select"})
    into: dict[str, Any] = {"place": Place.PROGRAM, "program": "psql"}
    other: dict[str, Any] = {"place": Place.PROGRAM, "program": "python3"}

    assert decided([LIST, queries], typed("select 1"), **into).outcome is Outcome.ALLOW
    assert decided([LIST, queries], typed("drop table x"), **into).outcome is Outcome.FORCE
    assert decided([LIST, queries], typed("import os"), **other).outcome is Outcome.ALLOW
    assert decided(LIST, typed("drop table x"), **into).outcome is Outcome.ALLOW


def test_a_list_for_a_program_alone_is_none_for_the_shell() -> None:
    queries = rule("queries", "force", match={"inside": "psql", "regex": "(?i)^select"})

    assert decided(queries, RM).outcome is Outcome.ALLOW


def test_a_long_line_names_only_some_of_what_is_not_listed() -> None:
    verdict = decided(LIST, reading(*(simple(f"x{n}") for n in range(1_000))))

    assert len(verdict.unlisted) == 64


# --- scope and schedule --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "holds"),
    [
        ({}, True),
        ({"operators": ["alice"]}, True),
        ({"operators": ["bob", "a*"]}, True),
        ({"operators": ["bob"]}, False),
        ({"groups": ["dba"]}, True),
        ({"groups": ["web"]}, False),
        ({"targets": ["WEB?"]}, True),
        ({"targets": ["db*"]}, False),
        ({"labels": {"env": "prod"}}, True),
        ({"labels": {"env": ["test", "prod"], "site": "berlin"}}, True),
        ({"labels": {"env": "prod", "tier": "*"}}, False),
        ({"accounts": ["root"]}, True),
        ({"accounts": ["ROOT"]}, False),
        ({"protocols": ["ssh"]}, True),
        ({"protocols": ["rdp"]}, False),
        ({"operators": ["alice"], "targets": ["db*"]}, False),
        ({"except": {"operators": ["alice"]}}, False),
        ({"targets": ["web*"], "except": {"operators": ["alice"], "accounts": ["www"]}}, True),
    ],
)
def test_a_scope_holds_where_all_of_its_parts_do(scope: dict[str, object], holds: bool) -> None:
    rules = RuleSet((rule(scope=scope),)).of(ALICE)

    assert bool(rules) is holds


@pytest.mark.parametrize(
    ("scope", "asked", "holds"),
    [
        ({"operators": "alice", "targets": "db*"}, {"operators"}, True),
        ({"operators": "bob", "targets": "db*"}, {"operators"}, False),
        ({"operators": "bob"}, {"targets"}, True),
        ({"except": {"operators": "alice"}}, {"operators"}, False),
        ({"except": {"operators": "alice", "accounts": "root"}}, {"operators"}, True),
        ({"except": {"operators": "alice", "accounts": "root"}}, {"operators", "accounts"}, False),
    ],
)
def test_a_scope_may_hold_as_far_as_something_is_known(
    scope: dict[str, object], asked: set[str], holds: bool
) -> None:
    assert rule(scope=scope).scope.may_hold(ALICE, asked) is holds


def test_scopes_add_up() -> None:
    rules = RuleSet(
        (
            rule("everywhere"),
            rule("for-alice", scope={"operators": "alice"}),
            rule("for-bob", scope={"operators": "bob"}),
        )
    )

    assert [one.name for one in rules.of(ALICE).rules] == ["everywhere", "for-alice"]


def test_the_same_rules_are_worked_out_once_for_all_sessions() -> None:
    rules = RuleSet(
        (rule("a", scope={"operators": "alice"}), rule("b", scope={"operators": "bob"}))
    )
    first, second = rules.of(ALICE), rules.of(replace(ALICE, account="www"))

    assert first._ready is second._ready
    assert (first.account, second.account) == ("root", "www")


def test_a_rule_holds_only_at_its_hours() -> None:
    office = rule(schedule={"days": "Mon-Fri", "hours": "08:00-18:00", "zone": "UTC"})
    night = NOON_US + 10 * 3_600 * 1_000_000

    assert decided(office, RM).outcome is Outcome.BLOCK
    assert decided(office, RM, at_us=night).outcome is Outcome.ALLOW


def test_outside_of_its_hours_a_list_is_none() -> None:
    office = rule("list", "force", schedule={"hours": "08:00-18:00", "zone": "UTC"})
    night = NOON_US + 10 * 3_600 * 1_000_000

    assert decided(office, reading(simple("ls"))).outcome is Outcome.FORCE
    assert decided(office, reading(simple("ls")), at_us=night).outcome is Outcome.ALLOW


# --- the set -------------------------------------------------------------------------------------


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="more than one rule 'it'"):
        RuleSet((rule(), rule(action="allow")))


def test_the_digest_does_not_depend_on_the_order_and_changes_with_a_rule() -> None:
    one, other = rule("one"), rule("other")

    assert RuleSet((one, other)).digest == RuleSet((other, one)).digest
    assert RuleSet((one, rule("other", severity="high"))).digest != RuleSet((one, other)).digest


def test_a_set_goes_to_another_process() -> None:
    rules = RuleSet((rule(match={"regex": "^rm"}), rule("other")))
    command, readings = given(RM)
    again: RuleSet = pickle.loads(pickle.dumps(rules))  # noqa: S301 - what was just dumped

    assert again == rules
    assert again.decide(command, readings, NOON_US) == rules.decide(command, readings, NOON_US)


# --- what holds for all rules and lines ----------------------------------------------------------

MATCHES = some.sampled_from(
    [
        {"program": "rm"},
        {"program": ["ls", "cat", "*m"]},
        {"regex": "r?m|l.*s"},
        {"line": "ls.*rm"},
        {"flags": "recursive"},
        {"path": "/etc/**"},
        {"args": ["x*", "HIT"]},
        {"opaque": True},
        {"opaque": "piped", "program": "sh"},
        {"program": "rm", "not": {"path": "/tmp/**"}},
        {"any": [{"program": "ls"}, {"opaque": "script"}]},
        {"not": {"program": "ls"}},
        {"inside": "psql", "regex": "drop"},
        {"redirect": "/**"},
        {"wrapper": "sudo"},
        {"program": "rm", "beside": {"program": "ls"}},
        {"user": "root"},
    ]
)
COMMANDS = some.sampled_from(
    [
        simple("rm x"),
        simple("rm -r /etc/x", "recursive"),
        simple("rm /tmp/a /etc/b"),
        simple("ls $X"),
        simple("ls"),
        simple("cat /etc/*"),
        simple("x HIT", wrappers=("sudo",), user="root"),
        simple("cat x", redirects=writing("/etc/x")),
        simple("exit"),
    ]
)
OPAQUES = some.sampled_from(
    [
        PIPED,
        Opaque(Reason.COMPUTED, "$X"),
        Opaque(Reason.UNPARSED, "x '"),
        Opaque(Reason.SCRIPT, "./x"),
    ]
)
ACTIONS = some.sampled_from([str(action) for action in Action])


@some.composite
def rules_of(draw: some.DrawFn, least: int = 0) -> list[Rule]:
    said = draw(
        some.lists(some.tuples(ACTIONS, MATCHES, some.booleans()), min_size=least, max_size=6)
    )
    return [
        rule(f"rule-{at}", action, match=match, shadow=shadow)
        for at, (action, match, shadow) in enumerate(said)
    ]


@some.composite
def lines(draw: some.DrawFn) -> tuple[KnownCommand, tuple[Reading, ...]]:
    if draw(some.booleans()):
        readings = draw(
            some.lists(
                some.builds(
                    lambda commands, opaque: reading(*commands, opaque=opaque),
                    some.lists(COMMANDS, max_size=3),
                    some.lists(OPAQUES, max_size=2),
                ),
                max_size=2,
            )
        )
        return given(*readings)
    text = draw(some.sampled_from(["drop table x", "rm -rf /", "select 1"]))
    return given(typed(text), place=Place.PROGRAM, program=draw(some.sampled_from(["psql", "vim"])))


def outcome(rules: Sequence[Rule], line: tuple[KnownCommand, tuple[Reading, ...]]) -> Outcome:
    return RuleSet(tuple(rules)).decide(*line, NOON_US).outcome


@for_all(rules_of(), lines(), some.randoms())
def test_the_order_of_rules_and_readings_never_matters(
    rules: list[Rule], line: tuple[KnownCommand, tuple[Reading, ...]], chance: object
) -> None:
    shuffled = list(rules)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    command, readings = line
    there = RuleSet(tuple(rules)).decide(command, readings, NOON_US)
    back = RuleSet(tuple(shuffled)).decide(command, readings, NOON_US)
    turned = RuleSet(tuple(rules)).decide(command, readings[::-1], NOON_US)

    assert there == back
    assert there.outcome is turned.outcome
    assert {match.rule for match in there.matches} == {match.rule for match in turned.matches}


@for_all(rules_of(), MATCHES, some.sampled_from(["block", "interrupt", "approve"]), lines())
def test_one_more_forbidding_rule_never_permits_more(
    rules: list[Rule],
    match: dict[str, object],
    action: str,
    line: tuple[KnownCommand, tuple[Reading, ...]],
) -> None:
    more = [*rules, rule("one-more", action, match=match)]

    assert outcome(more, line).rank >= outcome(rules, line).rank


@for_all(rules_of(), MATCHES, lines())
def test_a_first_list_never_permits_more(
    rules: list[Rule],
    match: dict[str, object],
    line: tuple[KnownCommand, tuple[Reading, ...]],
) -> None:
    without = [one for one in rules if one.action is not Action.FORCE]
    more = [*without, rule("one-more", "force", match=match)]

    assert outcome(more, line).rank >= outcome(without, line).rank


@for_all(rules_of(), MATCHES, ACTIONS, lines())
def test_a_rule_in_the_shadow_changes_no_outcome(
    rules: list[Rule],
    match: dict[str, object],
    action: str,
    line: tuple[KnownCommand, tuple[Reading, ...]],
) -> None:
    more = [*rules, rule("dark", action, match=match, shadow=True)]
    with_it, without = RuleSet(tuple(more)), RuleSet(tuple(rules))

    assert with_it.decide(*line, NOON_US).outcome is without.decide(*line, NOON_US).outcome
    assert with_it.decide(*line, NOON_US).points == without.decide(*line, NOON_US).points


@for_all(rules_of(), lines())
def test_deciding_twice_gives_the_same(
    rules: list[Rule], line: tuple[KnownCommand, tuple[Reading, ...]]
) -> None:
    made = RuleSet(tuple(rules))

    assert made.decide(*line, NOON_US) == made.decide(*line, NOON_US)


@for_all(rules_of(least=1), lines())
def test_many_rules_say_what_each_says_alone(
    rules: list[Rule], line: tuple[KnownCommand, tuple[Reading, ...]]
) -> None:
    together = {match.rule for match in RuleSet(tuple(rules)).decide(*line, NOON_US).matches}
    alone = {
        match.rule for one in rules for match in RuleSet((one,)).decide(*line, NOON_US).matches
    }

    assert together == alone


@for_all(MATCHES, ACTIONS, some.lists(COMMANDS, min_size=1, max_size=2), COMMANDS)
def test_one_more_command_in_a_line_never_makes_it_run(
    match: dict[str, object], action: str, commands: list[object], more: object
) -> None:
    rules = [rule(action=action, match=match)]
    short = reading(*commands)  # type: ignore[arg-type]
    long = reading(*commands, more, line=short.line)  # type: ignore[arg-type]

    assert outcome(rules, given(long)).rank >= outcome(rules, given(short)).rank
