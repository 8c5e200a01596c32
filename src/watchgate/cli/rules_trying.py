"""`watchgate rules test|lint|explain`: what rules do, before they do it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchgate.catalog import rules, targets
from watchgate.cli.context import Context, Gateway
from watchgate.cli.differences import refuse
from watchgate.cli.moments import coming
from watchgate.cli.output import document, on_one_line, said, warn
from watchgate.configuration.places import FilesRefused
from watchgate.identity import operators

if TYPE_CHECKING:
    from watchgate.policy.commands import KnownCommand
    from watchgate.policy.explaining import Explanation, Node, RuleExplained
    from watchgate.policy.findings import Finding
    from watchgate.policy.rules import Rule
    from watchgate.policy.scopes import Parts

_DAY_US = 86_400 * 1_000_000
MOST_SHOWN = 20
"""Rules that did not match are explained up to so many, unless all are asked for."""

Files = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FILE|DIR…]", help="Files of rules; without any, those of the gateway."
    ),
]


# --- test ------------------------------------------------------------------------------------------


def check_examples(context: Context, files: Files = None) -> None:
    """Check the examples of rules; exits with 1 when one does something else than it says."""
    from watchgate.policy.expectations import check

    if files:
        _test_files(context, files)
        return
    found = of_gateway(context)
    failures = [failure for rule in found for failure in check(rule)]
    if failures and not context.json:
        for failure in failures:
            typer.echo(on_one_line(str(failure)), err=True)
    _tested(context, found, len(failures), [str(one) for one in failures])


def _test_files(context: Context, files: Sequence[Path]) -> None:
    from watchgate.policy.loading import load_files

    try:
        found = load_files(files, examples=False)
    except FilesRefused as error:
        raise refuse(context, error) from error
    try:
        load_files(files)
    except FilesRefused as error:
        if not context.json:
            for problem in error.problems:
                typer.echo(on_one_line(str(problem)), err=True)
        _tested(context, found, error.count, [str(one) for one in error.problems])
    else:
        _tested(context, found, 0, [])


def _tested(context: Context, found: Sequence[Rule], failed: int, failures: list[str]) -> None:
    examples = sum(len(rule.expect) for rule in found)
    value = {"rules": len(found), "examples": examples, "failed": failed, "failures": failures}
    without = sum(not rule.expect for rule in found)
    bare = f"; {without} rules have none" if without else ""
    sentence = f"{len(found)} rules, {examples} examples, {failed} failed{bare}"
    said(context, sentence, value)
    if failed:
        raise typer.Exit(1)


# --- lint ------------------------------------------------------------------------------------------


def lint(
    context: Context,
    files: Files = None,
    days: Annotated[
        int, typer.Option(min=1, help="Name rules of the gateway that nothing met for so long.")
    ] = 90,
) -> None:
    """Look for rules that are legal and odd; exits with 1 when one cannot do what it is for."""
    from watchgate.policy import linting
    from watchgate.policy.findings import Gravity

    found = load(context, files) if files else of_gateway(context)
    findings = [*linting.lint(found)]
    if files is None or _there_is_a_gateway(context):
        with context.gateway() as gateway:
            findings += _unknown_names(gateway, found)
            findings += [] if files else _never_met(context, gateway, found, days)
    findings.sort(key=lambda one: (one.rule, one.code, one.message))
    if context.json:
        document(findings)
    for finding in () if context.json else findings:
        typer.echo(on_one_line(str(finding)))
    if not findings and not context.json:
        typer.echo(f"{len(found)} rules, nothing odd.")
    if any(finding.gravity is Gravity.ERROR for finding in findings):
        raise typer.Exit(1)


def _there_is_a_gateway(context: Context) -> bool:
    try:
        return context.paths.catalog.exists()
    except OSError:
        return False


def _unknown_names(gateway: Gateway, found: Sequence[Rule]) -> Iterator[Finding]:
    """Scopes that name operators, groups, targets or labels that the gateway does not have."""
    from watchgate.policy.findings import Finding, Gravity

    with gateway.catalog.read() as connection:
        there = targets.list_all(connection)
        known = {
            "operators": {one.name.lower() for one in operators.list_all(connection)},
            "groups": {name.lower() for name in operators.groups(connection)},
            "targets": {one.name.lower() for one in there},
        }
    labels = {(name, value.lower()) for one in there for name, value in one.labels.items()}
    for rule in found:
        for parts in (rule.scope.parts, rule.scope.excepted):
            for what in _unmatched(parts, known, labels):
                message = f"its scope names {what}, which the gateway does not have"
                yield Finding(rule.name, "unknown-in-scope", Gravity.WARNING, message)


def _unmatched(
    parts: Parts, known: dict[str, set[str]], labels: set[tuple[str, str]]
) -> Iterator[str]:
    for word, names in known.items():
        for glob in getattr(parts, word):
            if not any(glob.matches(name) for name in names):
                yield f"the {word.removesuffix('s')} {glob.text!r}"
    for label, globs in parts.labels:
        for glob in globs:
            if not any(name == label and glob.matches(value) for name, value in labels):
                yield f"the label {label}={glob.text}"


def _never_met(
    context: Context, gateway: Gateway, found: Sequence[Rule], days: int
) -> Iterator[Finding]:
    from watchgate.policy.findings import Finding, Gravity

    since_us = context.clock.wall_us() - days * _DAY_US
    with gateway.catalog.read() as connection:
        met = rules.hits(connection, since_us)
        old = {one.name for one in rules.listed(connection) if one.changed_at_us < since_us}
    for rule in found:
        if rule.name in old and rule.name not in met:
            message = f"nothing met it in {days} days"
            yield Finding(rule.name, "never-met", Gravity.NOTE, message)


# --- explain ---------------------------------------------------------------------------------------


def explain(
    context: Context,
    line: Annotated[str, typer.Argument(metavar="LINE", help="The command line.")],
    files: Annotated[
        list[Path] | None,
        typer.Option(
            "--rules", metavar="FILE|DIR", help="Rules of these files, not the gateway's."
        ),
    ] = None,
    operator: Annotated[str | None, typer.Option(help="Whose session it is.")] = None,
    target: Annotated[str | None, typer.Option(help="On which target.")] = None,
    account: Annotated[str | None, typer.Option(help="As which account.")] = None,
    cwd: Annotated[str | None, typer.Option(help="In which directory.")] = None,
    inside: Annotated[
        str | None, typer.Option(metavar="PROGRAM", help="Typed into this program.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="WHEN", help="At this moment, for schedules; else now.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="What did not match, too.")] = False,
) -> None:
    """Explain what the rules say of LINE and why, as a tree.

    Rules count whose scope holds for what is said of the session; what is not said does not matter.
    """
    from watchgate.policy.explaining import explain as explained
    from watchgate.policy.readings import readings
    from watchgate.policy.ruleset import RuleSet

    found = load(context, files) if files else of_gateway(context)
    chosen = _in_scope(context, found, operator, target, account)
    ruleset = replace(RuleSet(tuple(chosen)), account=account)
    command = _command(line, cwd, inside)
    at_us = coming(at, context.clock) or context.clock.wall_us()
    explanation = explained(ruleset, command, readings(command), at_us)
    if context.json:
        document(_explained(explanation))
        return
    _draw(explanation, len(found) - len(chosen), every=every)


def _command(line: str, cwd: str | None, inside: str | None) -> KnownCommand:
    from watchgate.policy.commands import KnownCommand, Place, Source
    from watchgate.policy.reading import ShellContext

    return KnownCommand(
        channel=0,
        text=line,
        source=Source.EXEC if inside is None else Source.KEYS,
        exact=True,
        place=Place.SHELL if inside is None else Place.PROGRAM,
        program=inside,
        context=ShellContext(cwd=cwd),
    )


def _in_scope(
    context: Context,
    found: Sequence[Rule],
    operator: str | None,
    target: str | None,
    account: str | None,
) -> list[Rule]:
    """The rules whose scope holds as far as something is said; groups and labels are the gateway's."""
    from watchgate.policy.subject import Subject

    groups: frozenset[str] = frozenset()
    labels: dict[str, str] = {}
    protocol = "ssh"
    if (operator or target) and _there_is_a_gateway(context):
        with context.gateway() as gateway, gateway.catalog.read() as connection:
            if operator:
                groups = operators.get(connection, operator).groups
            if target:
                there = targets.get(connection, target)
                labels, protocol = dict(there.labels), there.protocol
    subject = Subject(operator or "", target or "", account or "", protocol, groups, labels)
    asked = {
        *(("operators", "groups") if operator else ()),
        *(("targets", "labels", "protocols") if target else ()),
        *(("accounts",) if account else ()),
    }
    return [rule for rule in found if _holds(rule, subject, asked)]


def _holds(rule: Rule, subject: Any, asked: set[str]) -> bool:
    from watchgate.policy.scopes import Parts

    words = ("operators", "groups", "targets", "labels", "accounts", "protocols")
    known = Parts(**{word: getattr(rule.scope.parts, word) for word in words if word in asked})
    if not known.all_hold(subject):
        return False
    excepted = rule.scope.excepted
    wholly_asked = all(word in asked for word in words if getattr(excepted, word))
    return not (excepted and wholly_asked and excepted.all_hold(subject))


# --- as a tree ---


def _draw(explanation: Explanation, elsewhere: int, *, every: bool) -> None:
    import rich.console
    import rich.text
    import rich.tree

    tree = rich.tree.Tree(rich.text.Text(on_one_line(explanation.line), style="bold"))
    seen = tree.add("what is in it")
    for thing in explanation.things:
        seen.add(rich.text.Text(on_one_line(thing)))
    shown = [one for one in explanation.rules if one.matched]
    others = [one for one in explanation.rules if not one.matched]
    near = others if every else [one for one in others if _near(one)][:MOST_SHOWN]
    for one in (*shown, *near):
        _draw_rule(tree, one, every=every)
    left = len(others) - len(near)
    if left:
        tree.add(f"{left} other rules do not match; --all shows them")
    if elsewhere:
        tree.add(f"{elsewhere} rules are for other sessions")
    # Not cut where nobody looks at a terminal's width.
    width = None if sys.stdout.isatty() else 10_000
    console = rich.console.Console(file=sys.stdout, highlight=False, emoji=False, width=width)
    console.print(tree)
    typer.echo(on_one_line(explanation.summary))


def _near(one: RuleExplained) -> bool:
    """Whether a rule that did not match is worth showing: it is about that very program."""
    return any(_partly(child) for node in one.things for child in node.children)


def _partly(node: Node) -> bool:
    if node.text == "not":
        return False
    is_meant = node.text.startswith("program:") and node.word != "no"
    return is_meant or any(_partly(child) for child in node.children)


def _draw_rule(tree: Any, one: RuleExplained, *, every: bool) -> None:
    import rich.text

    mark, style = ("matches", "bold red") if one.matched else ("does not match", "dim")
    shadow = ", in the shadow" if one.shadow else ""
    note = f": {one.note}" if one.note else ""
    text = f"rule {one.rule} ({one.action}{shadow}) {mark}{on_one_line(note)}"
    branch = tree.add(rich.text.Text(text, style=style))
    for node in one.things:
        if every or node.word != "no" or (not one.matched and any(map(_partly, node.children))):
            _draw_node(branch, node)


def _draw_node(tree: Any, node: Node) -> None:
    import rich.text

    note = f"  ({on_one_line(node.note)})" if node.note else ""
    text = rich.text.Text(f"{_MARKS[node.word]} {on_one_line(node.text)}{note}")
    branch = tree.add(text)
    for child in node.children:
        _draw_node(branch, child)


_MARKS = {"yes": "[yes]", "may": "[may]", "no": "[no]"}


def _explained(explanation: Explanation) -> dict[str, Any]:
    return {
        "line": explanation.line,
        "outcome": explanation.verdict.outcome,
        "severity": explanation.verdict.severity,
        "points": explanation.verdict.points,
        "matches": explanation.verdict.matches,
        "unlisted": explanation.verdict.unlisted,
        "things": explanation.things,
        "summary": explanation.summary,
        "rules": [
            {
                "rule": one.rule,
                "action": one.action,
                "shadow": one.shadow,
                "matched": one.matched,
                "note": one.note,
                "things": [_node(node) for node in one.things],
            }
            for one in explanation.rules
        ],
    }


def _node(node: Node) -> dict[str, Any]:
    return {
        "text": node.text,
        "matched": node.word,
        "note": node.note,
        "children": [_node(child) for child in node.children],
    }


# --- where the rules are ---------------------------------------------------------------------------


def load(context: Context, files: Iterable[Path]) -> tuple[Rule, ...]:
    from watchgate.policy.loading import load_files

    try:
        return load_files(files, examples=False)
    except FilesRefused as error:
        raise refuse(context, error) from error


def of_gateway(context: Context) -> tuple[Rule, ...]:
    """The rules that hold now."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        found = rules.load(connection).rules
    if not found:
        warn("the gateway has no rules; name files, or see `watchgate rules library`")
    return found
