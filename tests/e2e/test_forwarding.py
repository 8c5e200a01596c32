"""Forwardings: refused unless granted, each one an event, none a way around the gateway."""

from __future__ import annotations

import hashlib
import random
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from e2e.gateway import World, wait_for, world
from e2e.peers import (
    LOOPBACK,
    add_target,
    digest,
    echo,
    exchange,
    received,
    tcp_server,
    tunnel,
)
from e2e.servers import free_port, real_target
from watchgate.api import control
from watchgate.demo.openssh import environment
from watchgate.recording.verify import State
from watchgate.session.events import (
    Event,
    ForwardClosed,
    ForwardListening,
    ForwardNoted,
    ForwardOpened,
    ForwardRefused,
    SessionClosed,
)
from watchgate.session.model import Capability

pytestmark = pytest.mark.real

BULK = random.Random(2).randbytes(1 << 20) * 50


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("forwarding")) as made:
        made.allow(Capability.FORWARD_LOCAL, Capability.FORWARD_REMOTE)
        with made.serving():
            yield made


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world whose grant says nothing of forwardings."""
    with world(tmp_path_factory.mktemp("narrow")) as made, made.serving():
        yield made


def of(kind: type[Event], events: list[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


def stdio(served: World, destination: str, data: bytes) -> subprocess.CompletedProcess[bytes]:
    """`ssh -W DESTINATION`, with *data* said into it."""
    return served.ssh("-o", "LogLevel=INFO", "-W", destination, served.name, data=data)


# --- -L ----------------------------------------------------------------------------------------


def test_a_local_forwarding_is_an_event_with_its_destination_and_octets(served: World) -> None:
    port = free_port()
    with tcp_server(echo) as behind, tunnel(served, "-L", f"{port}:{LOOPBACK}:{behind}"):
        answer = exchange(port, b"hello" * 100)
    events = served.events()
    opened, closed = of(ForwardOpened, events), of(ForwardClosed, events)

    assert answer == b"hello" * 100
    assert len(opened) == 1
    assert isinstance(opened[0], ForwardOpened)
    assert (opened[0].direction, opened[0].destination) == ("local", f"{LOOPBACK}:{behind}")
    assert opened[0].origin.startswith(f"{LOOPBACK}:")
    assert closed == [ForwardClosed(opened[0].forward, 500, 500)]
    assert served.verdict().state is State.INTACT


def test_each_way_of_a_forwarding_ends_apart(served: World) -> None:
    port = free_port()
    with tcp_server(digest) as behind, tunnel(served, "-L", f"{port}:{LOOPBACK}:{behind}"):
        answer = exchange(port, b"to the end")

    assert answer == hashlib.sha256(b"to the end").digest()


def test_fifty_megabytes_pass_exactly_and_are_not_recorded(served: World) -> None:
    def give(connection: socket.socket) -> None:
        connection.sendall(BULK)

    up, down = free_port(), free_port()
    with tcp_server(digest) as taking, tcp_server(give) as giving:
        forwards = ["-L", f"{up}:{LOOPBACK}:{taking}", "-L", f"{down}:{LOOPBACK}:{giving}"]
        with tunnel(served, *forwards):
            told = exchange(up, BULK)
            taken = exchange(down, b"")
    counts = [
        (e.sent_octets, e.received_octets) for e in served.events() if type(e) is ForwardClosed
    ]

    assert told == hashlib.sha256(BULK).digest()
    assert taken == BULK
    assert counts == [(len(BULK), 32), (0, len(BULK))]
    assert served.sealed().stat().st_size < 64 * 1024


def test_a_hundred_connections_pass_at_once(served: World) -> None:
    port = free_port()
    said = [b"%d" % number * 1000 for number in range(100)]
    with (
        tcp_server(echo) as behind,
        tunnel(served, "-L", f"{port}:{LOOPBACK}:{behind}"),
        ThreadPoolExecutor(100) as pool,
    ):
        answers = list(pool.map(lambda data: exchange(port, data), said))
    events = served.events()

    assert answers == said
    assert len({event.forward for event in events if isinstance(event, ForwardOpened)}) == 100
    assert sorted(e.sent_octets for e in events if isinstance(e, ForwardClosed)) == sorted(
        map(len, said)
    )


def test_a_dead_port_ends_that_connection_and_nothing_else(served: World) -> None:
    dead, live, port = free_port(), free_port(), free_port()
    with tcp_server(echo) as behind:
        forwards = ["-L", f"{dead}:{LOOPBACK}:{port}", "-L", f"{live}:{LOOPBACK}:{behind}"]
        with tunnel(served, *forwards) as running:
            nothing = exchange(dead, b"")
            answer = exchange(live, b"yes")
            wait_for(lambda: "open failed" in running.log(), "ssh says why")
            log = running.log()

    assert (nothing, answer) == (b"", b"yes")
    assert "connect failed: Connection refused" in log


# --- -R ----------------------------------------------------------------------------------------


def test_a_remote_forwarding_brings_connections_and_closes_with_its_session(served: World) -> None:
    port = free_port()
    with tcp_server(echo) as before:
        with tunnel(served, "-R", f"{LOOPBACK}:{port}:{LOOPBACK}:{before}"):
            answer = exchange(port, b"from the target")
        wait_for(lambda: not accepts(port), "the target listens no more")
    events = served.events()
    opened = of(ForwardOpened, events)

    assert answer == b"from the target"
    assert of(ForwardListening, events) == [ForwardListening(f"{LOOPBACK}:{port}")]
    assert isinstance(opened[0], ForwardOpened)
    assert (opened[0].direction, opened[0].destination) == ("remote", f"{LOOPBACK}:{port}")
    assert of(ForwardClosed, events) == [ForwardClosed(opened[0].forward, 15, 15)]


def test_a_remote_forwarding_may_leave_the_port_to_the_target(served: World) -> None:
    with tcp_server(echo) as before, tunnel(served, "-R", f"0:{LOOPBACK}:{before}") as running:
        found = re.search(r"Allocated port (\d+)", running.log())
        assert found, running.log()
        port = int(found[1])
        answer = exchange(port, b"dynamic")

    assert answer == b"dynamic"
    assert of(ForwardListening, served.events()) == [ForwardListening(f"localhost:{port}")]


def test_a_remote_forwarding_can_be_canceled_before_the_session_ends(served: World) -> None:
    port = free_port()
    forward = f"{LOOPBACK}:{port}:{LOOPBACK}:{free_port()}"
    with tunnel(served, "-R", forward) as running:
        stood = accepts(port)
        path = str(served.alice.directory / "tunnel")
        canceled = served.ssh("-S", path, "-O", "cancel", "-R", forward, served.name)
        wait_for(lambda: not accepts(port), "the target listens no more")
        alive = not running.gone

    assert stood
    assert canceled.returncode == 0
    assert alive


def accepts(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


# --- -D and -W ---------------------------------------------------------------------------------


def test_a_dynamic_forwarding_reaches_what_its_client_asks_for(served: World) -> None:
    port = free_port()
    with (
        tcp_server(echo) as behind,
        tunnel(served, "-D", f"{LOOPBACK}:{port}"),
        socket.create_connection((LOOPBACK, port), timeout=10) as proxy,
    ):
        proxy.sendall(b"\x05\x01\x00")  # RFC 1928: version 5, one method, none
        method = proxy.recv(2)
        proxy.sendall(b"\x05\x01\x00\x01\x7f\x00\x00\x01" + behind.to_bytes(2, "big"))
        reply = proxy.recv(10)
        proxy.sendall(b"by socks")
        proxy.shutdown(socket.SHUT_WR)
        answer = b"".join(received(proxy))
    opened = of(ForwardOpened, served.events())

    assert (method, reply[:2], answer) == (b"\x05\x00", b"\x05\x00", b"by socks")
    assert [event.destination for event in opened if isinstance(event, ForwardOpened)] == [
        f"{LOOPBACK}:{behind}"
    ]


def test_a_jump_through_to_a_server_that_is_not_managed_is_noted(
    served: World, tmp_path: Path
) -> None:
    with real_target(tmp_path) as other:
        through = " ".join([*served.alice.argv("ssh", "-W", "%h:%p"), served.name])
        *options, destination = other.address()
        answer = subprocess.run(
            other.client.argv(
                "ssh", *options, "-o", f"ProxyCommand={through}", destination, "id -un"
            ),
            capture_output=True,
            env=environment(),
            check=False,
            timeout=30,
        )
        events = served.events()

    assert answer.stdout.decode().strip() == other.server.user, answer.stderr
    noted = of(ForwardNoted, events)
    assert {(e.carries, e.refused) for e in noted if isinstance(e, ForwardNoted)} == {
        ("ssh", False)
    }
    assert {e.destination for e in noted if isinstance(e, ForwardNoted)} == {
        f"{LOOPBACK}:{other.server.port}"
    }


# --- refused -----------------------------------------------------------------------------------


def test_a_local_forwarding_is_refused_with_a_reason_unless_granted(narrow: World) -> None:
    answer = stdio(narrow, f"{LOOPBACK}:{free_port()}", b"hello")
    refused = of(ForwardRefused, narrow.events())

    assert answer.returncode == 255
    assert b"watchgate: your grant does not permit forward-local" in answer.stderr
    assert len(refused) == 1
    assert isinstance(refused[0], ForwardRefused)
    assert refused[0].direction == "local"


def test_a_remote_forwarding_is_refused_unless_granted(narrow: World) -> None:
    port = free_port()
    answer = narrow.ssh(
        *("-o", "ExitOnForwardFailure=yes", "-o", "LogLevel=INFO"),
        *("-N", "-R", f"{LOOPBACK}:{port}:{LOOPBACK}:1", narrow.name),
    )
    refused = of(ForwardRefused, narrow.events())

    assert answer.returncode == 255
    assert b"remote port forwarding failed" in answer.stderr
    assert refused == [
        ForwardRefused("remote", f"{LOOPBACK}:{port}", "your grant does not permit forward-remote")
    ]


def test_a_session_goes_on_beside_a_refused_forwarding(narrow: World) -> None:
    port = free_port()
    answer = narrow.ssh("-R", f"{port}:{LOOPBACK}:1", narrow.name, "echo still here")

    assert (answer.returncode, answer.stdout) == (0, b"still here\n")


def test_socket_files_are_not_forwarded(served: World, tmp_path: Path) -> None:
    port = free_port()
    with tunnel(served, "-L", f"{port}:{tmp_path}/socket") as running:
        nothing = exchange(port, b"")
        wait_for(lambda: "open failed" in running.log(), "ssh says why")
        log = running.log()
    other = served.ssh(
        *("-o", "ExitOnForwardFailure=yes", "-N", "-R", f"{tmp_path}/away:{LOOPBACK}:1"),
        served.name,
    )

    assert nothing == b""
    assert "watchgate: forwarding to socket files is refused" in log
    assert other.returncode == 255


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_ssh_to_the_session_own_target_is_noted_and_refused(served: World, name: str) -> None:
    answer = stdio(served, f"{name}:{served.target.port}", b"SSH-2.0-around\r\n")
    noted = of(ForwardNoted, served.events())

    assert answer.stdout == b""
    assert ForwardNoted(3, "ssh", f"{name}:{served.target.port}", refused=True).data() | {
        "forward": 0
    } in [event.data() | {"forward": 0} for event in noted]


def test_ssh_to_another_managed_target_is_noted_and_refused(served: World, tmp_path: Path) -> None:
    with real_target(tmp_path) as other:
        add_target(served, "web2", other.server.port)
        answer = stdio(served, f"{LOOPBACK}:{other.server.port}", b"SSH-2.0-around\r\n")
        closed = of(ForwardClosed, served.events())

    assert answer.stdout == b""
    assert closed
    assert isinstance(closed[0], ForwardClosed)
    assert (closed[0].sent_octets, closed[0].received_octets) == (0, 0)


def client_hello() -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    wrapped = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="a.example")
    with pytest.raises(ssl.SSLWantReadError):
        wrapped.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize(
    ("carries", "first"),
    [
        ("tls", client_hello()),
        (
            "rdp",
            bytes.fromhex("0300001302e0000000000001000800030000")[:4]
            + b"\x0e\xe0"
            + bytes(5)
            + bytes.fromhex("0100080003000000"),
        ),
    ],
)
def test_what_a_forwarding_carries_is_noted(served: World, carries: str, first: bytes) -> None:
    with tcp_server(digest) as behind:
        answer = stdio(served, f"{LOOPBACK}:{behind}", first)
    noted = of(ForwardNoted, served.events())

    assert answer.stdout == hashlib.sha256(first).digest()
    assert len(noted) == 1
    assert isinstance(noted[0], ForwardNoted)
    assert (noted[0].carries, noted[0].refused) == (carries, False)


# --- the session's end -------------------------------------------------------------------------


def test_forwardings_end_when_the_session_is_terminated(served: World) -> None:
    port = free_port()
    with (
        tcp_server(echo) as behind,
        tunnel(served, "-L", f"{port}:{LOOPBACK}:{behind}") as running,
        socket.create_connection((LOOPBACK, port), timeout=10) as connection,
    ):
        connection.sendall(b"first")
        answer = connection.recv(100)
        socket_path = served.data / "run/control.sock"
        (session,) = control.request(socket_path, {"do": "status"})["sessions"]
        control.request(
            socket_path,
            {"do": "terminate", "session": session["id"], "by": "bob", "reason": "enough"},
        )
        rest = b"".join(received(connection))
        wait_for(lambda: running.gone, "ssh has ended", 3)
        log = running.log()
    events = served.events()
    closed = events[-1]

    assert (answer, rest) == (b"first", b"")
    assert "watchgate: session ended by bob: enough" in log
    assert isinstance(closed, SessionClosed)
    assert (closed.reason, closed.by) == ("terminated", "bob")
    assert [type(event) for event in events].count(ForwardClosed) == 1
