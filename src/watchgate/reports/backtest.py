"""What rules would have said of commands that ran long ago, counted.

Commands come as a stream and in great number, and most of them many times: what was decided of one is
remembered, within a bound, and decided again only where something differs that a rule can see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from watchgate.policy.commands import KnownCommand, Place, Source
from watchgate.policy.reading import Reading, ShellContext
from watchgate.policy.ruleset import RuleSet
from watchgate.policy.subject import Subject
from watchgate.policy.verdicts import Verdict

MOST_REMEMBERED = 200_000
"""Verdicts, and as many readings at most, that are kept ready."""

EXAMPLES = 5
"""Commands that are shown of each rule, each text once."""

NOT_DECIDED = "not decided"
"""What happened to a command where there were no rules."""

Read = Callable[[KnownCommand], Sequence[Reading]]


@dataclass(frozen=True, slots=True)
class Who:
    """Whose session it was, on what; with the groups and labels of today."""

    operator: str
    target: str
    account: str
    protocol: str
    groups: frozenset[str] = frozenset()
    labels: tuple[tuple[str, str], ...] = ()

    def subject(self) -> Subject:
        """As scopes see it."""
        return Subject(
            self.operator, self.target, self.account, self.protocol, self.groups, dict(self.labels)
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """All of a command that a rule can see, but the time and the session."""

    text: str
    source: str
    exact: bool
    place: str = "shell"
    program: str | None = None
    cwd: str | None = None

    def command(self) -> KnownCommand:
        """As rules take it."""
        return KnownCommand(
            channel=0,
            text=self.text,
            source=_source(self.source),
            exact=self.exact,
            place=_place(self.place),
            program=self.program,
            context=ShellContext(cwd=self.cwd),
        )


@dataclass(frozen=True, slots=True)
class Ran:
    """A command of a recording."""

    session: str
    at_us: int
    who: Who
    asked: Asked
    happened: str = NOT_DECIDED
    """What was decided of it then."""


@dataclass(frozen=True, slots=True)
class Example:
    """A command that a rule matched."""

    text: str
    what: str
    """The part of it that the rule matched."""
    session: str
    at_us: int
    operator: str
    target: str


@dataclass(slots=True)
class RuleCount:
    """How one rule would have fared."""

    rule: str
    action: str
    severity: str
    shadow: bool
    hits: int = 0
    decided: int = 0
    """Of these, how often the outcome was its own."""
    operators: Counter[str] = field(default_factory=Counter)
    targets: Counter[str] = field(default_factory=Counter)
    examples: dict[str, Example] = field(default_factory=dict)


@dataclass(slots=True)
class Counts:
    """What a backtest found."""

    commands: int = 0
    distinct: int = 0
    """How many had to be decided: the others were repetitions."""
    inferred: int = 0
    opaque: int = 0
    """Commands of which a part cannot be read."""
    points: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """What happened, and what would have."""
    rules: dict[str, RuleCount] = field(default_factory=dict)
    operators: Counter[str] = field(default_factory=Counter)
    """Commands that would not just have run, by operator."""
    targets: Counter[str] = field(default_factory=Counter)

    @property
    def held_up(self) -> int:
        """Commands that would not just have run."""
        return sum(count for (_, would), count in self.outcomes.items() if would != "allow")

    @property
    def newly(self) -> int:
        """Of these, those that ran at the time."""
        ran = (NOT_DECIDED, "allow")
        return sum(
            count
            for (was, would), count in self.outcomes.items()
            if was in ran and would != "allow"
        )


@dataclass(frozen=True, slots=True)
class Decided:
    """What is remembered of a command that was decided."""

    verdict: Verdict
    opaque: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Sessions for which the same rules hold: nothing of who it was matters besides to these rules."""

    rules: RuleSet
    name: tuple[str, str]
    """The digest of the rules, and the account, as which a command runs unless it says otherwise."""


Key = tuple[Asked, tuple[str, str], tuple[str, ...]]
"""Commands with one key have one verdict."""


class Backtest:
    """Decides commands by rules, and counts."""

    def __init__(self, rules: RuleSet, read: Read) -> None:
        self.counts = Counts(
            rules={
                rule.name: RuleCount(rule.name, str(rule.action), str(rule.severity), rule.shadow)
                for rule in rules.rules
            }
        )
        self._rules = rules
        self._read = read
        self._groups: dict[Who, Group] = {}
        self._scheduled = [rule for rule in rules.rules if rule.schedule is not None]
        self._known: dict[Key, Decided] = {}
        self._readings: dict[Asked, Sequence[Reading]] = {}

    def take(self, commands: Iterable[Ran]) -> None:
        """Decide and count *commands*."""
        for ran in commands:
            self._count(ran, self._decide(ran))

    def _decide(self, ran: Ran) -> Decided:
        group = self._group(ran.who)
        key = (ran.asked, group.name, self._holding(ran.at_us))
        known = self._known.get(key)
        if known is None:
            known = self._worked_out(ran, group.rules)
            self.counts.distinct += 1
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = known
        return known

    def _holding(self, at_us: int) -> tuple[str, ...]:
        """Of the rules with a schedule those that held."""
        return tuple(rule.name for rule in self._scheduled if rule.holds_at(at_us))

    def _worked_out(self, ran: Ran, rules: RuleSet) -> Decided:
        command = ran.asked.command()
        readings = self._readings.get(ran.asked)
        if readings is None:
            readings = self._read(command)
            if len(self._readings) >= MOST_REMEMBERED:
                self._readings.clear()
            self._readings[ran.asked] = readings
        verdict = rules.decide(command, readings, ran.at_us)
        return Decided(verdict, any(reading.opaque for reading in readings))

    def _group(self, who: Who) -> Group:
        found = self._groups.get(who)
        if found is None:
            rules = self._rules.of(who.subject())
            found = self._groups[who] = Group(rules, (rules.digest, who.account))
        return found

    # --- counting ---

    def _count(self, ran: Ran, decided: Decided) -> None:
        counts, verdict = self.counts, decided.verdict
        would = str(verdict.outcome)
        counts.commands += 1
        counts.inferred += not ran.asked.exact
        counts.opaque += decided.opaque
        counts.points += verdict.points
        counts.outcomes[ran.happened, would] += 1
        if would != "allow":
            counts.operators[ran.who.operator] += 1
            counts.targets[ran.who.target] += 1
        for match in verdict.matches:
            count = counts.rules[match.rule]
            count.hits += 1
            count.decided += not match.shadow and match.action.value == would
            count.operators[ran.who.operator] += 1
            count.targets[ran.who.target] += 1
            if len(count.examples) < EXAMPLES and ran.asked.text not in count.examples:
                count.examples[ran.asked.text] = Example(
                    ran.asked.text,
                    match.what,
                    ran.session,
                    ran.at_us,
                    ran.who.operator,
                    ran.who.target,
                )


def most(counter: Mapping[str, int], number: int) -> list[tuple[str, int]]:
    """The *number* greatest, those alike by name."""
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:number]


def _source(text: str) -> Source:
    try:
        return Source(text)
    except ValueError:
        return Source.SCREEN


def _place(text: str) -> Place:
    try:
        return Place(text)
    except ValueError:
        return Place.SHELL
