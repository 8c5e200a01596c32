"""The catalog's lists are a projection: built again from the recordings they are the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from e2e.gateway import World, wait_for, world
from watchgate.catalog import rules, schema
from watchgate.cli.application import run
from watchgate.policy.loading import load_text
from watchgate.session.model import Capability

pytestmark = pytest.mark.real


RULES = """
version: 1
rules:
  watched: {description: Everything runs and is counted., action: allow, match: {program: "*"}}
"""


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway through which something of every kind was done, and which has stopped."""
    with world(tmp_path_factory.mktemp("reindex")) as made:
        made.allow(Capability.FORWARD_LOCAL)
        with made.change() as change:
            for rule in load_text(RULES, "rules.yaml"):
                rules.put(change, rule, "test")
        with made.serving():
            made.run("echo one; exit 3")
            made.run("printf '\\377\\n'")
            source = made.directory / "file"
            source.write_bytes(b"content" * 1000)
            made.alice.scp(str(source), f"{made.name}:{made.directory}/new")
            made.alice.scp("-O", str(source), f"{made.name}:{made.directory}/old")
            made.ssh("-W", f"127.0.0.1:{made.target.port + 1}", made.name)
            with made.terminal() as terminal:
                terminal.send(b"exit 4\r")
                terminal.wait()
            made.sealed(6)
            wait_for(
                lambda: all(row.state == "closed" for row in made.sessions()),
                "every session is closed in the catalog",
            )
        yield made


def rows(world: World) -> dict[str, list[tuple[object, ...]]]:
    """Everything that the projections hold."""
    with world.catalog() as catalog, catalog.read() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in schema.PROJECTIONS
        }


def command(world: World, *words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        run([*words, "--data", str(world.data)])
    return int(ended.value.code or 0)


def test_reindex_gives_what_was_written_live(worked: World, tmp_path: Path) -> None:
    live = rows(worked)

    assert command(worked, "reindex") == 0
    again = rows(worked)
    assert again == live
    assert all(live.values()), "every projection has rows"


def test_a_catalog_that_lost_its_lists_gets_them_back(worked: World) -> None:
    live = rows(worked)
    with worked.catalog() as catalog, catalog.write() as connection:
        for table in reversed(schema.PROJECTIONS):
            connection.execute(table.delete())

    assert command(worked, "reindex") == 0
    assert rows(worked) == live
