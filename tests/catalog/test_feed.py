from __future__ import annotations

import logging
from pathlib import Path

import pytest
from catalog_world import envelopes, fresh, request

from watchgate.catalog import queries
from watchgate.catalog.feed import ProjectionFeed
from watchgate.catalog.projection import Status
from watchgate.session.events import CommandRequested, SessionClosed

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
