"""`watchgate report` as an auditor uses it."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest

from .command_line import Cli


def test_a_report_says_who_did_what_and_where_the_evidence_is(gate: Cli, session: str) -> None:
    said = gate.done("report", "operator", "alice", "--from", "1h")
    (recording,) = (gate.data / "recordings").rglob("*.wgr")

    assert session in said
    assert r"`uptime \x1b]0;evil\x07`" in said
    assert f"`watchgate session play {session} --at 0:00:00`" in said
    assert hashlib.sha256(recording.read_bytes()).hexdigest() in said
    assert "intact: sealed" in said
    assert "\x1b" not in said


def test_a_report_on_a_target_is_the_same_work(gate: Cli, session: str) -> None:
    found = gate.json("report", "target", "web1", "--from", "1h")

    assert found["report"]["question"]["about"] == "target"
    assert [work["session"]["id"] for work in found["report"]["sessions"]] == [session]
    assert found["totals"]["commands"] == 1
    assert found["totals"]["proofs"] == {"intact": 1}


def test_a_report_is_in_the_journal_whatever_comes_of_it(
    gate: Cli, session: str, tmp_path: Path
) -> None:
    assert session
    answer = gate("report", "operator", "alice", "--from", "1h", "--output", str(tmp_path))
    (entry,) = gate.json("journal", "list", "--kind", "report.written")

    assert answer.status == 2
    assert (entry["data"]["subject"], entry["data"]["format"]) == ("alice", "md")


@pytest.mark.parametrize(
    ("form", "begins"), [("md", "# Report"), ("html", "<!doctype html>"), ("csv", "time,")]
)
def test_a_report_is_written_for_its_owner_alone(
    gate: Cli, session: str, tmp_path: Path, form: str, begins: str
) -> None:
    path = tmp_path / "report"
    words = ("report", "operator", "alice", "--from", "1h", "--format", form, "--output", str(path))
    gate.done(*words)

    assert path.read_text().startswith(begins)
    assert session in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert gate(*words).status == 2
    gate.done(*words, "--force")


def test_only_what_holds_a_text_is_shown(gate: Cli, session: str) -> None:
    commands = gate.done("report", "operator", "alice", "--from", "1h", "--matching", "UPTIME")
    nothing = gate.done("report", "operator", "alice", "--from", "1h", "--matching", "rm -rf")

    assert "1 more actions do not hold" in commands
    assert session not in nothing


def test_a_day_is_asked_for_in_one_word(gate: Cli, session: str) -> None:
    other = gate.done("report", "operator", "alice", "--date", "2020-02-29", "--utc")

    assert "2020-02-29 00:00:00 +00:00 to 2020-03-01" in other
    assert session not in other


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("operator", "nobody", "--from", "1h"), 3),
        (("operator", "alice"), 2),
        (("operator", "alice", "--date", "2026-11-21", "--from", "1h"), 2),
        (("operator", "alice", "--date", "yesterday"), 2),
        (("target", "web1", "--from", "1h", "--to", "2h"), 2),
    ],
)
def test_a_wrong_question_is_refused(
    gate: Cli, session: str, words: tuple[str, ...], status: int
) -> None:
    assert session
    assert gate("report", *words).status == status
