"""`watchgate demo`: a gateway and a target on this machine, to try it."""

from __future__ import annotations

from typing import Annotated

import typer

from watchgate.cli.context import Context, with_common_options


def demo(
    context: Context,
    check: Annotated[
        bool,
        typer.Option("--check", help="Unattended: drive a session, verify and replay it, and end."),
    ] = False,
) -> None:
    """Start a gateway and a target for this user on loopback, and say what to type."""
    from watchgate.demo.main import run

    raise typer.Exit(run(check, context.chosen_data))


command = with_common_options(demo)
