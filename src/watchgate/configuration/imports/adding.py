"""Adding what an import proposed: the same entries in the journal as by the verbs."""

from __future__ import annotations

from collections.abc import Iterable

from watchgate.catalog import targets
from watchgate.catalog.change import Change
from watchgate.configuration.imports.proposals import Machine
from watchgate.session.model import CredentialKind
from watchgate.vault import accounts


def add(change: Change, machines: Iterable[Machine], credential: CredentialKind | None) -> None:
    """Add *machines* as targets, and their accounts when *credential* says how these log in."""
    for machine in machines:
        added = targets.add(change, machine.name, machine.host, machine.port, labels=machine.labels)
        for name in machine.accounts if credential is not None else ():
            assert credential is not None
            accounts.declare(change, added, name, credential)
