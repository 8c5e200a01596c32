"""The rules of a session, frozen, and what they say of a command."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from watchgate.errors import ConfigurationError
from watchgate.policy.commands import KnownCommand
from watchgate.policy.judging import Judge
from watchgate.policy.reading import Reading
from watchgate.policy.rules import Rule
from watchgate.policy.scopes import Scope
from watchgate.policy.subject import Subject
from watchgate.policy.verdicts import Action, Verdict

MOST_REMEMBERED = 64
"""Selections of rules that are kept ready, because session after session needs the same."""


@dataclass(slots=True)
class _Ready:
    """What is worked out once for a set of rules."""

    judge: Judge
    distinct: tuple[Scope, ...]
    """Each scope once: most rules share one with others."""
    scopes: tuple[int, ...]
    """The scope of each rule, as its place among the distinct ones."""
    selections: dict[frozenset[int], RuleSet] = field(default_factory=dict)
    """Sets for sessions, by which of the distinct scopes hold."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Some rules; immutable, with a digest."""

    rules: tuple[Rule, ...] = ()
    """By name."""
    account: str | None = field(default=None, compare=False)
    """The account of the session for which they were selected."""
    _ready: _Ready | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self._ready is not None:
            return
        rules = tuple(sorted(self.rules, key=lambda rule: rule.name))
        _refuse_doubles(rules)
        object.__setattr__(self, "rules", rules)
        object.__setattr__(self, "_ready", _worked_out(rules))

    def __bool__(self) -> bool:
        return bool(self.rules)

    def __reduce__(self) -> tuple[type[RuleSet], tuple[tuple[Rule, ...], str | None]]:
        """To another process go the rules; what is worked out of them is worked out there again."""
        return RuleSet, (self.rules, self.account)

    @property
    def _prepared(self) -> _Ready:
        assert self._ready is not None
        return self._ready

    @property
    def lists(self) -> bool:
        """A force rule makes a list, so that only what is on it may run."""
        return any(rule.action is Action.FORCE and not rule.shadow for rule in self.rules)

    def of(self, subject: Subject) -> RuleSet:
        """Those whose scope *subject* is in."""
        ready = self._prepared
        within = frozenset(at for at, scope in enumerate(ready.distinct) if scope.holds(subject))
        return replace(self._selected(within), account=subject.account)

    def _selected(self, within: frozenset[int]) -> RuleSet:
        ready = self._prepared
        if len(within) == len(ready.distinct):
            return self
        known = ready.selections.get(within)
        if known is None:
            if len(ready.selections) >= MOST_REMEMBERED:
                ready.selections.clear()
            pairs = zip(self.rules, ready.scopes, strict=True)
            known = RuleSet(tuple(rule for rule, scope in pairs if scope in within))
            ready.selections[within] = known
        return known

    def decide(self, command: KnownCommand, readings: Sequence[Reading], at_us: int) -> Verdict:
        """What they say of *command*, of which *readings* are all that it may mean; at that wall time."""
        return self._prepared.judge.verdict(command, readings, at_us, self.account)

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of the rules, in hexadecimal."""
        return hashlib.sha256("".join(rule.digest for rule in self.rules).encode()).hexdigest()


def _worked_out(rules: tuple[Rule, ...]) -> _Ready:
    places: dict[Scope, int] = {}
    scopes = tuple(places.setdefault(rule.scope, len(places)) for rule in rules)
    return _Ready(Judge(rules), tuple(places), scopes)


def _refuse_doubles(rules: tuple[Rule, ...]) -> None:
    double = [name for name, count in Counter(rule.name for rule in rules).items() if count > 1]
    if double:
        raise ConfigurationError(
            f"there is more than one rule {double[0]!r}; give each a name of its own",
            code="rule.double-name",
        )


NO_RULES = RuleSet()
