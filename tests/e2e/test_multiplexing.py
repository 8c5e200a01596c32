"""Many channels in one session, the connection's own upkeep under them, and one recording of it all."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncssh
import pytest

from e2e.clients import talk
from e2e.gateway import World, wait_for, world
from watchgate.demo.openssh import environment
from watchgate.recording.verify import State
from watchgate.session.events import ChannelClosed, ChannelOpened, CommandRequested, SessionClosed
from watchgate.session.ports import RecordKind

pytestmark = pytest.mark.real

CHANNELS = 10
BOTH_WAYS = os.urandom(1 << 20) * 30


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("multiplexing")) as made:
        made.flags = ["ssh.rekey_octets=1MiB"]
        with made.serving():
            yield made


@contextmanager
def master(served: World) -> Iterator[list[str]]:
    """A ControlMaster in the background; the options by which ssh uses it."""
    control = ["-S", str(served.alice.directory / "control")]
    started = served.ssh("-M", *control, "-f", "-N", served.name)
    assert started.returncode == 0, started.stderr
    try:
        yield control
    finally:
        served.ssh(*control, "-O", "exit", served.name)


def test_all_channels_of_a_master_are_one_session(served: World) -> None:
    with master(served) as control:
        argv = served.alice.argv("ssh", *control, served.name)
        running = [
            subprocess.Popen(
                [*argv, f"cat; exit {number}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment(),
            )
            for number in range(CHANNELS)
        ]
        first, *others = running
        answers = [first.communicate(b"first", timeout=20)]
        still = [process.poll() for process in others]
        answers += [process.communicate(b"more", timeout=20) for process in others]
        statuses = [process.returncode for process in running]
        sessions = len(served.sessions())

    assert still == [None] * (CHANNELS - 1)
    assert [shown for shown, _ in answers] == [b"first", *[b"more"] * (CHANNELS - 1)]
    assert statuses == list(range(CHANNELS))
    path = served.sealed()
    events = served.events(path)
    assert len([e for e in events if isinstance(e, ChannelOpened)]) == CHANNELS
    closed = [e for e in events if isinstance(e, ChannelClosed)]
    assert sorted(e.exit_status or 0 for e in closed) == list(range(CHANNELS))
    assert [e.reason for e in events if isinstance(e, SessionClosed)] == ["client"]
    assert sessions == len(served.recordings())
    assert served.verdict(path).state is State.INTACT


def test_a_session_stays_open_between_its_channels(served: World) -> None:
    before = len(served.recordings())
    with master(served) as control:
        for word in ("one", "two"):
            done = served.ssh(*control, served.name, f"echo {word}")
            assert done.stdout.decode() == f"{word}\n"
        wait_for(lambda: len(served.recordings()) == before + 1, "one recording")

    commands = [e.command for e in served.events() if isinstance(e, CommandRequested)]
    assert commands == ["echo one", "echo two"]


def test_a_session_has_only_so_many_channels(served: World) -> None:
    async def work(connection: asyncssh.SSHClientConnection) -> tuple[int, str]:
        opened = 0
        try:
            for _ in range(100):
                await connection.create_process("cat")
                opened += 1
        except asyncssh.ChannelOpenError as error:
            return opened, error.reason
        return opened, ""

    opened, reason = talk(served, work)

    assert opened == 64
    assert reason
    assert len([e for e in served.events() if isinstance(e, ChannelClosed)]) == 64


def test_keepalives_of_the_client_are_answered(served: World) -> None:
    options = ["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=1"]

    done = served.ssh(*options, served.name, "sleep 3.5; echo awake")

    assert (done.returncode, done.stdout) == (0, b"awake\n")


def test_keys_are_made_anew_while_much_flows_both_ways(served: World) -> None:
    # The client asks for it after each MiB, the gateway to both of its sides too.
    done = served.ssh(
        "-v",
        "-o",
        "RekeyLimit=1M",
        "-o",
        "LogLevel=DEBUG1",
        served.name,
        "cat",
        data=BOTH_WAYS,
        timeout=60,
    )

    assert done.returncode == 0
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(BOTH_WAYS).digest()
    assert (
        done.stderr.count(b"rekey in progress") + done.stderr.count(b"SSH2_MSG_KEXINIT sent") > 10
    )
    path = served.sealed()
    assert len(served.octets(RecordKind.OUTPUT, path)) == len(BOTH_WAYS)
    assert served.verdict(path).state is State.INTACT


def test_keys_are_made_anew_when_only_the_gateway_asks(served: World) -> None:
    async def work(connection: asyncssh.SSHClientConnection) -> bytes:
        async with asyncio.timeout(30):
            done = await connection.run("cat", input=BOTH_WAYS[: 6 << 20])
        assert isinstance(done.stdout, bytes)
        return done.stdout

    shown = talk(served, work, rekey_bytes=1 << 40)

    assert shown == BOTH_WAYS[: 6 << 20]


def test_a_program_that_has_closed_its_outputs_still_tells_its_status(served: World) -> None:
    done = served.run("exec >&- 2>&-; sleep 0.7; exit 5")

    assert done.returncode == 5
    assert [e.exit_status for e in served.events() if isinstance(e, ChannelClosed)] == [5]


def test_a_target_that_opens_no_more_channels_is_said_so(tmp_path: Path) -> None:
    with world(tmp_path, "MaxSessions 1") as made, made.serving(), master(made) as control:
        argv = made.alice.argv("ssh", *control, made.name)
        with subprocess.Popen(
            [*argv, "echo in; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
        ) as first:
            assert first.stdout is not None
            assert first.stdout.readline() == b"in\n"
            second = made.ssh(*control, made.name, "id")
            rest, _ = first.communicate(b"goes on", timeout=20)
        third = made.ssh(*control, made.name, "echo free")

    assert second.returncode == 255
    assert second.stderr.startswith(b"watchgate: the target opened no channel")
    assert rest == b"goes on"
    assert third.stdout == b"free\n"
    closed = [e for e in made.events() if isinstance(e, ChannelClosed)]
    assert [e.channel for e in closed] == [2, 1, 3]
