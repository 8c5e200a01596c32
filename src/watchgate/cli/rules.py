"""`watchgate rules`: which commands are audited, and what is done with them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchgate.catalog import names, rules, rules_plan
from watchgate.catalog.rules import FILE, LIBRARY, StoredRule
from watchgate.catalog.rules_plan import Item, Plan, Step
from watchgate.cli import backtest, rules_trying
from watchgate.cli.asking import confirm
from watchgate.cli.context import Context, verb
from watchgate.cli.differences import refuse
from watchgate.cli.output import document, facts, moment, on_one_line, said, table, warn
from watchgate.cli.rules_text import as_file
from watchgate.configuration.places import FilesRefused
from watchgate.errors import ConfigurationError

if TYPE_CHECKING:
    from watchgate.policy.rules import Rule

app = typer.Typer()

WEEK = 7
_DAY_US = 86_400 * 1_000_000
_LONGEST_SCOPE = 60

Name = Annotated[str, typer.Argument(metavar="RULE", help="The rule's name.")]
Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE|DIR…", help="Files of rules, or directories that hold some."),
]


@verb(app, "apply")
def apply(
    context: Context,
    files: Files,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing; exit with 1 if something would be changed."),
    ] = False,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Remove rules that came from these files and are not there."),
    ] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Take over rules of these names from elsewhere.")
    ] = False,
) -> None:
    """Bring the rules to what files say; shows the changes and asks. Counts for new sessions."""
    wanted = _wanted(context, files)
    with context.gateway() as gateway:
        with gateway.catalog.read() as connection:
            held = rules.listed(connection)
        planned = rules_plan.plan(held, wanted, prune=prune, adopt=adopt)
        _refuse_conflicts(planned)
        if not context.json:
            _show_plan(planned)
        if check or not planned.differs:
            _answer(context, planned, applied=False)
            if check and planned.differs:
                raise typer.Exit(1)
            return
        confirm(f"Apply this to {context.data}?", yes=yes)
        with gateway.change() as change:
            rules_plan.carry_out(change, planned)
    _answer(context, planned, applied=True)


@verb(app, "list")
def list_rules(
    context: Context,
    days: Annotated[int, typer.Option(min=1, help="Count hits of so many days.")] = WEEK,
) -> None:
    """List the rules, and how often each was met."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        held = rules.listed(connection)
        hits = rules.hits(connection, context.clock.wall_us() - days * _DAY_US)
    met = {stored.name: hits.get(stored.name, rules.Hits()) for stored in held}
    documents = [stored.described() for stored in held]
    table(
        context,
        [
            _described(stored)
            | {"hits": met[stored.name].decided, "shadow_hits": met[stored.name].shadow}
            for stored in held
        ],
        {
            "RULE": [stored.name for stored in held],
            "ACTION": [one.get("action") for one in documents],
            "SEVERITY": [one.get("severity", "low") for one in documents],
            "SCOPE": [_scope(one) for one in documents],
            "FROM": [stored.origin for stored in held],
            f"HITS {days}D": [_hits(met[stored.name]) for stored in held],
            "STATE": [_state(stored) for stored in held],
        },
        empty="There are no rules: everything is allowed. `watchgate rules library` shows ready ones.",
    )


@verb(app, "show")
def show(context: Context, name: Name) -> None:
    """Show one rule, word by word."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        stored = rules.get(connection, name)
        hits = rules.hits(connection, context.clock.wall_us() - WEEK * _DAY_US).get(
            name, rules.Hits()
        )
    values = stored.described()
    if context.json:
        document(_described(stored) | {"hits": hits.decided, "shadow_hits": hits.shadow})
        return
    facts(
        context,
        stored,
        {
            "rule": stored.name,
            "state": _state(stored),
            "from": stored.origin,
            "added": moment(context, stored.created_at_us),
            "changed": moment(context, stored.changed_at_us),
            "digest": stored.digest,
            f"hits in {WEEK} days": _hits(hits),
        },
    )
    typer.echo(f"\n{as_file([values])}", nl=False)


@verb(app, "remove")
def remove(
    context: Context,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take a rule out; open sessions keep it to their end."""
    with context.gateway() as gateway:
        with gateway.catalog.read() as connection:
            rules.get(connection, name)
        confirm(f"Remove the rule {name}?", yes=yes)
        with gateway.change() as change:
            gone = rules.remove(change, name)
    said(context, f"rule {name} removed", _described(gone))


@verb(app, "enable")
def enable(context: Context, name: Name) -> None:
    """Let a rule hold again, for new sessions."""
    _switch(context, name, enabled=True)


@verb(app, "disable")
def disable(context: Context, name: Name) -> None:
    """Keep a rule without its holding, for new sessions."""
    _switch(context, name, enabled=False)


@verb(app, "library")
def library(context: Context) -> None:
    """List the ready rules that come with Watchgate."""
    from watchgate.policy.library import library as ready_rules

    ready = ready_rules()
    table(
        context,
        [one.rule.described() | {"group": one.group} for one in ready],
        {
            "GROUP": [one.group for one in ready],
            "RULE": [one.rule.name for one in ready],
            "ACTION": [one.rule.action for one in ready],
            "SEVERITY": [one.rule.severity for one in ready],
            "WHAT IT IS ABOUT": [one.rule.description for one in ready],
        },
        empty="This build of Watchgate has no ready rules.",
    )
    if ready and not context.json:
        typer.echo(
            "\nwatchgate rules use RULE, GROUP or all; --shadow only records what they would do"
        )


@verb(app, "use")
def use(
    context: Context,
    wanted: Annotated[
        list[str], typer.Argument(metavar="RULE|GROUP|all…", help="Which of the ready rules.")
    ],
    shadow: Annotated[
        bool, typer.Option("--shadow", help="They only record what they would do.")
    ] = False,
) -> None:
    """Copy ready rules into the gateway's; those that are there in an older form are changed."""
    chosen = _chosen(wanted, shadow=shadow)
    with context.gateway() as gateway:
        with gateway.catalog.read() as connection:
            held = rules.listed(connection)
        # Of the library only what is asked for is looked at: others of it stay as they are.
        looked_at = {rule.name for rule in chosen}
        planned = rules_plan.plan(
            [stored for stored in held if stored.name in looked_at], {LIBRARY: chosen}
        )
        _refuse_conflicts(planned)
        with gateway.change() as change:
            rules_plan.carry_out(change, planned)
    if context.json:
        _answer(context, planned, applied=planned.differs)
        return
    _show_plan(planned)
    held_back = (
        "; they only record, `watchgate rules use` without --shadow lets them act" if shadow else ""
    )
    typer.echo(f"{len(chosen)} of the ready rules are in use{held_back}.")


verb(app, "test")(rules_trying.check_examples)
verb(app, "lint")(rules_trying.lint)
verb(app, "explain")(rules_trying.explain)
verb(app, "backtest")(backtest.backtest)


# --- what files and the library say --------------------------------------------------------------


def _wanted(context: Context, files: Sequence[Path]) -> Mapping[str, Sequence[Rule]]:
    """The rules of each file or directory, by what the catalog calls it."""
    from watchgate.policy.loading import load_files

    try:
        # All together first: the examples are checked, and no two rules may have one name.
        together = load_files(files)
        if len(files) == 1:
            return {_origin(files[0]): together}
        return {_origin(path): load_files([path], examples=False) for path in files}
    except FilesRefused as error:
        raise refuse(context, error) from error


def _origin(path: Path) -> str:
    return f"{FILE}{os.path.abspath(path)}"


def _chosen(wanted: Sequence[str], *, shadow: bool) -> list[Rule]:
    from watchgate.policy.library import library as ready_rules
    from watchgate.policy.loading import from_document

    ready = ready_rules()
    chosen: dict[str, Rule] = {}
    for word in wanted:
        found = [one.rule for one in ready if word in ("all", one.group, one.rule.name)]
        if not found:
            known = [name for one in ready for name in (one.group, one.rule.name)]
            raise names.unknown("ready rule", word, known, "rules library")
        chosen |= {rule.name: rule for rule in found}
    if not shadow:
        return list(chosen.values())
    return [
        from_document(rule.described() | {"shadow": True}, examples=False)
        for rule in chosen.values()
    ]


def _switch(context: Context, name: str, *, enabled: bool) -> None:
    with context.gateway() as gateway, gateway.change() as change:
        changed = rules.enable(change, name, enabled=enabled)
        stored = rules.get(change.connection, name)
    word = "enabled" if enabled else "disabled"
    sentence = f"rule {name} is {word}" if changed else f"rule {name} was {word} already"
    said(context, sentence, _described(stored))


# --- showing -------------------------------------------------------------------------------------

_SIGNS = {Step.ADD: "+", Step.CHANGE: "~", Step.ADOPT: "=", Step.REMOVE: "-", Step.LEAVE: "?"}
_COUNTED = {
    Step.ADD: "to add",
    Step.CHANGE: "to change",
    Step.ADOPT: "to take over",
    Step.REMOVE: "to remove",
}


def _show_plan(planned: Plan) -> None:
    for item in planned.items:
        for line in _lines(item):
            typer.echo(line)
    left = planned.count(Step.LEAVE)
    if left:
        warn(f"{left} rules are in their files no more and stay; --prune removes them")
    counts = [
        f"{planned.count(step)} {words}" for step, words in _COUNTED.items() if planned.count(step)
    ]
    if counts:
        typer.echo(f"{', '.join(counts)}; {planned.same} as they are")


def _lines(item: Item) -> Iterator[str]:
    after = item.after
    shadow = ", in the shadow" if after is not None and after.shadow else ""
    what = f" ({after.action}, {after.severity}{shadow})" if after is not None else ""
    yield f"{_SIGNS[item.step]} rule {item.name}{what}"
    if item.step is not Step.CHANGE:
        return
    for key, old, new in item.changes:
        yield f"    {key:<12}  {on_one_line(old or '-')} -> {on_one_line(new or '-')}"


def _refuse_conflicts(planned: Plan) -> None:
    conflicts = planned.conflicts
    if not conflicts:
        return
    listed = ", ".join(f"{item.name} (from {item.origin})" for item in conflicts[:10])
    more = f" and {len(conflicts) - 10} more" if len(conflicts) > 10 else ""
    raise ConfigurationError(
        f"there are rules of these names from elsewhere: {listed}{more}; rename yours, remove those, "
        "or take them over with `rules apply --adopt`",
        code="rule.of-others",
    )


def _answer(context: Context, planned: Plan, *, applied: bool) -> None:
    if context.json:
        items = [
            {
                "rule": item.name,
                "step": item.step,
                "origin": item.origin,
                "changes": [
                    {"key": key, "before": old, "after": new} for key, old, new in item.changes
                ],
            }
            for item in planned.items
        ]
        document(
            {"applied": applied, "differs": planned.differs, "same": planned.same, "items": items}
        )
    elif applied:
        typer.echo(
            "Applied. New sessions use it; open sessions keep the rules that they began with."
        )
    elif not planned.differs:
        typer.echo("Nothing to change: the rules are as the files say.")


def _described(stored: StoredRule) -> dict[str, Any]:
    return {
        "name": stored.name,
        "rule": stored.described(),
        "digest": stored.digest,
        "origin": stored.origin,
        "enabled": stored.enabled,
        "created_at_us": stored.created_at_us,
        "changed_at_us": stored.changed_at_us,
    }


def _state(stored: StoredRule) -> str:
    if not stored.enabled:
        return "disabled"
    return "shadow" if stored.described().get("shadow") else "enabled"


def _hits(hits: rules.Hits) -> str:
    return f"{hits.decided} (+{hits.shadow} shadow)" if hits.shadow else str(hits.decided)


def _scope(values: Mapping[str, Any]) -> str:
    """A scope in a few words: `operators alice, bob; targets db*`."""
    scope = values.get("scope") or {}
    parts = [f"{name} {_listed(value)}" for name, value in scope.items()]
    text = "; ".join(parts) or "everywhere"
    return text if len(text) <= _LONGEST_SCOPE else f"{text[: _LONGEST_SCOPE - 1]}…"


def _listed(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_listed(one)}" for key, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
