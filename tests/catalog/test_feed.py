from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from catalog_world import envelopes, fresh, request
from sqlalchemy import Connection

from watchgate.catalog import outbox, queries, sqlite
from watchgate.catalog.database import Catalog
from watchgate.catalog.feed import ProjectionFeed
from watchgate.catalog.handover import Handover
from watchgate.catalog.projection import Status
from watchgate.session.events import CommandRequested, Envelope, RulesFrozen, SessionClosed
from watchgate.session.ports import RecordingRequest

CLOSED = SessionClosed("client", "", None, 1, 2)


def test_what_is_put_is_in_the_catalog_when_the_feed_has_stopped(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _):
        feed = ProjectionFeed(catalog)
        feed.start()
        for number in range(1, 301):
            events = envelopes(request(number), CommandRequested(0, "ls"), CLOSED)
            feed.put(request(number), events[:1])
            feed.put(request(number), events[1:])
        feed.put(request(1), (), Status.RECOVERED)
        feed.stop()
        with catalog.read() as connection:
            rows = queries.sessions(connection, limit=1000)

    assert len(rows) == 300
    assert {row.commands for row in rows} == {1}
    assert rows[-1].state == "recovered"
    assert feed.behind() == frozenset()


def test_a_full_feed_drops_and_says_which_session_to_reindex(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with fresh(tmp_path) as (catalog, _), caplog.at_level(logging.WARNING):
        feed = ProjectionFeed(catalog, waiting=2)
        for number in (1, 2, 3, 3):
            feed.put(request(number), envelopes(request(number), CLOSED))
        feed.start()
        feed.stop()
        with catalog.read() as connection:
            rows = queries.sessions(connection)

    assert len(rows) == 2
    assert feed.behind() == {request(3).session}
    assert caplog.text.count("run `watchgate reindex`") == 1


def test_a_batch_that_does_not_fit_hurts_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = request(2, started_at_us="never")
    with fresh(tmp_path) as (catalog, _), caplog.at_level(logging.ERROR):
        feed = ProjectionFeed(catalog)
        feed.put(request(1), envelopes(request(1), CLOSED))
        feed.put(bad, envelopes(request(2), CLOSED))
        feed.put(request(3), envelopes(request(3), CLOSED))
        feed.start()
        feed.stop()
        with catalog.read() as connection:
            rows = queries.sessions(connection)

    assert [row.id for row in rows] == [request(3).session, request(1).session]
    assert feed.behind() == {bad.session}


def test_the_rules_of_a_session_do_not_leave_with_its_events(tmp_path: Path) -> None:
    of = request()
    frozen = RulesFrozen("ab" * 32, [{"name": "no-rm"}])
    with fresh(tmp_path) as (catalog, _):
        with_sink(catalog)
        feed = ProjectionFeed(catalog)
        feed.put(of, envelopes(of, CommandRequested(0, "ls"), frozen, CLOSED))
        feed.start()
        feed.stop()
        with catalog.read() as connection:
            kinds = [one.kind for one in outbox.after(connection, 0, 10)]

    assert kinds == ["command.requested", "session.closed"]


# --- with the hand-over log --------------------------------------------------------------------


def handed(log: Handover, number: int, *, end: int = 0) -> list[Envelope]:
    """Announce a session's two events as the scribe does."""
    of = request(number)
    events = envelopes(of, CommandRequested(0, "ls"), CLOSED)
    log.announce(of, [event.to_json().encode() for event in events], end)
    return events


def with_sink(catalog: Catalog) -> None:
    with catalog.write() as connection:
        outbox.register(connection, ["siem"])


def listed(catalog: Catalog) -> tuple[int, int]:
    """How many sessions are closed in the catalog, and how many events are in the outbox."""
    with catalog.read() as connection:
        rows = queries.sessions(connection, limit=1000)
        events = outbox.after(connection, 0, 10_000)
    return sum(row.state == "closed" and row.commands == 1 for row in rows), len(events)


def always(of: RecordingRequest, end: int) -> bool:
    return True


def test_what_a_killed_process_handed_over_is_applied_once(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _):
        with_sink(catalog)
        # This feed never runs: its process was killed before.
        log = Handover(tmp_path / "handover")
        ProjectionFeed(catalog, log).recover(always)
        for number in range(1, 251):
            handed(log, number)
        recovered = [
            ProjectionFeed(catalog, Handover(tmp_path / "handover")).recover(always)
            for _ in range(2)
        ]
        found = listed(catalog)

    assert recovered == [250, 0]
    assert found == (250, 500)


def test_a_batch_that_did_not_reach_its_recording_is_not_applied(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _):
        log = Handover(tmp_path / "handover")
        ProjectionFeed(catalog, log).recover(always)
        handed(log, 1, end=100)
        handed(log, 2, end=200)
        again = ProjectionFeed(catalog, Handover(tmp_path / "handover"))
        recovered = again.recover(lambda of, end: end <= 150)
        found = listed(catalog)

    assert recovered == 1
    assert found == (1, 0)


def test_in_order_nothing_is_applied_twice(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _):
        with_sink(catalog)
        log = Handover(tmp_path / "handover")
        feed = ProjectionFeed(catalog, log)
        feed.recover(always)
        feed.start()
        for number in range(1, 51):
            feed.put(request(number), handed(log, number))
        feed.stop()
        left = list((tmp_path / "handover").iterdir())
        found = listed(catalog)
        again = ProjectionFeed(catalog, Handover(tmp_path / "handover")).recover(always)

    assert left == []
    assert found == (50, 100)
    assert again == 0


def test_what_the_queue_cannot_take_comes_from_the_log(tmp_path: Path) -> None:
    with fresh(tmp_path) as (catalog, _):
        with_sink(catalog)
        log = Handover(tmp_path / "handover")
        feed = ProjectionFeed(catalog, log, waiting=3)
        feed.recover(always)
        for number in range(1, 301):
            feed.put(request(number), handed(log, number))
        feed.start()
        feed.stop()
        found = listed(catalog)

    assert found == (300, 600)
    assert feed.behind() == frozenset()


def test_a_catalog_that_fails_for_a_while_misses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("watchgate.catalog.feed.RETRY_SECONDS", 0.02)
    with fresh(tmp_path) as (catalog, _), caplog.at_level(logging.WARNING):
        with_sink(catalog)
        log = Handover(tmp_path / "handover")
        feed = ProjectionFeed(catalog, log)
        feed.recover(always)
        broken = Broken(catalog, times=3)
        monkeypatch.setattr(catalog, "write", broken.write)
        feed.start()
        for number in range(1, 21):
            feed.put(request(number), handed(log, number))
        assert broken.over.wait(10)
        feed.put(request(21), handed(log, 21))
        feed.stop()
        found = listed(catalog)

    assert "could not be brought up to date" in caplog.text
    assert found == (21, 42)
    assert feed.behind() == frozenset()


class Broken:
    """A catalog that cannot be written for some transactions."""

    def __init__(self, catalog: Catalog, times: int) -> None:
        self._write = catalog.write
        self._left = times
        self.over = threading.Event()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        if self._left:
            self._left -= 1
            raise sqlite.explain(sqlite3.OperationalError("disk I/O error"), "here")
        self.over.set()
        with self._write() as connection:
            yield connection


def test_what_the_log_could_not_take_either_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with fresh(tmp_path) as (catalog, _), caplog.at_level(logging.WARNING):
        log = Handover(tmp_path / "handover", limit=10)
        feed = ProjectionFeed(catalog, log, waiting=2)
        feed.recover(always)
        for number in (1, 2, 3):
            feed.put(request(number), handed(log, number))
        feed.start()
        feed.stop()
        found = listed(catalog)

    assert found == (2, 0)
    assert log.missed == 3
    assert feed.behind() == {request(3).session}
