"""`watchgate account`: the identities used on targets; their secrets go into the vault."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from watchgate.cli import secrets
from watchgate.cli.context import Context, verb
from watchgate.cli.output import said, table
from watchgate.errors import ConfigurationError
from watchgate.secret import Secret
from watchgate.session.model import CredentialKind
from watchgate.vault import accounts

app = typer.Typer()

Where = Annotated[
    str, typer.Argument(metavar="ACCOUNT@TARGET", help="The account and its target: root@web1.")
]
PasswordFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Its password is in this file.")
]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Its password comes on standard input.")
]
KeyFile = Annotated[
    Path | None, typer.Option("--key", metavar="FILE", help="It logs in by this private key.")
]
PassphraseFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The passphrase of the private key.")
]
Certificate = Annotated[
    bool,
    typer.Option("--certificate", help="It logs in by certificates of the gateway's own CA."),
]


@verb(app, "add")
def add(
    context: Context,
    where: Where,
    password_file: PasswordFile = None,
    password_stdin: PasswordStdin = False,
    key: KeyFile = None,
    passphrase_file: PassphraseFile = None,
    certificate: Certificate = False,
) -> None:
    """Add an account; without options its password is typed, without echo."""
    name, target = _parts(where)
    kind, secret, passphrase = _credential(
        where, password_file, password_stdin, key, passphrase_file, certificate
    )
    with context.gateway() as gateway, gateway.change() as change:
        added = accounts.add(change, gateway.vault, target, name, kind, secret, passphrase)
    hint = ""
    if kind is CredentialKind.CERTIFICATE:
        hint = f"; {target} must trust the CA: TrustedUserCAKeys with {context.paths.authority_key}.pub"
    said(context, f"account {added.name}@{added.target} added, by {kind}{hint}", added)


@verb(app, "set")
def set_secret(
    context: Context,
    where: Where,
    password_file: PasswordFile = None,
    password_stdin: PasswordStdin = False,
    key: KeyFile = None,
    passphrase_file: PassphraseFile = None,
    certificate: Certificate = False,
) -> None:
    """Give an account another password, key, or the CA's certificates."""
    name, target = _parts(where)
    kind, secret, passphrase = _credential(
        where, password_file, password_stdin, key, passphrase_file, certificate
    )
    with context.gateway() as gateway, gateway.change() as change:
        changed = accounts.set_secret(change, gateway.vault, target, name, kind, secret, passphrase)
    said(context, f"account {changed.name}@{changed.target} now logs in by {kind}", changed)


@verb(app, "list")
def list_accounts(
    context: Context,
    target: Annotated[str | None, typer.Argument(metavar="[TARGET]", help="Only on this.")] = None,
) -> None:
    """List accounts; secrets are never shown."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        found = accounts.list_all(connection, on=target)
    table(
        context,
        found,
        {
            "ACCOUNT": [one.name for one in found],
            "TARGET": [one.target for one in found],
            "CREDENTIAL": [str(one.credential) for one in found],
        },
        empty="There is no account; add one: watchgate account add ACCOUNT@TARGET",
    )


@verb(app, "remove")
def remove(context: Context, where: Where) -> None:
    """Remove an account and its secret."""
    name, target = _parts(where)
    with context.gateway() as gateway, gateway.change() as change:
        accounts.remove(change, gateway.vault, target, name)
    said(context, f"account {where} removed", {"removed": where})


def _parts(where: str) -> tuple[str, str]:
    name, at, target = where.rpartition("@")
    if not at or not name or not target:
        raise ConfigurationError(
            f"{where!r} is not an account; write ACCOUNT@TARGET, as root@web1", code="cli.usage"
        )
    return name, target


def _credential(
    where: str,
    password_file: Path | None,
    password_stdin: bool,
    key: Path | None,
    passphrase_file: Path | None,
    certificate: bool,
) -> tuple[CredentialKind, Secret | None, Secret | None]:
    """What the options say: the kind, its secret, and the passphrase of a private key."""
    by_password = password_file is not None or password_stdin
    if (key is not None) + certificate + by_password > 1:
        raise ConfigurationError(
            "an account has one credential: a password, or --key, or --certificate",
            code="cli.usage",
        )
    if passphrase_file is not None and key is None:
        raise ConfigurationError("--passphrase-file goes with --key", code="cli.usage")
    if certificate:
        return CredentialKind.CERTIFICATE, None, None
    if key is None:
        secret = secrets.chosen(f"password of {where}", password_file, password_stdin, twice=True)
        return CredentialKind.PASSWORD, secret, None
    passphrase = None if passphrase_file is None else secrets.from_file(passphrase_file)
    return CredentialKind.PRIVATE_KEY, secrets.from_file(key), passphrase
