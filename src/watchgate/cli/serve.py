"""`watchgate serve`: the gateway itself."""

from __future__ import annotations

from typing import Annotated

import typer

from watchgate.cli.context import Context, with_common_options


def serve(
    context: Context,
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="A setting, as ssh.listen=[::]:22; may be repeated."
        ),
    ] = None,
) -> None:
    """Serve until SIGTERM or SIGINT. What it has to say to the administrator goes to stderr."""
    from watchgate import app
    from watchgate.cli import logs
    from watchgate.settings import load

    settings = load(context.data, flags=values or ())
    logs.configure(settings.log)
    context.require_initialized()
    app.serve(settings)


command = with_common_options(serve)
