"""Accounts: the identities used on targets, each with a secret that goes straight into the vault."""

from __future__ import annotations

import asyncssh
from sqlalchemy import ColumnElement, Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from watchgate.catalog import names, targets
from watchgate.catalog.change import Change
from watchgate.catalog.schema import account, target
from watchgate.errors import ConfigurationError
from watchgate.secret import Secret
from watchgate.session.model import Account, CredentialKind, Target
from watchgate.vault.vault import ACCOUNT, Vault


def list_all(connection: Connection, *, on: str | None = None) -> list[Account]:
    """All accounts by target and name, or those of the target *on*."""
    if on is None:
        return load(connection)
    return load(connection, account.c.target_id == targets.get(connection, on).id)


def get(connection: Connection, on: str, name: str) -> Account:
    """The account *name* of the target *on*; raises NotFound with the nearest."""
    found = list_all(connection, on=on)
    for candidate in found:
        if candidate.name == name:
            return candidate
    raise names.unknown("account", name, [candidate.name for candidate in found])


def load(connection: Connection, *conditions: ColumnElement[bool]) -> list[Account]:
    """The accounts that meet *conditions*, by target and name."""
    query = (
        select(account.c.id, account.c.name, target.c.name.label("on"), account.c.credential)
        .join(target, target.c.id == account.c.target_id)
        .where(*conditions)
        .order_by(target.c.folded, account.c.name)
    )
    return [
        Account(row.id, row.name, row.on, CredentialKind(row.credential))
        for row in connection.execute(query)
    ]


def add(
    change: Change,
    vault: Vault,
    on: str,
    name: str,
    credential: CredentialKind,
    secret: Secret | None = None,
    passphrase: Secret | None = None,
) -> Account:
    """Add an account with its secret: a password, a private key (any usual format), or none.

    A private key is decrypted with *passphrase* now, because nobody is there to type it at a login;
    the vault encrypts it. A certificate needs no secret: the gateway's CA signs each session's key.
    """
    there = targets.get(change.connection, on)
    stored = checked_secret(credential, secret, passphrase)
    identifier = declare(change, there, name, credential)
    if stored is not None:
        vault.store(change, ACCOUNT, identifier, stored)
    return Account(identifier, name, there.name, credential)


def declare(change: Change, on: Target, name: str, credential: CredentialKind) -> str:
    """Add an account whose secret, if it needs one, comes later; its id."""
    names.checked_account(name)
    identifier = change.fresh_id()
    try:
        change.connection.execute(
            insert(account).values(
                id=identifier,
                target_id=on.id,
                name=name,
                credential=str(credential),
                created_at_us=change.at_us,
            )
        )
    except IntegrityError as error:
        raise names.taken("account", f"{name}@{on.name}") from error
    change.note("account.added", f"{name}@{on.name}", credential=str(credential))
    return identifier


def set_secret(
    change: Change,
    vault: Vault,
    on: str,
    name: str,
    credential: CredentialKind,
    secret: Secret | None = None,
    passphrase: Secret | None = None,
) -> Account:
    """Give an account another secret, of the same kind or another."""
    found = get(change.connection, on, name)
    stored = checked_secret(credential, secret, passphrase)
    turn(change, vault, found.id, f"{name}@{found.target}", credential)
    if stored is not None:
        vault.store(change, ACCOUNT, found.id, stored)
    return Account(found.id, found.name, found.target, credential)


def remove(change: Change, vault: Vault, on: str, name: str) -> None:
    """Remove an account and its secret; grants that name it permit nothing any more."""
    found = get(change.connection, on, name)
    discard(change, vault, found.id, f"{name}@{found.target}")


def turn(
    change: Change, vault: Vault, row_id: str, called: str, credential: CredentialKind
) -> None:
    """Give an account another kind of credential; a secret of the old kind would be none of the new."""
    vault.forget(change, ACCOUNT, row_id)
    change.connection.execute(
        update(account).where(account.c.id == row_id).values(credential=str(credential))
    )
    change.note("account.changed", called, credential=str(credential))


def discard(change: Change, vault: Vault, row_id: str, called: str) -> None:
    """Remove an account by its id, with its secret."""
    vault.forget(change, ACCOUNT, row_id)
    change.connection.execute(delete(account).where(account.c.id == row_id))
    change.note("account.removed", called)


def checked_secret(
    credential: CredentialKind, secret: Secret | None, passphrase: Secret | None = None
) -> Secret | None:
    """What the vault keeps for this kind of credential; ConfigurationError when it does not fit."""
    match credential:
        case CredentialKind.CERTIFICATE:
            if secret:
                raise ConfigurationError(
                    "an account with certificates has no secret of its own; leave it out",
                    code="account.needless-secret",
                )
            return None
        case CredentialKind.PASSWORD:
            if not secret:
                raise ConfigurationError("the password is empty", code="account.no-secret")
            _check_password(secret)
            return secret
        case CredentialKind.PRIVATE_KEY:
            if not secret:
                raise ConfigurationError("the private key is empty", code="account.no-secret")
            return _plain_key(secret, passphrase)


def _check_password(secret: Secret) -> None:
    """SSH sends passwords as UTF-8 (RFC 4252 §8); what is not cannot be sent."""
    try:
        text = secret.reveal_text()
    except UnicodeDecodeError as error:
        raise ConfigurationError("the password is not UTF-8", code="account.bad-secret") from error
    if "\0" in text or "\n" in text:
        raise ConfigurationError(
            "the password holds a line break or a NUL; cut what surrounds it",
            code="account.bad-secret",
        )


def _plain_key(secret: Secret, passphrase: Secret | None) -> Secret:
    try:
        key = asyncssh.import_private_key(
            secret.reveal(), None if passphrase is None else passphrase.reveal()
        )
        return Secret(key.export_private_key("openssh"))
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError) as error:
        raise _unreadable(str(error).lower()) from error


def _unreadable(cause: str) -> ConfigurationError:
    """What is wrong with a private key, by the words of asyncssh, which has one error for all."""
    if "bcrypt" in cause:
        return ConfigurationError(
            "a private key that OpenSSH encrypted needs the Python package bcrypt; install it, or "
            "take the passphrase off a copy of the key with ssh-keygen -p",
            code="account.no-bcrypt",
        )
    if "passphrase" in cause or "decrypt" in cause:
        return ConfigurationError(
            "the private key is encrypted and its passphrase was not given or is wrong",
            code="account.bad-passphrase",
        )
    return ConfigurationError(
        "this is not a private key that can be read (OpenSSH, PEM and PKCS#8 can)",
        code="account.bad-secret",
    )
