"""`watchgate apply`: bring operators, targets and grants to what files say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from watchgate.cli import differences
from watchgate.cli.asking import confirm
from watchgate.cli.context import Context, Gateway, with_common_options
from watchgate.cli.output import document
from watchgate.configuration import applying, current, difference, gathering, schema
from watchgate.configuration.difference import Plan
from watchgate.configuration.entries import Documents
from watchgate.configuration.places import FilesRefused
from watchgate.errors import ConfigurationError


def apply_files(
    context: Context,
    directory: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="The directory with the files.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing; exit with 1 if something would be changed."),
    ] = False,
    adopt: Annotated[
        bool,
        typer.Option("--adopt", help="Take over what was made by hand or is of other files."),
    ] = False,
    as_schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of the files.")
    ] = False,
) -> None:
    """Bring operators, targets and grants to what the files in DIR say; shows the changes and asks."""
    if as_schema:
        typer.echo(schema.schema_text(), nl=False)
        return
    if directory is None:
        raise ConfigurationError("name the directory with the files", code="cli.usage")
    try:
        documents = gathering.read(directory)
        with context.gateway() as gateway:
            _apply(context, gateway, documents, yes=yes, check=check, adopt=adopt)
    except FilesRefused as error:
        raise differences.refuse(context, error) from error


def _apply(
    context: Context, gateway: Gateway, documents: Documents, *, yes: bool, check: bool, adopt: bool
) -> None:
    with gateway.catalog.read() as connection:
        held = current.load(connection)
    plan = difference.plan(documents, held, context.clock.wall_us(), adopt=adopt)
    if plan.conflicts:
        raise FilesRefused(plan.conflicts)
    if not context.json:
        differences.show(plan)
    if check or not plan.items:
        _answer(context, documents, plan, applied=False)
        if check and plan.differs:
            raise typer.Exit(1)
        return
    confirm(f"Apply this to {context.data}?", yes=yes)
    with gateway.change() as change:
        applying.apply(change, gateway.vault, documents, plan, adopt=adopt)
    _answer(context, documents, plan, applied=True)


def _answer(context: Context, documents: Documents, plan: Plan, *, applied: bool) -> None:
    if context.json:
        document(
            differences.document(
                plan, applied=applied, owner=documents.owner, digest=documents.digest
            )
        )
    elif applied:
        typer.echo("Applied. New sessions use it; open sessions keep what they began with.")
    elif not plan.items:
        typer.echo("Nothing to change: everything is as the files say.")


command = with_common_options(apply_files)
