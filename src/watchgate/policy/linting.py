"""What is odd about rules that are legal: they never match, always match, or do not do what one thinks."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from watchgate.policy.candidates import Kind
from watchgate.policy.combining import mentions, within
from watchgate.policy.conditions import (
    Condition,
    Flags,
    Program,
    Values,
)
from watchgate.policy.findings import Finding, Found, Gravity
from watchgate.policy.judging import ALWAYS_PERMITTED
from watchgate.policy.lint_matches import of_match, together
from watchgate.policy.rules import Rule
from watchgate.policy.verdicts import Action


def lint(
    rules: Sequence[Rule], flags_of: Callable[[str], frozenset[str] | None] | None = None
) -> tuple[Finding, ...]:
    """All that is odd about *rules*, by the rules' names.

    *flags_of* gives the names of the flags of a program, or None when they are not known; without it, it
    is asked what the shell's reader knows.
    """
    known = flags_of or _known_flags
    found = [finding for rule in rules for finding in _of_rule(rule, known)]
    found += _doubles(rules)
    found += _of_lists(rules)
    return tuple(sorted(found, key=lambda one: (one.rule, one.code, one.message)))


def _of_rule(rule: Rule, flags_of: Callable[[str], frozenset[str] | None]) -> Iterator[Finding]:
    for check in (of_match, _actions, _examples):
        for code, gravity, message in check(rule):
            yield Finding(rule.name, code, gravity, message)
    for message in _unknown_flags(rule, flags_of):
        yield Finding(rule.name, "unknown-flag", Gravity.WARNING, message)


# --- actions -------------------------------------------------------------------------------------


def _actions(rule: Rule) -> Found:
    if rule.action is Action.INTERRUPT and rule.attempts == 1:
        yield (
            "interrupts-at-once",
            Gravity.NOTE,
            "with one attempt the session ends at the first such command; a typing error is enough",
        )
    if rule.lock_account_after == 1:
        yield "locks-at-once", Gravity.NOTE, "the first such command locks the operator's account"
    if rule.lock_account_after and rule.shadow:
        yield "shadow-locks-nobody", Gravity.WARNING, "a rule in the shadow locks no account"
    if rule.action is Action.ALLOW and not rule.points:
        yield (
            "allow-says-nothing",
            Gravity.NOTE,
            "allow with no points only names the rule in the verdict",
        )
    if rule.message and rule.action is Action.ALLOW:
        yield "message-unseen", Gravity.WARNING, "nobody reads the message of a rule that allows"


def _examples(rule: Rule) -> Found:
    matches = {example.matches for example in rule.expect}
    if not matches:
        yield (
            "no-examples",
            Gravity.WARNING,
            "it has no examples (expect), so nothing says whether it works",
        )
    elif len(matches) == 1:
        missing = "misses" if True in matches else "matches"
        yield "one-sided-examples", Gravity.NOTE, f"its examples have no line that it {missing}"


# --- flags ---------------------------------------------------------------------------------------


def _known_flags(program: str) -> frozenset[str] | None:
    # Loaded only here: the tables of programs are not needed to decide.
    from watchgate.policy.shell.programs import flags_of

    known = flags_of(program)
    if not known.known:
        return None
    spelled = (known.short, known.long, known.single)
    return frozenset(flag.name for flags in spelled for flag in flags.values())


def _unknown_flags(rule: Rule, flags_of: Callable[[str], frozenset[str] | None]) -> Iterator[str]:
    """Flags that none of the programs has beside which they stand."""
    for parts in together(rule.match):
        programs = [glob for part in parts if isinstance(part, Program) for glob in part.globs]
        known = [flags_of(one.literal) for one in programs if one.literal is not None]
        if not known or len(known) < len(programs):
            continue
        names = frozenset[str]().union(*(flags for flags in known if flags is not None))
        if any(flags is None for flags in known):
            continue
        for flag in sorted(_flags_in(parts) - names):
            near = difflib.get_close_matches(flag.lstrip("-"), names, n=1)
            advice = f"; did you mean {near[0]}?" if near else ""
            which = ", ".join(one.text for one in programs)
            yield f"{which} is not known to have the flag {flag!r}{advice}"


def _flags_in(parts: tuple[Condition, ...]) -> set[str]:
    found: set[str] = set()
    for part in parts:
        if isinstance(part, Flags):
            found |= {*part.every_of, *part.one_of, *(part.only or ())}
        if isinstance(part, Values):
            found |= {flag for flag, _ in part.flags}
    return found


# --- several rules -------------------------------------------------------------------------------


def _doubles(rules: Sequence[Rule]) -> Iterator[Finding]:
    """Rules that say the same of the same."""
    groups: dict[tuple[object, ...], list[Rule]] = defaultdict(list)
    for rule in rules:
        groups[(rule.match, rule.scope, rule.schedule, rule.shadow)].append(rule)
    for group in groups.values():
        first = min(group, key=lambda rule: rule.name)
        for rule in group:
            if rule is first:
                continue
            same = rule.action is first.action
            what = "says the same as" if same else f"matches the same as {first.action} rule"
            yield Finding(
                rule.name,
                "double" if same else "overruled",
                Gravity.WARNING,
                f"it {what} {first.name}, for the same sessions and times",
            )


def _of_lists(rules: Sequence[Rule]) -> Iterator[Finding]:
    """What to know where there is a list."""
    forces = [rule for rule in rules if rule.action is Action.FORCE and not rule.shadow]
    leaving = ", ".join(sorted(ALWAYS_PERMITTED))
    for rule in forces:
        programs = {
            one.literal
            for part in within(rule.match)
            if isinstance(part, Program)
            for one in part.globs
        }
        if programs and programs <= ALWAYS_PERMITTED:
            yield Finding(
                rule.name,
                "list-of-exits",
                Gravity.NOTE,
                f"{leaving} may always run; they need no list",
            )
    if forces and not any(mentions(rule.match, Kind.OPAQUE) for rule in forces):
        yield Finding(
            forces[0].name,
            "list-without-opaque",
            Gravity.NOTE,
            f"where it applies, nothing runs that cannot be read, as no list says opaque ({leaving} always may)",
        )
