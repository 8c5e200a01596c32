"""What one rule, and all rules together, say of a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from watchgate.policy.candidates import LONGEST_NAMED, Candidate, Kind, candidates
from watchgate.policy.combining import All, Any_, by_way_of, mentions, seen
from watchgate.policy.commands import KnownCommand, Place
from watchgate.policy.conditions import Condition, Inside, RedirectTo, written
from watchgate.policy.reading import Reading
from watchgate.policy.rules import Rule
from watchgate.policy.selecting import Selection
from watchgate.policy.truth import MAY, YES, Truth
from watchgate.policy.verdicts import Action, Match, Outcome, Verdict

ALWAYS_PERMITTED = frozenset({"exit", "logout"})
"""Whatever a list says: who may not leave cannot be asked to."""

MOST_UNLISTED = 64

_NOWHERE = "/dev/null"


def threshold(rule: Rule) -> Truth:
    """How surely its match must hold."""
    return YES if rule.permits or rule.certain else MAY


def hits(rule: Rule, one: Candidate) -> bool:
    """Whether *rule* matches *one*."""
    return seen(rule.match, one, rule.permits) >= threshold(rule)


def lists(rule: Rule, one: Candidate) -> bool:
    """Whether the force rule *rule* has *one* on its list: it matches, and writes no file unsaid."""
    if not hits(rule, one):
        return False
    simple = one.simple
    if simple is None or all(redirect.path == _NOWHERE for redirect in written(simple)):
        return True
    said = by_way_of(rule.match, one, rule.permits, lambda part: isinstance(part, RedirectTo))
    return said >= threshold(rule)


def needs_listing(one: Candidate) -> bool:
    """Whether it has to be on a list where there is one; a line that runs nothing need not."""
    simple = one.simple
    if simple is not None:
        leaves = simple.program in ALWAYS_PERMITTED and simple.path is None
        return not leaves or bool(written(simple))
    if one.kind is Kind.LINE:
        # Of a line that does not parse, the part that does not is one that cannot be read.
        return not one.reading.opaque and any(text.strip() for text in one.texts)
    return True


def makes_list(rule: Rule, command: KnownCommand) -> bool:
    """Whether the force rule *rule* makes a list for where *command* is typed.

    A rule that is about the input of programs alone makes one there alone; others make one for shells.
    """
    if command.place is Place.PROGRAM or _only_inside(rule.match):
        return any(one.takes(command.place, command.program) for one in _inside(rule.match))
    return True


def _inside(condition: Condition) -> Iterator[Inside]:
    """The programs that it names, not those that it rules out."""
    match condition:
        case Inside():
            yield condition
        case All(parts) | Any_(parts):
            for part in parts:
                yield from _inside(part)
        case _:
            pass


def _only_inside(condition: Condition) -> bool:
    """Whether it can hold only for what is typed into a program."""
    match condition:
        case All(parts):
            return any(map(_only_inside, parts))
        case Any_(parts):
            return bool(parts) and all(map(_only_inside, parts))
        case _:
            return isinstance(condition, Inside)


def matched(
    rule: Rule, command: KnownCommand, readings: Sequence[Reading], account: str | None = None
) -> str | None:
    """What of the line *rule* matches, by itself; None for nothing. Scope and schedule are not asked."""
    found = (one for one in candidates(command, readings, account) if hits(rule, one))
    first = next(found, None)
    return None if first is None else first.named


def unlisted(
    rule: Rule, command: KnownCommand, readings: Sequence[Reading], account: str | None = None
) -> str | None:
    """What of the line would be refused if the force rule *rule* were the whole list; None for nothing."""
    for one in candidates(command, readings, account):
        if needs_listing(one) and not lists(rule, one):
            return one.named
    return None


def mentions_kind(rule: Rule, kind: Kind) -> bool:
    """Whether *rule* sees things of that kind at all."""
    return kind is Kind.COMMAND or mentions(rule.match, kind)


class Judge:
    """Rules that hold for one session, at work on one line after the other."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._selection = Selection(rules)
        self._forces = [
            at for at, rule in enumerate(rules) if rule.action is Action.FORCE and not rule.shadow
        ]

    def verdict(
        self, command: KnownCommand, readings: Sequence[Reading], at_us: int, account: str | None
    ) -> Verdict:
        """What they say together."""
        listed = self._has_list(command, at_us)
        found: dict[int, str] = {}
        unlisted: dict[str, None] = {}
        for one in candidates(command, readings, account):
            on_list = self._meet(one, at_us, found)
            if listed and not on_list and len(unlisted) < MOST_UNLISTED and needs_listing(one):
                unlisted[one.named[:LONGEST_NAMED]] = None
        matches = tuple(_match(self._rules[at], found[at]) for at in sorted(found))
        return Verdict(_outcome(matches, bool(unlisted)), matches, tuple(unlisted))

    def _has_list(self, command: KnownCommand, at_us: int) -> bool:
        rules = (self._rules[at] for at in self._forces)
        return any(makes_list(rule, command) and rule.holds_at(at_us) for rule in rules)

    def _meet(self, one: Candidate, at_us: int, found: dict[int, str]) -> bool:
        """Add to *found* the rules that match *one*; whether it is on a list."""
        on_list = False
        for at in self._selection.of(one):
            rule = self._rules[at]
            is_force = rule.action is Action.FORCE and not rule.shadow
            if (at in found and not is_force) or not rule.holds_at(at_us):
                continue
            if not (lists(rule, one) if rule.action is Action.FORCE else hits(rule, one)):
                continue
            found.setdefault(at, one.named)
            on_list = on_list or is_force
        return on_list


def _match(rule: Rule, what: str) -> Match:
    return Match(rule.name, rule.action, rule.severity, rule.points, rule.shadow, what)


_OUTCOMES = {
    Action.INTERRUPT: Outcome.INTERRUPT,
    Action.BLOCK: Outcome.BLOCK,
    Action.APPROVE: Outcome.APPROVE,
}


def _outcome(matches: Iterable[Match], is_unlisted: bool) -> Outcome:
    """The strictest of what they say; rules in the shadow say nothing."""
    said = [_OUTCOMES[one.action] for one in matches if not one.shadow and one.action in _OUTCOMES]
    if is_unlisted:
        said.append(Outcome.FORCE)
    return max(said, key=lambda outcome: outcome.rank, default=Outcome.ALLOW)
