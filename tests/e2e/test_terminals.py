"""A person at a terminal through the gateway, and what of it is evidence."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from e2e.clients import talk
from e2e.gateway import World, wait_for, world
from watchgate.recording.verify import State
from watchgate.session.events import (
    ChannelClosed,
    ChannelOpened,
    ChannelRefused,
    CommandRequested,
    InputRedacted,
)
from watchgate.session.ports import RecordKind

pytestmark = pytest.mark.real

PROMPT = re.compile(rb"[#$] ")
PASSWORD = b"correct-horse-battery-7"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("terminals")) as made, made.serving():
        yield made


def test_a_shell_has_the_window_that_the_client_has(served: World) -> None:
    with served.terminal(columns=91, rows=33) as person:
        person.expect(PROMPT)
        person.send("stty size\r")
        person.expect(b"33 91")
        person.resize(120, 40)
        person.send("stty size\r")
        person.expect(b"40 120")
        person.send("exit 3\r")
        status = person.wait()

    assert status == 3
    path = served.sealed()
    sizes = [r.data for r in served.records(path) if r.kind is RecordKind.RESIZE]
    assert sizes == [b"91x33", b"120x40"]
    (opened,) = [e for e in served.events(path) if isinstance(e, ChannelOpened)]
    assert (opened.what, opened.terminal, opened.columns) == ("shell", "xterm", 91)
    (closed,) = [e for e in served.events(path) if isinstance(e, ChannelClosed)]
    assert closed.exit_status == 3
    assert served.verdict(path).state is State.INTACT


def test_what_is_typed_and_what_is_shown_are_recorded_apart(served: World) -> None:
    with served.terminal() as person:
        person.expect(PROMPT)
        person.send("echo answer-$((40+2))\r")
        person.expect(b"answer-42")
        person.send("exit\r")
        person.wait()

    path = served.sealed()
    assert served.octets(RecordKind.INPUT, path) == b"echo answer-$((40+2))\rexit\r"
    assert b"answer-42" in served.octets(RecordKind.OUTPUT, path)


def test_a_command_can_have_a_terminal(served: World) -> None:
    with served.terminal(served.name, "tty >/dev/null && echo on-$TERM; exit 7") as person:
        person.expect(b"on-xterm")
        status = person.wait()

    assert status == 7
    path = served.sealed()
    (opened,) = [e for e in served.events(path) if isinstance(e, ChannelOpened)]
    assert (opened.what, opened.terminal) == ("exec", "xterm")
    (requested,) = [e for e in served.events(path) if isinstance(e, CommandRequested)]
    assert requested.command.startswith("tty ")


def test_an_interrupt_key_interrupts_the_program(served: World) -> None:
    with served.terminal() as person:
        person.expect(PROMPT)
        person.send("sh -c 'echo beg\"an\"; exec sleep 60'\r")
        person.expect(b"began")
        person.send(b"\x03")
        person.expect(PROMPT)
        person.send("echo alive-$((1+1))\r")
        person.expect(b"alive-2")
        person.expect(PROMPT)
        person.send(b"\x04")
        status = person.wait()

    assert status == 0
    assert b"\x03" in served.octets(RecordKind.INPUT)


def test_terminal_modes_pass(served: World) -> None:
    async def work(connection: asyncssh.SSHClientConnection) -> bytes:
        modes = {asyncssh.PTY_ECHO: 0, asyncssh.PTY_VINTR: 25}
        done = await connection.run(
            "stty -a; echo on-$TERM", term_type="vt220", term_size=(70, 20), term_modes=modes
        )
        assert isinstance(done.stdout, bytes)
        return done.stdout

    shown = talk(served, work)

    assert b" -echo " in shown
    assert b"intr = ^Y" in shown
    assert b"on-vt220" in shown
    assert b"rows 20; columns 70" in shown


def test_a_password_is_in_no_file_and_in_no_record(served: World) -> None:
    with served.terminal() as person:
        person.expect(PROMPT)
        person.send("read -rsp 'Wo''rd: ' w; echo; echo got-${#w}\r")
        person.expect(b"Word: ")
        person.send(PASSWORD + b"\r")
        person.expect(b"got-%d" % len(PASSWORD))
        person.send("exit\r")
        person.wait()

    path = served.sealed()
    assert InputRedacted(1) in served.events(path)
    recorded = b"\0".join(record.data for record in served.records(path))
    assert b"read -rsp" in recorded
    assert not _remains(recorded, PASSWORD)
    wait_for(lambda: served.sessions()[0].state == "closed", "the catalog knows of the end")
    for file in _files(served.data):
        assert not _remains(file.read_bytes(), PASSWORD), file


def test_a_password_of_a_program_is_redacted_key_by_key(served: World) -> None:
    with served.terminal() as person:
        person.expect(PROMPT)
        person.send("stty -echo; echo quiet-$((40+2)); read -r w; stty echo; echo got-${#w}\r")
        person.expect(b"quiet-42")
        for key in PASSWORD:
            person.send(bytes((key,)))
        person.send("\r")
        person.expect(b"got-%d" % len(PASSWORD))
        person.send("exit\r")
        person.wait()

    path = served.sealed()
    typed = served.octets(RecordKind.INPUT, path)
    assert typed.endswith(b"exit\r")
    assert PASSWORD[:6] not in typed
    assert InputRedacted(1) in served.events(path)


@pytest.mark.parametrize(
    ("option", "what", "words"),
    [
        ("ForwardAgent=yes", "agent forwarding", b"could use your keys"),
        ("ForwardX11=yes", "X11 forwarding", b"could read your keyboard"),
    ],
)
def test_forwarding_by_habit_is_refused_with_a_notice_in_a_shell(
    served: World, tmp_path: Path, option: str, what: str, words: bytes
) -> None:
    extra = {"DISPLAY": ":99", "SSH_AUTH_SOCK": str(tmp_path / "agent")}
    options = ["-o", option, "-o", "IdentityAgent=SSH_AUTH_SOCK"]
    asked = _agent(tmp_path) if option.startswith("ForwardAgent") else None
    try:
        with served.alice.terminal("-tt", *options, served.name, extra=extra) as person:
            person.expect(words)
            person.expect(PROMPT)
            person.send("echo [$SSH_AUTH_SOCK$DISPLAY]\r")
            person.expect(re.compile(rb"[\r\n]\[\]\r"))
            person.send("exit\r")
            person.wait()
    finally:
        if asked is not None:
            asked.terminate()
            asked.wait()

    (refused,) = [e for e in served.events() if isinstance(e, ChannelRefused)]
    assert refused.what == what


def _agent(directory: Path) -> subprocess.Popen[bytes]:
    path = directory / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    wait_for(path.exists, "the agent listens")
    return agent


def _files(directory: Path) -> Iterator[Path]:
    return (path for path in directory.rglob("*") if path.is_file())


def _remains(data: bytes, secret: bytes) -> bool:
    """Whether *secret*, or a part that would help to guess it, is in *data*."""
    return any(secret[at : at + 8] in data for at in range(len(secret) - 7))
