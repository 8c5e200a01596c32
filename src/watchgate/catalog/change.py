"""A change of the configuration: its transaction, its author, and its entry in the journal.

Every function that changes something takes a `Change` and says what it did with `note`, so that a
change and its journal entry are committed together or not at all.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from watchgate.catalog import journal
from watchgate.catalog.database import Catalog
from watchgate.clock import Clock
from watchgate.identifiers import uuid7
from watchgate.session.events import SettingsChanged


@dataclass(frozen=True, slots=True)
class Change:
    """What a function needs to change the configuration."""

    connection: Connection
    clock: Clock
    actor: str
    """Who does it: `cli:root`, `operator:alice`, `gateway`."""
    random: Callable[[int], bytes] = secrets.token_bytes

    @property
    def at_us(self) -> int:
        """The moment of the change."""
        return self.clock.wall_us()

    def fresh_id(self) -> str:
        """An id for a new row."""
        return uuid7(self.clock, self.random)

    def note(self, action: str, subject: str, **detail: Any) -> None:
        """Put `settings.changed` into the journal; *detail* is JSON and never holds a secret."""
        journal.append(
            self.connection, self.clock, SettingsChanged(self.actor, action, subject, detail)
        )


@contextmanager
def changing(
    catalog: Catalog,
    clock: Clock,
    actor: str,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> Iterator[Change]:
    """A change in a transaction of its own: `with changing(catalog, clock, "cli:root") as change`."""
    with catalog.write() as connection:
        yield Change(connection, clock, actor, random)
