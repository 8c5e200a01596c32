"""Logs into the catalog: once each, however often they are read, and judged by what is known now."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from coverage_lines import CA, CERTIFICATE, NOW_US, SESSION
from sqlalchemy import select

from watchgate.catalog import journal, projection, targets
from watchgate.catalog.change import changing
from watchgate.catalog.database import Catalog
from watchgate.catalog.schema import target_log, target_login
from watchgate.clock import ManualClock, iso
from watchgate.errors import ConfigurationError, NotFound
from watchgate.reports.coverage import daily, exceptions
from watchgate.reports.coverage.importing import (
    Imported,
    Origin,
    by_host,
    import_log,
    one_target,
    reasons,
)
from watchgate.reports.coverage.judging import Bench
from watchgate.reports.coverage.lines import Lines
from watchgate.reports.coverage.model import DAY_US, State
from watchgate.session.events import Envelope, GatewayStarted, SessionClosed, TargetReached
from watchgate.session.model import FailurePolicy
from watchgate.session.ports import RecordingRequest

SECOND = 1_000_000
BEGAN = NOW_US - 3600 * SECOND
BYPASS = "Accepted password for bob from 203.0.113.9 port 5555 ssh2"
THROUGH = f"Accepted publickey for root from 10.0.0.1 port 42934 ssh2: {CERTIFICATE}"


@dataclass
class Site:
    """A catalog with the targets web1 and db1, whose records began two days ago."""

    catalog: Catalog
    clock: ManualClock

    def session(self, identifier: str = SESSION, target: str = "web1", **given: object) -> None:
        """A session that began an hour ago, logged in with its certificate, and took ten minutes."""
        values: dict[str, object] = {
            "recording": identifier,
            "session": identifier,
            "protocol": "ssh",
            "operator": "alice",
            "account": "root",
            "target": target,
            "client": "192.0.2.7:50000",
            "grant": "",
            "started_at_us": BEGAN,
            "policy_digest": "ab" * 32,
            "on_failure": FailurePolicy.CLOSE,
        }
        request = RecordingRequest(**(values | given))  # type: ignore[arg-type]
        started = request.started_at_us
        reached = TargetReached(
            *(target, "10.0.0.5:22", "10.0.0.1:42934", "root", "certificate", "", identifier)
        )
        closed = SessionClosed("client", "", None, 1, 1)
        envelopes = [
            Envelope(started + SECOND, identifier, 0, reached),
            Envelope(started + 600 * SECOND, identifier, 1, closed),
        ]
        with self.catalog.write() as connection:
            projection.apply(connection, request, envelopes, projection.Status.SEALED)

    def read(self, *lines: str, hosts: bool = False) -> Imported:
        """Import a log of *lines*, of web1 or of their hosts."""
        octets = "".join(f"{line}\n" for line in lines).encode()
        with self.catalog.read() as connection:
            resolve = by_host(connection) if hosts else one_target("web1")
        origin = Origin(UTC, self.clock.wall_us(), resolve, None if hosts else "web1")
        log = Lines(io.BytesIO(octets), "a.log")
        return import_log(self.catalog, self.clock, "test", log, origin, frozenset({CA}))

    def rows(self) -> list[tuple[object, ...]]:
        with self.catalog.read() as connection:
            return [
                tuple(row)
                for table in (target_login, target_log)
                for row in connection.execute(select(table))
            ]

    def journal(self, kind: str = "coverage.bypassed") -> list[journal.Entry]:
        with self.catalog.read() as connection:
            return journal.entries(connection, kind=kind)

    def coverage(self, *names: str, days: int = 2) -> list[daily.Coverage]:
        with self.catalog.read() as connection:
            bench = Bench.of(connection, self.clock.wall_us(), frozenset({CA}))
            begin = NOW_US - NOW_US % DAY_US - (days - 1) * DAY_US
            return daily.coverage(connection, bench, names or ("web1",), begin, NOW_US, UTC)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    clock = ManualClock(NOW_US - 2 * DAY_US)
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        with catalog.write() as connection:
            journal.append(connection, clock, GatewayStarted("1", []))
        clock.wall = NOW_US
        with changing(catalog, clock, "test") as change:
            targets.add(change, "web1", host="web1.corp.example")
            targets.add(change, "db1", host="10.0.0.6")
        yield Site(catalog, clock)


def logged(message: str, at_us: int = BEGAN + SECOND, host: str = "web1", form: str = "iso") -> str:
    """sshd's *message* as a line of a log."""
    stamp = iso(at_us)
    if form == "seconds":
        stamp = stamp[:19] + "Z"
    return f"{stamp} {host} sshd[77]: {message}"


def test_a_log_is_laid_beside_the_sessions(site: Site) -> None:
    site.session()
    done = site.read(logged(THROUGH), logged(BYPASS), "garbage")

    assert (done.tally.lines, done.tally.logins, done.new, done.told) == (3, 2, 2, 1)
    assert done.states == {State.GATEWAY: 1, State.BYPASSED: 1}
    assert reasons(done) == {
        State.GATEWAY: {"by the session's certificate": 1},
        State.BYPASSED: {"no session is like it": 1},
    }
    (told,) = site.journal()
    assert told.event.data() == {
        "target": "web1",
        "account": "bob",
        "source": "203.0.113.9",
        "method": "password",
        "at_us": BEGAN + SECOND,
        "fingerprint": None,
        "key_id": None,
        "reason": "no session is like it",
    }
    (imported,) = site.journal("coverage.imported")
    assert imported.event.data() == {
        "actor": "test",
        "target": "web1",
        "lines": 3,
        "logins": 2,
        "bypassed": 1,
    }


def test_the_same_log_twice_changes_nothing(site: Site) -> None:
    site.session()
    log = [logged(THROUGH), logged(BYPASS)]
    site.read(*log)
    before = site.rows()
    site.clock.advance(60)
    again = site.read(*log)

    assert again.new == again.told == 0
    assert again.states == {State.GATEWAY: 1, State.BYPASSED: 1}
    assert site.rows() == before
    assert len(site.journal()) == 1


def test_a_log_that_overlaps_another_adds_what_is_new(site: Site) -> None:
    lines = [
        logged(BYPASS.replace("5555", str(port)), BEGAN + port * SECOND) for port in range(1, 9)
    ]

    assert site.read(*lines[:5]).new == 5
    assert site.read(*lines[3:]).new == 3
    assert len(site.journal()) == 8


def test_the_same_login_in_two_forms_is_one(site: Site) -> None:
    site.read(logged(BYPASS, BEGAN + SECOND - 1))
    again = site.read(logged(BYPASS, BEGAN + SECOND, form="seconds"))

    assert again.new == 0
    assert len(site.journal()) == 1


def test_a_session_that_is_known_later_is_judged_then(site: Site) -> None:
    early = site.read(logged(THROUGH))
    site.session()
    later = site.read(logged(THROUGH))

    assert early.states == {State.BYPASSED: 1}
    assert later.states == {State.GATEWAY: 1}
    assert site.coverage()[-1].gateway == 1


def test_a_login_that_was_too_new_is_told_by_the_next_import(site: Site) -> None:
    first = site.read(logged(BYPASS, NOW_US - SECOND))
    site.clock.advance(60)
    second = site.read(logged("Server listening on 0.0.0.0 port 22.", NOW_US))

    assert first.states == {State.UNKNOWN: 1}
    assert first.told == 0
    assert second.told == 1


@pytest.mark.parametrize(
    ("host", "target"),
    [
        ("web1", "web1"),
        ("WEB1.corp.example", "web1"),
        ("web1.corp.example.", "web1"),
        ("web1.far.example", None),
        ("10.0.0.6", "db1"),
        ("db1", "db1"),
        ("db1.anywhere.example", "db1"),
        ("::ffff:10.0.0.6", "db1"),
        ("twin", None),
        ("web9", None),
        ("", None),
    ],
)
def test_hosts_decide_of_which_target_a_line_is(site: Site, host: str, target: str | None) -> None:
    with changing(site.catalog, site.clock, "test") as change:
        targets.add(change, "one", host="twin.corp.example")
        targets.add(change, "two", host="twin.lab.example")
    with site.catalog.read() as connection:
        resolve = by_host(connection)

    assert resolve(host) == target


def test_a_log_of_several_hosts_is_of_several_targets(site: Site) -> None:
    hosts = ("web1", "db1", "db1", "web9")
    lines = [
        logged(BYPASS.replace("5555", str(port)), host=host) for port, host in enumerate(hosts, 1)
    ]
    done = site.read(*lines, hosts=True)

    assert done.tally.unknown_hosts == {"web9": 1}
    told = sorted(entry.event.data()["target"] for entry in site.journal())
    assert told == ["db1", "db1", "web1"]


# --- by day --------------------------------------------------------------------------------------


def test_coverage_is_told_by_target_and_day(site: Site) -> None:
    site.session()
    site.read(logged(THROUGH), logged(BYPASS), logged(BYPASS, BEGAN - DAY_US))
    yesterday, today = site.coverage()

    assert (yesterday.gateway, yesterday.bypassed, yesterday.share) == (0, 1, 0.0)
    assert (today.gateway, today.bypassed, today.share) == (1, 1, 0.5)
    assert today.blind_since_us is None
    assert today.hours == 1


def test_a_target_without_a_log_has_no_data(site: Site) -> None:
    (row,) = site.coverage("db1")

    assert (row.day, row.data, row.share, row.blind_since_us) == (None, False, None, None)


def test_a_log_that_fell_silent_is_blind_since_then(site: Site) -> None:
    last = NOW_US - 30 * 3600 * SECOND
    site.read(logged("Server listening on 0.0.0.0 port 22.", last))
    yesterday, today = site.coverage()

    assert (yesterday.data, yesterday.blind_since_us) == (True, last)
    assert (today.data, today.blind_since_us) == (False, last)


def test_a_session_that_the_log_does_not_show_is_missing(site: Site) -> None:
    site.session()
    site.read(
        logged("Server listening on 0.0.0.0 port 22.", BEGAN - 60 * SECOND),
        logged("Received SIGHUP; restarting.", BEGAN + 60 * SECOND),
    )

    assert site.coverage()[-1].missing == 1
    site.read(logged(THROUGH))
    assert site.coverage()[-1].missing == 0


def test_a_log_that_ended_before_a_session_misses_nothing(site: Site) -> None:
    site.session()
    site.read(logged("Server listening on 0.0.0.0 port 22.", BEGAN - 60 * SECOND))

    assert site.coverage()[-1].missing == 0


def test_days_are_those_of_the_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    begin = daily.midnight_us(date(2026, 10, 24), berlin)
    found = list(daily.days(begin, begin + 3 * DAY_US, berlin))

    assert [day.isoformat() for day, _, _ in found] == ["2026-10-24", "2026-10-25", "2026-10-26"]
    assert [(end - start) // 3_600_000_000 for _, start, end in found] == [24, 25, 23]


# --- exceptions ----------------------------------------------------------------------------------


def _except(site: Site, **given: object) -> exceptions.CoverageException:
    values: dict[str, object] = {
        "target": "WEB1",
        "account": "bob",
        "source": "203.0.113.0/24",
        "from_us": NOW_US - DAY_US,
        "until_us": NOW_US + DAY_US,
        "reason": "console",
    }
    with changing(site.catalog, site.clock, "test") as change:
        return exceptions.add(change, **(values | given))  # type: ignore[arg-type]


def test_an_exception_is_counted_by_itself_until_it_is_removed(site: Site) -> None:
    made = _except(site)
    done = site.read(logged(BYPASS))

    assert made.target == "web1"
    assert done.states == {State.EXCEPTED: 1}
    assert site.journal() == []
    assert (site.coverage()[-1].excepted, site.coverage()[-1].share) == (1, None)
    with changing(site.catalog, site.clock, "test") as change:
        assert exceptions.remove(change, made.id[:13]) == made
    assert site.read(logged(BYPASS)).told == 1
    actions = [entry.event.data()["action"] for entry in site.journal("settings.changed")]
    assert actions[:2] == ["coverage.exception.removed", "coverage.exception.added"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"account": None, "source": None}, "coverage.too-wide"),
        ({"until_us": NOW_US - 2 * DAY_US}, "coverage.illegal-time"),
        ({"reason": " "}, "coverage.no-reason"),
        ({"source": "10.0.0.1/8"}, "coverage.illegal-network"),
        ({"target": "web7"}, "target.not-found"),
    ],
)
def test_a_wrong_exception_is_refused(site: Site, given: dict[str, object], code: str) -> None:
    with pytest.raises((ConfigurationError, NotFound)) as refused:
        _except(site, **given)

    assert refused.value.code == code


def test_an_exception_that_is_not_there_is_not_found(site: Site) -> None:
    with changing(site.catalog, site.clock, "test") as change, pytest.raises(NotFound):
        exceptions.remove(change, "0190")


# --- much ----------------------------------------------------------------------------------------


def _day_of_logins(count: int) -> Sequence[str]:
    step = 80_000 * SECOND // count
    start = NOW_US - NOW_US % DAY_US - DAY_US
    return [
        logged(BYPASS.replace("5555", str(1024 + n % 60_000)), start + n * step)
        for n in range(count)
    ]


def test_every_bypass_of_many_is_found_and_told_once(site: Site) -> None:
    lines = _day_of_logins(5000)
    done = site.read(*lines)

    assert (done.new, done.told) == (5000, 5000)
    assert site.read(*lines).told == 0
