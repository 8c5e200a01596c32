"""What the tests of configuration begin with: files in a directory, and a catalog to bring to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from watchgate.catalog import journal
from watchgate.catalog.change import Change, changing
from watchgate.catalog.database import Catalog
from watchgate.clock import ManualClock
from watchgate.configuration import applying, current, difference, exporting, gathering
from watchgate.configuration.current import Current
from watchgate.configuration.difference import Plan
from watchgate.configuration.entries import Documents
from watchgate.configuration.folder import File
from watchgate.configuration.places import Problems
from watchgate.vault.vault import Vault

KEYS = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICZFXKXCDYnnOd/euSgsAyn5tia2vkoJyuPuV30zjMZw",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP8l3bMfPShXCKIRTdnYFG1US2XYbdYoM8vpAiPOYock",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKwIteuvNFyxGmZhb8m8pxxQVSLG19Vp9glLGalqd9Ly",
)


def said(*texts: str) -> Documents:
    """What files with these texts say; they must be right."""
    problems = Problems()
    found = gathering.gather(files(*texts), problems)
    assert [str(one) for one in problems.found] == []
    return found


def wrong(*texts: str) -> list[str]:
    """What is wrong with files with these texts."""
    problems = Problems()
    gathering.gather(files(*texts), problems)
    return [str(one) for one in problems.found]


def files(*texts: str) -> list[File]:
    """`a.yaml`, `b.yaml`, … with these texts; one that names the owner is `watchgate.yaml`."""
    names = (f"{letter}.yaml" for letter in "abcdefgh")
    return [
        File("watchgate.yaml" if "\nowner:" in text else name, dedent(text).encode())
        for name, text in zip(names, texts, strict=False)
    ]


@dataclass
class World:
    """A catalog with its vault."""

    catalog: Catalog
    clock: ManualClock
    vault: Vault

    @contextmanager
    def change(self) -> Iterator[Change]:
        """A change by hand."""
        with changing(self.catalog, self.clock, "test") as change:
            yield change

    def held(self) -> Current:
        """The configuration as it is."""
        with self.catalog.read() as connection:
            return current.load(connection)

    def plan(self, documents: Documents, *, adopt: bool = False) -> Plan:
        """What an apply would do."""
        return difference.plan(documents, self.held(), self.clock.wall_us(), adopt=adopt)

    def apply(self, *texts: str, adopt: bool = False) -> Plan:
        """Apply files with these texts; what was done."""
        return self.apply_documents(said(*texts), adopt=adopt)

    def apply_documents(self, documents: Documents, *, adopt: bool = False) -> Plan:
        shown = self.plan(documents, adopt=adopt)
        with self.change() as change:
            return applying.apply(change, self.vault, documents, shown, adopt=adopt)

    def exported(self, owner: str | None = None) -> str:
        """The configuration as one file."""
        return exporting.one_file(exporting.documents(self.held(), owner))

    def actions(self) -> list[str]:
        """What the journal says was done, and to what."""
        with self.catalog.read() as connection:
            entries = [one.event.data() for one in journal.entries(connection)]
        return [f"{one['action']} {one['subject']}" for one in entries if "action" in one]


@contextmanager
def fresh(folder: Path) -> Iterator[World]:
    """A world in *folder*."""
    clock = ManualClock()
    with Catalog.open(folder / "catalog.db") as catalog:
        with changing(catalog, clock, "test") as change:
            vault = Vault.create(folder / "vault.key", change)
        yield World(catalog, clock, vault)
