from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from catalog_world import STARTED, envelopes, fresh, request
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from watchgate.catalog import projection, queries
from watchgate.catalog.database import Catalog
from watchgate.catalog.projection import Status
from watchgate.catalog.schema import PROJECTIONS, rule_hit
from watchgate.session.events import (
    CommandDecided,
    CommandFinished,
    CommandRequested,
    Envelope,
    Event,
    FileChanged,
    FileMoved,
    ForwardClosed,
    ForwardNoted,
    ForwardOpened,
    ForwardRefused,
    SessionClosed,
    TargetReached,
    UnknownEvent,
)
from watchgate.session.events import text as wire_text

REACHED = TargetReached("web1", "10.0.0.5:22", "10.0.0.1:40000", "root", "key", "SHA256:x", "kid")
CLOSED = SessionClosed("terminated", "enough", "admin", 10, 20)
HISTORY: tuple[Event, ...] = (
    REACHED,
    CommandRequested(0, "ls -l"),
    FileMoved(1, "sftp", "upload", "/tmp/a", 5, "ab" * 32, True),
    CommandFinished(0, 1, 0, None, 1500),
    FileChanged(1, "sftp", "rename", "/tmp/a", "/tmp/b", True),
    ForwardOpened(0, "local", "db:5432", "127.0.0.1:1"),
    ForwardNoted(0, "tls", "db:5432", False),
    ForwardRefused("remote", "0.0.0.0:80", "not granted"),
    ForwardClosed(0, 100, 200),
    CommandRequested(0, wire_text(b"echo \xff\0")),
    UnknownEvent("later.kind", 9, {"x": 1}),
    CLOSED,
)


def decided(seq: int, outcome: str, so_far: int, *rules: str, **more: object) -> CommandDecided:
    """What the rules said of the command with that number."""
    values: dict[str, object] = {
        "channel": 0,
        "command_seq": seq,
        "command": "rm -rf /",
        "normalized": ["rm -r -f /"],
        "opaque": [],
        "outcome": outcome,
        "rules": list(rules),
        "shadows": ["later"],
        "severity": "high",
        "points": 25,
        "session_points": so_far,
        "risk": so_far // 2,
        "confidence": "exact",
        "source": "integration",
        "policy": "ab" * 32,
    }
    return CommandDecided(**(values | more))  # type: ignore[arg-type]


DECIDED: tuple[Event, ...] = (
    REACHED,
    CommandRequested(0, "rm -rf /", "integration", cwd="/root"),
    decided(1, "approve", 25, "ask", message="wants an approval"),
    CommandRequested(0, "ls", "integration"),
    decided(3, "allow", 25, severity=None, points=0, shadows=[]),
    decided(1, "allow", 50, "ask", "by-night", approval="a1"),
    CommandFinished(0, 1, 0, None, 1500, "/"),
    CLOSED,
)


def rows(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    return {
        table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
        for table in PROJECTIONS
    }


def applied(
    catalog: Catalog, batches: Sequence[Sequence[Envelope]], status: Status = Status.LIVE
) -> dict[str, list[tuple[object, ...]]]:
    for batch in batches:
        with catalog.write() as connection:
            projection.apply(connection, request(), batch, status)
    with catalog.read() as connection:
        return rows(connection)


def test_a_session_is_a_row_with_what_happened_in_it(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _):
        applied(catalog, [envelopes(request(), *HISTORY)])
        with catalog.read() as connection:
            row = queries.find_session(connection, request().session)
            commands = queries.commands(connection, row.id)
            files = queries.files(connection, row.id)
            forwards = queries.forwards(connection, row.id)

    assert (row.state, row.reason, row.detail, row.ended_by) == (
        "closed",
        "terminated",
        "enough",
        "admin",
    )
    assert (row.input_octets, row.output_octets, row.key_id) == (10, 20, "kid")
    assert row.ended_at_us == row.started_at_us + 11_000_000
    assert (row.commands, row.files, row.forwards) == (2, 2, 2)
    assert [(c.text, c.exit_status, c.duration_us) for c in commands] == [
        ("ls -l", 0, 1500),
        ("echo \\udcff\\x00", None, None),
    ]
    assert commands[0].offset_us == 1_000_000
    assert [(f.operation, f.path, f.destination, f.size) for f in files] == [
        ("upload", "/tmp/a", None, 5),
        ("rename", "/tmp/a", "/tmp/b", None),
    ]
    assert [(f.direction, f.carries, f.refused, f.sent_octets) for f in forwards] == [
        ("local", "tls", None, 100),
        ("remote", None, "not granted", None),
    ]


def test_a_session_is_live_until_it_closes(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _):
        applied(catalog, [envelopes(request(), REACHED)])
        with catalog.read() as connection:
            [row] = queries.sessions(connection)

    assert (row.state, row.ended_at_us, row.reason) == ("live", None, None)


def test_a_sweep_marks_what_a_crash_left_open(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _):
        applied(catalog, [envelopes(request(), REACHED, CommandRequested(0, "ls"))])
        applied(catalog, [[]], Status.RECOVERED)
        with catalog.read() as connection:
            [row] = queries.sessions(connection)

    assert (row.state, row.reason) == ("recovered", "recovered")
    assert row.ended_at_us == row.started_at_us + 1_000_000


def test_a_sealed_recording_without_a_last_word_ended_with_what_is_known(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _):
        applied(catalog, [envelopes(request(), REACHED)], Status.SEALED)
        with catalog.read() as connection:
            [row] = queries.sessions(connection)

    assert (row.state, row.reason, row.ended_at_us) == ("closed", None, row.started_at_us)


def test_what_was_decided_last_of_a_command_holds_with_every_rule_that_it_met(
    tmp_path: Path,
) -> None:
    with fresh(tmp_path) as (catalog, _):
        applied(catalog, [envelopes(request(), *DECIDED)])
        with catalog.read() as connection:
            row = queries.find_session(connection, request().session)
            removed, listed = queries.commands(connection, row.id)
            hits = connection.execute(select(rule_hit).order_by(rule_hit.c.rule)).all()

    assert (row.points, row.risk) == (50, 25)
    assert (removed.verdict, removed.severity, removed.approval) == ("allow", "high", "a1")
    assert (removed.rules, removed.shadows) == (("ask", "by-night"), ("later",))
    assert (removed.normalized, removed.cwd, removed.exit_status) == (("rm -r -f /",), "/root", 0)
    assert (listed.verdict, listed.rules, listed.points) == ("allow", (), 0)
    assert [(hit.rule, hit.at_us - row.started_at_us, hit.shadow) for hit in hits] == [
        ("ask", 2_000_000, False),
        ("by-night", 5_000_000, False),
        ("later", 2_000_000, True),
    ]
    assert {(hit.operator, hit.seq) for hit in hits} == {("alice", 1)}


@pytest.fixture(scope="module", params=[HISTORY, DECIDED], ids=["without", "with rules"])
def history(request: pytest.FixtureRequest) -> tuple[Event, ...]:
    told: tuple[Event, ...] = request.param
    return told


@pytest.fixture(scope="module")
def expected(
    tmp_path_factory: pytest.TempPathFactory, history: tuple[Event, ...]
) -> dict[str, list[tuple[object, ...]]]:
    with fresh(tmp_path_factory.mktemp("expected")) as (catalog, _):
        return applied(catalog, [envelopes(request(), *history)])


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_batches_twice_and_in_any_order_make_the_same_rows(
    tmp_path_factory: pytest.TempPathFactory,
    history: tuple[Event, ...],
    expected: dict[str, list[tuple[object, ...]]],
    data: st.DataObject,
) -> None:
    whole = envelopes(request(), *history)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=5)))
    parts = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    again = data.draw(st.lists(st.sampled_from(parts), max_size=3))
    batches = data.draw(st.permutations(parts + again))
    with fresh(tmp_path_factory.mktemp("batches")) as (catalog, _):
        result = applied(catalog, batches)

    assert result == expected


def test_reindex_rebuilds_what_was_applied_live(tmp_path: Path) -> None:
    recordings = [
        (request(1), envelopes(request(1), *HISTORY), Status.SEALED),
        (request(2), envelopes(request(2), *HISTORY[:7]), Status.RECOVERED),
        (request(3), envelopes(request(3), *HISTORY[:3]), Status.LIVE),
        (request(4), envelopes(request(4), *DECIDED), Status.SEALED),
    ]
    with fresh(tmp_path) as (catalog, clock):
        for header, events, _ in recordings:
            for event in events:
                with catalog.write() as connection:
                    projection.apply(connection, header, [event])
        with catalog.write() as connection:
            projection.apply(connection, request(2), (), Status.RECOVERED)
        with catalog.read() as connection:
            live = rows(connection)
        # What no recording says must go: a session without one, and a row that was invented.
        with catalog.write() as connection:
            projection.apply(connection, request(8), envelopes(request(8), CLOSED))
            invented = Envelope(STARTED, request(1).session, 77, CommandRequested(0, "never"))
            projection.apply(connection, request(1), [invented])
        done = projection.reindex(catalog, recordings, began_at_us=STARTED + 3_600_000_000)
        with catalog.read() as connection:
            rebuilt = rows(connection)

    assert rebuilt == live
    assert (done.sessions, done.removed) == (4, 1)
    assert clock.wall_us() == STARTED


def test_reindex_fills_an_empty_catalog(tmp_path: Path) -> None:
    recordings = [(request(1), envelopes(request(1), *HISTORY), Status.SEALED)]
    with fresh(tmp_path) as (catalog, _):
        projection.reindex(catalog, recordings, began_at_us=STARTED)
        with catalog.read() as connection:
            listed = queries.sessions(connection)

    assert [row.commands for row in listed] == [2]


def test_reindex_keeps_a_session_that_began_meanwhile(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _):
        applied(catalog, [envelopes(request(), REACHED)])
        done = projection.reindex(catalog, [], began_at_us=STARTED)
        with catalog.read() as connection:
            listed = queries.sessions(connection)

    assert done == projection.Reindexed(0, 0)
    assert [row.state for row in listed] == ["live"]


def test_reindex_loses_nothing_that_a_live_session_did_meanwhile(tmp_path: Path) -> None:
    read_before = envelopes(request(), *HISTORY[:2])
    with fresh(tmp_path) as (catalog, _):
        applied(catalog, [envelopes(request(), *HISTORY)])
        projection.reindex(
            catalog, [(request(), read_before, Status.LIVE)], began_at_us=STARTED + 10**12
        )
        with catalog.read() as connection:
            row = queries.find_session(connection, request().session)

    assert (row.state, row.commands) == ("closed", 2)
