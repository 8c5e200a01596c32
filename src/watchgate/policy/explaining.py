"""Why rules say of a line what they say, as a tree: for people, and for those who mend a rule."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from watchgate.policy.candidates import Candidate, Kind, candidates
from watchgate.policy.combining import All, Any_, Beside, Not, seen
from watchgate.policy.commands import KnownCommand
from watchgate.policy.conditions import Condition
from watchgate.policy.judging import hits, lists, mentions_kind
from watchgate.policy.reading import Reading
from watchgate.policy.rules import Rule
from watchgate.policy.ruleset import RuleSet
from watchgate.policy.truth import MAY, NO, YES, Truth
from watchgate.policy.verdicts import Action, Verdict

MOST_THINGS = 50
"""Of a line with more simple commands, so many are explained."""


@dataclass(frozen=True, slots=True)
class Node:
    """One statement, how it stands with it, and what it rests on."""

    text: str
    matched: Truth
    children: tuple[Node, ...] = ()
    note: str = ""
    """Why, where the statement alone does not say it."""

    @property
    def word(self) -> str:
        """`yes`, `may` or `no`."""
        return "yes" if self.matched is YES else "may" if self.matched is MAY else "no"


@dataclass(frozen=True, slots=True)
class RuleExplained:
    """One rule, and what it says of each thing in the line."""

    rule: str
    action: Action
    shadow: bool
    matched: bool
    things: tuple[Node, ...]
    note: str = ""
    """Why it is not asked at all."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A line, what was read in it, what comes of it, and why."""

    line: str
    verdict: Verdict
    things: tuple[str, ...]
    """Simple commands, and parts that cannot be read."""
    rules: tuple[RuleExplained, ...]
    """Rules that matched first, then those that nearly did."""
    summary: str


def explain(
    ruleset: RuleSet, command: KnownCommand, readings: Sequence[Reading], at_us: int
) -> Explanation:
    """Why *ruleset* says of *command* what it says."""
    verdict = ruleset.decide(command, readings, at_us)
    things = list(candidates(command, readings, ruleset.account))[:MOST_THINGS]
    rules = [explain_rule(rule, things, at_us) for rule in ruleset.rules]
    rules.sort(key=lambda one: (not one.matched, one.rule))
    named = tuple(dict.fromkeys(one.named for one in things))
    return Explanation(command.text, verdict, named, tuple(rules), _summary(verdict))


def explain_rule(rule: Rule, things: Sequence[Candidate], at_us: int) -> RuleExplained:
    """What *rule* says of each of *things*."""
    about = [one for one in things if mentions_kind(rule, one.kind)]
    nodes = tuple(_thing(rule, one) for one in about)
    active = rule.holds_at(at_us)
    matched = active and any(node.matched is YES for node in nodes)
    return RuleExplained(
        rule.name, rule.action, rule.shadow, matched, nodes, _note(rule, active, about)
    )


def _note(rule: Rule, active: bool, about: Sequence[Candidate]) -> str:
    if not active and rule.schedule is not None:
        return f"it holds only {rule.schedule.describe()}"
    if not about:
        return "nothing in this line is of a kind that it names"
    return "it only records" if rule.shadow else ""


def _thing(rule: Rule, one: Candidate) -> Node:
    """One thing; matched is whether the rule counts it, whatever remains uncertain in the conditions."""
    counted = lists(rule, one) if rule.action is Action.FORCE else hits(rule, one)
    tree = _tree(rule.match, one, rule.permits)
    return Node(one.named, YES if counted else NO, (tree,), _doubt(rule, one, counted))


def _doubt(rule: Rule, one: Candidate, counted: bool) -> str:
    """A word where the answer is not that of the conditions."""
    truth = seen(rule.match, one, rule.permits)
    if counted:
        return (
            "it may match, and that is enough for a rule that forbids" if truth is not YES else ""
        )
    if truth is MAY:
        return "it may match, but this rule wants certainty"
    if truth is YES:
        return "it writes a file, and the rule does not say redirect"
    if one.kind is not Kind.COMMAND and rule.match.truth(one, rule.permits) >= MAY:
        return f"a rule sees this only where it says {_NAMES[one.kind]}"
    return ""


_NAMES = {Kind.OPAQUE: "opaque", Kind.LINE: "line or regex", Kind.INPUT: "inside"}


def _tree(condition: Condition, one: Candidate, every: bool) -> Node:
    node = Node("", condition.truth(one, every), tuple(_children(condition, one, every)))
    match condition:
        case All():
            return replace(node, text="all of these")
        case Any_():
            return replace(node, text="any of these")
        case Not():
            return replace(node, text="not")
        case Beside():
            return replace(node, text="beside it in the line", note=_shown(condition))
        case _:
            return replace(node, text=_shown(condition), note=_quantified(condition, every))


def _children(condition: Condition, one: Candidate, every: bool) -> Iterator[Node]:
    match condition:
        case All(parts) | Any_(parts):
            for part in parts:
                yield _tree(part, one, every)
        case Not(part):
            yield _tree(part, one, not every)
        case _:
            pass


def _shown(condition: Condition) -> str:
    """A condition in one line, as a file has it."""
    said = condition.described()
    return f"{condition.key}: {said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)}"


def _quantified(condition: Condition, every: bool) -> str:
    return "every one must" if every and condition.key in ("args", "path", "redirect") else ""


def _summary(verdict: Verdict) -> str:
    """The verdict in a sentence."""
    deciding = [match.rule for match in verdict.deciding()]
    if verdict.unlisted:
        missing = f"not on the list: {'; '.join(verdict.unlisted[:3])}"
    else:
        missing = ""
    if verdict.outcome.value == "force":
        return missing
    if deciding:
        return f"{verdict.outcome} by {', '.join(deciding)}"
    return f"{verdict.outcome}: no rule forbids it"
