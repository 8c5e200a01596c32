"""What a backtest goes through: the catalog's commands, and what the index read off screens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from report_world import BEGAN
from sqlalchemy import Connection

from watchgate.catalog import projection, targets
from watchgate.catalog.change import changing
from watchgate.catalog.database import Catalog
from watchgate.catalog.search.model import About, Document, Kind
from watchgate.clock import ManualClock
from watchgate.errors import ConfigurationError
from watchgate.identity import operators
from watchgate.indexing.documents import INFERRED
from watchgate.reports.backtest import NOT_DECIDED, Asked, Ran, Who
from watchgate.reports.backtest_commands import Recorded
from watchgate.session.events import CommandDecided, CommandRequested, Envelope
from watchgate.session.model import FailurePolicy
from watchgate.session.ports import RecordingRequest

SECOND = 1_000_000
ALICE = Who("alice", "web1", "root", "ssh", frozenset({"dba"}), (("env", "prod"),))
NOBODY = Who("carol", "gone", "root", "ssh")


def request(number: int, who: Who) -> RecordingRequest:
    return RecordingRequest(
        recording=f"0190aaaa-0000-7000-8000-{number:012}",
        session=f"0190bbbb-0000-7000-8000-{number:012}",
        protocol=who.protocol,
        operator=who.operator,
        account=who.account,
        target=who.target,
        client="192.0.2.7:50000",
        grant="g",
        started_at_us=BEGAN + number * 3600 * SECOND,
        policy_digest="ab" * 32,
        on_failure=FailurePolicy.CLOSE,
    )


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    clock = ManualClock(BEGAN)
    decided = CommandDecided(
        *(0, 0, "rm x", ["rm x"], [], "block", ["no-rm"], [], "low", 1, 1, 2, "exact"),
        *("integration", "ab" * 32),
    )
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        with changing(catalog, clock, "test") as change:
            operators.add(change, "alice", in_groups=["dba"])
            targets.add(change, "web1", host="10.0.0.5", labels={"env": "prod"})
        told = (
            (1, ALICE, CommandRequested(0, "rm x", "integration", cwd="/srv"), decided),
            (2, NOBODY, CommandRequested(0, "\\! id", "screen", "inferred", "escape", "psql")),
        )
        with catalog.write() as writing:
            for number, who, *events in told:
                of = request(number, who)
                envelopes = [
                    Envelope(of.started_at_us + seq, of.session, seq, event)
                    for seq, event in enumerate(events)
                ]
                projection.apply(writing, of, envelopes)
        with catalog.read() as reading:
            yield reading


def test_the_commands_of_the_catalog_are_what_rules_can_see(connection: Connection) -> None:
    recorded = Recorded(connection)
    first, second = recorded.of_catalog()

    assert (recorded.number(), recorded.told, recorded.sessions()) == (2, 2, 2)
    assert first == Ran(
        request(1, ALICE).session,
        request(1, ALICE).started_at_us,
        ALICE,
        Asked("rm x", "integration", exact=True, cwd="/srv"),
        "block",
    )
    assert second.asked == Asked("\\! id", "screen", exact=False, place="escape", program="psql")
    assert (second.who, second.happened) == (NOBODY, NOT_DECIDED)


def test_what_is_older_than_asked_for_is_left_out(connection: Connection) -> None:
    recorded = Recorded(connection, request(2, NOBODY).started_at_us)

    assert [one.who.operator for one in recorded.of_catalog()] == ["carol"]
    assert recorded.number() == 1


def document(item: int, text: str, at_us: int = BEGAN) -> tuple[About, Document]:
    of = request(1, ALICE)
    about = About(of.session, of.recording, "alice", "root", "web1", "ssh", of.started_at_us)
    made = Document(Kind.COMMAND, item, at_us, 5, 0, text, "screen", "inferred")
    return about, made


def test_of_the_index_only_what_no_event_told_is_taken(connection: Connection) -> None:
    steps: list[None] = []

    def documents(session: str) -> Sequence[tuple[About, Document]]:
        if session != request(1, ALICE).session:
            return ()
        return [document(0, "rm x"), document(INFERRED + 3, "ls"), document(INFERRED, "old", 5)]

    recorded = Recorded(connection, since_us=10)
    found = list(recorded.of_index(documents, lambda: steps.append(None)))

    assert [(one.asked.text, one.asked.exact, one.who) for one in found] == [("ls", False, ALICE)]
    assert (recorded.read_off, len(steps)) == (1, 2)


def test_a_part_of_the_index_that_cannot_be_read_is_said_once(connection: Connection) -> None:
    def documents(session: str) -> Sequence[tuple[About, Document]]:
        raise ConfigurationError("the index is gone")

    recorded = Recorded(connection)

    assert list(recorded.of_index(documents, lambda: None)) == []
    assert recorded.problems == ["the index is gone"]
