"""What is found of real sessions: live and built again the same, whatever died in between."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from e2e.gateway import World, wait_for, world
from e2e.peers import serving_again
from e2e.servers import Terminal, free_port
from watchgate.catalog.schema import session as session_table
from watchgate.catalog.search.index import SqliteIndex
from watchgate.catalog.search.model import About, Document, Kind, Query
from watchgate.cli.application import run
from watchgate.clock import SystemClock
from watchgate.errors import ConfigurationError
from watchgate.session.model import IndexPolicy

pytestmark = pytest.mark.real

PROMPT = re.compile(rb"[#$] ")

All = dict[tuple[str, Kind], list[tuple[About, Document]]]


def command(made: World, *words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        run([*words, "--data", str(made.data)])
    return int(ended.value.code or 0)


def sessions(made: World) -> list[str]:
    with made.catalog() as catalog, catalog.read() as connection:
        return list(connection.scalars(select(session_table.c.id)))


def documents(made: World) -> All:
    """Everything that the index has."""
    with closing(SqliteIndex(made.data / "index", SystemClock())) as index:
        return {
            (session, kind): list(index.documents(session, kind))
            for session in sessions(made)
            for kind in Kind
        }


def commands(made: World) -> set[str]:
    return {
        document.text
        for (_, kind), found in documents(made).items()
        if kind is Kind.COMMAND
        for _, document in found
    }


def screens(made: World) -> str:
    return "\n".join(
        document.text
        for (_, kind), found in documents(made).items()
        if kind is Kind.SCREEN
        for _, document in found
    )


def complete(made: World) -> bool:
    """Every recording is indexed to its end."""
    with closing(SqliteIndex(made.data / "index", SystemClock())) as index:
        try:
            states = [index.progress(path.stem) for path in made.recordings()]
        except ConfigurationError:
            return False  # it is just being made
    return bool(states) and all(state is not None and state.complete for state in states)


def found(made: World, text: str) -> int:
    with closing(SqliteIndex(made.data / "index", SystemClock())) as index:
        return len(index.search(Query(text)).hits)


def rebuilt(made: World) -> All:
    """What `watchgate reindex` makes of the recordings, with nothing to begin from."""
    shutil.rmtree(made.data / "index")
    assert command(made, "reindex") == 0
    return documents(made)


def workers(parent: int) -> list[int]:
    """The index workers of a gateway."""
    listed = Path(f"/proc/{parent}/task").glob("*/children")
    children = [int(pid) for file in listed for pid in file.read_text().split()]
    return [
        pid
        for pid in children
        if b"watchgate.indexing" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def killed_worker(made: World) -> int:
    """Kill the worker with -9; its pid."""
    assert made.process is not None
    (pid,) = workers(made.process.pid)
    os.kill(pid, signal.SIGKILL)
    return pid


def work(made: World) -> None:
    """Sessions of every kind: executed, in terminals, resized, two at once."""
    made.run("echo one-executed; echo to-errors >&2")
    made.run("printf '\\377\\376 not text\\n'")
    with made.terminal() as first, made.terminal(columns=120, rows=40) as second:
        for terminal in (first, second):
            terminal.expect(PROMPT)
        type_in(first, "echo typed-fir''st", b"typed-first\r\n")
        type_in(second, "echo typed-seco''nd", b"typed-second\r\n")
        first.resize(100, 30)
        type_in(first, "echo after-res''ize", b"after-resize\r\n")
        for terminal in (first, second):
            terminal.send(b"exit\r")
            terminal.wait()


def type_in(terminal: Terminal, line: str, answer: bytes) -> None:
    terminal.send(f"{line}\r")
    terminal.expect(answer)
    terminal.expect(PROMPT)


def wait_until_found(made: World, line: str) -> None:
    """Wait until a command is in the index, with nothing else happening in its terminal."""
    wait_for(lambda: line in commands(made), f"{line} is indexed", 30)


TYPED = {"echo typed-fir''st", "echo typed-seco''nd", "echo after-res''ize"}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[World]:
    """Nothing serves yet; web1 wants its screens indexed."""
    with world(tmp_path) as gate:
        gate.configure_target(index=IndexPolicy.SCREEN)
        yield gate


# --- in order ------------------------------------------------------------------------------------


def test_what_was_done_is_found_and_reindex_finds_the_same(made: World) -> None:
    with made.serving():
        work(made)
        made.sealed(4)
        wait_for(lambda: complete(made), "all is indexed while the gateway serves")
    live = documents(made)

    assert commands(made) >= {"echo one-executed; echo to-errors >&2", *TYPED}
    for text in ("one-executed", "to-errors", "typed-second", "after-resize"):
        assert text in screens(made)
        assert found(made, text) > 0
    assert rebuilt(made) == live


def test_a_command_and_its_output_are_found_while_its_terminal_is_quiet(made: World) -> None:
    with made.serving(), made.terminal() as terminal:
        terminal.expect(PROMPT)
        type_in(terminal, "echo still-he''re", b"still-here\r\n")
        began = time.monotonic()
        wait_until_found(made, "echo still-he''re")
        taken = time.monotonic() - began
        wait_for(lambda: found(made, "still-here") > 0, "its output is indexed")
        assert not complete(made)
        # Four seconds; and as many for a machine that does much else.
        assert taken < 8
        terminal.send(b"exit\r")
        terminal.wait()


def test_stopping_leaves_nothing_unindexed(made: World) -> None:
    with made.serving():
        for number in range(3):
            made.run(f"echo last-{number}")

    assert complete(made)
    assert commands(made) == {"echo last-0", "echo last-1", "echo last-2"}


@pytest.mark.parametrize("policy", [IndexPolicy.COMMANDS, IndexPolicy.OFF])
def test_a_target_decides_what_of_it_is_indexed(made: World, policy: IndexPolicy) -> None:
    made.configure_target(index=policy)
    with made.serving():
        made.run("echo one-executed")

    assert complete(made)
    assert commands(made) == ({"echo one-executed"} if policy is IndexPolicy.COMMANDS else set())
    assert screens(made) == ""
    live = documents(made)
    assert rebuilt(made) == live


def test_a_recording_that_went_through_the_spool_is_indexed(made: World) -> None:
    made.configure_target(on_recording_failure="spool")
    made.flags = ["recording.minimum_free=1000TiB"]
    with made.serving(), made.terminal() as terminal:
        terminal.expect(PROMPT)
        assert list((made.data / "spool").glob("*.tail-0"))
        type_in(terminal, "echo in-the-sp''ool", b"in-the-spool\r\n")
        wait_until_found(made, "echo in-the-sp''ool")
        terminal.send(b"exit\r")
        terminal.wait()
        made.sealed(1)
        wait_for(lambda: complete(made), "it is indexed to its end at home")
    live = documents(made)

    assert rebuilt(made) == live


def test_a_password_is_never_found(made: World) -> None:
    with made.serving(), made.terminal() as terminal:
        terminal.expect(PROMPT)
        terminal.send("stty -echo; echo rea''dy; read -r secret; stty echo; echo do''ne\r")
        terminal.expect(b"ready\r\n")
        terminal.send("correct-horse-battery-7\r")
        terminal.expect(b"done\r\n")
        terminal.send(b"exit\r")
        terminal.wait()
        made.sealed(1)
        wait_for(lambda: complete(made), "it is indexed")

    assert found(made, "read -r secret") > 0
    assert found(made, "correct-horse") == 0


# --- what dies -----------------------------------------------------------------------------------


def test_a_worker_that_is_killed_half_way_misses_nothing(made: World) -> None:
    made.spawn(free_port())
    with made.terminal() as terminal:
        terminal.expect(PROMPT)
        type_in(terminal, "echo before-ki''ll", b"before-kill\r\n")
        wait_until_found(made, "echo before-ki''ll")
        first = killed_worker(made)
        type_in(terminal, "echo after-ki''ll", b"after-kill\r\n")
        wait_until_found(made, "echo after-ki''ll")
        assert workers(made.process.pid if made.process else 0) != [first]
        terminal.send(b"exit\r")
        terminal.wait()
    made.sealed(1)
    wait_for(lambda: complete(made), "all is indexed")
    live = documents(made)

    assert rebuilt(made) == live


def test_what_a_killed_gateway_left_is_indexed_by_the_escrow_key(made: World) -> None:
    process = made.spawn(free_port())
    with made.terminal() as terminal:
        terminal.expect(PROMPT)
        type_in(terminal, "echo before-cra''sh", b"before-crash\r\n")
        wait_until_found(made, "echo before-cra''sh")
        (worker,) = workers(process.pid)
        process.kill()
        process.wait()
    wait_for(lambda: not Path(f"/proc/{worker}").exists(), "the worker is gone too")
    assert not complete(made)
    serving_again(made, f"index.escrow_identity={made.data / 'keys/auditor.key'}")
    wait_for(lambda: complete(made), "the next gateway indexes it")
    live = documents(made)

    assert "echo before-cra''sh" in commands(made)
    assert rebuilt(made) == live


def test_without_an_escrow_key_reindex_completes_what_a_crash_left(made: World) -> None:
    process = made.spawn(free_port())
    with made.terminal() as terminal:
        terminal.expect(PROMPT)
        type_in(terminal, "echo before-cra''sh", b"before-crash\r\n")
        wait_until_found(made, "echo before-cra''sh")
        process.kill()
        process.wait()
    serving_again(made)
    assert made.log is not None
    log = made.log
    wait_for(lambda: "not completely indexed" in log.read_text(), "the log says so")

    assert not complete(made)
    assert command(made, "reindex", "--only", "index") == 0
    assert complete(made)
    assert "echo before-cra''sh" in commands(made)


def test_what_a_lost_file_of_the_index_held_is_read_again_while_the_gateway_serves(
    made: World,
) -> None:
    made.flags = [f"index.escrow_identity={made.data / 'keys/auditor.key'}"]
    both = {"echo before-loss", "echo after-loss"}
    with made.serving():
        made.run("echo before-loss")
        wait_for(lambda: complete(made), "it is indexed")
        for file in (made.data / "index").glob("commands-*"):
            file.unlink()
        made.run("echo after-loss")
        wait_for(lambda: complete(made) and commands(made) == both, "both are found", 40)
    live = documents(made)

    assert rebuilt(made) == live


def test_reindex_beside_a_gateway_that_indexes_loses_nothing(made: World) -> None:
    with made.serving(), made.terminal() as terminal:
        terminal.expect(PROMPT)
        type_in(terminal, "echo before-rein''dex", b"before-reindex\r\n")
        wait_until_found(made, "echo before-rein''dex")
        assert command(made, "reindex") == 0
        assert "echo before-rein''dex" in commands(made)
        type_in(terminal, "echo after-rein''dex", b"after-reindex\r\n")
        wait_until_found(made, "echo after-rein''dex")
        terminal.send(b"exit\r")
        terminal.wait()
    live = documents(made)

    assert complete(made)
    assert rebuilt(made) == live
