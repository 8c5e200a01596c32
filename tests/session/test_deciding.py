"""What becomes of the commands of a session: tries, points, locks, approvals, messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from watchgate.clock import ManualClock
from watchgate.policy.commands import KnownCommand, Place, Source
from watchgate.policy.reading import Reading, SimpleCommand
from watchgate.policy.rules import Rule
from watchgate.policy.ruleset import RuleSet
from watchgate.policy.verdicts import Action, Match, Outcome, Severity, Verdict
from watchgate.session.deciding import Decider, Decision
from watchgate.session.model import Capability, Policy, TargetSettings, Unreadable


class Said(RuleSet):
    """Rules whose verdicts are given: a command matches the rules that its text names."""

    def decide(self, command: KnownCommand, readings: Sequence[Reading], at_us: int) -> Verdict:
        named = [rule for rule in self.rules if rule.name in command.text.split()]
        matches = tuple(
            Match(rule.name, rule.action, rule.severity, rule.points, rule.shadow) for rule in named
        )
        outcomes = [Outcome(rule.action) for rule in named if not rule.shadow]
        lists = any(rule.action is Action.FORCE for rule in self.rules)
        if Outcome.FORCE in outcomes:
            return Verdict(Outcome.ALLOW, matches)
        strictest = max(outcomes, key=lambda one: one.rank, default=Outcome.ALLOW)
        if lists and strictest.rank < Outcome.FORCE.rank:
            return Verdict(Outcome.FORCE, matches, (command.text,))
        return Verdict(strictest, matches)


@dataclass
class Memory:
    """Counts repetitions, and knows approvals."""

    met: Counter[str] = field(default_factory=Counter)
    given: dict[tuple[str, ...], str] = field(default_factory=dict)

    def count(self, operator: str, rule: Rule, at_us: int) -> int:
        self.met[rule.name] += 1
        return self.met[rule.name]

    def take(self, operator: str, key: tuple[str, ...], at_us: int) -> str | None:
        return self.given.pop(key, None)


def simple(text: str) -> SimpleCommand:
    return SimpleCommand(
        text.split()[0], None, (), frozenset(), (), {}, (), (), (), None, text, text
    )


def read(command: KnownCommand) -> tuple[Reading, ...]:
    return (Reading(command.text, (simple(command.text),)),)


def decider(*rules: Rule, memory: Memory | None = None, **settings: object) -> Decider:
    policy = Policy(
        frozenset(Capability),
        replace(TargetSettings(), **settings),  # type: ignore[arg-type]
        rules=Said(rules),
    )
    known = memory or Memory()
    return Decider("alice", policy, ManualClock(), read, known, known)


def typed(text: str, **more: object) -> KnownCommand:
    command = KnownCommand(1, text, Source.INTEGRATION, exact=True)
    return replace(command, **more)  # type: ignore[arg-type]


def rule(name: str, action: Action, **more: object) -> Rule:
    return replace(Rule(name, action, Severity.HIGH, 25), **more)  # type: ignore[arg-type]


BLOCK = rule("no-rm", Action.BLOCK, message="Ask the storage team.")
INTERRUPT = rule("three", Action.INTERRUPT, attempts=3)


def test_what_no_rule_holds_up_runs_and_costs_no_points() -> None:
    decision = decider(BLOCK).decide(typed("ls"))

    assert decision.runs
    assert decision.message == ""
    assert decision.session_points == 0


def test_a_blocked_command_names_its_rule_and_says_its_message() -> None:
    decision = decider(BLOCK).decide(typed("rm no-rm"))

    assert not decision.runs
    assert decision.message == "blocked by rule no-rm: Ask the storage team."
    assert decision.ends is None


def test_an_interrupting_rule_counts_down_and_ends_the_session_at_the_last_try() -> None:
    session = decider(INTERRUPT)

    tries = [session.decide(typed("x three")) for _ in range(3)]

    assert [one.tries_left for one in tries] == [2, 1, 0]
    assert "2 tries left before the session is ended" in tries[0].message
    assert "1 try left" in tries[1].message
    assert [one.ends is not None for one in tries] == [False, False, True]
    assert tries[2].ends == "ended by rule three"


def test_tries_are_counted_by_rule() -> None:
    session = decider(INTERRUPT, replace(INTERRUPT, name="two", attempts=2))

    session.decide(typed("x three"))
    left = session.decide(typed("x two"))

    assert left.tries_left == 1


def test_points_add_up_to_the_risk_of_the_session() -> None:
    session = decider(BLOCK)

    events = [session.decide(typed("rm no-rm")).decided(seq) for seq in range(2)]

    assert [event.session_points for event in events] == [25, 50]
    assert [event.risk for event in events] == [39, 63]


def test_repetitions_lock_the_account_whatever_the_action() -> None:
    allowed = rule("watched", Action.ALLOW, lock_account_after=2)
    session = decider(allowed, memory=Memory())

    first, second = (session.decide(typed("x watched")) for _ in range(2))

    assert first.lock is None
    assert second.lock is not None
    assert second.lock.operator == "alice"
    assert second.lock.rule == "watched"


def test_a_shadow_rule_is_recorded_and_changes_nothing() -> None:
    shadow = replace(INTERRUPT, shadow=True, attempts=1, lock_account_after=1)

    decision = decider(shadow).decide(typed("x three"))
    event = decision.decided(7)

    assert decision.runs
    assert event.shadows == ["three"]
    assert event.rules == []
    assert event.points == 0
    assert decision.lock is None
    assert decision.ends is None


def test_what_is_not_on_the_list_is_refused_by_the_lists_name() -> None:
    session = decider(rule("permitted", Action.FORCE, message="See the runbook."))

    refused = session.decide(typed("reboot"))
    runs = session.decide(typed("x permitted"))

    assert refused.verdict.outcome is Outcome.FORCE
    assert refused.message == "not on the list of permitted (reboot): See the runbook."
    assert runs.runs


def test_a_line_that_cannot_be_read_does_not_run_by_default() -> None:
    unread = typed("", unreadable="the screen was redrawn", exact=False)

    blocked = decider(BLOCK).decide(unread)
    allowed = decider(BLOCK, on_unreadable=Unreadable.ALLOW).decide(unread)

    assert blocked.verdict.outcome is Outcome.BLOCK
    assert "cannot be read" in blocked.message
    assert blocked.decided(1).opaque == ["unreadable: the screen was redrawn"]
    assert allowed.runs


def test_what_is_typed_into_a_program_is_not_held_up_for_being_unreadable() -> None:
    line = typed("", unreadable="it scrolls", place=Place.PROGRAM, program="vim", exact=False)

    assert decider(BLOCK).decide(line).runs


def test_a_command_that_waits_runs_when_it_was_approved_and_only_as_it_was_read() -> None:
    memory = Memory()
    session = decider(rule("ask", Action.APPROVE), memory=memory)
    waiting = session.decide(typed("reboot ask"))
    memory.given[waiting.key] = "approval-1"

    other = session.decide(typed("reboot ask now"))
    approved = session.decide(typed("reboot ask"))
    again = session.decide(typed("reboot ask"))

    assert waiting.waits
    assert other.waits
    assert approved.runs
    assert approved.decided(3).approval == "approval-1"
    assert again.waits


def test_an_answer_makes_of_a_waiting_command_one_that_runs_or_not() -> None:
    session = decider(rule("ask", Action.APPROVE))
    waiting = session.decide(typed("reboot ask"))

    yes = session.answered(waiting, "a1", approved=True, why="approved by bob")
    no = session.answered(waiting, "a1", approved=False, why="not approved by bob: not tonight")

    assert yes.runs
    assert not no.runs
    assert no.message == "not approved by bob: not tonight"


def test_the_events_carry_both_forms_and_the_digest_of_the_policy() -> None:
    session = decider(BLOCK)

    decision: Decision = session.decide(typed("rm   no-rm", place=Place.SHELL))
    requested, decided = decision.requested(), decision.decided(4)

    assert requested.command == "rm   no-rm"
    assert requested.confidence == "exact"
    assert decided.command_seq == 4
    assert decided.normalized == ["rm   no-rm"]
    assert decided.outcome == "block"
    assert decided.severity == "high"
    assert decided.policy == session.policy.digest()
