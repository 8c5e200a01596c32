"""`watchgate vault`: the key that seals the secrets of accounts."""

from __future__ import annotations

import os

import typer

from watchgate.cli.context import Context, verb
from watchgate.cli.output import said

app = typer.Typer()


@verb(app, "check")
def check(context: Context) -> None:
    """Make sure that the vault's key file opens this catalog."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        key = gateway.vault.check(connection)
    said(context, f"the vault key {key} opens this catalog", {"key": key})


@verb(app, "rotate")
def rotate(context: Context) -> None:
    """Seal every secret with a new key; a gateway that serves goes on serving."""
    with context.gateway() as gateway:
        done = gateway.vault.rotate(gateway.catalog, gateway.clock, gateway.actor)
    key_file = context.paths.vault_key
    if os.geteuid() == 0:
        # Root did it for the user who serves: the new file belongs to whom the directory belongs.
        owner = key_file.parent.stat()
        os.chown(key_file, owner.st_uid, owner.st_gid)
    said(
        context,
        f"{done.secrets} secrets are sealed with the new key {done.new}; copy {key_file} to where "
        f"you keep its backup (the old key {done.old} opens older backups of the catalog)",
        done,
    )
