"""`watchgate rules backtest`: what rules would have said of the commands that are recorded.

Whoever runs it sees what others did, so each run is an entry of the journal, written before anything is
shown.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchgate.catalog import journal
from watchgate.cli.context import Context, Gateway
from watchgate.cli.output import document, moment, on_one_line, warn
from watchgate.cli.rules_trying import load, of_gateway
from watchgate.clock import iso
from watchgate.session.events import IndexSearched

if TYPE_CHECKING:
    from watchgate.policy.rules import Rule
    from watchgate.reports.backtest import Counts, Ran, RuleCount
    from watchgate.reports.backtest_commands import Recorded

_DAY_US = 86_400 * 1_000_000
_SHORT_ID = 13
MOST_NAMED = 5
"""Operators, and targets, that are named of each rule."""

SHOWN_EVERY = 1_000
"""The bar moves after so many commands: moving it for each would take longer than deciding."""

Step = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the commands came from."""

    told: int
    read_off: int
    index: bool
    problems: tuple[str, ...]


def backtest(
    context: Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE|DIR…]", help="Files of rules; without any, those of the gateway."
        ),
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="Commands of the last so many days.")] = 30,
    every: Annotated[bool, typer.Option("--all", help="All commands that there are.")] = False,
    live: Annotated[
        bool, typer.Option("--live", help="As if rules in the shadow were in force.")
    ] = False,
    examples: Annotated[
        int, typer.Option(min=0, max=5, help="Show so many commands of each rule.")
    ] = 3,
) -> None:
    """Count what rules would have done to the commands that are recorded, beside what happened.

    Groups of operators and labels of targets are those of today.
    """
    found = load(context, files) if files else of_gateway(context)
    chosen = [replace(rule, shadow=False) for rule in found] if live else list(found)
    now_us = context.clock.wall_us()
    since_us = 0 if every else now_us - days * _DAY_US
    with context.gateway() as gateway:
        counts, source = _run(context, gateway, chosen, since_us)
        with gateway.catalog.write() as connection:
            journal.append(
                connection, context.clock, _event(context.actor, chosen, counts, since_us)
            )
    for problem in source.problems:
        warn(problem)
    if context.json:
        document(_described(counts, source, since_us))
        return
    _show(context, counts, source, examples)


def _event(actor: str, rules: Sequence[Rule], counts: Counts, since_us: int) -> IndexSearched:
    names = [rule.name for rule in rules]
    filters = {"rules": names[:100], "rules_count": len(names), "since_us": since_us}
    hits = sum(rule.hits for rule in counts.rules.values())
    return IndexSearched(actor, "", "backtest", filters, hits, partial=False)


# --- running ---------------------------------------------------------------------------------------


def _run(
    context: Context, gateway: Gateway, rules: Sequence[Rule], since_us: int
) -> tuple[Counts, Source]:
    from watchgate.policy.readings import readings
    from watchgate.policy.ruleset import RuleSet
    from watchgate.reports.backtest import Backtest
    from watchgate.reports.backtest_commands import Recorded

    tested = Backtest(RuleSet(tuple(rules)), readings)
    with gateway.catalog.read() as connection:
        recorded = Recorded(connection, since_us)
        with _progress(context, "commands", recorded.number) as step:
            tested.take(_each(recorded.of_catalog(), step))
        indexed = _through_index(context, recorded, tested.take)
    source = Source(recorded.told, recorded.read_off, indexed, tuple(recorded.problems))
    return tested.counts, source


def _through_index(
    context: Context, recorded: Recorded, take: Callable[[Iterable[Ran]], None]
) -> bool:
    """Take what the index has besides; false when there is no index."""
    from watchgate.catalog.search.index import SqliteIndex
    from watchgate.catalog.search.model import Kind

    directory = context.settings.index.directory
    if not directory.is_dir():
        return False
    with (
        closing(SqliteIndex(directory, context.clock)) as index,
        _progress(context, "sessions in the index", recorded.sessions) as step,
    ):
        take(recorded.of_index(lambda one: index.documents(one, Kind.COMMAND), lambda: step(1)))
    return True


def _each(commands: Iterator[Ran], step: Step) -> Iterator[Ran]:
    for number, ran in enumerate(commands, 1):
        yield ran
        if number % SHOWN_EVERY == 0:
            step(SHOWN_EVERY)


@contextmanager
def _progress(context: Context, what: str, total: Callable[[], int]) -> Iterator[Step]:
    """A bar for who waits at a terminal."""
    if context.json or not sys.stderr.isatty():
        yield _nothing
        return
    import rich.console
    import rich.progress

    console = rich.console.Console(stderr=True)
    with rich.progress.Progress(console=console, transient=True) as bar:
        task = bar.add_task(what, total=total())
        yield lambda number: bar.advance(task, number)


def _nothing(number: int) -> None:
    """Nobody looks."""


# --- showing ---------------------------------------------------------------------------------------


def _show(context: Context, counts: Counts, source: Source, examples: int) -> None:
    from watchgate.reports.backtest import most

    typer.echo(_read(counts, source))
    if not counts.commands:
        return
    would = f"{counts.held_up} would have been held up, of which {counts.newly} ran at the time"
    typer.echo(f"{would}; {counts.opaque} hold a part that cannot be read\n")
    for (was, then), count in sorted(counts.outcomes.items()):
        typer.echo(f"  {count:>9}  {was:<12} -> {then}")
    met = [rule for rule in counts.rules.values() if rule.hits]
    for rule in sorted(met, key=lambda one: (-one.hits, one.rule)):
        for line in _of_rule(context, rule, examples):
            typer.echo(line)
    never = sorted(rule.rule for rule in counts.rules.values() if not rule.hits)
    if never:
        typer.echo(f"\n{len(never)} rules met nothing: {on_one_line(', '.join(never))}")
    if counts.held_up:
        typer.echo(f"\nheld up most, by operator: {_named(most(counts.operators, MOST_NAMED))}")
        typer.echo(f"held up most, by target: {_named(most(counts.targets, MOST_NAMED))}")


def _read(counts: Counts, source: Source) -> str:
    """What was gone through."""
    index = f"{source.read_off} out of the index, read off screens" if source.index else "no index"
    said = f"{counts.commands} commands: {source.told} out of the catalog, {index}"
    off = (
        "; in these what was typed into programs counts as typed into a shell"
        if source.read_off
        else ""
    )
    return f"{said}{off}; {counts.distinct} differ"


def _of_rule(context: Context, rule: RuleCount, examples: int) -> Iterator[str]:
    from watchgate.reports.backtest import most

    shadow = ", in the shadow" if rule.shadow else ""
    yield (
        f"\nrule {rule.rule} ({rule.action}, {rule.severity}{shadow}): met {rule.hits} times, "
        f"decided {rule.decided}"
    )
    yield f"  operators: {_named(most(rule.operators, MOST_NAMED), len(rule.operators))}"
    yield f"  targets: {_named(most(rule.targets, MOST_NAMED), len(rule.targets))}"
    for one in list(rule.examples.values())[:examples]:
        where = f"{one.operator} on {one.target}, {moment(context, one.at_us)}"
        yield f"    {on_one_line(one.text[:200])}"
        yield f"      {on_one_line(where)}, session {one.session[:_SHORT_ID]}"


def _named(found: Sequence[tuple[str, int]], of: int = 0) -> str:
    named = ", ".join(f"{on_one_line(name)} {count}" for name, count in found)
    return f"{named}, and {of - len(found)} more" if of > len(found) else named


def _described(counts: Counts, source: Source, since_us: int) -> dict[str, Any]:
    return {
        "since_us": since_us,
        "commands": counts.commands,
        "distinct": counts.distinct,
        "from_catalog": source.told,
        "from_index": source.read_off,
        "index": source.index,
        "problems": source.problems,
        "inferred": counts.inferred,
        "opaque": counts.opaque,
        "points": counts.points,
        "held_up": counts.held_up,
        "newly_held_up": counts.newly,
        "outcomes": [
            {"happened": was, "would": then, "commands": count}
            for (was, then), count in sorted(counts.outcomes.items())
        ],
        "operators": dict(sorted(counts.operators.items())),
        "targets": dict(sorted(counts.targets.items())),
        "rules": [_rule(rule) for _, rule in sorted(counts.rules.items())],
    }


def _rule(rule: RuleCount) -> dict[str, Any]:
    return {
        "rule": rule.rule,
        "action": rule.action,
        "severity": rule.severity,
        "shadow": rule.shadow,
        "hits": rule.hits,
        "decided": rule.decided,
        "operators": dict(sorted(rule.operators.items())),
        "targets": dict(sorted(rule.targets.items())),
        "examples": [
            {
                "text": one.text,
                "what": one.what,
                "session": one.session,
                "at": iso(one.at_us),
                "operator": one.operator,
                "target": one.target,
            }
            for one in rule.examples.values()
        ],
    }
