"""`watchgate coverage` as an administrator uses it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from .command_line import Cli


def line(message: str, seconds_ago: float = 60, host: str = "web1") -> str:
    stamp = datetime.fromtimestamp(time.time() - seconds_ago, UTC).isoformat()
    return f"{stamp} {host} sshd[77]: {message}\n"


BYPASS = "Accepted password for bob from 203.0.113.9 port 5555 ssh2"


@pytest.fixture
def old(gate: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A gateway that has been there for a day."""
    from watchgate.reports.coverage import store

    began = int(time.time() - 86_400) * 1_000_000
    monkeypatch.setattr(store, "records_begin", lambda connection: began)
    gate.done("target", "add", "web1", "--host", "10.0.0.5")
    return gate


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "auth.log"
    path.write_text(line(BYPASS) + "garbage\n")
    return path


def test_a_log_is_imported_and_reported(old: Cli, log: Path) -> None:
    said = old.done("coverage", "import", str(log), "--target", "web1")
    (row,) = [row for row in old.json("coverage", "report") if row["data"]]

    assert "2 lines, 1 logins, 1 of them new" in said
    assert "bypassed it" in said
    assert "no session is like it" in said
    assert (row["target"], row["bypassed"], row["share"]) == ("web1", 1, 0.0)
    assert "0.0 %" in old.done("coverage", "report", "--target", "web1", "--utc")


def test_a_log_comes_in_by_standard_input(old: Cli) -> None:
    octets = (line(BYPASS) + line(BYPASS, host="web9")).encode()
    found = old("coverage", "import", "-", "--by-host", "--json", stdin=octets)

    assert found.status == 0
    assert found.value["unknown_hosts"] == {"web9": 1}
    assert found.value["states"]["bypassed"] == 1
    assert "web9 (1)" in found.err


def test_what_was_not_read_is_said(old: Cli, log: Path) -> None:
    answer = old("coverage", "import", str(log), "--target", "web1")
    exported = old("coverage", "import", "-", "--target", "web1", stdin=b"__CURSOR=s\nMESSAGE=x\n")

    assert "1 lines have no form that is known" in answer.err
    assert "journalctl -o json" in exported.err


def test_a_bypass_is_in_the_journal_once(old: Cli, log: Path) -> None:
    for _ in range(2):
        old.done("coverage", "import", str(log), "--target", "web1")
    entries = old.json("journal", "list", "--kind", "coverage.*")

    kinds = sorted(entry["kind"] for entry in entries)
    assert kinds == ["coverage.bypassed", "coverage.imported", "coverage.imported"]


def test_the_logins_are_listed_with_why(old: Cli, log: Path) -> None:
    old.done("coverage", "import", str(log), "--target", "web1")

    assert "no session is like it" in old.done("coverage", "logins")
    assert old.json("coverage", "logins", "--state", "gateway") == []
    assert old.json("coverage", "logins")[0]["login"]["accepted"]["account"] == "bob"


def test_an_exception_is_made_listed_and_removed(old: Cli, log: Path) -> None:
    words = ("--account", "bob", "--source", "203.0.113.0/24", "--until", "90d", "--from", "1h")
    old.done("coverage", "except", "add", *words, "--reason", "console")
    old.done("coverage", "import", str(log), "--target", "web1")
    (made,) = old.json("coverage", "except", "list")
    (row,) = [row for row in old.json("coverage", "report") if row["data"]]

    assert (row["bypassed"], row["excepted"], row["share"]) == (0, 1, None)
    assert "console" in old.done("coverage", "except", "list")
    old.done("coverage", "except", "remove", made["id"])
    assert old.json("coverage", "except", "list") == []


def test_a_report_is_comma_separated(old: Cli, log: Path) -> None:
    old.done("coverage", "import", str(log), "--target", "web1")
    head, first, *_ = old.done("coverage", "report", "--csv").splitlines()

    assert head.startswith("target,day,data,gateway,bypassed,excepted,unknown,missing,share")
    assert first.startswith("web1,")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("import", "FILE"), 2),
        (("import", "FILE", "--target", "web1", "--by-host"), 2),
        (("import", "FILE", "--target", "web7"), 3),
        (("import", "gone.log", "--target", "web1"), 2),
        (("import", "FILE", "--target", "web1", "--zone", "Mars/Olympus"), 2),
        (("report", "--from", "1h", "--to", "2h"), 2),
        (("except", "remove", "0190"), 3),
        (("except", "add", "--until", "1d", "--reason", "x"), 2),
    ],
)
def test_a_wrong_call_is_refused(old: Cli, log: Path, words: tuple[str, ...], status: int) -> None:
    answer = old("coverage", *(str(log) if word == "FILE" else word for word in words))

    assert answer.status == status
    assert answer.err.startswith("watchgate: ")
