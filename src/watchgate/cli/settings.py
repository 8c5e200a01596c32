"""`watchgate settings`: every setting, its value, and where it came from."""

from __future__ import annotations

from typing import Annotated

import typer

from watchgate.cli.context import Context, with_common_options
from watchgate.cli.output import table


def show(
    context: Context,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="As `serve --set` would have it."),
    ] = None,
) -> None:
    """Show every setting, its value, and where it came from."""
    from watchgate.settings import TABLE, load

    loaded = load(context.data, flags=values or ())
    rows = []
    for name, row in TABLE.items():
        value = getattr(getattr(loaded, row.section), row.key)
        rows.append(
            {
                "name": name,
                "value": row.quantity.show(value),
                "origin": loaded.origins.get(name, "default"),
                "variable": None if row.only_in_file else row.variable,
                "about": row.sentence,
            }
        )
    table(
        context,
        rows,
        {
            "SETTING": [row["name"] for row in rows],
            "VALUE": [row["value"] for row in rows],
            "FROM": [row["origin"] for row in rows],
        },
        empty="There is no setting.",
    )


command = with_common_options(show)
