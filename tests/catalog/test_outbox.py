"""What waits for SIEMs, and how far each sink has come."""

from __future__ import annotations

from pathlib import Path

import pytest
from catalog_world import change, envelopes, fresh, request

from watchgate.catalog import journal, outbox
from watchgate.catalog.database import Catalog
from watchgate.catalog.feed import ProjectionFeed
from watchgate.clock import Clock
from watchgate.errors import ConfigurationError
from watchgate.session.events import ChannelOpened, CommandRequested, GatewayStopped
from watchgate.siem.fact import Fact, uid_of, uid_of_entry


def facts(count: int, kind: str = "session.closed") -> list[Fact]:
    return [Fact(uid_of("s", n), n, kind, 1, "s", n, {"n": n}) for n in range(count)]


def undone(catalog: Catalog, clock: Clock) -> None:
    with catalog.write() as connection:
        journal.append(connection, clock, GatewayStopped("never"))
        raise ConfigurationError("undone")


def test_nothing_is_kept_while_nobody_wants_it(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, clock), catalog.write() as connection:
        kept = outbox.put(connection, facts(3))
        journal.append(connection, clock, GatewayStopped("x"))

        assert not kept
        assert outbox.span(connection) == (0, 0)


def test_an_entry_of_the_journal_leaves_in_its_own_transaction(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, clock):
        with catalog.write() as connection:
            outbox.register(connection, ["siem"])
            journal.append(connection, clock, GatewayStopped("x"), session="s1")
        with pytest.raises(ConfigurationError, match="undone"):
            undone(catalog, clock)
        with catalog.read() as connection:
            (waiting,) = outbox.after(connection, 0, 10)
            (entry,) = journal.entries(connection)
    fact = Fact.from_json(waiting.entry)

    assert fact.uid == uid_of_entry(entry.hash)
    assert (fact.kind, fact.session, fact.seq) == ("gateway.stopped", "s1", 1)
    assert fact.data == {"reason": "x"}
    assert fact.context == {}


def test_a_change_of_the_configuration_leaves_too(tmp_path: Path) -> None:
    with change(tmp_path) as made:
        outbox.register(made.connection, ["siem"])
        made.note("operator.add", "alice", groups=["a"])
        (waiting,) = outbox.after(made.connection, 0, 10)

    assert waiting.kind == "settings.changed"
    assert Fact.from_json(waiting.entry).data["subject"] == "alice"


def test_a_session_s_events_leave_with_what_is_known_of_the_session(tmp_path: Path) -> None:
    of = request(1, operator="al\udcffice")
    woken: list[bool] = []
    with fresh(tmp_path) as (catalog, _):
        with catalog.write() as connection:
            outbox.register(connection, ["siem"])
        feed = ProjectionFeed(catalog, on_outbox=lambda: woken.append(True))
        feed.start()
        feed.put(of, envelopes(of, ChannelOpened(0, "exec"), CommandRequested(0, "ls \udcff\0")))
        feed.stop()
        with catalog.read() as connection:
            first, second = (Fact.from_json(row.entry) for row in outbox.after(connection, 0, 10))

    assert woken
    assert first.uid == uid_of(of.session, 0)
    assert second.data["command"] == "ls \udcff\0"
    assert second.context["operator"] == "al\udcffice"
    assert second.context["started_at_us"] == of.started_at_us


def test_a_new_sink_begins_with_now_and_one_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _), catalog.write() as connection:
        outbox.register(connection, ["one"])
        outbox.put(connection, facts(3))
        outbox.register(connection, ["one", "two"])
        cursors = {name: state.cursor for name, state in outbox.states(connection).items()}
        outbox.register(connection, ["two"])
        left = set(outbox.states(connection))
        outbox.register(connection, [])

        assert cursors == {"one": 0, "two": 3}
        assert left == {"two"}
        assert outbox.span(connection) == (0, 0)


def test_numbers_are_not_used_again(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _), catalog.write() as connection:
        outbox.register(connection, ["one"])
        outbox.put(connection, facts(3))
        outbox.advance(connection, "one", 3, delivered=3, at_us=7)
        outbox.prune(connection, 100)
        outbox.put(connection, facts(1))

        assert [row.number for row in outbox.after(connection, 3, 10)] == [4]


def test_only_what_every_sink_has_is_removed(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _), catalog.write() as connection:
        outbox.register(connection, ["one", "two"])
        outbox.put(connection, facts(10))
        outbox.advance(connection, "one", 10, delivered=10, at_us=7)
        outbox.advance(connection, "two", 6, delivered=6, at_us=8)
        removed = [outbox.prune(connection, 4) for _ in range(3)]

        assert removed == [4, 2, 0]
        assert outbox.span(connection) == (7, 10)
        assert outbox.lag(connection, 6) == outbox.Lag(4, 6)
        assert outbox.lag(connection, 10) == outbox.Lag(0, None)


def test_a_cursor_never_goes_back(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _), catalog.write() as connection:
        outbox.register(connection, ["one"])
        outbox.drop(connection, "one", 8, 5)
        outbox.advance(connection, "one", 3, delivered=2, at_us=7)
        outbox.advance(connection, "one", 8, delivered=0, at_us=9)
        state = outbox.states(connection)["one"]

    assert (state.cursor, state.delivered, state.dropped, state.delivered_at_us) == (8, 2, 5, 7)


def test_a_batch_is_bounded_by_events_and_by_octets(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _), catalog.write() as connection:
        outbox.register(connection, ["one"])
        outbox.put(connection, facts(10))
        few = outbox.after(connection, 2, 3)
        small = outbox.after(connection, 0, 10, octets=len(few[0].entry) * 3 // 2)

    assert [row.number for row in few] == [3, 4, 5]
    assert [row.number for row in small] == [1, 2]
