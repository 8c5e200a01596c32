"""Readings made by hand, and rules out of a few words: what the tests of rules share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from watchgate.policy.commands import KnownCommand, Place, Source
from watchgate.policy.loading import from_document
from watchgate.policy.reading import Opaque, Reading, Reason, Redirect, SimpleCommand, Word
from watchgate.policy.rules import Rule
from watchgate.policy.ruleset import RuleSet
from watchgate.policy.verdicts import Verdict

NOON_US = 1_763_726_400_000_000
"""2025-11-21T12:00Z, a Friday."""


def word(text: str) -> Word:
    """An argument: `$X` is not known, `*.log` is a pattern."""
    return Word(
        text.strip('"'), text, known="$" not in text, pattern=any(one in text for one in "*?[")
    )


def simple(text: str, *flags: str, **said: Any) -> SimpleCommand:
    """A command of words that need no quotes; what begins with `/` or `?/` is a path, with `-` no operand."""
    program, *words = text.split(" ")
    made = tuple(word(one) for one in words)
    operands = tuple(one for one in made if not one.text.startswith("-"))
    paths = tuple(
        "/**" if one.text.startswith("$") else one.text
        for one in operands
        if one.text.startswith(("/", "?/", "$"))
    )
    fields: dict[str, Any] = {
        "program": program.rpartition("/")[2],
        "path": program if "/" in program else None,
        "words": made,
        "flags": frozenset(flags),
        "operands": operands,
        "values": {},
        "paths": paths,
        "redirects": (),
        "wrappers": (),
        "user": None,
        "text": text,
        "raw": text,
    }
    return SimpleCommand(**(fields | said))


def writing(path: str | None, operator: str = ">") -> tuple[Redirect, ...]:
    """One redirection."""
    return (Redirect(operator, path, f"{operator} {path}"),)


def reading(*commands: SimpleCommand, opaque: Sequence[Opaque] = (), line: str = "") -> Reading:
    """A line of these commands, that parses unless an opaque part says otherwise."""
    text = line or "; ".join(one.raw for one in commands)
    broken = any(one.reason is Reason.UNPARSED for one in opaque)
    return Reading(text, tuple(commands), tuple(opaque), (text,) if broken else ())


def typed(line: str) -> Reading:
    """What is typed into a program."""
    return Reading(line, raw=(line,))


def given(*readings: Reading, **said: Any) -> tuple[KnownCommand, tuple[Reading, ...]]:
    """A command that means these."""
    text = readings[0].line if readings else ""
    fields: dict[str, Any] = {"channel": 0, "text": text, "source": Source.EXEC, "exact": True}
    return KnownCommand(**(fields | said)), readings


def typed_into(program: str, line: str) -> tuple[KnownCommand, tuple[Reading, ...]]:
    """A line typed into a program."""
    return given(typed(line), place=Place.PROGRAM, program=program, source=Source.KEYS, exact=False)


def rule(name: str = "it", action: str = "block", **said: Any) -> Rule:
    """A rule; its match is `program: rm` unless said."""
    document: dict[str, Any] = {"name": name, "action": action, "description": "A test."}
    return from_document(document | {"match": {"program": "rm"}} | said, examples=False)


def decided(
    rules: Sequence[Rule] | Rule,
    *readings: Reading,
    at_us: int = NOON_US,
    account: str | None = None,
    **said: Any,
) -> Verdict:
    """What rules say of a line."""
    made = (rules,) if isinstance(rules, Rule) else tuple(rules)
    command, found = given(*readings, **said)
    return RuleSet(made, account=account).decide(command, found, at_us)


def matches(match: dict[str, Any], *readings: Reading, action: str = "block", **said: Any) -> bool:
    """Whether a rule with that match matches a line."""
    return bool(decided(rule("it", action, match=match), *readings, **said).matches)
