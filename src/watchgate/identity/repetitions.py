"""How often operators met rules, over all of their sessions: what an account is locked for.

Hits of this process are counted in memory, at the moment of the decision. Those of before come from the
catalog's `rule_hit`, which is a projection and lags. So that none counts twice, each tally has a moment at
which its memory begins: the table counts before it, the memory from it on. Hits of shadow rules, and those
from before the operator's account was last released, do not count.

Memory is bounded: a tally keeps no more moments than its rule needs, and the tallies that nobody met for
longest are dropped; the next session of that operator reads them from the table again.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from watchgate.catalog import journal, names
from watchgate.catalog.schema import rule_hit
from watchgate.catalog.thread import CatalogThread
from watchgate.clock import Clock
from watchgate.policy.rules import Rule
from watchgate.session.events import OperatorUnlocked

MOST_TALLIES = 50_000
MOST_MOMENTS = 10_000
"""Hits of one tally that are kept; a rule that wants more never locks."""

_UNLOCKS_READ = 10_000

Pair = tuple[str, str]
"""An operator and a rule, by their names."""


@dataclass(slots=True)
class _Tally:
    """The moments at which one operator met one rule, the oldest first."""

    since_us: int
    """Where its memory begins."""
    most: int
    before: list[int] = field(default_factory=list)
    """From the table: moments before `since_us`."""
    counted: deque[int] = field(default_factory=deque)

    def add(self, at_us: int) -> None:
        # A clock that was set back must not make the table count again what is counted here.
        self.since_us = min(self.since_us, at_us)
        self.counted.append(at_us)
        while len(self.counted) > self.most:
            self.counted.popleft()

    def learn(self, moments: Iterable[int]) -> None:
        """Take what the table knows; what was taken from it above `since_us` stays."""
        kept = [at for at in self.before if at >= self.since_us]
        self.before = sorted([*(at for at in moments if at < self.since_us), *kept])[-self.most :]

    def within(self, window_us: int, now_us: int) -> int:
        first = now_us - window_us
        return sum(at > first for at in self.before) + sum(at > first for at in self.counted)


class Repetitions:
    """The tallies of one process, on its event loop: implements `session.deciding.Repetitions`."""

    def __init__(
        self, catalog: CatalogThread, clock: Clock, *, most_tallies: int = MOST_TALLIES
    ) -> None:
        self._catalog = catalog
        self._clock = clock
        self._most = most_tallies
        self._tallies: OrderedDict[Pair, _Tally] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tallies)

    def count(self, operator: str, rule: Rule, at_us: int) -> int:
        """Count one more at that wall time, and say how many there are within the rule's window."""
        tally = self._tally(operator, rule, at_us)
        tally.add(at_us)
        return tally.within(rule.lock_window_us, at_us)

    async def warm(self, operator: str, rules: Sequence[Rule]) -> None:
        """Know how often *operator* met those of *rules* that lock accounts."""
        now_us = self._clock.wall_us()
        wanted = [rule for rule in rules if rule.lock_account_after]
        if not wanted:
            return
        # Made before the table is asked: what is counted from here on is counted here.
        tallies = {rule.name: self._tally(operator, rule, now_us) for rule in wanted}
        befores = {name: tally.since_us for name, tally in tallies.items()}
        found = await self._catalog.read(_read, operator, wanted, befores, now_us)
        for name, tally in tallies.items():
            tally.learn(found[name])

    def forgive(self, operator: str) -> None:
        """Begin anew with *operator*, whose account was released."""
        now_us, folded = self._clock.wall_us(), names.fold(operator)
        for (who, _), tally in self._tallies.items():
            if names.fold(who) == folded:
                tally.since_us = now_us
                tally.before.clear()
                tally.counted.clear()

    def _tally(self, operator: str, rule: Rule, at_us: int) -> _Tally:
        pair = (operator, rule.name)
        needed = min(rule.lock_account_after, MOST_MOMENTS)
        tally = self._tallies.get(pair)
        if tally is None:
            while len(self._tallies) >= self._most:
                self._tallies.popitem(last=False)
            tally = self._tallies[pair] = _Tally(at_us, needed)
        # Sessions that began under different editions of the rule count in one tally.
        tally.most = max(tally.most, needed)
        self._tallies.move_to_end(pair)
        return tally


def _read(
    connection: Connection,
    operator: str,
    rules: Sequence[Rule],
    befores: dict[str, int],
    now_us: int,
) -> dict[str, list[int]]:
    """By rule, the newest moments before *befores* that count for it, as many as it needs."""
    released_us = _released(
        connection, operator, now_us - max(rule.lock_window_us for rule in rules)
    )
    found = {}
    for rule in rules:
        query = (
            select(rule_hit.c.at_us)
            .where(
                rule_hit.c.operator == operator,
                rule_hit.c.rule == rule.name,
                rule_hit.c.at_us > max(released_us, now_us - rule.lock_window_us),
                rule_hit.c.at_us < befores[rule.name],
                rule_hit.c.shadow.is_(False),
            )
            .order_by(rule_hit.c.at_us.desc())
            .limit(min(rule.lock_account_after, MOST_MOMENTS))
        )
        found[rule.name] = list(connection.scalars(query))
    return found


def _released(connection: Connection, operator: str, since_us: int) -> int:
    """When the operator's account was last released; *since_us* when that is longer ago."""
    for entry in journal.entries(
        connection, kind=OperatorUnlocked.kind, since_us=since_us, limit=_UNLOCKS_READ
    ):
        if isinstance(entry.event, OperatorUnlocked) and entry.event.operator == operator:
            return entry.at_us
    return since_us
