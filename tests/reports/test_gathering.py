"""Gathering a report from what the gateway keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC
from functools import partial
from pathlib import Path

import pytest
from report_world import session

from watchgate.catalog import journal, projection, targets
from watchgate.catalog.change import changing
from watchgate.catalog.database import Catalog
from watchgate.catalog.search.index import SqliteIndex
from watchgate.catalog.search.model import About as Described
from watchgate.catalog.search.model import Document, Kind, Progress
from watchgate.clock import ManualClock
from watchgate.errors import ConfigurationError, NotFound
from watchgate.identity import grants, operators
from watchgate.reports import gathering
from watchgate.reports.activity import About, Activity, Proof, Question, What
from watchgate.reports.forms import FORMS
from watchgate.reports.indexed import commands_of
from watchgate.reports.proof import examine
from watchgate.session.events import (
    CommandDecided,
    CommandFinished,
    CommandRequested,
    Envelope,
    Event,
    FileChanged,
    FileMoved,
    ForwardClosed,
    ForwardOpened,
    ForwardRefused,
    OperatorRefused,
    SessionClosed,
    SessionRefused,
)
from watchgate.session.model import FailurePolicy
from watchgate.session.ports import RecordingRequest

SECOND = 1_000_000
BEGAN = 1_795_228_200 * SECOND


@dataclass
class Site:
    """A catalog with alice, web1 and a grant."""

    catalog: Catalog
    clock: ManualClock
    grant: str

    def session(self, number: int, *events: Event, **given: object) -> str:
        """A session that began *number* hours after the first, with an event each second."""
        values: dict[str, object] = {
            "recording": f"0190aaaa-0000-7000-8000-{number:012}",
            "session": f"0190bbbb-0000-7000-8000-{number:012}",
            "protocol": "ssh",
            "operator": "alice",
            "account": "root",
            "target": "web1",
            "client": "192.0.2.7:50000",
            "grant": self.grant,
            "started_at_us": BEGAN + number * 3600 * SECOND,
            "policy_digest": "ab" * 32,
            "on_failure": FailurePolicy.CLOSE,
        }
        request = RecordingRequest(**(values | given))  # type: ignore[arg-type]
        envelopes = [
            Envelope(request.started_at_us + seq * SECOND, request.session, seq, event)
            for seq, event in enumerate(events)
        ]
        with self.catalog.write() as connection:
            projection.apply(connection, request, envelopes)
        return request.session

    def gather(
        self,
        about: About = About.OPERATOR,
        subject: str = "alice",
        hours: tuple[int, int] = (0, 24),
        matching: str = "",
        indexed: gathering.Indexed = gathering.no_index,
    ) -> Activity:
        begin, end = (BEGAN + hour * 3600 * SECOND for hour in hours)
        question = Question(about, subject, begin, end, matching)
        with self.catalog.read() as connection:
            return gathering.gather(connection, question, UTC, indexed)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    clock = ManualClock(BEGAN)
    with Catalog.open(tmp_path / "catalog.db") as catalog:
        with changing(catalog, clock, "test") as change:
            operators.add(change, "alice")
            targets.add(change, "web1", host="10.0.0.5")
            terms = grants.Terms(comment="ticket 7")
            made = grants.add(change, account="root", on="web1", to_operator="alice", terms=terms)
        yield Site(catalog, clock, made.id)


CLOSED = SessionClosed("client", "logged out", None, 1, 1)


def test_everything_that_was_done_is_there_in_its_order(site: Site) -> None:
    site.session(
        1,
        CommandRequested(0, "uptime"),
        CommandFinished(0, 0, 1, None, 5),
        FileMoved(0, "scp", "upload", "/a", 5, "ab" * 32, True),
        FileMoved(0, "sftp", "download", "/b", 5, None, False, "broke off"),
        FileChanged(0, "sftp", "rename", "/c", "/d", True),
        ForwardOpened(1, "local", "10.0.0.9:80", "127.0.0.1:1"),
        ForwardClosed(1, 10, 20),
        ForwardRefused("remote", "0.0.0.0:80", "not granted"),
        CLOSED,
    )
    (work,) = site.gather().sessions

    assert [(one.what, one.how, one.text, one.outcome) for one in work.actions] == [
        (What.COMMAND, "exec", "uptime", "exit 1"),
        (What.FILE, "scp upload", "/a", "complete"),
        (What.FILE, "sftp download", "/b", "incomplete: broke off"),
        (What.FILE, "sftp rename", "/c -> /d", "done"),
        (What.FORWARD, "local", "10.0.0.9:80", "carries unknown, 10 octets sent, 20 received"),
        (What.FORWARD, "remote", "0.0.0.0:80", "refused: not granted"),
    ]
    assert work.grant == f"root@web1 to alice (ticket 7), {site.grant}"
    assert work.lasted_us == 8 * SECOND


def test_commands_of_the_index_are_added_and_none_is_told_twice(site: Site, tmp_path: Path) -> None:
    of = site.session(1, CommandRequested(0, "uptime"), CLOSED)
    start = BEGAN + 3600 * SECOND
    recording = of.replace("bbbb", "aaaa", 1)
    about = Described(of, recording, "alice", "root", "web1", "ssh", start)
    typed = Document(
        *(Kind.COMMAND, 1 << 40, start + SECOND, SECOND, 1, "ls"),
        source="screen",
        confidence="inferred",
    )
    with closing(SqliteIndex(tmp_path / "index", site.clock)) as index:
        index.put(about, [Document(Kind.COMMAND, 0, start, 0, 0, "uptime", "exec"), typed])
        (early,) = site.gather(indexed=partial(commands_of, index)).sessions
        index.advance(Progress(recording, of, 10, True, "commands"))
        (work,) = site.gather(indexed=partial(commands_of, index)).sessions
    (without,) = site.gather().sessions

    assert [(one.text, one.inferred) for one in work.actions] == [("uptime", False), ("ls", True)]
    assert work.gap == ""
    assert "not indexed" in early.gap
    assert "no index" in without.gap


@pytest.mark.parametrize(
    ("progress", "gap"),
    [
        (Progress("r", "s", 1, False, "commands"), "in part so far"),
        (Progress("r", "s", 1, True, "commands", "a broken frame"), "a broken frame"),
        (Progress("r", "s", 1, True, "off"), "policy"),
    ],
)
def test_what_may_be_missing_is_said(progress: Progress, gap: str) -> None:
    class Index:
        def progress(self, recording: str) -> Progress:
            return progress

        def documents(self, session: str, kind: Kind) -> list[tuple[Described, Document]]:
            return []

    assert gap in commands_of(Index(), session()).problem  # type: ignore[arg-type]


def test_an_index_that_cannot_be_read_stops_no_report() -> None:
    class Damaged:
        def progress(self, recording: str) -> Progress:
            raise ConfigurationError("2026-11.commands is damaged")

    found = commands_of(Damaged(), session())  # type: ignore[arg-type]

    assert found.documents == ()
    assert "damaged" in found.problem


def test_a_report_holds_what_happened_in_its_time(site: Site) -> None:
    for number in (1, 2, 3):
        site.session(number, CommandRequested(0, f"command {number}"), CLOSED)
    found = site.gather(hours=(2, 3))

    assert [one.text for work in found.sessions for one in work.actions] == ["command 2"]


def test_a_session_that_goes_on_is_in_every_later_report(site: Site) -> None:
    site.session(1, CommandRequested(0, "early"))

    assert [work.actions for work in site.gather(hours=(5, 6)).sessions] == [()]


def test_only_actions_that_hold_the_text_are_shown(site: Site) -> None:
    site.session(1, CommandRequested(0, "rm -rf /"), CommandRequested(0, "ls"), CLOSED)
    site.session(2, CommandRequested(0, "ls"), CLOSED)
    (work,) = site.gather(matching="RM -RF").sessions

    assert [one.text for one in work.actions] == ["rm -rf /"]
    assert work.left_out == 1


def test_refused_attempts_are_told_of_the_right_one(site: Site) -> None:
    with site.catalog.write() as connection:
        for event in (
            SessionRefused("Alice", "root", "db1", "session.refused", "no grant", "192.0.2.7:1"),
            SessionRefused("bob", "root", "web1", "session.refused", "no grant", "192.0.2.8:1"),
            OperatorRefused("alice", "192.0.2.7:2", "wrong password", 3),
        ):
            journal.append(connection, site.clock, event)
    alice = site.gather().refusals
    web1 = site.gather(About.TARGET, "web1").refusals

    assert [(one.where, one.attempts) for one in alice] == [("root@db1", 1), ("", 3)]
    assert [one.operator for one in web1] == ["bob"]
    assert site.gather().totals.refused == 4


def test_an_attack_on_a_password_makes_no_report_impossible(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "MOST", 2)
    with site.catalog.write() as connection:
        for _ in range(5):
            event = OperatorRefused("alice", "203.0.113.9:2", "wrong password", 3)
            journal.append(connection, site.clock, event)
    found = site.gather()

    assert (len(found.refusals), found.more_refused, found.totals.refused) == (2, 9, 15)
    for form in FORMS.values():
        assert "9 more attempts were refused" in form(found)


def test_a_subject_is_found_whatever_its_case_and_after_it_is_gone(site: Site) -> None:
    site.session(1, CLOSED, target="old1")
    with site.catalog.read() as connection:
        assert gathering.canonical(connection, About.OPERATOR, "ALICE") == "alice"
        assert gathering.canonical(connection, About.TARGET, "old1") == "old1"
        with pytest.raises(NotFound, match="did you mean web1"):
            gathering.canonical(connection, About.TARGET, "web")


def test_a_report_that_nobody_could_read_is_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "MOST", 2)
    for number in (1, 2, 3):
        site.session(number, CLOSED)

    with pytest.raises(ConfigurationError, match="shorter"):
        site.gather()


def test_a_recording_that_is_gone_is_said_to_be(site: Site, tmp_path: Path) -> None:
    site.session(1, CLOSED)
    found = gathering.prove(site.gather(), lambda row: examine(row, tmp_path, None, ()))
    (work,) = found.sessions

    assert work.proof == Proof(
        "2026/11/21/0190aaaa-0000-7000-8000-000000000001.wgr",
        None,
        "missing",
        "there is no such file",
    )
    assert found.totals.proofs == {"missing": 1}


def test_what_the_rules_held_up_is_counted_and_said(site: Site) -> None:
    def decided(seq: int, outcome: str, severity: str | None, *rules: str) -> CommandDecided:
        return CommandDecided(
            *(0, seq, "x", ["x"], [], outcome, list(rules), [], severity, 25, 25, 39),
            *("exact", "exec", "ab" * 32),
        )

    site.session(
        1,
        CommandRequested(0, "rm -rf /"),
        decided(0, "block", "high", "no-rm"),
        CommandRequested(0, "reboot"),
        decided(2, "allow", "high", "note-reboots"),
        CommandFinished(0, 2, 0, None, 5),
        CommandRequested(0, "id"),
        decided(5, "allow", None),
        CLOSED,
    )
    found = site.gather()
    (work,) = found.sessions

    assert [action.outcome for action in work.actions] == [
        "blocked by no-rm (high severity)",
        "exit 0, allowed by note-reboots (high severity)",
        "",
    ]
    assert (found.totals.held_up, found.totals.high_risk) == (1, 2)
    assert (work.session.risk, work.session.points) == (39, 25)
    assert all("39 of 100" in FORMS[form](found) for form in ("md", "html"))
