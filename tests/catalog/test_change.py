from __future__ import annotations

from pathlib import Path

import pytest
from catalog_world import fresh

from watchgate.catalog import journal, targets
from watchgate.catalog.change import Change, changing
from watchgate.errors import ConfigurationError
from watchgate.session.events import SettingsChanged


def test_a_change_and_its_entry_are_committed_together(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, clock):
        with changing(catalog, clock, "cli:root") as change:
            targets.add(change, "web1", "h", labels={"env": "prod"})
        with catalog.read() as connection:
            [entry] = journal.entries(connection)

    assert entry.event == SettingsChanged(
        "cli:root",
        "target.added",
        "web1",
        {"address": "h:22", "labels": {"env": "prod"}, "settings": {}},
    )
    assert entry.at_us == clock.wall_us()


def add_twice(change: Change) -> None:
    targets.add(change, "web1", "h")
    targets.add(change, "web1", "h")


def test_a_change_that_fails_leaves_neither(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, clock):
        with (
            pytest.raises(ConfigurationError, match="already a target"),
            changing(catalog, clock, "cli:root") as change,
        ):
            add_twice(change)
        with catalog.read() as connection:
            left = targets.list_all(connection), journal.entries(connection)

    assert left == ([], [])


def test_ids_are_made_from_the_given_clock_and_chance(tmp_path: Path) -> None:
    with (
        fresh(tmp_path) as (catalog, clock),
        changing(catalog, clock, "test", random=lambda count: b"\x07" * count) as change,
    ):
        first, second = change.fresh_id(), change.fresh_id()

    assert first == second
    assert int(first.replace("-", "")[:12], 16) == clock.wall_us() // 1000
