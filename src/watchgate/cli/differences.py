"""How a plan and the problems of files are shown: a line for each thing, and one for each field."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import typer

from watchgate.cli.context import Context
from watchgate.cli.output import on_one_line, plain, warn
from watchgate.configuration.difference import Action, Item, Plan
from watchgate.configuration.facts import Field
from watchgate.configuration.places import FilesRefused

_SIGNS = {Action.ADD: "+", Action.CHANGE: "~", Action.REMOVE: "-", Action.ADOPT: "="}
_COLORS = {Action.ADD: "green", Action.CHANGE: "yellow", Action.REMOVE: "red", Action.ADOPT: "cyan"}
_COUNTED = {
    Action.ADD: "to add",
    Action.CHANGE: "to change",
    Action.REMOVE: "to remove",
    Action.ADOPT: "to take over",
}


def show(plan: Plan) -> None:
    """Print a plan for people, in colors at a terminal (unless NO_COLOR is set)."""
    colored = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    for item in plan.items:
        for line in _lines(item):
            typer.echo(typer.style(line, fg=_COLORS[item.action]) if colored else line)
    for warning in plan.warnings:
        warn(warning)
    if plan.items:
        typer.echo(summary(plan))


def summary(plan: Plan) -> str:
    """How many of what: `3 to add, 1 to change`."""
    counts = ((plan.count(action), words) for action, words in _COUNTED.items())
    return ", ".join(f"{count} {words}" for count, words in counts if count)


def _lines(item: Item) -> Iterator[str]:
    yield f"{_SIGNS[item.action]} {item.kind} {on_one_line(item.name)}"
    width = max((len(field.name) for field in item.fields), default=0)
    for field in item.fields:
        yield f"    {on_one_line(field.name):<{width}}  {_change(item.action, field)}"
    for note in item.notes:
        yield f"    ({on_one_line(note)})"


def _change(action: Action, field: Field) -> str:
    old = "-" if field.old is None else on_one_line(field.old)
    new = "-" if field.new is None else on_one_line(field.new)
    if action is Action.ADD:
        return new
    return old if action is Action.REMOVE else f"{old} -> {new}"


def document(plan: Plan, **more: Any) -> dict[str, Any]:
    """A plan for programs."""
    return more | {
        "differs": plan.differs,
        "items": plain(plan.items),
        "warnings": list(plan.warnings),
    }


def refuse(context: Context, error: FilesRefused) -> typer.Exit:
    """Say each problem in a line of its own; the exit to raise."""
    if context.json:
        problems = [
            {
                "file": one.place.file,
                "line": one.place.line,
                "column": one.place.column,
                "path": one.path,
                "message": one.message,
            }
            for one in error.problems
        ]
        said = {"code": error.code, "message": str(error), "problems": problems}
        typer.echo(json.dumps({"error": said}), err=True)
        return typer.Exit(2)
    for problem in error.problems:
        typer.echo(on_one_line(str(problem)), err=True)
    more = error.count - len(error.problems)
    counted = f"{error.count} problem{'' if error.count == 1 else 's'}"
    warn(f"{counted}{f', {more} of them not shown' if more else ''}; nothing was changed")
    return typer.Exit(2)
