"""What makes the gateway's shell a sound list: all must be listed, and nothing may be unreadable.

The rules say what is listed. Beyond that a rule may let pass what cannot be read; here nothing does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from watchgate.policy.reading import Reading
from watchgate.policy.rules import Rule
from watchgate.policy.verdicts import Action, Outcome
from watchgate.session.deciding import Decision
from watchgate.session.model import Policy

NO_LIST = (
    "your grant gives you the gateway's own shell, which runs only what a rule lists, and no rule lists "
    "anything for you: ask the administrator for a rule with the action force"
)
LONGEST_SHOWN = 120


def listing(policy: Policy) -> tuple[Rule, ...]:
    """The rules that list what may run."""
    return tuple(
        rule for rule in policy.rules.rules if rule.action is Action.FORCE and not rule.shadow
    )


def objection(readings: Sequence[Reading]) -> str | None:
    """Why a line is refused whatever the rules say of it; None when it can be read to its end."""
    for reading in readings:
        for opaque in reading.opaque:
            part = opaque.text[:LONGEST_SHOWN]
            return f"the gateway's shell runs only what can be read, and this cannot ({opaque.reason}): {part}"
    if not any(reading.commands for reading in readings):
        return "the gateway's shell runs commands, and this is none"
    return None


def refused(decision: Decision, why: str) -> Decision:
    """The decision on a line to which there is an *objection*."""
    if not (decision.runs or decision.waits):
        return decision
    verdict = replace(decision.verdict, outcome=Outcome.FORCE)
    return replace(decision, verdict=verdict, message=why, approval=None)


def help_lines(policy: Policy) -> Iterator[str]:
    """What may run, in the words of the rules."""
    yield "These commands may run here:"
    for rule in listing(policy):
        programs = sorted(set(_programs(rule.described().get("match"))))
        named = f" ({', '.join(programs[:20])})" if programs else ""
        yield f"  {rule.name}: {rule.description or 'no description'}{named}"
    yield "and of the shell itself: cd, pwd, history, clear, help, exit"


def _programs(match: object) -> Iterator[str]:
    """The programs that a condition names, those left out that it only excludes."""
    match match:
        case dict():
            for key, value in match.items():
                if key == "program":
                    yield from [value] if isinstance(value, str) else map(str, value)
                elif key in ("any", "all"):
                    yield from _programs(value)
        case list():
            for one in match:
                yield from _programs(one)
        case _:
            pass
