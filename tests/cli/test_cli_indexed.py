"""What the index has of a session, beside what the catalog has."""

from __future__ import annotations

from contextlib import closing

from watchgate.catalog.search.index import SqliteIndex
from watchgate.catalog.search.model import About, Document, Kind, Progress
from watchgate.cli.context import Common, Context
from watchgate.cli.indexed import indexed
from watchgate.clock import SystemClock

from .command_line import Cli

TYPED = 1 << 40


def put(gate: Cli, session: str, *documents: Document) -> None:
    shown = gate.json("session", "show", session)["session"]
    facts = {name: shown[name] for name in ("recording", "operator", "account", "target")}
    about = About(session, **facts, protocol="ssh", started_at_us=shown["started_at_us"])
    with closing(SqliteIndex(gate.data / "index", SystemClock())) as index:
        index.put(about, documents)
        index.advance(Progress(about.recording, session, 1, True, "commands"))


def typed(item: int, text: str, offset_us: int) -> Document:
    return Document(
        Kind.COMMAND,
        item,
        1_795_253_400_000_000 + offset_us,
        offset_us,
        1,
        text,
        "screen",
        "inferred",
    )


def test_what_was_typed_in_terminals_is_shown_with_the_mark_of_what_was_read(
    gate: Cli, session: str
) -> None:
    put(gate, session, typed(TYPED, "rm -rf /\x1b[2J", 90_000_000))
    shown = gate.done("session", "show", session)

    assert r" 1:30  ~       rm -rf /\x1b[2J" in shown
    assert "~ was read off the screen" in shown


def test_a_command_that_both_know_is_shown_once(gate: Cli, session: str) -> None:
    (known,) = gate.json("session", "show", session)["commands"]
    put(gate, session, typed(known["seq"], known["text"], known["offset_us"]))

    assert len(gate.json("session", "show", session)["commands"]) == 1


def test_without_an_index_it_says_that_there_may_be_more(gate: Cli, session: str) -> None:
    shown = gate.json("session", "show", session)

    assert "there is no index" in shown["commands_missing"]
    assert "there may be more: there is no index" in gate.done("session", "show", session)


def test_a_play_begins_at_the_command_that_show_numbers(gate: Cli, session: str) -> None:
    (known,) = gate.json("session", "show", session)["commands"]
    put(gate, session, typed(TYPED, "make", known["offset_us"] + 1))
    numbers = [one["text"] for one in gate.json("session", "show", session)["commands"]]

    assert numbers == [known["text"], "make"]
    answer = gate("session", "play", session, "--command", "3")
    assert answer.status == 3
    assert "there is no command 3; `session show` lists 2" in answer.err


def test_the_index_is_only_opened_where_there_is_one(gate: Cli) -> None:
    with indexed(Context(Common(data=gate.data))) as commands:
        pass

    assert not (gate.data / "index").exists()
    assert callable(commands)
