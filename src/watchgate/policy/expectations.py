"""Whether a rule does with its examples what it says it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchgate.policy.commands import KnownCommand, Place, Source
from watchgate.policy.examples import Example
from watchgate.policy.judging import matched, unlisted
from watchgate.policy.reading import Reading, ShellContext
from watchgate.policy.rules import Rule
from watchgate.policy.subject import Subject
from watchgate.policy.verdicts import Action


@dataclass(frozen=True, slots=True)
class Failure:
    """An example with which the rule does something else."""

    rule: str
    example: int
    """Which of the rule's examples, from 0."""
    line: str
    expected: bool
    why: str
    """What the rule did instead, and why."""

    def __str__(self) -> str:
        wanted = "match" if self.expected else "not match"
        return f"rule {self.rule} must {wanted} {self.line[:200]!r}, and {self.why}"


def check(rule: Rule) -> tuple[Failure, ...]:
    """The examples of *rule* with which it does something else than they say."""
    found = []
    for at, example in enumerate(rule.expect):
        matches, why = _met(rule, example)
        if matches is not example.matches:
            found.append(Failure(rule.name, at, example.line, example.matches, why))
    return tuple(found)


def command_of(example: Example) -> KnownCommand:
    """The command that an example is about: known exactly, where it says or where that is plain."""
    return KnownCommand(
        channel=0,
        text=example.line,
        source=Source.EXEC if example.inside is None else Source.KEYS,
        exact=True,
        place=example.place or (Place.SHELL if example.inside is None else Place.PROGRAM),
        program=example.inside,
        context=ShellContext(cwd=example.cwd),
    )


def _met(rule: Rule, example: Example) -> tuple[bool, str]:
    """Whether the rule matches the example, and a sentence why."""
    if not _in_scope(rule, example):
        return False, "its scope is another"
    if example.at_us is not None and not rule.holds_at(example.at_us):
        return False, "it does not hold at that time"
    command = command_of(example)
    read = _readings(command)
    if rule.action is Action.FORCE:
        missing = unlisted(rule, command, read, example.account)
        return missing is None, f"its list {_has(missing)}"
    what = matched(rule, command, read, example.account)
    if what is not None:
        return True, f"it matched {what!r}"
    return False, f"it matched nothing of {_seen(read)}"


def _readings(command: KnownCommand) -> Sequence[Reading]:
    # Loaded only here: a grammar of the shell is not needed to decide what somebody else has read.
    from watchgate.policy.readings import readings

    return readings(command)


def _has(missing: str | None) -> str:
    return "has all of it" if missing is None else f"does not have {missing!r}"


def _seen(read: Sequence[Reading]) -> str:
    """What there was to match."""
    found = [repr(text) for one in read for text in one.normalized]
    found += [f"opaque {one.reason} ({one.text})" for read_one in read for one in read_one.opaque]
    return ", ".join(found[:5]) or "a line without a command"


def _in_scope(rule: Rule, example: Example) -> bool:
    """Whether the scope holds, as far as the example says for whom it is."""
    said = {"operators": example.operator, "targets": example.target, "accounts": example.account}
    subject = Subject(
        example.operator or "", example.target or "", example.account or "", protocol=""
    )
    return rule.scope.may_hold(subject, {word for word, name in said.items() if name is not None})
