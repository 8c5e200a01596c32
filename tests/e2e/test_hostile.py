"""Peers that break their protocol, vanish or never end: nobody else notices, and the evidence is whole."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from asyncssh.constants import (
    MSG_CHANNEL_CLOSE,
    MSG_CHANNEL_DATA,
    MSG_CHANNEL_EOF,
    MSG_CHANNEL_EXTENDED_DATA,
    MSG_CHANNEL_OPEN,
    MSG_CHANNEL_OPEN_CONFIRMATION,
    MSG_CHANNEL_REQUEST,
    MSG_CHANNEL_SUCCESS,
    MSG_CHANNEL_WINDOW_ADJUST,
    MSG_GLOBAL_REQUEST,
    MSG_KEXINIT,
    MSG_NEWKEYS,
    MSG_SERVICE_REQUEST,
    MSG_USERAUTH_REQUEST,
)
from asyncssh.packet import Boolean, Byte, String, UInt32
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from e2e.gateway import World, wait_for, world
from e2e.peers import (
    LOOPBACK,
    OpenServer,
    add_target,
    login,
    looped,
    received,
    reset,
    tcp_server,
)
from e2e.servers import Terminal
from watchgate.demo.openssh import environment
from watchgate.recording.verify import State
from watchgate.session.events import ChannelClosed, EnvironmentPassed, SessionClosed
from watchgate.session.ports import RecordKind

pytestmark = pytest.mark.real

VERSION = b"SSH-2.0-OpenSSH_9.2p1\r\n"
BOUNDED = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("hostile")) as made:
        made.flags = [
            "ssh.login_timeout=4",
            "ssh.max_unauthenticated=1000",
            "ssh.max_unauthenticated_per_source=1000",
        ]
        with made.serving():
            yield made


@pytest.fixture(scope="module")
def neighbor(served: World) -> Iterator[Terminal]:
    """A session that has nothing to do with any of this."""
    with served.terminal(served.name, "exec sh") as terminal:
        terminal.send("echo rea''dy\r")
        terminal.expect("ready")
        yield terminal


@pytest.fixture(autouse=True)
def _unharmed(neighbor: Terminal, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """After each test the neighbor's session goes on, and the gateway has no failure of its own."""
    caplog.set_level(logging.WARNING)
    yield
    mark = random.randrange(10**6, 10**7)
    neighbor.send(f"echo $(({mark}+1))\r")
    neighbor.expect(str(mark + 1), timeout=5)
    ours = [
        record.getMessage()
        for record in caplog.get_records("call")
        if record.levelno >= logging.ERROR and record.name.startswith(("watchgate", "asyncio"))
    ]

    assert ours == []


# --- before the login --------------------------------------------------------------------------


def say(served: World, *pieces: bytes, seconds: float = 8.0) -> bytes:
    """Say *pieces* to the gateway and hear it out; fails when it does not close the connection."""
    with socket.create_connection((LOOPBACK, served.port), timeout=seconds) as connection:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                connection.sendall(piece)
        answer = b""
        with contextlib.suppress(ConnectionError):
            for data in received(connection):
                answer += data
        return answer


def packet(payload: bytes, *, length: int | None = None, padding: int = 4) -> bytes:
    """An unsealed packet (RFC 4253 §6)."""
    whole = 1 + len(payload) + padding
    padding += -(4 + whole) % 8
    size = 1 + len(payload) + padding if length is None else length
    return size.to_bytes(4, "big") + bytes([padding]) + payload + bytes(padding)


def kexinit(*, truncated: int = 0) -> bytes:
    names = [b"curve25519-sha256", b"ssh-ed25519", b"aes128-gcm@openssh.com"]
    lists = [*names, names[2], b"hmac-sha2-256", b"hmac-sha2-256", b"none", b"none", b"", b""]
    body = bytes([MSG_KEXINIT]) + bytes(16) + b"".join(map(String, lists)) + bytes(5)
    return body[: len(body) - truncated]


MALFORMED = {
    "random octets": [random.Random(1).randbytes(4096)],
    "a version line without an end": [b"SSH-2.0-" + b"x" * 10000],
    "a version line that is too long": [b"SSH-2.0-" + b"x" * 300 + b"\r\n"],
    "a version that is not text": [b"SSH-2.0-\xff\xfe\0\r\n"],
    "an old version": [b"SSH-1.5-old\r\n"],
    "another protocol": [b"GET / HTTP/1.1\r\nHost: gate\r\n\r\n"],
    "a huge packet": [VERSION, b"\x7f\xff\xff\xff" + bytes(1024)],
    "an empty packet": [VERSION, bytes(64)],
    "more padding than packet": [VERSION, b"\0\0\0\x0c\xff" + bytes(11)],
    "a truncated kexinit": [VERSION, packet(kexinit(truncated=20))],
    "a kexinit without algorithms": [VERSION, packet(bytes([MSG_KEXINIT]) + bytes(100))],
    "two kexinits": [VERSION, packet(kexinit()), packet(kexinit())],
    "new keys before any": [VERSION, packet(bytes([MSG_NEWKEYS]))],
    "a login before keys": [VERSION, packet(bytes([MSG_USERAUTH_REQUEST]) + String(b"alice"))],
    "a channel before keys": [VERSION, packet(bytes([MSG_CHANNEL_OPEN]) + String(b"session"))],
    "an unknown message": [VERSION, packet(kexinit()), packet(b"\xc8" + bytes(20))],
    "a bad share of the key": [VERSION, packet(kexinit()), packet(b"\x1e" + String(bytes(3)))],
}


@pytest.mark.parametrize("pieces", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_ssh_is_closed(served: World, pieces: list[bytes]) -> None:
    before = len(served.recordings())
    answer = say(served, *pieces)

    assert answer == b"" or answer.startswith(b"SSH-2.0-Watchgate\r\n")
    assert len(answer) < 8192
    assert len(served.recordings()) == before


GREETING = VERSION + packet(kexinit()) + packet(b"\x1e" + String(bytes(range(32))))


@BOUNDED
@given(
    at=st.integers(0, len(GREETING) - 1),
    instead=st.binary(max_size=40),
    cut=st.integers(0, 40),
)
def test_a_mutated_greeting_is_closed(served: World, at: int, instead: bytes, cut: int) -> None:
    octets = GREETING[:at] + instead + GREETING[at + cut :]
    with socket.create_connection((LOOPBACK, served.port), timeout=8) as connection:
        connection.sendall(octets)
        connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            answer = b"".join(received(connection))
            assert len(answer) < 8192


# --- after the login ---------------------------------------------------------------------------


async def settle(connection: Any, seconds: float = 8.0) -> None:
    """Let the gateway take what was sent: it answers a request after it, or has closed."""
    with contextlib.suppress(asyncssh.Error, OSError, TimeoutError):
        async with asyncio.timeout(seconds):
            await connection._make_global_request(b"settle@test")


Bend = Callable[[Any, Any], None]
"""Sends something over (connection, number of the open channel)."""


def _send(kind: int, *parts: bytes) -> Bend:
    return lambda connection, _: connection.send_packet(kind, *parts)


def _to_channel(*messages: tuple[Any, ...]) -> Bend:
    def bend(connection: Any, number: int) -> None:
        for kind, *parts in messages:
            connection.send_packet(kind, UInt32(number), *parts)

    return bend


def _request(name: bytes, payload: bytes, want: bool = True) -> tuple[Any, ...]:
    return (MSG_CHANNEL_REQUEST, String(name), Boolean(want), payload)


def _open(kind: bytes, *, window: int = 1 << 20, size: int = 32768, rest: bytes = b"") -> Bend:
    return _send(MSG_CHANNEL_OPEN, String(kind), UInt32(900), UInt32(window), UInt32(size), rest)


BENT: dict[str, Bend] = {
    "data for a channel that is not": _send(MSG_CHANNEL_DATA, UInt32(77), String(b"x")),
    "a window for a channel that is not": _send(MSG_CHANNEL_WINDOW_ADJUST, UInt32(77), UInt32(1)),
    "a success that nobody asked for": _to_channel((MSG_CHANNEL_SUCCESS,)),
    "a confirmation of an open channel": _to_channel(
        (MSG_CHANNEL_OPEN_CONFIRMATION, UInt32(1), UInt32(1), UInt32(32768))
    ),
    "a window of more than there is": _to_channel(
        *[(MSG_CHANNEL_WINDOW_ADJUST, UInt32(0xFFFFFFFF))] * 3
    ),
    "more data than the window": _to_channel(*[(MSG_CHANNEL_DATA, String(bytes(32000)))] * 200),
    "data after the end": _to_channel((MSG_CHANNEL_EOF,), (MSG_CHANNEL_DATA, String(b"more"))),
    "two ends": _to_channel((MSG_CHANNEL_EOF,), (MSG_CHANNEL_EOF,)),
    "two closes": _to_channel((MSG_CHANNEL_CLOSE,), (MSG_CHANNEL_CLOSE,)),
    "a request after the close": _to_channel((MSG_CHANNEL_CLOSE,), _request(b"shell", b"")),
    "data of a kind that clients do not send": _to_channel(
        (MSG_CHANNEL_EXTENDED_DATA, UInt32(1), String(b"x"))
    ),
    "a second program": _to_channel(_request(b"shell", b""), _request(b"exec", String(b"id"))),
    "a second terminal": _to_channel(
        *[_request(b"pty-req", String(b"xterm") + UInt32(80) * 4 + String(b""))] * 2
    ),
    "a request cut short": _to_channel(_request(b"exec", b"\0\0\xff")),
    "a request that is too long": _to_channel(_request(b"window-change", bytes(5000))),
    "a request without a name": _to_channel((MSG_CHANNEL_REQUEST, String(b""), Byte(1))),
    "a request whose name is not text": _to_channel(_request(b"\xff\xfe\0", b"")),
    "a request with a name without end": _to_channel(_request(b"x" * 30000, b"")),
    "a thousand unknown requests": _to_channel(*[_request(b"nonsense", bytes(99))] * 1000),
    "a channel of an unknown kind": _open(b"teleport"),
    "a channel whose packets hold nothing": _open(b"session", size=0),
    "a channel whose packets hold one octet": _open(b"session", size=1),
    "a forwarding to a host that is not text": _open(
        b"direct-tcpip", rest=String(b"\xff\xfe") + UInt32(22) + String(b"") + UInt32(0)
    ),
    "a forwarding to a long name": _open(
        b"direct-tcpip", rest=String(b"x" * 10000) + UInt32(22) + String(b"") + UInt32(0)
    ),
    "a forwarding to a port that is none": _open(
        b"direct-tcpip", rest=String(b"x") + UInt32(1 << 31) + String(b"") + UInt32(0)
    ),
    "a truncated channel": _send(MSG_CHANNEL_OPEN, String(b"session")),
    "an unknown global request": _send(MSG_GLOBAL_REQUEST, String(b"\xff"), Boolean(True)),
    "a truncated global request": _send(MSG_GLOBAL_REQUEST, b"\0\0"),
    "a message that is not defined": _send(200, bytes(100)),
    "another login": _send(MSG_USERAUTH_REQUEST, String(b"root"), String(b"ssh"), String(b"none")),
    "another service": _send(MSG_SERVICE_REQUEST, String(b"ssh-userauth")),
    "new keys at once": _send(MSG_NEWKEYS),
    "an answer to no key exchange": _send(30, String(bytes(32))),
}


@pytest.mark.parametrize("bend", BENT.values(), ids=BENT.keys())
def test_a_bent_client_ends_its_own_session_at_most(served: World, bend: Bend) -> None:
    before = len(served.recordings())

    async def run() -> None:
        async with login(served) as connection:
            process = await connection.create_process("cat", encoding=None)
            number = process.channel._send_chan
            bend(connection, number)
            await settle(connection)

    asyncio.run(run())
    served_again(served, before)


def served_again(served: World, before: int) -> None:
    """The newest session is sealed and whole."""
    wait_for(lambda: len(served.recordings()) > before, "the session was recorded")
    path = newest_sealed(served)
    closed = served.events(path)[-1]

    assert isinstance(closed, SessionClosed)
    assert closed.reason == "client"
    assert served.verdict(path).state is State.INTACT


def newest_sealed(served: World) -> Path:
    """The newest recording, sealed; the neighbor's stays open."""
    marks = served.data / "recordings/open"
    wait_for(lambda: len(list(marks.glob("*"))) <= 1, "only the neighbor's session is open")
    return served.recordings()[-1]


@BOUNDED
@given(
    kind=st.sampled_from([*range(1, 8), *range(20, 33), *range(50, 64), *range(80, 101)]),
    payload=st.binary(max_size=60),
    to_channel=st.booleans(),
)
def test_any_message_after_the_login_ends_that_session_at_most(
    served: World, kind: int, payload: bytes, to_channel: bool
) -> None:
    before = len(served.recordings())

    async def run() -> None:
        async with login(served) as connection:
            process = await connection.create_process("cat", encoding=None)
            number = process.channel._send_chan
            connection.send_packet(kind, *([UInt32(number)] if to_channel else []), payload)
            await settle(connection, 2)

    asyncio.run(run())
    served_again(served, before)


# --- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a" * 10000, "a" * 1000, "alice@" + "t" * 950, "@" * 500, "+@+@"])
def test_a_login_with_a_name_that_is_none_is_refused(served: World, name: str) -> None:
    async def run() -> None:
        async with login(served, f"{name}@gate"):
            pass

    with pytest.raises(asyncssh.Error):
        asyncio.run(run())


@pytest.mark.parametrize("target", ["x" * 200, "../../etc", "web1%0a", "wéb1", "web1'--"])
def test_a_target_with_a_name_that_is_none_is_refused_in_words(served: World, target: str) -> None:
    async def run() -> bytes:
        async with login(served, f"alice@{target}@gate") as connection:
            answer = await connection.run("id", encoding=None)
            return bytes(answer.stderr)

    said = asyncio.run(run())

    assert said.startswith(b"watchgate: no grant for "), said
    assert all(octet >= 32 or octet in b"\r\n" for octet in said)


def test_variables_with_names_and_values_without_end_are_withheld(served: World) -> None:
    async def run() -> bytes:
        many = {f"LC_{number}": "v" * 100 for number in range(400)}
        long = {"LC_" + "N" * 10000: "x", "LC_LONG": "y" * 20000, "EVIL": "z"}
        async with login(served) as connection:
            answer = await connection.run("echo fine", env=many | long, encoding=None)
            return bytes(answer.stdout)

    said = asyncio.run(run())
    passed = [e for e in served.events(newest_sealed(served)) if isinstance(e, EnvironmentPassed)]

    assert said == b"fine\n"
    assert len(passed) == 1
    assert len(passed[0].passed) == 128
    assert len(passed[0].withheld) <= 128


# --- octets ------------------------------------------------------------------------------------

EVERY = bytes(range(256)) * 400 + b"\0\0\xc3\x28\xff\xfe\xed\xa0\x80"


def test_nulls_and_broken_text_pass_an_exec_exactly(served: World) -> None:
    answer = served.run("cat; cat /dev/null >&2", data=EVERY)

    path = newest_sealed(served)

    assert answer.stdout == EVERY
    assert served.octets(RecordKind.OUTPUT, path) == EVERY
    assert served.octets(RecordKind.INPUT, path) == EVERY


def test_nulls_and_broken_text_pass_a_terminal_exactly(served: World) -> None:
    async def run() -> bytes:
        async with login(served) as connection:
            process = await connection.create_process(
                f"stty raw -echo; printf ready; exec head -c {len(EVERY)}",
                term_type="xterm",
                encoding=None,
            )
            await process.stdout.readexactly(5)
            process.stdin.write(EVERY)
            return bytes(await process.stdout.read())

    said = asyncio.run(run())
    path = newest_sealed(served)

    assert said == EVERY
    assert served.octets(RecordKind.OUTPUT, path) == b"ready" + EVERY


def test_a_paste_of_a_hundred_thousand_lines_arrives_exactly(served: World, tmp_path: Path) -> None:
    pasted = b"".join(b"line %d of many\n" % number for number in range(100_000))
    kept = tmp_path / "kept"
    command = f"stty raw -echo; printf ready; head -c {len(pasted)} | tee {kept}; echo over"

    async def run() -> bytes:
        async with login(served) as connection:
            process = await connection.create_process(command, term_type="xterm", encoding=None)
            await process.stdout.readexactly(5)
            process.stdin.write(pasted)
            return bytes(await process.stdout.read())

    shown = asyncio.run(run())
    path = newest_sealed(served)

    assert kept.read_bytes() == pasted
    assert shown == pasted + b"over\n"
    assert served.octets(RecordKind.OUTPUT, path) == b"ready" + shown
    assert served.verdict(path).state is State.INTACT


# --- targets -----------------------------------------------------------------------------------

Hostile = Callable[[socket.socket], None]


def _hears(connection: socket.socket, octets: int = 1) -> None:
    connection.settimeout(5)
    connection.recv(octets)


def _closes(connection: socket.socket) -> None:
    """Accepts and closes."""


def _resets(connection: socket.socket) -> None:
    _hears(connection)
    reset(connection)


def _resets_after_version(connection: socket.socket) -> None:
    connection.sendall(VERSION)
    _hears(connection, 4096)
    reset(connection)


def _resets_in_key_exchange(connection: socket.socket) -> None:
    connection.sendall(VERSION + packet(kexinit()))
    _hears(connection, 65536)
    reset(connection)


def _babbles(connection: socket.socket) -> None:
    connection.sendall(VERSION + random.Random(3).randbytes(100_000))
    _hears(connection, 65536)


def _never_ends_its_banner(connection: socket.socket) -> None:
    for _ in range(100_000):
        connection.sendall(b"welcome to the machine\r\n" * 40)


def _never_ends_its_line(connection: socket.socket) -> None:
    for _ in range(1000):
        connection.sendall(b"x" * 65536)


def _is_silent(connection: socket.socket) -> None:
    for _ in received(connection):
        pass


UNREACHABLE: list[Hostile] = [
    _closes,
    _resets,
    _resets_after_version,
    _resets_in_key_exchange,
    _babbles,
    _never_ends_its_banner,
    _never_ends_its_line,
    _is_silent,
]


@pytest.mark.parametrize("hostile", UNREACHABLE, ids=lambda hostile: hostile.__name__.strip("_"))
def test_a_target_that_breaks_off_before_the_login_is_told_of(
    served: World, hostile: Hostile
) -> None:
    name = f"bad-{UNREACHABLE.index(hostile)}"
    with tcp_server(hostile) as port:
        destination = add_target(served, name, port)
        served_configure(served, name, connect_timeout=2.0)
        answer = served.ssh(destination, "id", timeout=15)
        path = newest_sealed(served)
    closed = served.events(path)[-1]

    assert answer.returncode == 255
    assert answer.stderr.startswith(f"watchgate: {name} cannot be reached: ".encode())
    assert answer.stderr.count(b"\n") == 1
    assert isinstance(closed, SessionClosed)
    assert closed.reason == "unreachable"


def served_configure(served: World, name: str, **values: object) -> None:
    from watchgate.catalog import targets

    with served.change() as change:
        targets.configure(change, name, values=values)


class Mean(OpenServer):
    """A target that lets in and then misbehaves, as `meanness` says."""

    def __init__(self, meanness: str) -> None:
        self._meanness = meanness

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        super().connection_made(conn)
        self._connection: Any = conn

    def auth_completed(self) -> None:
        if self._meanness == "reset after login":
            self._connection.abort()

    def session_requested(self) -> Any:
        match self._meanness:
            case "reset on channel open":
                self._connection.abort()
            case "refuse channels":
                return False
            case "tiny packets":
                self._connection._max_pktsize = 1
            case _:
                pass
        return MeanSession(self._meanness, self._connection)


class MeanSession(asyncssh.SSHServerSession[bytes]):
    """The program of such a target."""

    def __init__(self, meanness: str, connection: Any) -> None:
        self._meanness = meanness
        self._connection = connection

    def connection_made(self, chan: Any) -> None:
        self._channel = chan

    def exec_requested(self, command: str) -> bool:
        if self._meanness == "reset on request":
            self._connection.abort()
        return self._meanness != "refuse programs"

    def session_started(self) -> None:
        channel, connection = self._channel, self._connection
        number = channel._send_chan
        channel.write(b"said\n")
        match self._meanness:
            case "reset in the middle":
                channel.write(bytes(100_000))
                connection.abort()
            case "babble":
                connection._transport.write(random.Random(4).randbytes(4096))
            case "two exits":
                for status in (3, 4):
                    connection.send_packet(
                        MSG_CHANNEL_REQUEST,
                        UInt32(number),
                        String(b"exit-status"),
                        Boolean(False),
                        UInt32(status),
                    )
                channel.close()
            case "a malformed exit":
                connection.send_packet(
                    MSG_CHANNEL_REQUEST,
                    UInt32(number),
                    String(b"exit-status"),
                    Boolean(True),
                    b"\1",
                )
                channel.exit(0)
            case "data after the end":
                connection.send_packet(MSG_CHANNEL_EOF, UInt32(number))
                connection.send_packet(MSG_CHANNEL_DATA, UInt32(number), String(b"more"))
            case "data after the close":
                channel.close()
                connection.send_packet(MSG_CHANNEL_DATA, UInt32(number), String(b"more"))
            case "more than the window":
                for _ in range(300):
                    connection.send_packet(MSG_CHANNEL_DATA, UInt32(number), String(bytes(32768)))
            case "unknown requests":
                for _ in range(500):
                    connection.send_packet(
                        MSG_CHANNEL_REQUEST,
                        UInt32(number),
                        String(b"\xffnonsense"),
                        Boolean(True),
                        bytes(50),
                    )
                channel.exit(0)
            case "a channel of its own":
                connection.send_packet(
                    MSG_CHANNEL_OPEN,
                    String(b"session"),
                    UInt32(50),
                    UInt32(1 << 20),
                    UInt32(32768),
                )
                channel.exit(0)
            case "a forwarding that nobody asked for":
                connection.send_packet(
                    MSG_CHANNEL_OPEN,
                    String(b"forwarded-tcpip"),
                    *(UInt32(50), UInt32(1 << 20), UInt32(32768)),
                    *(String(b"localhost"), UInt32(22), String(b"x"), UInt32(1)),
                )
                channel.exit(0)
            case _:
                channel.exit(0)


MEAN = {
    "reset after login": "target",
    "reset on channel open": "target",
    "refuse channels": "client",
    "reset on request": "target",
    "refuse programs": "client",
    "reset in the middle": "target",
    "babble": "target",
    "two exits": "client",
    "a malformed exit": "",
    "data after the end": "target",
    "data after the close": "",
    "more than the window": "target",
    "unknown requests": "",
    "a channel of its own": "target",
    "a forwarding that nobody asked for": "",
    "tiny packets": "target",
}


def mean_target(meanness: str) -> contextlib.AbstractContextManager[int]:
    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            LOOPBACK,
            0,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            server_factory=lambda: Mean(meanness),
            encoding=None,
        )

    return looped(start)


@pytest.mark.parametrize(("meanness", "reason"), MEAN.items(), ids=MEAN.keys())
def test_a_mean_target_ends_its_own_session_at_most(
    served: World, meanness: str, reason: str
) -> None:
    with mean_target(meanness) as port:
        destination = add_target(served, f"mean-{list(MEAN).index(meanness)}", port)
        answer = served.ssh(destination, "id", timeout=20)
        path = newest_sealed(served)
    events = served.events(path)
    closed = events[-1]

    assert isinstance(closed, SessionClosed)
    assert closed.reason == reason or not reason
    assert served.verdict(path).state is State.INTACT
    assert len(answer.stdout) <= 1 << 23
    if meanness == "two exits":
        assert answer.stdout == b"said\n"
        assert [e.exit_status for e in events if isinstance(e, ChannelClosed)] == [4]


def test_a_flood_from_a_target_passes_exactly_while_others_work(
    served: World, neighbor: Terminal
) -> None:
    size = 300 * 1000 * 1000
    flood = subprocess.Popen(
        served.alice.argv("ssh", served.name, f"head -c {size} /dev/zero"),
        stdout=subprocess.PIPE,
        env=environment(),
    )
    assert flood.stdout is not None
    got, slowest = 0, 0.0
    with flood, contextlib.suppress(StopIteration):
        for number in range(1000, 1_000_000):
            chunk = flood.stdout.read(10_000_000)
            got += len(chunk)
            if not chunk:
                break
            begun = time.monotonic()
            neighbor.send(f"echo $(({number}+1))\r")
            neighbor.expect(b"\n%d\r" % (number + 1))
            slowest = max(slowest, time.monotonic() - begun)

    assert (got, flood.returncode) == (size, 0)
    assert slowest < 2.0
    assert served.verdict(newest_sealed(served)).state is State.INTACT


# --- clients that vanish -----------------------------------------------------------------------


def test_a_killed_client_leaves_a_sealed_session(served: World) -> None:
    before = len(served.recordings())
    with served.terminal(served.name, "exec sh") as terminal:
        terminal.send("echo typ''ed\r")
        terminal.expect("typed")
        (client,) = children(terminal.process.pid) or [terminal.process.pid]
        os.kill(client, signal.SIGKILL)
        served_again(served, before)


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_client_that_resets_its_connection_leaves_a_sealed_session(served: World) -> None:
    before = len(served.recordings())

    async def run() -> None:
        async with login(served) as connection:
            process = await connection.create_process("sleep 1000", encoding=None)
            process.stdin.write(b"typed")
            await settle(connection)
            connection._transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            connection._transport.abort()

    asyncio.run(run())
    served_again(served, before)


def test_a_client_that_answers_no_more_is_given_up(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        made.flags = ["ssh.keepalive_interval=1", "ssh.keepalive_count=2"]
        with made.serving(), made.terminal(made.name, "exec sh") as terminal:
            terminal.send("echo typ''ed\r")
            terminal.expect("typed")
            client = (children(terminal.process.pid) or [terminal.process.pid])[0]
            os.kill(client, signal.SIGSTOP)
            try:
                path = made.sealed()
            finally:
                os.kill(client, signal.SIGKILL)
            closed = made.events(path)[-1]

    assert isinstance(closed, SessionClosed)
    assert closed.reason == "client"
