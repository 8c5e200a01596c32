"""What the tests of identity begin with: a catalog with a vault, and cheap passwords."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from watchgate.catalog.change import Change, changing
from watchgate.catalog.database import Catalog
from watchgate.clock import ManualClock
from watchgate.identity.passwords import Cost, Passwords
from watchgate.secret import Secret
from watchgate.session.model import Address, Claim
from watchgate.vault.vault import Vault

CHEAP = Cost(passes=1, memory_kib=64, lanes=1)
PASSWORD = Secret("correct horse battery")
HERE = Address("192.0.2.7", 50000)
GATEWAY = Address("192.0.2.1", 2222)


class CountingPasswords(Passwords):
    """Counts what a clock could measure."""

    def __init__(self, cost: Cost = CHEAP) -> None:
        super().__init__(cost)
        self.verified = 0
        self.hashed = 0

    def verify(self, stored: str | None, password: Secret) -> bool:
        self.verified += 1
        return super().verify(stored, password)

    def hash(self, password: Secret) -> str:
        self.hashed += 1
        return super().hash(password)


@dataclass
class World:
    """A catalog, its vault, a clock, and passwords that cost little."""

    catalog: Catalog
    clock: ManualClock
    vault: Vault
    passwords: CountingPasswords = field(default_factory=CountingPasswords)

    @contextmanager
    def change(self) -> Iterator[Change]:
        """A change by the test."""
        with changing(self.catalog, self.clock, "test") as change:
            yield change


@contextmanager
def fresh(folder: Path) -> Iterator[World]:
    """A world in *folder*."""
    clock = ManualClock()
    with Catalog.open(folder / "catalog.db") as catalog:
        with changing(catalog, clock, "test") as change:
            vault = Vault.create(folder / "vault.key", change)
        yield World(catalog, clock, vault)


def claim(
    target: str | None, account: str | None = None, operator: str = "alice", host: str = HERE.host
) -> Claim:
    """What a client says that wants this."""
    return Claim("ssh", operator, account, target, Address(host, 50000), GATEWAY)


def new_key() -> tuple[str, bytes]:
    """The OpenSSH line and the wire form of a fresh public key."""
    key = asyncssh.generate_private_key("ssh-ed25519", comment="laptop")
    return key.export_public_key().decode(), key.public_data
