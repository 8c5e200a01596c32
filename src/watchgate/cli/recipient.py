"""`watchgate recipient`: the auditors, who can open recordings."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from watchgate.cli.context import Context, verb
from watchgate.cli.output import said, table
from watchgate.errors import ConfigurationError, NotFound
from watchgate.recording.auditors import load_recipients, parse_recipient
from watchgate.session.events import SettingsChanged
from watchgate.vault.keyfile import write_private

app = typer.Typer()

Recipient = Annotated[
    str, typer.Argument(metavar="RECIPIENT", help="age1…, or an ssh-ed25519 public key line.")
]


@verb(app, "list")
def list_recipients(context: Context) -> None:
    """List who can open the recordings that begin from now on."""
    context.require_initialized()
    found = load_recipients(context.paths.auditors)
    table(
        context,
        [{"recipient": one} for one in found],
        {"RECIPIENT": found},
        empty="Nobody can open recordings.",
    )


@verb(app, "add")
def add(context: Context, recipient: Recipient) -> None:
    """Let one more auditor open the recordings that begin after the next start of the gateway."""
    parse_recipient(recipient, "RECIPIENT")
    found = _listed(context)
    if recipient in found:
        raise ConfigurationError(f"{recipient} is listed already", code="recipient.exists")
    _write(context, [*found, recipient], "recipient.added", recipient)
    said(
        context,
        f"{recipient} can open recordings that begin after the gateway's next start; "
        "older ones stay with those whom they were made for",
        {"recipients": [*found, recipient]},
    )


@verb(app, "remove")
def remove(context: Context, recipient: Recipient) -> None:
    """Let an auditor open no recording that begins after the next start of the gateway."""
    found = _listed(context)
    if recipient not in found:
        raise NotFound(
            f"{recipient} is not listed; see `watchgate recipient list`", code="recipient.not-found"
        )
    left = [one for one in found if one != recipient]
    if not left:
        raise ConfigurationError(
            "this is the only auditor; add another first, or nobody could open a recording",
            code="recipient.last",
        )
    _write(context, left, "recipient.removed", recipient)
    said(
        context,
        f"{recipient} cannot open recordings that begin after the gateway's next start; "
        "the older ones he still can",
        {"recipients": left},
    )


def _listed(context: Context) -> list[str]:
    context.require_initialized()
    return load_recipients(context.paths.auditors)


def _write(context: Context, recipients: list[str], action: str, subject: str) -> None:
    from watchgate.catalog import journal

    file = context.paths.auditors
    text = "# Who can open recordings: age recipients, one a line.\n"
    text += "".join(f"{one}\n" for one in recipients)
    owner = file.stat()
    with context.gateway() as gateway, gateway.catalog.write() as connection:
        event = SettingsChanged(context.actor, action, subject, {"auditors": len(recipients)})
        journal.append(connection, context.clock, event)
        write_private(file, text.encode(), "the list of auditors", replace=True)
        if os.geteuid() == 0:
            os.chown(file, owner.st_uid, owner.st_gid)
