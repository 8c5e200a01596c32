"""`watchgate reindex`: lists and index from the recordings; what was erased is forgotten."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from watchgate.catalog import queries
from watchgate.catalog.database import Catalog
from watchgate.catalog.schema import command as command_table
from watchgate.catalog.search.index import SqliteIndex
from watchgate.catalog.search.model import Kind
from watchgate.clock import SystemClock
from watchgate.recording.auditors import generate_identity, load_identities, rewrap

from .command_line import Cli, record

UPTIME = "uptime \x1b]0;evil\x07"


def recordings(gate: Cli) -> list[Path]:
    """Oldest first."""
    return sorted((gate.data / "recordings").rglob("*.wgr"), key=lambda path: path.name)


def indexed(gate: Cli, session: str) -> list[str]:
    """The commands that can be found of a session."""
    with closing(SqliteIndex(gate.data / "index", SystemClock())) as index:
        return [document.text for _, document in index.documents(session, Kind.COMMAND)]


def listed(gate: Cli, session: str) -> list[str]:
    """The commands of a session that the catalog has."""
    with Catalog.open(gate.data / "catalog.db") as catalog, catalog.read() as connection:
        return [row.text for row in queries.commands(connection, session)]


def doctor(gate: Cli) -> str:
    findings = gate("doctor", "--json").value["findings"]
    return next(str(one["detail"]) for one in findings if one["subject"] == "index")


def test_it_brings_the_lists_back_from_the_recordings(gate: Cli, session: str) -> None:
    before = gate.json("session", "list")
    with Catalog.open(gate.data / "catalog.db") as catalog, catalog.write() as connection:
        connection.execute(command_table.delete())
    assert listed(gate, session) == []
    said = gate.done("reindex")

    assert said.startswith("1 sessions from their recordings")
    assert listed(gate, session) == [UPTIME]
    assert gate.json("session", "list") == before


def test_it_fills_the_index(gate: Cli, session: str) -> None:
    assert "1 recordings" in doctor(gate)
    said = gate.done("reindex")

    assert "1 recordings indexed" in said
    assert UPTIME in indexed(gate, session)
    assert "all of the last 30 days" in doctor(gate)


def test_a_second_time_nothing_is_new(gate: Cli, session: str) -> None:
    gate.done("reindex")
    before = indexed(gate, session)
    done = gate.json("reindex")

    assert (done["index"]["recordings"], done["index"]["documents"]) == (1, 0)
    assert done["problems"] == []
    assert indexed(gate, session) == before


def test_only_the_lists_or_only_the_index(gate: Cli, session: str) -> None:
    assert "indexed" not in gate.done("reindex", "--only", "catalog")
    assert indexed(gate, session) == []
    with Catalog.open(gate.data / "catalog.db") as catalog, catalog.write() as connection:
        connection.execute(command_table.delete())
    assert "from their recordings" not in gate.done("reindex", "--only", "index")

    assert indexed(gate, session) != []
    assert listed(gate, session) == []


def test_an_index_that_is_off_is_not_filled(gate: Cli, session: str) -> None:
    (gate.data / "watchgate.toml").write_text("[index]\nenabled = false\n")
    gate.done("reindex")
    answer = gate("reindex", "--only", "index")

    assert indexed(gate, session) == []
    assert not (gate.data / "index").exists()
    assert answer.status == 2
    assert "index.enabled is false" in answer.err
    assert "not indexed" in doctor(gate)


def test_what_it_cannot_open_keeps_what_was_known_of_it(
    gate: Cli, session: str, tmp_path: Path
) -> None:
    gate.done("reindex")
    (path,) = recordings(gate)
    text, recipient = generate_identity()
    identities = load_identities(gate.data / "keys/auditor.key")
    rewrap(path.with_suffix(".key"), identities, [recipient], path.stem)
    other = record(gate.data)
    answer = gate("reindex")

    assert answer.status == 1
    assert "not wrapped to this auditor" in answer.err
    assert {one["id"] for one in gate.json("session", "list")} == {session, other}
    assert listed(gate, session) == [UPTIME]
    assert indexed(gate, session) != []
    (tmp_path / "other.key").write_text(text)
    gate.done(
        *("reindex", "--identity", str(tmp_path / "other.key")),
        *("--identity", str(gate.data / "keys/auditor.key")),
    )


@pytest.mark.parametrize("only", [(), ("--only", "catalog"), ("--only", "index")])
def test_what_was_erased_is_forgotten_and_that_is_no_failure(
    gate: Cli, session: str, only: tuple[str, ...]
) -> None:
    other = record(gate.data)
    gate.done("reindex")
    before = gate.json("session", "show", session)["session"]
    recordings(gate)[0].with_suffix(".key").unlink()
    said = gate.done("reindex", *only)
    shown = gate.json("session", "show", session)

    assert "1 erased" in said
    assert (shown["commands"], shown["files"]) == ([], [])
    assert indexed(gate, session) == []
    assert indexed(gate, other) != []
    assert shown["session"]["detail"] is None
    for name in ("operator", "target", "started_at_us", "ended_at_us", "state", "reason"):
        assert shown["session"][name] == before[name]
    assert "all of the last 30 days" in doctor(gate)


def test_of_an_erased_recording_the_head_is_listed_again(gate: Cli, session: str) -> None:
    before = gate.json("session", "show", session)["session"]
    recordings(gate)[0].with_suffix(".key").unlink()
    with Catalog.open(gate.data / "catalog.db") as catalog, catalog.write() as connection:
        from watchgate.catalog.schema import PROJECTIONS

        for table in PROJECTIONS:
            connection.execute(table.delete())
    gate.done("reindex")
    after = gate.json("session", "show", session)["session"]

    assert (after["operator"], after["target"], after["state"]) == ("alice", "web1", "closed")
    assert after["ended_at_us"] == pytest.approx(before["ended_at_us"], abs=1_000_000)


def test_a_recording_that_is_gone_leaves_lists_and_index(gate: Cli, session: str) -> None:
    other = record(gate.data)
    gate.done("reindex")
    path = recordings(gate)[0]
    path.unlink()
    path.with_suffix(".key").unlink()
    said = gate.done("reindex")

    assert "1 that have no recording any more were removed" in said
    assert [one["id"] for one in gate.json("session", "list")] == [other]
    assert indexed(gate, session) == []
    assert indexed(gate, other) != []


def test_a_damaged_recording_is_named_and_the_others_are_indexed(gate: Cli, session: str) -> None:
    other = record(gate.data)
    path = recordings(gate)[0]
    octets = bytearray(path.read_bytes())
    octets[-250] ^= 0xFF
    path.write_bytes(octets)
    answer = gate("reindex")

    assert answer.status == 1
    assert f"{path} is not completely indexed" in answer.err
    assert indexed(gate, other) != []
    assert "1 of them cannot be read" in doctor(gate)


def test_a_damaged_index_is_built_again(gate: Cli, session: str) -> None:
    gate.done("reindex")
    before = indexed(gate, session)
    for file in (gate.data / "index").glob("*-20*.db"):
        file.write_bytes(b"garbage" * 1000)
    gate.done("reindex", "--only", "index")

    assert indexed(gate, session) == before
