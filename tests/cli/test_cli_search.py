"""`watchgate search`: finding sessions by what was done in them, and that it is journaled."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from watchgate.catalog.database import Catalog
from watchgate.catalog.queries import find_session
from watchgate.catalog.search.index import SqliteIndex
from watchgate.catalog.search.model import About, Document, Hit, Kind, Progress
from watchgate.cli.search import pieces
from watchgate.clock import SystemClock

from .command_line import Cli

HOSTILE = "echo \x1b]0;evil\x07 needle \x1b[31m"


@pytest.fixture
def common(gate: Cli, session: str) -> About:
    """What is known of the recorded session."""
    with Catalog.open(gate.data / "catalog.db") as catalog, catalog.read() as connection:
        row = find_session(connection, session)
    return About(
        row.id,
        row.recording,
        row.operator,
        row.account,
        row.target,
        row.protocol,
        row.started_at_us,
    )


@pytest.fixture
def index(gate: Cli, common: About) -> Iterator[SqliteIndex]:
    """The gateway's index, with a few documents of the recorded session."""
    with closing(SqliteIndex(gate.data / "index", SystemClock())) as made:
        documents = [
            _document(
                common, Kind.COMMAND, 1, 3, "rm -rf /srv/data", verdict="block", severity="high"
            ),
            _document(common, Kind.COMMAND, 2, 83, HOSTILE, channel=2),
            _document(common, Kind.SCREEN, 1, 90, "$ ls\nRM -RF is not needle\n"),
        ]
        made.put(common, documents)
        yield made


def _document(
    common: About, kind: Kind, item: int, at: int, text: str, channel: int = 0, **fields: str
) -> Document:
    offset = at * 1_000_000
    at_us = common.started_at_us + offset
    return Document(kind, item, at_us, offset, channel, text, "screen", "inferred", **fields)


def test_hits_are_listed_and_the_first_can_be_played(
    gate: Cli, common: About, index: SqliteIndex
) -> None:
    out = gate.done("search", "needle")

    lines = out.splitlines()
    assert lines[0].split() == ["WHEN", "OPERATOR", "WHERE", "SESSION", "AT", "LINE"]
    assert f"alice     root@web1  {common.session[:13]}  1:30.0  RM -RF is not needle" in lines[1]
    assert "1:23.0  echo \\x1b]0;evil\\x07 needle \\x1b[31m" in lines[2]
    assert "\x1b" not in out
    assert lines[-1] == f"watchgate session play {common.session} --at 1:25.0"


def test_the_line_to_play_begins_at_the_session_and_names_the_channel(
    gate: Cli, common: About, index: SqliteIndex
) -> None:
    of_a_channel = gate.done("search", "evil").splitlines()[-1]
    at_the_beginning = gate.done("search", "rm -rf", "--commands").splitlines()[-1]

    assert of_a_channel.endswith("--at 1:18.0 --channel 2")
    assert at_the_beginning.endswith("--at 0:00.0")
    played = gate(*at_the_beginning.split()[1:])
    assert played.status == 0
    assert "up 3 days" in played.out


def test_a_document_has_everything_of_each_hit(
    gate: Cli, common: About, index: SqliteIndex
) -> None:
    answer = gate.json("search", "rm -rf", "--commands")

    (hit,) = answer["hits"]
    assert hit["session"] == common.session
    assert hit["recording"] == common.recording
    assert (hit["text"], hit["line"], hit["spans"]) == ("rm -rf /srv/data", 0, [[0, 6]])
    assert (hit["verdict"], hit["severity"], hit["confidence"]) == ("block", "high", "inferred")
    assert (hit["offset_us"], hit["play_at"], hit["kind"]) == (3_000_000, "0:00.0", "command")
    assert hit["at_us"] == common.started_at_us + 3_000_000
    assert hit["at"].endswith("Z")
    assert (answer["partial"], answer["problems"], answer["not_indexed"]) == ("", [], None)


def _found(gate: Cli, *words: str) -> int:
    return len(gate.json("search", *words)["hits"])


def test_filters_and_ways_are_options(gate: Cli, common: About, index: SqliteIndex) -> None:
    assert _found(gate, "rm -rf") == 2
    assert _found(gate, "rm -rf", "--case") == 1
    assert _found(gate, "RM -RF") == 1
    assert _found(gate, "RM -RF", "--any-case") == 2
    assert _found(gate, "rm -rf", "--screens") == 1
    assert _found(gate, "rm -rf", "--screens", "--commands") == 2
    assert _found(gate, "rm ", "--prefix") == 2
    assert _found(gate, "/srv", "--prefix") == 0
    assert _found(gate, r"rm\s+-\w+ /srv", "--regex") == 1
    assert _found(gate, "rm", "--operator", "alice") == 2
    assert _found(gate, "rm", "--operator", "bob") == 0
    assert _found(gate, "rm", "--target", "web1", "--account", "root", "--protocol", "ssh") == 2
    assert _found(gate, "rm", "--session", "last") == 2
    assert _found(gate, "rm", "--session", common.session[:13]) == 2
    assert _found(gate, "rm -", "--verdict", "block", "--severity", "high") == 1
    assert _found(gate, "rm -", "--since", "1h") == 2
    assert _found(gate, "rm -", "--until", "1h") == 0
    assert _found(gate, "rm -", "--limit", "1") == 1


def test_every_search_is_in_the_journal(gate: Cli, index: SqliteIndex) -> None:
    gate.done("search", "rm -rf", "--operator", "alice", "--limit", "1", "--prefix")
    gate.done("search", "nothing like it")

    nothing, many = gate.json("journal", "list", "--kind", "index.searched")

    assert nothing["data"]["hits"] == 0
    assert many["data"]["actor"].startswith("cli:")
    assert many["data"] | {"actor": ""} == {
        "actor": "",
        "text": "rm -rf",
        "mode": "prefix",
        "filters": {"kinds": ["command", "screen"], "operator": "alice", "limit": 1},
        "hits": 1,
        "partial": True,
    }
    assert "intact" in gate.done("journal", "verify")


def test_without_a_journal_nothing_is_shown(gate: Cli, index: SqliteIndex) -> None:
    with closing(sqlite3.connect(gate.data / "catalog.db")) as connection:
        connection.execute("DROP TABLE journal")
        connection.commit()

    answer = gate("search", "needle")

    assert answer.status == 2
    assert answer.out == ""
    assert "needle" not in answer.err


def test_nothing_found_is_no_failure_and_says_what_was_not_searched(
    gate: Cli, common: About, index: SqliteIndex
) -> None:
    behind = gate.done("search", "unheard of")
    index.advance(Progress(common.recording, common.session, 9, True, "commands"))
    without_screens = gate.done("search", "unheard of")
    index.advance(Progress(common.recording, common.session, 9, True, "off"))
    off = gate.done("search", "unheard of")
    index.advance(Progress(common.recording, common.session, 9, True, "screen"))
    whole = gate.done("search", "unheard of")

    assert behind.startswith("Nothing matches.\n1 session is not indexed to the end")
    assert "1 session is indexed without what screens showed" in without_screens
    assert "1 session is not indexed, because the target wants it so" in off
    assert whole == "Nothing matches.\n"
    assert gate.json("search", "unheard of")["not_indexed"] == {
        "enabled": True,
        "sessions": 1,
        "off": 0,
        "commands_only": 0,
        "behind": 0,
    }


def test_a_gateway_without_sessions_or_index_says_so(gate: Cli) -> None:
    nobody = gate.done("search", "needle", "--operator", "nobody")
    (gate.data / "watchgate.toml").write_text("[index]\nenabled = false\n")
    disabled = gate.done("search", "needle")

    assert "No session fits the filters" in nobody
    assert "index.enabled is false" in disabled
    assert not (gate.data / "index").exists()


def test_what_was_cut_off_is_said_beside_the_answer(gate: Cli, index: SqliteIndex) -> None:
    answer = gate("search", "needle", "--limit", "1")

    assert answer.err == "watchgate: there may be more: only the newest 1 are shown (--limit)\n"
    assert "needle" in answer.out


def test_a_damaged_file_is_said_beside_the_answer(gate: Cli, index: SqliteIndex) -> None:
    index.close()
    (damaged,) = (gate.data / "index").glob("commands-*.db")
    damaged.write_bytes(b"garbage" * 1000)

    answer = gate("search", "needle")

    assert answer.status == 0
    assert "RM -RF is not needle" in answer.out
    assert f"watchgate: the index file {damaged.name} cannot be read" in answer.err
    assert "`watchgate reindex`" in answer.err


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["rm"], 3, "fewer than 3 characters"),
        (["(a", "--regex"], 3, "missing )"),
        (["x(?=y)", "--regex"], 3, "looking ahead is not possible"),
        (["a" * 1001], 3, "1001 characters"),
        (["abc", "--regex", "--prefix"], 2, "do not go together"),
        (["abc", "--session", "ffffffff"], 3, "no session"),
        (["abc", "--since", "yesterday"], 2, "not a moment"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_advice(
    gate: Cli, index: SqliteIndex, words: list[str], status: int, said: str
) -> None:
    answer = gate("search", *words)

    assert (answer.status, answer.out) == (status, "")
    assert said in answer.err
    assert gate.json("journal", "list", "--kind", "index.searched") == []


def test_a_terminal_shows_what_matched(
    gate: Cli, index: SqliteIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")

    out = gate.done("search", "needle")

    assert "\x1b[1;7mneedle\x1b[0m" in out
    assert "\x1b]0;" not in out
    assert "\\x1b]0;evil\\x07" in out


def test_of_a_long_line_what_is_around_the_match_is_shown(common: About) -> None:
    text = "a\x07" * 5_000 + "needle" + "z" * 60_000
    document = _document(common, Kind.COMMAND, 1, 1, text)
    shown = list(pieces(Hit(common, document, 0, ((10_000, 10_006),))))

    assert shown[0] == ("…", False)
    assert ("needle", True) in shown
    assert shown[-1] == ("…", False)
    assert sum(len(piece) for piece, _ in shown) < 500


def test_the_index_lies_where_the_settings_say(gate: Cli, common: About, tmp_path: Path) -> None:
    (gate.data / "watchgate.toml").write_text(f'[index]\ndirectory = "{tmp_path}/elsewhere"\n')
    with closing(SqliteIndex(tmp_path / "elsewhere", SystemClock())) as elsewhere:
        elsewhere.put(common, [_document(common, Kind.COMMAND, 1, 1, "needle")])

    assert len(gate.json("search", "needle")["hits"]) == 1
