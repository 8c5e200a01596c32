"""`watchgate export-config`: write operators, targets and grants as files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from watchgate.cli.context import Context, with_common_options
from watchgate.cli.output import said
from watchgate.configuration import current, exporting
from watchgate.errors import ConfigurationError


def export(
    context: Context,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="DIR", help="Into this directory, as several files."),
    ] = None,
    owner: Annotated[
        str | None,
        typer.Option(
            "--owner", metavar="NAME", help="What the files of this owner have, and nobody's."
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over files that are there.")
    ] = False,
) -> None:
    """Write the configuration as files that `watchgate apply` takes; secrets are not in them."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        held = current.load(connection)
    found = exporting.documents(held, owner)
    if to is None:
        typer.echo(exporting.one_file(found), nl=False)
        return
    texts = exporting.files(found)
    _write(to, texts, force=force)
    written = [str(to / name) for name in texts]
    said(context, f"written: {', '.join(written)}", {"written": written, "owner": found.owner})


def _write(directory: Path, texts: dict[str, str], *, force: bool) -> None:
    """All files or none: those that are there are seen before the first is written."""
    there = [name for name in texts if os.path.lexists(directory / name)]
    if there and not force:
        raise ConfigurationError(
            f"{directory} already has {', '.join(there)}; name another directory, or write over them "
            "with --force",
            code="configuration.exists",
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            path = directory / name
            if path.is_symlink():
                raise ConfigurationError(
                    f"{path} is a link, which is not written through; remove it",
                    code="configuration.link",
                )
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise ConfigurationError(
            f"{error.filename or directory} cannot be written: {error.strerror}",
            code="configuration.unwritable",
        ) from error


command = with_common_options(export)
