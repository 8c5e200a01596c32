"""What stands behind and before the gateway in tests of its edges: TCP servers, odd targets, tunnels."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import struct
import subprocess
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import asyncssh

from e2e.gateway import World, wait_for
from e2e.servers import free_port
from watchgate.api import control
from watchgate.catalog import targets
from watchgate.demo.openssh import environment
from watchgate.errors import NotFound
from watchgate.identity import grants
from watchgate.secret import Secret
from watchgate.session.model import DEFAULT_CAPABILITIES, Capability, CredentialKind
from watchgate.vault import accounts
from watchgate.vault.vault import Vault

Serve = Callable[[socket.socket], None]
LOOPBACK = "127.0.0.1"


# --- plain TCP ---------------------------------------------------------------------------------


@contextmanager
def tcp_server(serve: Serve) -> Iterator[int]:
    """A TCP server that gives each connection to *serve* in a thread; its port."""
    listener = socket.create_server((LOOPBACK, 0), backlog=256)
    threads: list[threading.Thread] = []

    def one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            serve(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                thread = threading.Thread(target=one, args=(connection,), daemon=True)
                thread.start()
                threads.append(thread)

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)
        for thread in threads:
            thread.join(5)


def received(connection: socket.socket) -> Iterator[bytes]:
    """What *connection* says until it ends."""
    while data := connection.recv(65536):
        yield data


def echo(connection: socket.socket) -> None:
    """Say everything back, then end."""
    for data in received(connection):
        connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


def digest(connection: socket.socket) -> None:
    """Read to the end and answer with the SHA-256 of it all: works only when ends pass one by one."""
    told = hashlib.sha256()
    for data in received(connection):
        told.update(data)
    connection.sendall(told.digest())


def exchange(port: int, data: bytes, seconds: float = 60.0) -> bytes:
    """Connect to *port*, send *data*, end that way, and read to the other end."""
    with socket.create_connection((LOOPBACK, port), timeout=seconds) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(received(connection))


def reset(connection: socket.socket) -> None:
    """Close with an RST instead of a FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


# --- clients -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tunnel:
    """An `ssh -N` in the background."""

    log_path: Path
    pid: int

    def log(self) -> str:
        """What ssh said."""
        return self.log_path.read_text(errors="replace")

    @property
    def gone(self) -> bool:
        """Whether ssh has ended."""
        return not Path(f"/proc/{self.pid}").exists()


@contextmanager
def tunnel(world: World, *arguments: str) -> Iterator[Tunnel]:
    """`ssh -N ARGUMENTS` to web1; entered when its forwardings stand, left when it has ended."""
    log = world.directory / "tunnel.log"
    control = world.alice.directory / "tunnel"
    background = ["-f", "-N", "-M", "-S", str(control), "-E", str(log), "-o", "LogLevel=INFO"]
    background += ["-o", "ExitOnForwardFailure=yes"]
    log.write_bytes(b"")
    with log.open("ab") as stderr:
        started = subprocess.run(
            world.alice.argv("ssh", *background, *arguments, world.name),
            stdin=subprocess.DEVNULL,
            stdout=stderr,
            stderr=stderr,
            env=environment(),
            check=False,
            timeout=30,
        )
    assert started.returncode == 0, log.read_text()
    pid = _master(world, control)
    running = Tunnel(log, pid)
    try:
        yield running
    finally:
        world.ssh("-S", str(control), "-O", "exit", world.name)
        wait_for(lambda: running.gone, "ssh has ended")


def _master(world: World, control: Path) -> int:
    answer = world.ssh("-o", "LogLevel=INFO", "-S", str(control), "-O", "check", world.name)
    return int(answer.stderr.split(b"pid=")[1].split(b")")[0])


@contextlib.asynccontextmanager
async def login(served: World, name: str = "", **options: Any) -> AsyncIterator[Any]:
    """An asyncssh client of alice's, whose insides a test may bend."""
    connection = await asyncssh.connect(
        LOOPBACK,
        served.port,
        username=(name or served.name).rsplit("@", 1)[0],
        client_keys=[str(served.alice.directory / "id_ed25519")],
        known_hosts=None,
        config=None,
        agent_path=None,
        **options,
    )
    try:
        yield connection
    finally:
        connection.abort()
        with contextlib.suppress(Exception):
            await connection.wait_closed()


# --- targets -----------------------------------------------------------------------------------


def add_target(world: World, name: str, port: int, *capabilities: Capability) -> str:
    """Make *port* of loopback a target with the account `u` and the password `p`; its destination."""
    with world.change() as change:
        targets.add(change, name, host=LOOPBACK, port=port)
        accounts.add(
            change,
            Vault(world.data / "keys/vault.key"),
            name,
            "u",
            CredentialKind.PASSWORD,
            Secret(b"p"),
            None,
        )
        grants.add(
            change,
            account="u",
            on=name,
            to_operator="alice",
            to_group=None,
            terms=grants.Terms(capabilities=DEFAULT_CAPABILITIES | set(capabilities)),
        )
    return f"alice+u@{name}@gate"


class OpenServer(asyncssh.SSHServer):
    """Lets `u` in with the password `p`."""

    living: ClassVar[
        weakref.WeakKeyDictionary[asyncssh.SSHServerConnection, asyncio.AbstractEventLoop]
    ] = weakref.WeakKeyDictionary()
    """Connections of all such servers and their loops, for who ends one."""

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.living[conn] = asyncio.get_running_loop()

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("u", "p")


Started = Callable[[], Awaitable[asyncssh.SSHAcceptor]]


@contextmanager
def looped(start: Started) -> Iterator[int]:
    """A server that *start* makes, on an event loop in a thread of its own; its port."""
    ready = threading.Event()
    state: dict[str, object] = {}

    async def main() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        server = await start()
        state.update(port=server.get_port(), loop=asyncio.get_running_loop(), stop=stop)
        ready.set()
        await stop.wait()
        server.close()
        # What a loop leaves open is found by whichever test the garbage is collected in.
        for connection, loop in list(OpenServer.living.items()):
            if loop is asyncio.get_running_loop():
                connection.abort()
        await asyncio.sleep(0)

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert ready.wait(15)
    loop, stop, port = state["loop"], state["stop"], state["port"]
    assert isinstance(loop, asyncio.AbstractEventLoop)
    assert isinstance(stop, asyncio.Event)
    assert isinstance(port, int)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(15)


def ssh_server(
    process: Callable[[asyncssh.SSHServerProcess[bytes]], Awaitable[None]],
) -> contextlib.AbstractContextManager[int]:
    """A target of asyncssh's that gives each program to *process*; its port."""

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            LOOPBACK,
            0,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            server_factory=OpenServer,
            process_factory=process,
            encoding=None,
        )

    return looped(start)


# --- processes ---------------------------------------------------------------------------------


def resident(pid: int) -> int:
    """Octets of memory that a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"process {pid} is gone")


def serving_again(world: World, *flags: str) -> subprocess.Popen[bytes]:
    """Start the gateway again after a crash, whose socket is still there; waits until it answers."""
    process = world.spawn(free_port(), *flags)
    socket_path = world.data / "run/control.sock"

    def answers() -> bool:
        assert process.poll() is None, world.log
        try:
            return bool(control.request(socket_path, {"do": "status"})["pid"] == process.pid)
        except NotFound:
            return False

    wait_for(answers, "the gateway serves again", 20)
    return process
