"""Decides the commands of one session: what the rules say, how often it was tried, what is recorded of it.

Plain code: it gives decisions; whoever knows the channel records them and acts. The verdict is in the
recording before the command's Enter reaches the target (design: evidence).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from watchgate.clock import Clock
from watchgate.policy.commands import KnownCommand, Place
from watchgate.policy.reading import Opaque, Reading, Reason
from watchgate.policy.rules import Rule
from watchgate.policy.verdicts import Action, Match, Outcome, Verdict, risk
from watchgate.session.events import CommandDecided, CommandRequested
from watchgate.session.model import Policy, ShellKind, Unreadable

MOST_LISTED = 64
"""Simple commands, and reasons, of one line that an event names."""

LONGEST_LISTED = 1024
"""Characters of each."""

Read = Callable[[KnownCommand], Sequence[Reading]]
"""Gives all that a command may mean."""


class Repetitions(Protocol):
    """How often operators met rules, over all of their sessions."""

    def count(self, operator: str, rule: Rule, at_us: int) -> int:
        """Count one more at that wall time, and say how many there are within the rule's window."""


class Approved(Protocol):
    """Commands that somebody else has approved."""

    def take(self, operator: str, key: tuple[str, ...], at_us: int) -> str | None:
        """The id of an approval under which the operator may run this command now, used up when it is for once.

        *key* is the command's exact parsed form.
        """


@dataclass(frozen=True, slots=True)
class Lock:
    """An operator's account is to be locked."""

    operator: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one command."""

    command: KnownCommand
    readings: tuple[Reading, ...]
    verdict: Verdict
    session_points: int
    policy: str
    message: str = ""
    """What the operator reads when he is held up."""
    tries_left: int | None = None
    ends: str | None = None
    """Why the session ends now."""
    lock: Lock | None = None
    approval: str | None = None

    @property
    def runs(self) -> bool:
        """It may run as it is."""
        return self.verdict.outcome is Outcome.ALLOW

    @property
    def waits(self) -> bool:
        """It waits for an approval."""
        return self.verdict.outcome is Outcome.APPROVE

    @property
    def told(self) -> tuple[Reading, ...]:
        """The readings that may be written down."""
        return () if self.command.hidden else self.readings

    @property
    def key(self) -> tuple[str, ...]:
        """The exact parsed form, to which an approval is bound."""
        return approval_key(self.readings)

    def requested(self) -> CommandRequested:
        """The event that comes first."""
        command = self.command
        return CommandRequested(
            channel=command.channel,
            command=command.shown,
            source=str(command.source),
            confidence=_confidence(command),
            place=str(command.place),
            program=command.program,
            cwd=command.context.cwd,
        )

    def decided(self, seq: int) -> CommandDecided:
        """The event that follows it; *seq* is the first one's number."""
        verdict = self.verdict
        return CommandDecided(
            channel=self.command.channel,
            command_seq=seq,
            command=self.command.shown,
            normalized=_listed(text for one in self.told for text in one.normalized),
            opaque=_listed(
                f"{one.reason}: {one.text}" for read in self.told for one in read.opaque
            ),
            outcome=str(verdict.outcome),
            rules=[match.rule for match in verdict.matches if not match.shadow],
            shadows=[match.rule for match in verdict.matches if match.shadow],
            severity=None if verdict.severity is None else str(verdict.severity),
            points=verdict.points,
            session_points=self.session_points,
            risk=risk(self.session_points),
            confidence=_confidence(self.command),
            source=str(self.command.source),
            policy=self.policy,
            message=self.message,
            tries_left=self.tries_left,
            approval=self.approval,
        )


def approval_key(readings: Sequence[Reading]) -> tuple[str, ...]:
    """What an approval is bound to: every simple command in its normal form, and every line as it was given."""
    return tuple(
        part for reading in readings for part in (*reading.normalized, f"\0{reading.line}")
    )


class Decider:
    """The rules of one session, at work."""

    def __init__(
        self,
        operator: str,
        policy: Policy,
        clock: Clock,
        read: Read,
        repetitions: Repetitions,
        approved: Approved,
    ) -> None:
        self._operator = operator
        self._policy = policy
        self._digest = policy.digest()
        self._clock = clock
        self._read = read
        self._repetitions = repetitions
        self._approved = approved
        self._tries: Counter[str] = Counter()
        self.points = 0
        """What the session's commands add up to."""

    @property
    def policy(self) -> Policy:
        """What was frozen at the start."""
        return self._policy

    @property
    def active(self) -> bool:
        """Its commands have to be known before they run: there are rules for it, or passwords to answer with."""
        return bool(self._policy.rules) or self._policy.elevation is not None

    def foresee(self, command: KnownCommand) -> Outcome:
        """What would become of *command*; nothing is counted."""
        readings = self._readings(command)
        verdict = self._policy.rules.decide(command, readings, self._clock.wall_us())
        return self._listed_only(readings, self._held_up_unread(command, verdict)).outcome

    def decide(self, command: KnownCommand, *, approval: str | None = None) -> Decision:
        """What becomes of *command*; every call counts as a try. *approval* was just given to it."""
        now_us = self._clock.wall_us()
        readings = self._readings(command)
        verdict = self._policy.rules.decide(command, readings, now_us)
        verdict = self._listed_only(readings, self._held_up_unread(command, verdict))
        if verdict.outcome is Outcome.APPROVE:
            approval = approval or self._approved.take(
                self._operator, approval_key(readings), now_us
            )
            if approval is not None:
                verdict = replace(verdict, outcome=Outcome.ALLOW)
        decision = Decision(
            command, readings, verdict, self.points, self._digest, approval=approval
        )
        return self._told(self._counted(decision, now_us))

    def answered(self, decision: Decision, approval: str, *, approved: bool, why: str) -> Decision:
        """What becomes of a command that waited, now that somebody has answered."""
        outcome = Outcome.ALLOW if approved else Outcome.BLOCK
        return replace(
            decision,
            verdict=replace(decision.verdict, outcome=outcome),
            approval=approval,
            message="" if approved else why,
        )

    def _readings(self, command: KnownCommand) -> tuple[Reading, ...]:
        if command.unreadable is not None:
            reading = Reading(
                command.text,
                opaque=(Opaque(Reason.UNREADABLE, command.unreadable),),
                raw=(command.text,),
            )
            return (reading, *self._read(command)) if command.text else (reading,)
        if command.opaque is not None:
            more = Opaque(command.opaque, command.text[:LONGEST_LISTED], command.program or "")
            reading = Reading(command.text, opaque=(more,))
            return (reading,) if command.program else (reading, *self._read(command))
        return tuple(self._read(command))

    def _held_up_unread(self, command: KnownCommand, verdict: Verdict) -> Verdict:
        """What cannot be read does not run, unless the target's settings let it."""
        if command.unreadable is None or not self._policy.rules:
            return verdict
        if self._policy.settings.on_unreadable is Unreadable.ALLOW:
            return verdict
        if (
            command.place in (Place.PROGRAM, Place.TRANSFER)
            or verdict.outcome.rank > Outcome.BLOCK.rank
        ):
            return verdict
        return replace(verdict, outcome=Outcome.BLOCK)

    def _listed_only(self, readings: Sequence[Reading], verdict: Verdict) -> Verdict:
        """Under a grant for listed commands only, nothing runs that cannot be read, whatever a rule permits."""
        if (
            self._policy.shell is not ShellKind.GATEWAY
            or verdict.outcome.rank > Outcome.APPROVE.rank
        ):
            return verdict
        unread = tuple(f"{one.reason}: {one.text}" for read in readings for one in read.opaque)
        return replace(verdict, outcome=Outcome.FORCE, unlisted=unread) if unread else verdict

    def _counted(self, decision: Decision, now_us: int) -> Decision:
        """Points, tries, and repetitions over all sessions."""
        verdict = decision.verdict
        self.points += verdict.points
        lock: Lock | None = None
        left: int | None = None
        ends: str | None = None
        rules = {rule.name: rule for rule in self._policy.rules.rules}
        for match in verdict.matches:
            rule = rules.get(match.rule)
            if rule is None or match.shadow:
                continue
            if rule.lock_account_after:
                met = self._repetitions.count(self._operator, rule, now_us)
                if met >= rule.lock_account_after and lock is None:
                    lock = Lock(self._operator, rule.name, f"met rule {rule.name} {met} times")
            if match.action is Action.INTERRUPT:
                self._tries[rule.name] += 1
                remaining = max(0, rule.attempts - self._tries[rule.name])
                left = remaining if left is None else min(left, remaining)
                if remaining == 0 and ends is None:
                    ends = f"ended by rule {rule.name}" + _behind(rule.message)
        return replace(decision, session_points=self.points, tries_left=left, ends=ends, lock=lock)

    def _told(self, decision: Decision) -> Decision:
        if decision.runs:
            return decision
        return replace(decision, message=_message(decision, self._policy))


def _message(decision: Decision, policy: Policy) -> str:
    """What the operator reads instead of his command's output."""
    deciding = decision.verdict.deciding()
    rules = {rule.name: rule for rule in policy.rules.rules}
    match decision.verdict.outcome:
        case Outcome.FORCE:
            lists = sorted(
                name
                for name, rule in rules.items()
                if rule.action is Action.FORCE and not rule.shadow
            )
            unlisted = () if decision.command.hidden else decision.verdict.unlisted
            what = f" ({unlisted[0][:120]})" if unlisted else ""
            message = next((rules[name].message for name in lists if rules[name].message), "")
            return f"not on the list of {_named(lists)}{what}{_behind(message)}"
        case Outcome.APPROVE:
            return f"rule {_named([match.rule for match in deciding])} wants an approval for this"
        case _ if not deciding:
            return (
                f"this line cannot be read, so it is not run ({decision.command.unreadable}); "
                "type it again, without completion or recall"
            )
        case _:
            return _blocked(decision, deciding, rules)


def _blocked(decision: Decision, deciding: Sequence[Match], rules: dict[str, Rule]) -> str:
    name = deciding[0].rule
    said = f"blocked by rule {name}{_behind(rules[name].message if name in rules else '')}"
    if decision.ends is not None:
        return f"{said}; the session is ended"
    if decision.tries_left is not None and decision.verdict.outcome is Outcome.INTERRUPT:
        tries = "1 try" if decision.tries_left == 1 else f"{decision.tries_left} tries"
        return f"{said}; {tries} left before the session is ended"
    return said


def _named(rules: Sequence[str]) -> str:
    shown = ", ".join(rules[:3])
    return f"{shown} and {len(rules) - 3} more" if len(rules) > 3 else shown


def _behind(message: str) -> str:
    return f": {message}" if message else ""


def _confidence(command: KnownCommand) -> str:
    return "exact" if command.exact else "inferred"


def _listed(texts: Iterable[str]) -> list[str]:
    found = dict.fromkeys(text[:LONGEST_LISTED] for text in texts)
    return list(found)[:MOST_LISTED]
