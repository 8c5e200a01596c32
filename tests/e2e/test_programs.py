"""Programs without a terminal: their octets, their ends, their environment, and the evidence of them."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Iterator

import asyncssh
import pytest

from e2e.clients import talk
from e2e.gateway import World, world
from e2e.peers import add_target, ssh_server
from watchgate.recording.verify import State
from watchgate.session.events import (
    ChannelClosed,
    ChannelOpened,
    ChannelRefused,
    ChannelSignaled,
    CommandFinished,
    CommandRequested,
    EnvironmentPassed,
    octets,
)
from watchgate.session.model import Capability
from watchgate.session.ports import RecordKind

pytestmark = pytest.mark.real

BULK = 50_000_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("programs")) as made, made.serving():
        yield made


@pytest.fixture
def allowed(served: World) -> World:
    """The usual grant, whatever the test before has made of it."""
    served.allow()
    return served


def test_both_outputs_come_apart_and_are_recorded_apart(served: World) -> None:
    answer = served.run("echo out; echo problem >&2; exit 3")

    assert (answer.returncode, answer.stdout, answer.stderr) == (3, b"out\n", b"problem\n")
    path = served.sealed()
    assert served.octets(RecordKind.OUTPUT, path) == b"out\n"
    assert served.octets(RecordKind.ERROR, path) == b"problem\n"
    assert served.verdict(path).state is State.INTACT


@pytest.mark.parametrize("status", [0, 3, 255])
def test_an_exit_status_is_passed_and_recorded_exactly(served: World, status: int) -> None:
    answer = served.run(f"exit {status}")

    assert answer.returncode == status
    (finished,) = [e for e in served.events() if isinstance(e, CommandFinished)]
    assert (finished.exit_status, finished.exit_signal) == (status, None)


@pytest.mark.parametrize("signal", ["KILL", "SEGV", "TERM"])
def test_an_exit_signal_is_passed_and_recorded_exactly(served: World, signal: str) -> None:
    async def work(connection: asyncssh.SSHClientConnection) -> tuple[object, ...]:
        done = await connection.run(f"kill -{signal} $$")
        assert done.exit_signal is not None
        return done.returncode, done.exit_signal[0]

    _, name = talk(served, work)

    assert name == signal
    (closed,) = [e for e in served.events() if isinstance(e, ChannelClosed)]
    assert (closed.exit_status, closed.exit_signal) == (None, signal)


@pytest.mark.parametrize(
    ("command", "data", "answer"),
    [
        ("wc -c", b"x" * 12345, b"12345\n"),
        ("sort", b"pear\napple\n", b"apple\npear\n"),
        ("cat", bytes(range(256)), bytes(range(256))),
        ("cat", b"", b""),
    ],
)
def test_a_program_sees_the_end_of_its_input(
    served: World, command: str, data: bytes, answer: bytes
) -> None:
    done = served.run(command, data=data)

    assert (done.returncode, done.stdout) == (0, answer)
    assert served.octets(RecordKind.INPUT) == data


def test_output_goes_on_after_the_input_has_ended(served: World) -> None:
    done = served.run("cat >/dev/null; echo one; echo two; exit 4", data=b"ended\n")

    assert (done.returncode, done.stdout) == (4, b"one\ntwo\n")


def test_a_target_that_closes_its_input_early_ends_the_client(served: World) -> None:
    done = served.run("head -c 5; exec <&-; echo; exit 6", data=b"12345" + bytes(20_000_000))

    assert (done.returncode, done.stdout) == (6, b"12345\n")


def test_much_input_arrives_whole(served: World) -> None:
    data = os.urandom(1 << 20) * 48

    done = served.run("sha256sum", data=data)

    assert done.stdout.split()[0].decode() == hashlib.sha256(data).hexdigest()


def test_much_output_arrives_whole_and_is_in_the_recording(served: World) -> None:
    made = f"head -c {BULK} /dev/zero | openssl enc -aes-128-ctr -nosalt -k x -pbkdf2 -iter 1"

    done = served.run(made)

    assert len(done.stdout) == BULK
    path = served.sealed()
    recorded = hashlib.sha256(served.octets(RecordKind.OUTPUT, path)).digest()
    assert recorded == hashlib.sha256(done.stdout).digest()
    assert served.verdict(path).state is State.INTACT


def test_a_command_need_not_be_text(served: World) -> None:
    async def work(connection: asyncssh.SSHClientConnection) -> bytes:
        done = await connection.run(b"printf '\xff\\0\xfe'", encoding=None)
        assert isinstance(done.stdout, bytes)
        return done.stdout

    shown = talk(served, work)

    assert shown == b"\xff\0\xfe"
    (requested,) = [e for e in served.events() if isinstance(e, CommandRequested)]
    assert octets(requested.command) == b"printf '\xff\\0\xfe'"


def test_a_very_long_command_is_passed_and_recorded_whole(served: World) -> None:
    command = f"echo {'x' * 100_000} | wc -c"

    done = served.run(command)

    assert done.stdout == b"100001\n"
    (requested,) = [e for e in served.events() if isinstance(e, CommandRequested)]
    assert requested.command == command


def test_only_allowed_variables_pass(served: World) -> None:
    async def work(connection: asyncssh.SSHClientConnection) -> bytes:
        variables = {"LANG": "eo.UTF-8", "LC_TIME": "tlh", "LD_PRELOAD": "/evil.so", "SECRET": "s3"}
        done = await connection.run("echo $LANG,$LC_TIME,$LD_PRELOAD,$SECRET", env=variables)
        assert isinstance(done.stdout, bytes)
        return done.stdout

    shown = talk(served, work)

    assert shown == b"eo.UTF-8,tlh,,\n"
    (passed,) = [e for e in served.events() if isinstance(e, EnvironmentPassed)]
    assert passed.passed == {"LANG": "eo.UTF-8", "LC_TIME": "tlh"}
    assert sorted(passed.withheld) == ["LD_PRELOAD", "SECRET"]


def test_signals_and_a_break_reach_the_program(allowed: World) -> None:
    # sshd passes signals only where it separates privileges, which it does not for root.
    async def program(process: asyncssh.SSHServerProcess[bytes]) -> None:
        while True:
            try:
                await process.stdin.read()
                break
            except asyncssh.SignalReceived as told:
                process.stdout.write(b"signal %s\n" % told.signal.encode())
            except asyncssh.BreakReceived as told:
                process.stdout.write(b"break %d\n" % told.msec)
        process.exit(9)

    async def work(connection: asyncssh.SSHClientConnection) -> tuple[list[bytes], int | None]:
        process = await connection.create_process("wait", encoding=None)
        shown = []
        process.send_signal("TERM")
        shown.append(await process.stdout.readline())
        process.send_break(700)
        shown.append(await process.stdout.readline())
        process.stdin.write_eof()
        await process.wait_closed()
        return shown, process.exit_status

    with ssh_server(program) as port:
        name = add_target(allowed, "listener", port).removesuffix("@gate")
        shown, status = talk(allowed, work, username=name)

    assert (shown, status) == ([b"signal TERM\n", b"break 700\n"], 9)
    signaled = [e for e in allowed.events() if isinstance(e, ChannelSignaled)]
    assert signaled == [ChannelSignaled(1, "TERM"), ChannelSignaled(1, "BREAK")]


def test_a_script_runs_in_a_shell_without_a_terminal(served: World) -> None:
    done = served.ssh("-T", served.name, data=b"echo sum $((40+2))\nexit 5\n")

    assert (done.returncode, done.stdout) == (5, b"sum 42\n")
    path = served.sealed()
    (opened,) = [e for e in served.events(path) if isinstance(e, ChannelOpened)]
    assert (opened.what, opened.terminal) == ("shell", None)
    assert served.octets(RecordKind.INPUT, path) == b"echo sum $((40+2))\nexit 5\n"


@pytest.mark.parametrize(
    ("capability", "arguments", "refused"),
    [
        (Capability.EXEC, ["-T"], "shell"),
        (Capability.SHELL, ["id"], "commands"),
        (Capability.SHELL, ["-tt", "id"], "commands"),
        (Capability.SHELL, ["-s", "sftp"], "file transfers"),
        (Capability.DOWNLOAD, ["scp -t /tmp/x"], "upload"),
        (Capability.UPLOAD, ["scp -f /tmp/x"], "download"),
        (Capability.UPLOAD, ["id"], "commands"),
    ],
)
def test_what_the_grant_does_not_permit_is_refused_with_the_reason(
    served: World, capability: Capability, arguments: list[str], refused: str
) -> None:
    served.only(capability)
    options = [word for word in arguments if word.startswith("-")]
    rest = [word for word in arguments if not word.startswith("-")]

    done = served.ssh(*options, served.name, *rest)

    assert done.returncode == 255
    assert b"watchgate: your grant does not permit" in done.stderr + done.stdout
    (event,) = [e for e in served.events() if isinstance(e, ChannelRefused)]
    assert refused in event.reason
    assert not [e for e in served.events() if isinstance(e, ChannelOpened)]


def test_an_unknown_subsystem_is_refused_with_the_reason(allowed: World) -> None:
    done = allowed.ssh("-s", allowed.name, "netconf")

    assert done.returncode == 255
    assert b"only the sftp subsystem is permitted" in done.stderr
    (event,) = [e for e in allowed.events() if isinstance(e, ChannelRefused)]
    assert event.what == "subsystem netconf"


@pytest.mark.parametrize("option", ["ForwardAgent=yes", "ForwardX11=yes", "ForwardX11Trusted=yes"])
def test_a_command_does_not_hear_of_forwardings_that_are_refused_by_habit(
    allowed: World, option: str
) -> None:
    done = allowed.ssh("-o", option, allowed.name, "echo quiet")

    assert (done.returncode, done.stdout, done.stderr) == (0, b"quiet\n", b"")


def test_two_programs_at_once_do_not_mix(served: World) -> None:
    async def work(connection: asyncssh.SSHClientConnection) -> list[bytes]:
        async def one(word: str) -> bytes:
            done = await connection.run(f"for i in 1 2 3; do echo {word}; sleep 0.05; done")
            assert isinstance(done.stdout, bytes)
            return done.stdout

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(word)) for word in ("left", "right")]
        return [task.result() for task in tasks]

    left, right = talk(served, work)

    assert (left, right) == (b"left\n" * 3, b"right\n" * 3)
    channels = {r.channel for r in served.records() if r.kind is RecordKind.OUTPUT}
    assert channels == {1, 2}


def test_a_program_that_stays_behind_does_not_hold_the_session_open(served: World) -> None:
    started = time.monotonic()

    done = served.run("sleep 20 >/dev/null 2>&1 </dev/null & echo started")

    assert done.stdout == b"started\n"
    assert time.monotonic() - started < 10
