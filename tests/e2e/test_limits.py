"""Bounds: connections that prove nothing, peers that take nothing, and channels without number."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from asyncssh.constants import MSG_GLOBAL_REQUEST
from asyncssh.packet import Boolean, String
from bench.real_sshd import descendants

from e2e.gateway import World, wait_for, world
from e2e.peers import LOOPBACK, echo, login, resident, tcp_server
from e2e.servers import Terminal, free_port
from watchgate.demo.openssh import environment
from watchgate.protocols.ssh import front
from watchgate.protocols.ssh.engine import CHANNEL_LIMIT
from watchgate.protocols.ssh.forwardings import FORWARD_LIMIT
from watchgate.session.events import ForwardRefused
from watchgate.session.model import Capability

pytestmark = pytest.mark.real

MIB = 1 << 20
BOUND = 16 * MIB
OFFERED = 2 << 30
HUGE_WINDOW = (1 << 32) - 1


@pytest.fixture(scope="module")
def spawned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway as a process of its own, warm: what a first session makes is made."""
    with world(tmp_path_factory.mktemp("limits")) as made:
        made.allow(Capability.FORWARD_LOCAL)
        made.spawn(free_port())
        for _ in range(2):
            assert len(made.run("head -c 20000000 /dev/zero").stdout) == 20_000_000
        made.sealed(2)
        yield made


@contextmanager
def typing(made: World) -> Iterator[Callable[[], float]]:
    """A session beside; what it gives measures how long an answer takes."""
    with made.terminal(made.name, "exec sh") as terminal:
        terminal.send("echo rea''dy\r")
        terminal.expect("ready")
        yield lambda: _answer_seconds(terminal)


def _answer_seconds(terminal: Terminal) -> float:
    begun = time.monotonic()
    terminal.send(f"echo $(({os.getpid()}+1))\r")
    terminal.expect(b"\n%d\r" % (os.getpid() + 1))
    return time.monotonic() - begun


# --- connections that prove nothing ------------------------------------------------------------


def test_a_thousand_strangers_keep_nobody_from_working(tmp_path: Path) -> None:
    with world(tmp_path) as made, ExitStack() as stack:
        made.flags = ["ssh.max_unauthenticated=300", "ssh.login_timeout=5"]
        process = made.spawn(free_port())
        answer = stack.enter_context(typing(made))
        before = resident(process.pid)
        strangers = [stranger(stack, made.port, number) for number in range(1000)]
        slowest = max(answer() for _ in range(5))
        grown = resident(process.pid) - before
        wait_for(lambda: kept(strangers) <= 300, "the excess is closed", 15)
        most = kept(strangers)
        wait_for(lambda: kept(strangers) == 0, "the rest is closed after login_timeout", 15)
        after = made.run("echo back to work")

    assert slowest < 2.0
    assert 0 < most <= 300
    assert grown < 64 * MIB
    assert after.stdout == b"back to work\n"


def stranger(stack: ExitStack, port: int, number: int) -> socket.socket:
    """A connection from an address of its own that says its version and no more."""
    source = (f"127.1.{number // 200}.{number % 200 + 1}", 0)
    connection = socket.create_connection((LOOPBACK, port), 10, source)
    stack.enter_context(connection)
    connection.setblocking(False)
    with contextlib.suppress(OSError):
        connection.send(b"SSH-2.0-stranger\r\n")
    return connection


def kept(connections: list[socket.socket]) -> int:
    """How many of *connections* the gateway has not closed."""
    return sum(not ended(each) for each in connections)


def ended(connection: socket.socket) -> bool:
    """Whether the gateway closed *connection*."""
    try:
        while connection.recv(65536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def test_one_source_has_a_bound_of_its_own(tmp_path: Path) -> None:
    with world(tmp_path) as made, ExitStack() as stack:
        made.flags = ["ssh.max_unauthenticated_per_source=5"]
        with made.serving():
            crowd = [
                stack.enter_context(socket.create_connection((LOOPBACK, made.port), 10))
                for _ in range(12)
            ]
            for each in crowd:
                each.setblocking(False)
            wait_for(lambda: sum(map(ended, crowd)) >= 7, "the excess is closed")
            same = made.run("echo in")
            other = made.ssh("-b", "127.0.0.2", made.name, "echo in")
            stayed = kept(crowd)

    assert stayed == 5
    assert same.returncode == 255
    assert other.stdout == b"in\n"


def test_a_jump_begins_while_strangers_fill_the_door(tmp_path: Path) -> None:
    with world(tmp_path) as made, ExitStack() as stack:
        made.flags = ["ssh.max_unauthenticated=4"]
        with made.serving():
            path = str(tmp_path / "master")
            master = ["-S", path, "-o", "ControlPersist=yes", "-M", "-f", "-N", "alice@gate"]
            subprocess.run(
                made.alice.argv("ssh", *master),
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment(),
            )
            for number in range(6):
                stranger(stack, made.port, number)
            through = f"ProxyCommand={' '.join(made.alice.argv('ssh', '-S', path, '-W', '%h:%p'))} alice@gate"
            answer = made.ssh("-o", through, f"{made.target.user}@web1", "echo inside")
            made.ssh("-S", path, "-O", "exit", "alice@gate")

    assert answer.stdout == b"inside\n", answer.stderr


def test_jumps_of_one_connection_have_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front, "JUMPS", 3)

    async def run(made: World) -> list[bytes]:
        async with login(made, "alice@gate") as outer:
            jumps = [await outer.open_connection("web1", 22, encoding=None) for _ in range(3)]
            greetings = [bytes(await reader.readline()) for reader, _ in jumps]
            with pytest.raises(asyncssh.ChannelOpenError, match="more than 3 jumps at once"):
                await outer.open_connection("web1", 22, encoding=None)
            jumps[0][1].close()
            await jumps[0][1].wait_closed()
            again, _ = await outer.open_connection("web1", 22, encoding=None)
            return [*greetings, bytes(await again.readline())]

    with world(tmp_path) as made, made.serving():
        greetings = asyncio.run(run(made))

    assert greetings == [b"SSH-2.0-Watchgate\r\n"] * 4


# --- readers that read no more -----------------------------------------------------------------


def stand_still(read: Callable[[], int], what: str) -> None:
    """Wait until a count has not changed for a second."""
    state = {"count": -1, "since": time.monotonic()}

    def still() -> bool:
        count = read()
        if count != state["count"]:
            state.update(count=count, since=time.monotonic())
        return time.monotonic() - state["since"] > 1.0

    wait_for(still, what, 30)


def written(made: World, program: str) -> int:
    """Octets that the target's *program* has written so far."""
    for pid in descendants(made.target.process.pid):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text().strip() == program:
                for line in Path(f"/proc/{pid}/io").read_text().splitlines():
                    if line.startswith("wchar:"):
                        return int(line.split()[1])
    return -1


@contextmanager
def growth(made: World) -> Iterator[Callable[[], int]]:
    """How much the gateway's memory has grown since this was entered."""
    assert made.process is not None
    pid = made.process.pid
    before = resident(pid)
    yield lambda: resident(pid) - before


@pytest.mark.parametrize("terminal", [False, True], ids=["exec", "terminal"])
def test_memory_stays_while_a_stopped_client_is_offered_two_gigabytes(
    spawned: World, terminal: bool
) -> None:
    command = ["-tt"] if terminal else []
    with growth(spawned) as grown:
        client = subprocess.Popen(
            spawned.alice.argv("ssh", *command, spawned.name, f"head -c {OFFERED} /dev/zero"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=environment(),
        )
        with client:
            assert client.stdout is not None
            first = client.stdout.read(1000)
            client.send_signal(signal.SIGSTOP)
            stand_still(lambda: written(spawned, "head"), "the target stands still")
            offered, more = written(spawned, "head"), grown()
            client.kill()

    assert first == bytes(1000)
    assert 0 < offered < 64 * MIB
    assert more <= BOUND


def test_memory_stays_while_a_download_stands_still(spawned: World, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    with whole.open("wb") as file:
        file.truncate(OFFERED)
    got = tmp_path / "got"
    with growth(spawned) as grown:
        client = subprocess.Popen(
            spawned.alice.argv("sftp", "-q", f"{spawned.name}:{whole}", str(got)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=environment(),
        )
        with client:
            wait_for(lambda: got.exists() and got.stat().st_size > 0, "the download began")
            (ssh,) = list(descendants(client.pid))
            os.kill(ssh, signal.SIGSTOP)
            stand_still(lambda: written(spawned, "sftp-server"), "the target stands still")
            more = grown()
            os.kill(ssh, signal.SIGKILL)

    assert more <= BOUND


def test_memory_stays_while_a_target_does_not_read(spawned: World) -> None:
    with growth(spawned) as grown, Path("/dev/zero").open("rb") as zeros:
        client = subprocess.Popen(
            spawned.alice.argv("ssh", spawned.name, "exec sleep 1000"),
            stdin=zeros,
            stdout=subprocess.DEVNULL,
            env=environment(),
        )
        with client:
            stand_still(lambda: sent(client.pid), "the client stands still")
            offered, more = sent(client.pid), grown()
            client.kill()

    assert MIB < offered < 64 * MIB
    assert more <= BOUND


def sent(pid: int) -> int:
    for line in Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("wchar:"):
            return int(line.split()[1])
    return -1


# --- clients that mean it ----------------------------------------------------------------------


def test_a_client_with_a_huge_window_that_takes_nothing_is_bounded(spawned: World) -> None:
    async def run() -> tuple[int, int]:
        async with login(spawned) as connection:
            with growth(spawned) as grown:
                command = f"head -c {OFFERED} /dev/zero"
                process = await connection.create_process(
                    command, encoding=None, window=HUGE_WINDOW
                )
                await process.stdout.read(1000)
                connection._transport.pause_reading()
                await asyncio.to_thread(
                    stand_still, lambda: written(spawned, "head"), "the target stands still"
                )
                return written(spawned, "head"), grown()

    offered, more = asyncio.run(run())

    assert 0 < offered < 64 * MIB
    assert more <= BOUND


def test_a_second_channel_of_a_client_that_takes_nothing_is_bounded_too(spawned: World) -> None:
    async def run() -> int:
        async with login(spawned) as connection:
            with growth(spawned) as grown:
                flood = f"head -c {OFFERED} /dev/zero"
                first = await connection.create_process(flood, encoding=None, window=HUGE_WINDOW)
                second = await connection.create_process(
                    "head -c 1; " + flood, encoding=None, window=HUGE_WINDOW
                )
                await first.stdout.read(1000)
                connection._transport.pause_reading()
                await asyncio.to_thread(
                    stand_still, lambda: written(spawned, "head"), "the target stands still"
                )
                second.stdin.write(b"x")  # only now the second one begins
                await asyncio.sleep(0)
                await asyncio.to_thread(stand_still, grown, "memory stands still")
                return grown()

    assert asyncio.run(run()) <= BOUND


def test_a_client_that_never_ends_a_key_exchange_is_bounded(spawned: World) -> None:
    async def run() -> tuple[int, int]:
        async with login(spawned) as connection:
            with growth(spawned) as grown:
                process = await connection.create_process(
                    f"head -c 1; head -c {OFFERED} /dev/zero", encoding=None, window=HUGE_WINDOW
                )
                connection._recv_data = lambda: setattr(connection, "_inpbuf", b"")
                connection._send_kexinit()
                process.stdin.write(b"x")
                await asyncio.sleep(0)
                await asyncio.to_thread(stand_still, grown, "memory stands still")
                return written(spawned, "head"), grown()

    offered, more = asyncio.run(run())

    assert offered < 64 * MIB
    assert more <= BOUND


@pytest.mark.soak
def test_a_client_that_asks_for_ever_and_takes_no_answer_is_closed(spawned: World) -> None:
    async def run() -> tuple[bool, int]:
        async with login(spawned) as connection:
            with growth(spawned) as grown:
                connection._transport.pause_reading()
                for _ in range(20_000):
                    for _ in range(200):
                        connection.send_packet(MSG_GLOBAL_REQUEST, String(b"x"), Boolean(True))
                    await asyncio.sleep(0)
                    await asyncio.to_thread(wait_for, lambda: taken(connection), "it is taken")
                    if refused(connection):
                        return True, grown()
                return False, grown()

    def refused(connection: Any) -> bool:
        gone = connection._transport is None or connection._transport.is_closing()
        return gone or not established(connection)

    def taken(connection: Any) -> bool:
        return refused(connection) or connection._transport.get_write_buffer_size() <= MIB

    closed, more = asyncio.run(run())

    assert closed
    assert more <= 2 * BOUND


def established(connection: Any) -> bool:
    """Whether the kernel still has the connection: a reset shows when reading is paused too."""
    sock = connection._transport.get_extra_info("socket")
    state = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return bool(state == 1)


def test_forwarded_connections_of_a_client_that_takes_nothing_are_bounded(spawned: World) -> None:
    def flood(connection: socket.socket) -> None:
        while True:
            connection.sendall(bytes(65536))

    async def run(port: int) -> int:
        async with login(spawned) as connection:
            with growth(spawned) as grown:
                readers = [
                    await connection.open_connection(
                        LOOPBACK, port, encoding=None, window=HUGE_WINDOW
                    )
                    for _ in range(3)
                ]
                await readers[0][0].read(1000)
                connection._transport.pause_reading()
                await asyncio.to_thread(stand_still, grown, "memory stands still")
                return grown()

    with tcp_server(flood) as port:
        more = asyncio.run(run(port))

    assert more <= BOUND


class Wide:
    """An outer connection whose channel for an inner one takes all that is sent to it."""

    def __init__(self, outer: Any) -> None:
        self._outer = outer

    async def create_connection(self, factory: Any, host: str, port: int) -> Any:
        return await self._outer.create_connection(factory, host, port, window=HUGE_WINDOW)


def test_a_jump_of_a_client_that_takes_nothing_is_bounded(spawned: World) -> None:
    async def run() -> int:
        async with login(spawned, "alice@gate") as outer:
            inner = await asyncssh.connect(
                "web1",
                username=spawned.target.user,
                tunnel=Wide(outer),
                known_hosts=None,
                config=None,
                agent_path=None,
            )
            with growth(spawned) as grown:
                process = await inner.create_process(
                    f"head -c {OFFERED} /dev/zero", encoding=None, window=HUGE_WINDOW
                )
                await process.stdout.read(1000)
                outer._transport.pause_reading()
                await asyncio.to_thread(stand_still, grown, "memory stands still")
                more = grown()
            inner.abort()
            return more

    assert asyncio.run(run()) <= BOUND


# --- channels without number -------------------------------------------------------------------


def test_channels_have_a_limit_and_their_session_goes_on(spawned: World) -> None:
    async def run() -> tuple[str, bytes]:
        async with login(spawned) as connection:
            open_now = [
                await connection.create_process("cat", encoding=None) for _ in range(CHANNEL_LIMIT)
            ]
            with pytest.raises(asyncssh.ChannelOpenError) as refused:
                await connection.create_process("cat", encoding=None)
            open_now[0].stdin.write_eof()
            await open_now[0].wait()
            open_now[1].stdin.write(b"still here\n")
            said = await open_now[1].stdout.readline()
            again = await connection.run("echo again", encoding=None)
            return str(refused.value), bytes(said) + bytes(again.stdout)

    reason, said = asyncio.run(run())

    assert reason
    assert said == b"still here\nagain\n"


def test_forwardings_have_a_limit_even_when_they_are_asked_for_at_once(spawned: World) -> None:
    async def one(connection: Any, port: int) -> Any:
        try:
            return await connection.open_connection(LOOPBACK, port, encoding=None)
        except asyncssh.ChannelOpenError as error:
            return error

    async def run(port: int) -> tuple[list[Any], bytes]:
        async with login(spawned) as connection:
            await connection.run("true")
            async with asyncio.TaskGroup() as group:
                asked = [
                    group.create_task(one(connection, port)) for _ in range(FORWARD_LIMIT + 44)
                ]
            found = [task.result() for task in asked]
            reader, writer = next(each for each in found if isinstance(each, tuple))
            writer.write(b"still here")
            writer.write_eof()
            return found, bytes(await reader.read())

    before = len(spawned.recordings())
    with tcp_server(echo) as port:
        found, said = asyncio.run(run(port))
    refusals = [each for each in found if isinstance(each, Exception)]
    path = spawned.sealed(before + 1)
    noted = [event for event in spawned.events(path) if isinstance(event, ForwardRefused)]

    assert len(refusals) == 44
    assert "more than 256 forwardings at once" in str(refusals[0])
    assert said == b"still here"
    assert len(noted) == 44
