"""A judge with real rules, for the tests of what asks it."""

from __future__ import annotations

from dataclasses import dataclass, field

from watchgate.clock import Clock, ManualClock
from watchgate.policy.loading import load_text
from watchgate.policy.readings import readings
from watchgate.policy.rules import Rule
from watchgate.policy.ruleset import NO_RULES, RuleSet
from watchgate.protocols.ssh.ground import Ground
from watchgate.protocols.ssh.judging import Judge
from watchgate.session.deciding import Decider
from watchgate.session.model import (
    Account,
    Address,
    Capability,
    CredentialKind,
    Grant,
    Operator,
    Policy,
    Route,
    Target,
    TargetSettings,
)
from watchgate.terminal.screens import open_screen

RULES = """
version: 1
rules:
  no-rm:
    description: No recursive removal.
    action: block
    message: Ask the storage team.
    match: {program: rm, flags: recursive}
  no-reboot:
    description: Two tries.
    action: interrupt
    attempts: 2
    match: {program: reboot}
  four-eyes:
    description: Somebody else has to agree.
    action: approve
    match: {program: systemctl, args: stop}
  locked-out:
    description: Once is too often.
    action: block
    lock_account_after: 1
    match: {program: shred}
"""

RULE_SET = RuleSet(load_text(RULES, "rules.yaml"))


@dataclass
class Memory:
    """Counts repetitions, and knows approvals."""

    met: list[str] = field(default_factory=list)
    given: dict[tuple[str, ...], str] = field(default_factory=dict)

    def count(self, operator: str, rule: Rule, at_us: int) -> int:
        self.met.append(rule.name)
        return self.met.count(rule.name)

    def take(self, operator: str, key: tuple[str, ...], at_us: int) -> str | None:
        return self.given.pop(key, None)


def policy(
    rules: RuleSet = RULE_SET,
    settings: TargetSettings | None = None,
    capabilities: frozenset[Capability] = frozenset(Capability),
) -> Policy:
    """What a session runs under."""
    return Policy(capabilities, settings or TargetSettings(), rules=rules)


def ground(
    held: Policy,
    clock: Clock | None = None,
    memory: Memory | None = None,
    *,
    login: str = "root",
) -> Ground:
    """What a channel of alice's on web1 stands on, where she is *login*."""
    known = memory or Memory()
    target = Target("t1", "web1", "ssh", Address("10.0.0.5", 22), settings=held.settings)
    account = Account("a1", login, "web1", CredentialKind.PASSWORD)
    route = Route(Operator("o1", "alice"), target, account, Grant("g1", held.capabilities))
    decider = Decider("alice", held, clock or ManualClock(), readings, known, known)
    return Ground(Judge(decider, "s1", route), lambda: 1000, bytes, open_screen)


def judge(memory: Memory | None = None) -> Judge:
    """A judge with the rules above."""
    return ground(policy(), memory=memory).judge


__all__ = ["NO_RULES", "RULES", "RULE_SET", "Memory", "ground", "judge", "policy"]
