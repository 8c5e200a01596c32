"""Credentials at rest: AES-256-GCM under the master key, one nonce a secret, bound to its owner.

A secret's associated data is its purpose, its id and its owner's id, so a ciphertext that is moved to
another account does not open. The catalog keeps a check value under the id of its key; a wrong key is
noticed at start-up and not at the first login.

**Rotation** leaves a readable pair of key file and catalog at every moment:

    1. write the new key to `vault.key.next`          catalog: old key, in `vault.key`
    2. seal all rows anew in one transaction           ... COMMIT decides
    3. rename `vault.key.next` over `vault.key`        catalog: new key, in `.next` until renamed

Whoever opens a secret asks the catalog for the key's id and takes the file that has it. A copy of the
catalog from before needs the key file from before: rotation removes it here.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, delete, insert, select, update

from watchgate.catalog.change import Change
from watchgate.catalog.database import Catalog
from watchgate.catalog.schema import account as account_table
from watchgate.catalog.schema import secret, vault_key
from watchgate.catalog.thread import CatalogThread
from watchgate.clock import Clock
from watchgate.errors import ConfigurationError
from watchgate.secret import Secret
from watchgate.session.model import Credential, CredentialKind, Route
from watchgate.vault import keyfile, masterkey
from watchgate.vault.masterkey import MasterKey

ACCOUNT = "account"
"""The purpose of an account's secret; its owner is the account's id."""

TOTP = "totp"
"""The purpose of an operator's one-time-password secret; its owner is the operator's id."""

LARGEST = 64 * 1024
_NONCE = 12
_CHECK = b"watchgate vault check"


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did."""

    old: str
    new: str
    secrets: int


class Vault:
    """Seals and opens secrets; knows the key file and nothing of who asks."""

    def __init__(
        self, key_file: Path, random: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._path = key_file
        self._random = random
        self._key: MasterKey | None = None

    @classmethod
    def create(
        cls,
        key_file: Path,
        change: Change,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> Vault:
        """A new key in *key_file*, and its check value in the catalog; neither may exist before."""
        if change.connection.execute(select(vault_key.c.id)).first() is not None:
            raise ConfigurationError(
                "the catalog has a vault key already; it is replaced by `watchgate vault rotate`",
                code="vault.exists",
            )
        key = masterkey.generate(random)
        masterkey.save(key_file, key)
        vault = cls(key_file, random)
        vault._put_check(change, key)
        change.note("vault.created", key.id)
        return vault

    # --- keys ------------------------------------------------------------------------------------

    @property
    def next_path(self) -> Path:
        """Where a rotation keeps the new key until the catalog is sealed with it."""
        return self._path.with_name(self._path.name + ".next")

    def check(self, connection: Connection) -> str:
        """Make sure that the key file opens this catalog; the key's id, or ConfigurationError."""
        row = connection.execute(select(vault_key)).one_or_none()
        if row is None:
            raise ConfigurationError(
                "the catalog has no vault key; run `watchgate init`", code="vault.missing"
            )
        key = self._key_named(row.id)
        if _open(key, row.nonce, row.check, _check_data(key.id)) != _CHECK:
            raise ConfigurationError(
                "the vault's check value in the catalog was altered; put back a backup of the catalog",
                code="vault.altered",
            )
        return key.id

    def _current(self, connection: Connection) -> MasterKey:
        name = connection.scalar(select(vault_key.c.id))
        if name is None:
            raise ConfigurationError(
                "the catalog has no vault key; run `watchgate init`", code="vault.missing"
            )
        return self._key_named(name)

    def _key_named(self, name: str) -> MasterKey:
        """The key with that id, from memory or from one of the two files that may have it."""
        if self._key is not None and self._key.id == name:
            return self._key
        # Between two looks a rotation may rename `.next` away; the second look finds it in place.
        for path in (self._path, self.next_path, self._path):
            if path.exists():
                key = masterkey.load(path)
                if key.id == name:
                    self._key = key
                    return key
        if not self._path.exists():
            keyfile.read_private(self._path, "the vault key")
        raise ConfigurationError(
            f"the vault key {self._path} is not the key of this catalog, which needs the key {name}; "
            "put back the key file that belongs to it (it names its key in its last line)",
            code="vault.wrong-key",
        )

    def _put_check(self, change: Change, key: MasterKey) -> None:
        nonce, sealed = _seal(key, self._random, _CHECK, _check_data(key.id))
        change.connection.execute(delete(vault_key))
        change.connection.execute(
            insert(vault_key).values(
                id=key.id, nonce=nonce, check=sealed, created_at_us=change.at_us
            )
        )

    # --- secrets ---------------------------------------------------------------------------------

    def store(self, change: Change, purpose: str, owner: str, value: Secret) -> None:
        """Seal *value* for its owner, in the place of what was there."""
        octets = value.reveal()
        if len(octets) > LARGEST:
            raise ConfigurationError(
                f"a secret of {len(octets)} octets is too long; {LARGEST} are allowed",
                code="vault.too-long",
            )
        key, identifier = self._current(change.connection), change.fresh_id()
        nonce, sealed = _seal(key, self._random, octets, _owned(purpose, identifier, owner))
        self.forget(change, purpose, owner)
        change.connection.execute(
            insert(secret).values(
                id=identifier,
                purpose=purpose,
                owner=owner,
                key_id=key.id,
                nonce=nonce,
                ciphertext=sealed,
                created_at_us=change.at_us,
            )
        )

    def forget(self, change: Change, purpose: str, owner: str) -> bool:
        """Remove the owner's secret; whether there was one."""
        here = (secret.c.purpose == purpose, secret.c.owner == owner)
        return change.connection.execute(delete(secret).where(*here)).rowcount > 0

    def fetch(self, connection: Connection, purpose: str, owner: str) -> Secret | None:
        """The owner's secret, or None; raises ConfigurationError when it cannot be opened."""
        row = connection.execute(
            select(secret).where(secret.c.purpose == purpose, secret.c.owner == owner)
        ).one_or_none()
        if row is None:
            return None
        key = self._key_named(row.key_id)
        data = _owned(row.purpose, row.id, row.owner)
        octets = _open(key, row.nonce, row.ciphertext, data)
        if octets is None:
            raise ConfigurationError(
                f"the {purpose} secret {row.id} in the catalog was altered; enter it again",
                code="vault.altered",
            )
        return Secret(octets)

    # --- rotation --------------------------------------------------------------------------------

    def rotate(self, catalog: Catalog, clock: Clock, actor: str) -> Rotated:
        """Seal everything with a new key; at every moment one key file opens the catalog."""
        with self._alone():
            self._finish_swap(catalog)
            key = masterkey.generate(self._random)
            with catalog.write() as connection:
                change = Change(connection, clock, actor)
                old = self.check(connection)
                masterkey.save(self.next_path, key, replace=True)
                count = self._reseal(change, key)
                self._put_check(change, key)
                change.note("vault.rotated", key.id, old=old, secrets=count)
            self._swap()
            self._key = key
        return Rotated(old, key.id, count)

    def _reseal(self, change: Change, key: MasterKey) -> int:
        rows = change.connection.execute(select(secret)).all()
        for row in rows:
            data = _owned(row.purpose, row.id, row.owner)
            octets = _open(self._key_named(row.key_id), row.nonce, row.ciphertext, data)
            if octets is None:
                raise ConfigurationError(
                    f"the {row.purpose} secret {row.id} in the catalog was altered; nothing was "
                    "rotated: enter it again or remove its owner first",
                    code="vault.altered",
                )
            nonce, sealed = _seal(key, self._random, octets, data)
            change.connection.execute(
                update(secret)
                .where(secret.c.id == row.id)
                .values(key_id=key.id, nonce=nonce, ciphertext=sealed)
            )
        return len(rows)

    def _finish_swap(self, catalog: Catalog) -> None:
        """Do what a rotation that crashed after its commit left undone."""
        with catalog.read() as connection:
            name = connection.scalar(select(vault_key.c.id))
        waiting = self.next_path.exists() and masterkey.load(self.next_path).id == name
        if waiting and not (self._path.exists() and masterkey.load(self._path).id == name):
            self._swap()

    def _swap(self) -> None:
        os.replace(self.next_path, self._path)
        keyfile.sync_directory(self._path.parent)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One rotation at a time, also between processes."""
        descriptor = os.open(
            self._path.with_name(self._path.name + ".lock"),
            os.O_RDWR | os.O_CREAT | os.O_CLOEXEC,
            0o600,
        )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise ConfigurationError(
                "another `watchgate vault rotate` is running; wait for it", code="vault.busy"
            ) from error
        finally:
            os.close(descriptor)


def _seal(
    key: MasterKey, random: Callable[[int], bytes], octets: bytes, data: bytes
) -> tuple[bytes, bytes]:
    nonce = random(_NONCE)
    return nonce, AESGCM(key.secret.reveal()).encrypt(nonce, octets, data)


def _open(key: MasterKey, nonce: bytes, sealed: bytes, data: bytes) -> bytes | None:
    """The octets; None when key, ciphertext or associated data is not what sealed them."""
    try:
        return AESGCM(key.secret.reveal()).decrypt(nonce, sealed, data)
    except (InvalidTag, ValueError):
        return None


def _owned(purpose: str, identifier: str, owner: str) -> bytes:
    return f"watchgate-vault-v1\0{purpose}\0{identifier}\0{owner}".encode()


def _check_data(key_id: str) -> bytes:
    return f"watchgate-vault-v1\0check\0{key_id}".encode()


class CatalogVault:
    """The vault for sessions: implements `session.ports.Vault`."""

    def __init__(self, vault: Vault, catalog: CatalogThread) -> None:
        self._vault = vault
        self._catalog = catalog

    async def credential(self, route: Route) -> Credential:
        """The secret for a login on *route*, opened for this one time."""
        account = route.account
        if account.credential is CredentialKind.CERTIFICATE:
            return Credential(account.credential, account.name, Secret(b""))
        found = await self._catalog.read(self._vault.fetch, ACCOUNT, account.id)
        if found is None:
            raise ConfigurationError(
                f"the account {account.name} on {route.target.name} has no credential in the vault; "
                f"give it one with `watchgate account set {account.name}@{route.target.name}`",
                code="vault.no-credential",
            )
        return Credential(account.credential, account.name, found)

    async def password(self, route: Route, account: str) -> Secret:
        """The password of *account* on the route's target, to answer an elevation with, opened once.

        `""` is the session's own account. Raises ConfigurationError when there is none.
        """
        name = account or route.account.name
        return await self._catalog.read(self._password, route.target.id, route.target.name, name)

    def _password(self, connection: Connection, target_id: str, on: str, name: str) -> Secret:
        row = connection.execute(
            select(account_table.c.id, account_table.c.credential).where(
                account_table.c.target_id == target_id, account_table.c.name == name
            )
        ).one_or_none()
        if row is None:
            raise ConfigurationError(
                f"{on} has no account {name} whose password could answer an elevation; add it with "
                f"`watchgate account add {name}@{on}`, or name another in the grant",
                code="vault.no-account",
            )
        if row.credential != CredentialKind.PASSWORD:
            raise ConfigurationError(
                f"the account {name} on {on} logs in with a {_words(row.credential)}, so there is no "
                f"password to answer an elevation with; keep the password as another account of {on}, "
                "and name that in the grant",
                code="vault.no-password",
            )
        found = self._vault.fetch(connection, ACCOUNT, row.id)
        if found is None:
            raise ConfigurationError(
                f"the account {name} on {on} has no password in the vault; "
                f"give it one with `watchgate account set {name}@{on}`",
                code="vault.no-credential",
            )
        return found


def _words(credential: str) -> str:
    return credential.replace("-", " ")
