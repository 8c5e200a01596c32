"""What the tests of the vault begin with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from watchgate.catalog import targets
from watchgate.catalog.change import Change, changing
from watchgate.catalog.database import Catalog
from watchgate.clock import ManualClock
from watchgate.vault.vault import Vault


@dataclass
class World:
    """A catalog with a vault and the target web1."""

    catalog: Catalog
    clock: ManualClock
    vault: Vault
    key_file: Path

    @contextmanager
    def change(self) -> Iterator[Change]:
        """A change by the test."""
        with changing(self.catalog, self.clock, "test") as change:
            yield change


@contextmanager
def fresh(folder: Path) -> Iterator[World]:
    """A world in *folder*."""
    clock, key_file = ManualClock(), folder / "vault.key"
    with Catalog.open(folder / "catalog.db") as catalog:
        with changing(catalog, clock, "test") as change:
            vault = Vault.create(key_file, change)
            targets.add(change, "web1", "web1.corp")
        yield World(catalog, clock, vault, key_file)
