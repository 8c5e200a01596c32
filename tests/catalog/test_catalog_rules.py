"""Rules in the catalog: what is kept of them, and that sessions get them as they are now."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from catalog_world import change, envelopes, fresh, request
from sqlalchemy import update

from watchgate.catalog import journal, projection, rules
from watchgate.catalog.change import changing
from watchgate.catalog.database import Catalog
from watchgate.catalog.rules import CatalogRules
from watchgate.catalog.schema import rule as table
from watchgate.catalog.thread import CatalogThread
from watchgate.clock import ManualClock
from watchgate.errors import ConfigurationError, NotFound
from watchgate.policy.rules import Rule
from watchgate.policy.verdicts import Action
from watchgate.session.events import CommandDecided, CommandRequested, SettingsChanged


def made(name: str, action: str = "block", **more: object) -> Rule:
    """A rule as loading makes it, as far as the catalog cares."""
    document = json.dumps({"name": name, "action": action} | more, sort_keys=True)
    digest = hashlib.sha256(document.encode()).hexdigest()
    return Rule(name, Action(action), document=document, digest=digest)


class Compiler:
    """Counts what it compiles."""

    def __init__(self) -> None:
        self.compiled: list[str] = []

    def __call__(self, document: Mapping[str, Any]) -> Rule:
        if document["action"] not in tuple(Action):
            raise ConfigurationError(f"there is no action {document['action']!r}")
        self.compiled.append(document["name"])
        return made(**document)


def put(catalog: Catalog, clock: ManualClock, *of: Rule, origin: str = "api") -> None:
    with changing(catalog, clock, "test") as changed:
        for rule in of:
            rules.put(changed, rule, origin)


def test_a_rule_is_kept_with_where_it_came_from(tmp_path: Path) -> None:
    with change(tmp_path) as changed:
        fresh_one = rules.put(changed, made("no-rm"), rules.LIBRARY)
        again = rules.put(changed, made("no-rm"), rules.LIBRARY)
        other = rules.put(changed, made("no-rm", "allow"), "file:/etc/rules.yaml")
        (kept,) = rules.listed(changed.connection)
        entries = [one.event for one in journal.entries(changed.connection, limit=10)]

    assert (fresh_one, again, other) == (True, False, True)
    assert (kept.origin, kept.enabled) == ("file:/etc/rules.yaml", True)
    assert kept.described() == {"name": "no-rm", "action": "allow"}
    assert [one.action for one in entries if isinstance(one, SettingsChanged)] == [
        "rule.changed",
        "rule.added",
    ]


def test_an_unknown_rule_names_the_nearest(tmp_path: Path) -> None:
    with change(tmp_path) as changed:
        rules.put(changed, made("no-rm"), "api")

        with pytest.raises(NotFound, match="did you mean no-rm"):
            rules.get(changed.connection, "no-rn")
        with pytest.raises(NotFound, match="did you mean no-rm"):
            rules.remove(changed, "no-rn")


def test_a_disabled_rule_is_listed_and_does_not_hold(tmp_path: Path) -> None:
    with change(tmp_path) as changed:
        rules.put(changed, made("no-rm"), "api")
        done = [rules.enable(changed, "no-rm", enabled=False) for _ in range(2)]
        (kept,) = rules.listed(changed.connection)
        holding = rules.load(changed.connection, Compiler())

    assert done == [True, False]
    assert not kept.enabled
    assert holding.rules == ()


def test_every_change_is_another_version_whatever_the_clock_says(tmp_path: Path) -> None:
    seen = []
    with fresh(tmp_path) as (catalog, clock):
        for step in range(6):
            with changing(catalog, clock, "test") as changed:
                if step == 3:
                    rules.remove(changed, "b")
                elif step == 4:
                    rules.enable(changed, "a", enabled=False)
                else:
                    rules.put(changed, made("ab"[step % 2], note=step), "api")
                seen.append(rules.version(changed.connection))
            clock.jump(-60)

    assert len(set(seen)) == 6


def test_versions_of_ten_thousand_rules_fit_an_integer(tmp_path: Path) -> None:
    with change(tmp_path) as changed:
        row = {"document": "{}", "digest": "", "origin": "api", "enabled": True}
        times = {"created_at_us": 1_800_000_000_000_000, "changed_at_us": 1_800_000_000_000_000}
        changed.connection.execute(
            table.insert(), [row | times | {"name": f"r{n}"} for n in range(10_000)]
        )
        count, _, _ = rules.version(changed.connection)

    assert count == 10_000


def test_rules_are_compiled_again_only_when_they_changed(tmp_path: Path) -> None:
    compiler = Compiler()

    async def twice(provider: CatalogRules) -> list[tuple[str, ...]]:
        found = [await provider.current(), await provider.current()]
        assert found[0] is found[1]
        return [tuple(rule.name for rule in found[0].rules)]

    with fresh(tmp_path) as (catalog, clock):
        thread = CatalogThread(catalog)
        provider = CatalogRules(thread, compiler)

        async def work() -> list[tuple[str, ...]]:
            found = await twice(provider)
            put(catalog, clock, made("b"), made("a"))
            found += await twice(provider)
            put(catalog, clock, made("b", "allow"))
            found += await twice(provider)
            with changing(catalog, clock, "test") as changed:
                rules.remove(changed, "a")
            return found + await twice(provider)

        found = asyncio.run(work())
        thread.close()

    assert found == [(), ("a", "b"), ("a", "b"), ("b",)]
    assert compiler.compiled == ["a", "b", "b"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"document": "{"}, "rule.damaged"),
        ({"document": '{"name":"bad","action":"allow"}'}, "rule.damaged"),
        ({"document": "[]", "digest": hashlib.sha256(b"[]").hexdigest()}, "rule.damaged"),
        (None, "rule.unusable"),
    ],
)
def test_a_rule_that_does_not_load_lets_no_session_begin(
    tmp_path: Path, values: dict[str, str] | None, code: str
) -> None:
    with fresh(tmp_path) as (catalog, clock):
        put(catalog, clock, made("good"), made("bad"))
        if values is None:
            document = '{"name":"bad","action":"explode"}'
            values = {
                "document": document,
                "digest": hashlib.sha256(document.encode()).hexdigest(),
            }
        with catalog.write() as connection:
            connection.execute(update(table).where(table.c.name == "bad").values(values))
        thread = CatalogThread(catalog)
        provider = CatalogRules(thread, Compiler())
        with pytest.raises(ConfigurationError, match="rule bad") as caught:
            asyncio.run(provider.current())
        thread.close()

    assert caught.value.code == code


def test_hits_are_counted_by_rule_and_shadows_apart(tmp_path: Path) -> None:
    of = request()
    met = CommandDecided(
        *(0, 0, "rm", ["rm"], [], "block", ["no-rm"], ["later"], "high", 25, 25, 39),
        *("exact", "exec", "ab" * 32),
    )
    with fresh(tmp_path) as (catalog, _):
        with catalog.write() as connection:
            projection.apply(connection, of, envelopes(of, CommandRequested(0, "rm"), met))
        with catalog.read() as connection:
            found = rules.hits(connection, of.started_at_us)
            none = rules.hits(connection, of.started_at_us + 10_000_000)

    assert found == {"no-rm": rules.Hits(1, 0), "later": rules.Hits(0, 1)}
    assert none == {}
