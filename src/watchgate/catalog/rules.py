"""The audited-command rules that are in force: kept as documents, compiled when they changed.

A session begins with one small query: how many rules there are, and when they were changed. Only when that
differs are they read again, and of these only what differs is compiled.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from watchgate.catalog import names
from watchgate.catalog.change import Change
from watchgate.catalog.schema import rule as table
from watchgate.catalog.schema import rule_hit
from watchgate.catalog.thread import CatalogThread
from watchgate.errors import ConfigurationError, WatchgateError
from watchgate.policy.rules import Rule
from watchgate.policy.ruleset import RuleSet

LIBRARY = "library"
"""The origin of rules that come with Watchgate."""

FILE = "file:"
"""What the origin of a rule out of a file begins with; the file's path follows."""

Compile = Callable[[Mapping[str, Any]], Rule]
"""Makes a rule of its document; raises WatchgateError."""

Version = tuple[int, int, int]
"""Differs whenever a rule was added, changed or removed."""


@dataclass(frozen=True, slots=True)
class StoredRule:
    """A rule as it is kept."""

    name: str
    document: str
    """The rule as JSON in its normal form."""
    digest: str
    origin: str
    """Where it comes from: `library`, `api`, `file:PATH`."""
    enabled: bool
    created_at_us: int
    changed_at_us: int

    def described(self) -> dict[str, Any]:
        """The rule as plain JSON values; raises ConfigurationError when it was damaged."""
        try:
            values = json.loads(self.document)
        except ValueError as error:
            raise self._damaged() from error
        whole = hashlib.sha256(self.document.encode("utf-8")).hexdigest() == self.digest
        if not whole or not isinstance(values, dict):
            raise self._damaged()
        return values

    def _damaged(self) -> ConfigurationError:
        return ConfigurationError(
            f"the rule {self.name} in the catalog is not what was put there; apply it again, "
            f"or take it out with `watchgate rules remove {self.name}`",
            code="rule.damaged",
        )


@dataclass(frozen=True, slots=True)
class Hits:
    """How often a rule was met."""

    decided: int = 0
    shadow: int = 0


# --- reading -------------------------------------------------------------------------------------


def listed(connection: Connection) -> list[StoredRule]:
    """All rules by name, those that are disabled too."""
    rows = connection.execute(select(*table.c).order_by(table.c.name))
    return [StoredRule(*row) for row in rows]


def get(connection: Connection, name: str) -> StoredRule:
    """The rule *name*; raises NotFound."""
    row = connection.execute(select(*table.c).where(table.c.name == name)).first()
    if row is None:
        raise names.unknown("rule", name, connection.scalars(select(table.c.name)), "rules")
    return StoredRule(*row)


def hits(connection: Connection, since_us: int) -> dict[str, Hits]:
    """By rule, how many commands met it since then."""
    query = (
        select(rule_hit.c.rule, rule_hit.c.shadow, func.count())
        .where(rule_hit.c.at_us >= since_us)
        .group_by(rule_hit.c.rule, rule_hit.c.shadow)
    )
    found: dict[str, Hits] = {}
    for name, shadow, count in connection.execute(query):
        known = found.get(name, Hits())
        found[name] = (
            Hits(known.decided, known.shadow + count)
            if shadow
            else Hits(known.decided + count, known.shadow)
        )
    return found


def version(connection: Connection) -> Version:
    """What tells whether anything changed since the last time."""
    query = select(
        func.count(),
        func.coalesce(func.max(table.c.changed_at_us), 0),
        # Of the microseconds alone: the sum of all times would not fit into an integer.
        func.coalesce(func.sum(table.c.changed_at_us % 1_000_000_007), 0),
    )
    count, newest, total = connection.execute(query).one()
    return int(count), int(newest), int(total)


# --- changing ------------------------------------------------------------------------------------


def put(change: Change, rule: Rule, origin: str, *, at_us: int | None = None) -> bool:
    """Add *rule*, or change the one of its name; false when it is there already as it is.

    *at_us* is what `moment` gave, when many are put together.
    """
    if not _is_text(rule.document):
        raise ConfigurationError(
            f"the rule {rule.name} holds half of a character (a lone surrogate), which is no text; "
            "write the character itself",
            code="rule.no-text",
        )
    connection = change.connection
    known = connection.execute(select(*table.c).where(table.c.name == rule.name)).first()
    if known is not None and (known.digest, known.origin) == (rule.digest, origin):
        return False
    values: dict[str, object] = {
        "document": rule.document,
        "digest": rule.digest,
        "origin": origin,
        "changed_at_us": moment(change) if at_us is None else at_us,
    }
    if known is None:
        fresh = {"name": rule.name, "enabled": True, "created_at_us": change.at_us}
        connection.execute(insert(table).values(fresh | values))
    else:
        connection.execute(update(table).where(table.c.name == rule.name).values(values))
    change.note(
        "rule.added" if known is None else "rule.changed",
        rule.name,
        digest=rule.digest,
        origin=origin,
        **({} if known is None else {"before": known.digest}),
        rule=rule.described(),
    )
    return True


def remove(change: Change, name: str) -> StoredRule:
    """Take a rule out; what it was. Raises NotFound."""
    gone = get(change.connection, name)
    change.connection.execute(delete(table).where(table.c.name == name))
    change.note("rule.removed", name, digest=gone.digest, origin=gone.origin)
    return gone


def enable(change: Change, name: str, *, enabled: bool) -> bool:
    """Let a rule hold, or not, for sessions that begin from now on; false when it is so already."""
    known = get(change.connection, name)
    if known.enabled == enabled:
        return False
    change.connection.execute(
        update(table)
        .where(table.c.name == name)
        .values(enabled=enabled, changed_at_us=moment(change))
    )
    change.note("rule.enabled" if enabled else "rule.disabled", name, digest=known.digest)
    return True


def _is_text(document: str) -> bool:
    try:
        document.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def moment(change: Change) -> int:
    """Now, but after every other change, also where the clock was set back: versions tell by it."""
    newest = change.connection.scalar(select(func.max(table.c.changed_at_us)))
    return max(change.at_us, (newest or 0) + 1)


# --- what holds ----------------------------------------------------------------------------------


def compiled(stored: StoredRule, compile_: Compile) -> Rule:
    """The rule at work; raises ConfigurationError that names it."""
    try:
        return compile_(stored.described())
    except ConfigurationError as error:
        if error.code == "rule.damaged":
            raise
        raise _unloadable(stored, error) from error
    except WatchgateError as error:
        raise _unloadable(stored, error) from error


def _unloadable(stored: StoredRule, error: Exception) -> ConfigurationError:
    return ConfigurationError(
        f"the rule {stored.name} in the catalog cannot be used ({error}), so no session may begin; "
        f"apply it again, or take it out with `watchgate rules disable {stored.name}`",
        code="rule.unusable",
    )


def load(connection: Connection, compile_: Compile | None = None) -> RuleSet:
    """The rules that are enabled, at work; raises ConfigurationError."""
    enabled = [stored for stored in listed(connection) if stored.enabled]
    return RuleSet(tuple(compiled(stored, compile_ or _from_document) for stored in enabled))


class CatalogRules:
    """Gives the rules of the catalog as they are now (see session.ports.Rules)."""

    def __init__(self, thread: CatalogThread, compile_: Compile | None = None) -> None:
        self._thread = thread
        self._compile = compile_ or _from_document
        self._asking = asyncio.Lock()
        self._version: Version | None = None
        self._rules = RuleSet()
        self._known: dict[str, Rule] = {}
        """Compiled rules by digest, those that hold now."""

    async def current(self) -> RuleSet:
        """All rules that hold now; raises ConfigurationError when one of them cannot be used."""
        # One at a time: sessions that begin together do not compile the same rules side by side.
        async with self._asking:
            await self._thread.read(self._refresh)
            return self._rules

    def _refresh(self, connection: Connection) -> None:
        newest = version(connection)
        if newest == self._version:
            return
        rules = [
            self._known.get(stored.digest) or compiled(stored, self._compile)
            for stored in listed(connection)
            if stored.enabled
        ]
        self._rules = RuleSet(tuple(rules))
        self._known = {rule.digest: rule for rule in rules}
        # Both were read in one transaction, so that they belong together.
        self._version = newest


def _from_document(document: Mapping[str, Any]) -> Rule:
    from watchgate.policy.loading import from_document

    # Its examples were checked when it was put here.
    return from_document(document, examples=False)
