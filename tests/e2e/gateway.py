"""A whole gateway for tests: a data directory of its own, a real sshd behind it, an OpenSSH client before it.

The gateway runs in a thread of the test's process, so that a test can look into it; what must be seen
from outside (kill -9, a second start) runs `watchgate serve` as a process instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from e2e.servers import OpenSsh, RealTarget, Sshd, Terminal, real_target
from watchgate.app import Gateway
from watchgate.catalog import journal, queries, targets
from watchgate.catalog.change import Change, changing
from watchgate.catalog.database import Catalog
from watchgate.clock import SystemClock
from watchgate.identity import grants, operators, publickeys
from watchgate.initialize import Initialized, initialize
from watchgate.recording.auditors import load_identities
from watchgate.recording.format import Record
from watchgate.recording.keys import EvidencePublicKey
from watchgate.recording.reader import Recording
from watchgate.recording.verify import Verification, verify
from watchgate.secret import Secret
from watchgate.session.events import Event
from watchgate.session.model import (
    DEFAULT_CAPABILITIES,
    Capability,
    CredentialKind,
)
from watchgate.session.ports import RecordKind
from watchgate.settings import load
from watchgate.vault import accounts
from watchgate.vault.vault import Vault

SEAL_SECONDS = 10.0


def wait_for(condition: Callable[[], bool], what: str, seconds: float = SEAL_SECONDS) -> None:
    """Wait until *condition* holds; fails the test when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not in {seconds} s: {what}")
        time.sleep(0.02)


@dataclass
class World:
    """A gateway's data directory, its target, and alice with her OpenSSH client."""

    directory: Path
    made: Initialized
    real: RealTarget
    alice: OpenSsh
    flags: list[str] = field(default_factory=list)
    port: int = 0
    gateway: Gateway | None = None
    process: subprocess.Popen[bytes] | None = None
    log: Path | None = None

    @property
    def data(self) -> Path:
        return self.made.data

    @property
    def target(self) -> Sshd:
        return self.real.server

    # --- the client ----------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The destination that reaches root (or whoever we are) on web1."""
        return f"alice+{self.target.user}@web1@gate"

    def ssh(
        self, *arguments: str, data: bytes = b"", timeout: float = 30.0
    ) -> subprocess.CompletedProcess[bytes]:
        """`ssh ARGUMENTS` as alice."""
        return self.alice.ssh(*arguments, data=data, timeout=timeout)

    def run(self, *command: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """A command on web1, through the gateway."""
        return self.ssh(self.name, *command, data=data)

    def terminal(self, *arguments: str, columns: int = 80, rows: int = 24) -> Terminal:
        """`ssh -tt ARGUMENTS` in a pseudo terminal."""
        return self.alice.terminal("-tt", *(arguments or (self.name,)), columns=columns, rows=rows)

    def write_config(self, **options: str) -> None:
        """Let alice's client know the gateway by the name `gate`."""
        key = self.alice.directory / "id_ed25519"
        self.alice.write_config(
            f"Host gate\n    HostName 127.0.0.1\n    Port {self.port}\n"
            f"Host *\n    IdentityFile {key}\n",
            **options,
        )

    # --- what the gateway knows ----------------------------------------------------------------

    @contextmanager
    def catalog(self) -> Iterator[Catalog]:
        with Catalog.open(self.data / "catalog.db") as catalog:
            yield catalog

    @contextmanager
    def change(self) -> Iterator[Change]:
        """A change of the configuration, as an administrator makes it."""
        with self.catalog() as catalog, changing(catalog, SystemClock(), "test") as change:
            yield change

    def allow(self, *capabilities: Capability, account: str | None = None) -> None:
        """Grant alice these capabilities besides the usual ones, instead of what she had."""
        with self.change() as change:
            for grant in grants.list_all(change.connection):
                grants.revoke(change, grant.id)
            grants.add(
                change,
                account=account or self.target.user,
                on="web1",
                to_operator="alice",
                to_group=None,
                terms=grants.Terms(capabilities=DEFAULT_CAPABILITIES | set(capabilities)),
            )

    def only(self, *capabilities: Capability) -> None:
        """Grant alice these capabilities and no others."""
        with self.change() as change:
            for grant in grants.list_all(change.connection):
                grants.revoke(change, grant.id)
            grants.add(
                change,
                account=self.target.user,
                on="web1",
                to_operator="alice",
                to_group=None,
                terms=grants.Terms(capabilities=frozenset(capabilities)),
            )

    def configure_target(self, **values: object) -> None:
        """Give web1 other settings."""
        with self.change() as change:
            targets.configure(change, "web1", values=values)

    def journal(self) -> list[Event]:
        """The events outside of sessions, oldest first."""
        with self.catalog() as catalog, catalog.read() as connection:
            found = sorted(journal.entries(connection), key=lambda entry: entry.seq)
        return [entry.event for entry in found]

    # --- evidence ------------------------------------------------------------------------------

    def recordings(self) -> list[Path]:
        """The recordings, oldest first."""
        return sorted(self.data.glob("recordings/[0-9]*/**/*.wgr"), key=lambda path: path.name)

    def sealed(self, count: int = 1) -> Path:
        """The newest recording, once there are *count* and none is open."""

        def ready() -> bool:
            names = self.recordings()
            left = list((self.data / "recordings" / "open").glob("*"))
            return len(names) >= count and not left

        wait_for(ready, f"{count} sealed recordings")
        return self.recordings()[-1]

    def open(self, path: Path) -> Recording:
        return Recording.open(path, load_identities(self.data / "keys/auditor.key"))

    def records(self, path: Path | None = None) -> list[Record]:
        """All records of a recording, the newest by default."""
        with self.open(path or self.sealed()) as recording:
            return list(recording.records())

    def events(self, path: Path | None = None) -> list[Event]:
        """All events of a recording, the newest by default."""
        with self.open(path or self.sealed()) as recording:
            return [envelope.event for envelope in recording.events()]

    def octets(self, kind: RecordKind, path: Path | None = None) -> bytes:
        """What one track of a recording holds."""
        return b"".join(record.data for record in self.records(path) if record.kind is kind)

    def verdict(self, path: Path | None = None) -> Verification:
        (key,) = EvidencePublicKey.load(self.data / "keys/evidence.pub")
        return verify(path or self.sealed(), key)

    def sessions(self) -> list[queries.SessionRow]:
        with self.catalog() as catalog, catalog.read() as connection:
            return queries.sessions(connection)

    # --- running -------------------------------------------------------------------------------

    @contextmanager
    def serving(self) -> Iterator[Gateway]:
        """The gateway in a thread of this process."""
        with _threaded(self.data, ["ssh.listen=127.0.0.1:0", *self.flags]) as gateway:
            self.gateway, self.port = gateway, gateway.ports[0]
            self.trust()
            yield gateway

    def trust(self) -> None:
        """Know the gateway at its port, and its CA."""
        self.alice.known_hosts.write_text("")
        self.alice.trust(self.port, self.made.host_key)
        self.alice.trust_ca(self.made.authority)
        self.write_config()

    def spawn(self, port: int, *flags: str) -> subprocess.Popen[bytes]:
        """`watchgate serve` as a process; waits until it answers."""
        self.log = self.directory / "serve.log"
        command = [sys.executable, "-m", "watchgate", "serve", "--data", str(self.data)]
        for flag in (f"ssh.listen=127.0.0.1:{port}", *self.flags, *flags):
            command += ["--set", flag]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        socket = self.data / "run/control.sock"
        wait_for(lambda: process.poll() is not None or socket.exists(), "the gateway serves", 20)
        assert process.poll() is None, self.log.read_text()
        self.process, self.port = process, port
        self.trust()
        return process


@contextmanager
def _threaded(data: Path, flags: Sequence[str]) -> Iterator[Gateway]:
    ready = threading.Event()
    state: dict[str, Any] = {}

    async def main() -> None:
        stop = asyncio.Event()
        async with Gateway(load(data, environment={}, flags=flags)) as gateway:
            state.update(gateway=gateway, loop=asyncio.get_running_loop(), stop=stop)
            ready.set()
            await stop.wait()

    def run() -> None:
        try:
            uvloop.run(main())
        except BaseException as error:  # noqa: BLE001 - it is raised again where the test can see it
            state["error"] = error
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="gateway")
    thread.start()
    ready.wait(30)
    try:
        if "error" in state:
            raise state["error"]
        yield state["gateway"]
    finally:
        loop, stop = state.get("loop"), state.get("stop")
        if loop is not None and stop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(stop.set)
        thread.join(30)
    if "error" in state:
        raise state["error"]


@contextmanager
def world(directory: Path, *sshd_lines: str) -> Iterator[World]:
    """A data directory with alice, web1 (a real sshd) and a grant; nothing serves yet."""
    data = directory / "data"
    made = initialize(load(data, environment={}), SystemClock(), "test")
    alice = OpenSsh.create(directory / "alice")
    public = alice.new_key().with_suffix(".pub").read_text()
    account_key = directory / "account"
    with real_target(directory / "web1", *sshd_lines) as real:
        account_key.write_bytes(real.client_key.read_bytes())
        vault = Vault(data / "keys/vault.key")
        with (
            Catalog.open(data / "catalog.db") as catalog,
            changing(catalog, SystemClock(), "test") as change,
        ):
            operators.add(change, "alice")
            publickeys.add(change, "alice", public)
            targets.add(change, "web1", host="127.0.0.1", port=real.server.port)
            accounts.add(
                change,
                vault,
                "web1",
                real.server.user,
                CredentialKind.PRIVATE_KEY,
                Secret(account_key.read_bytes()),
                None,
            )
        made_world = World(directory, made, real, alice)
        made_world.allow()
        try:
            yield made_world
        finally:
            if made_world.process is not None and made_world.process.poll() is None:
                os.kill(made_world.process.pid, 15)
                made_world.process.wait(20)
