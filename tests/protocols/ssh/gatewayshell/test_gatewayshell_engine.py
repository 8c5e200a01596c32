"""The gateway's shell between a real SSH client and a real sshd."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import asyncssh
import pytest
from bench.real_sshd import Sshd, sshd
from shell_stage import LISTED, Memory

from watchgate.clock import SystemClock
from watchgate.errors import RecordingLost
from watchgate.policy.readings import readings
from watchgate.protocols.ssh.effects import Side
from watchgate.protocols.ssh.gatewayshell.ends import ProgramEnd
from watchgate.protocols.ssh.gatewayshell.engine import GatewayShell, Requests
from watchgate.protocols.ssh.judging import Judge
from watchgate.protocols.ssh.seams import GateClientConnection, GateServerConnection
from watchgate.protocols.ssh.sides import ClientSide
from watchgate.session.control import Session
from watchgate.session.deciding import Decider
from watchgate.session.events import ChannelClosed, CommandDecided, CommandFinished, Event
from watchgate.session.model import (
    Account,
    Address,
    Capability,
    CredentialKind,
    Ending,
    Grant,
    Operator,
    Policy,
    Route,
    Target,
    TargetSettings,
)
from watchgate.session.ports import RecordKind, Services

WINDOW = 2 * 1024 * 1024
PROMPT = "% "


class Evidence:
    """A recorder in memory."""

    recording = "r1"
    congested = False
    lost: RecordingLost | None = None

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.kept: dict[RecordKind, bytearray] = {kind: bytearray() for kind in RecordKind}

    def octets(self, kind: RecordKind, channel: int, data: bytes) -> None:
        self.kept[kind] += data

    def event(self, event: Event) -> int:
        self.events.append(event)
        return len(self.events)

    async def relieved(self) -> None:
        """Never congested."""

    async def commit(self) -> None:
        await asyncio.sleep(0)

    async def failed(self) -> RecordingLost:
        return RecordingLost("never")

    async def seal(self, ending: Ending) -> None:
        """Kept as it is."""


class Front(asyncssh.SSHServer):
    """Lets anybody in, and hands the first channel over."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[ClientSide] = asyncio.Queue()

    def begin_auth(self, username: str) -> bool:
        return False

    def session_requested(self) -> ClientSide:
        return ClientSide(self.arrived.put_nowait)


class Ends:
    """A client, the shell, and the target's connection."""

    def __init__(self, target: GateClientConnection, client: asyncssh.SSHClientConnection) -> None:
        self.target = target
        self.client = client
        self.evidence = Evidence()
        self.handed_over: list[Requests | None] = []


@pytest.fixture
def target(tmp_path: Path, program: Callable[[str], str]) -> Iterator[tuple[Sshd, asyncssh.SSHKey]]:
    program("sshd")
    key = asyncssh.generate_private_key("ssh-ed25519")
    public = key.export_public_key().decode()
    with sshd(tmp_path / "target", authorized=(public,)) as server:
        yield server, key


@asynccontextmanager
async def ends(target: tuple[Sshd, asyncssh.SSHKey]) -> AsyncIterator[Ends]:
    """Everything joined on loopback; the shell serves the client's first channel."""
    server, key = target
    loop = asyncio.get_running_loop()
    construct = asyncssh.SSHClientConnectionOptions.construct
    to_target = await construct(
        config=None, username=server.user, client_keys=[key], known_hosts=None, agent_path=None
    )
    connection = await GateClientConnection.open(to_target, "127.0.0.1", server.port)
    front = Front()
    own = await asyncssh.SSHServerConnectionOptions.construct(
        config=None,
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        encoding=None,
        line_editor=False,
    )
    gate = await loop.create_server(
        lambda: GateServerConnection(loop, own, lambda: front), "127.0.0.1", 0
    )
    port = gate.sockets[0].getsockname()[1]
    client = await asyncssh.connect(
        "127.0.0.1", port, config=None, username="alice", known_hosts=None, agent_path=None
    )
    joined = Ends(connection, client)
    try:
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            serving = group.create_task(_serve(joined, front, group))
            try:
                yield joined
            finally:
                client.close()
                await client.wait_closed()
            if front.arrived.empty() and not serving.done():
                async with asyncio.timeout(5):
                    await serving
    finally:
        gate.close()
        client.abort()
        connection.abort()
        await connection.wait_closed()


async def _serve(joined: Ends, front: Front, group: asyncio.TaskGroup) -> None:
    side = await front.arrived.get()
    clock = SystemClock()
    policy = Policy(frozenset(Capability), TargetSettings(), rules=LISTED)
    host = Target("t1", "web1", "ssh", Address("127.0.0.1", 22))
    account = Account("a1", "root", "web1", CredentialKind.PASSWORD)
    route = Route(Operator("o1", "alice"), host, account, Grant("g1"))
    decider = Decider("alice", policy, clock, readings, Memory(), Memory())
    services = cast(Services, SimpleNamespace(read=readings))
    session = Session("s1", route, "ssh", 0, joined.evidence, decider, services)
    judge = Judge(decider, "s1", route)
    shell = GatewayShell(side, joined.target, session, judge, policy, 1, clock, group, WINDOW)
    joined.handed_over.append(await shell.run())


async def until(process: asyncssh.SSHClientProcess[str], wanted: str) -> str:
    """What the shell shows, up to *wanted*."""
    async with asyncio.timeout(20):
        return await process.stdout.readuntil(wanted)


@pytest.mark.real
def test_lines_run_on_the_target_each_in_the_directory_of_the_shell(
    target: tuple[Sshd, asyncssh.SSHKey], tmp_path: Path
) -> None:
    inside = tmp_path / "it's here"
    inside.mkdir()
    (inside / "found").touch()

    async def play() -> Ends:
        async with ends(target) as joined:
            shell = await joined.client.create_process(term_type="xterm", term_size=(200, 50))
            await until(shell, PROMPT)
            shell.stdin.write(f'cd "{inside}"\r')
            await until(shell, PROMPT)
            shell.stdin.write("ls\r")
            assert "found" in await until(shell, PROMPT)
            shell.stdin.write("rm found\r")
            assert "not on the list" in await until(shell, PROMPT)
            shell.stdin.write("ls /nowhere\r")
            await until(shell, PROMPT)
            shell.stdin.write("exit\r")
            await shell.wait_closed()
            assert shell.exit_status == 2
        return joined

    joined = asyncio.run(play())

    assert (inside / "found").exists()
    decided = [event for event in joined.evidence.events if isinstance(event, CommandDecided)]
    assert [event.outcome for event in decided] == ["allow", "force", "allow"]
    finished = [event for event in joined.evidence.events if isinstance(event, CommandFinished)]
    assert [event.exit_status for event in finished][-1] == 2
    assert isinstance(joined.evidence.events[-1], ChannelClosed)
    assert b"found" in joined.evidence.kept[RecordKind.OUTPUT]
    assert b"ls\r" in joined.evidence.kept[RecordKind.INPUT]


@pytest.mark.real
def test_a_program_has_the_operators_terminal_and_keys(
    target: tuple[Sshd, asyncssh.SSHKey],
) -> None:
    ready = target[0].directory / "ready"
    ready.write_text("now\n")

    async def play() -> None:
        async with ends(target) as joined:
            shell = await joined.client.create_process(term_type="xterm", term_size=(200, 30))
            await until(shell, PROMPT)
            shell.stdin.write(f"cat {ready} -\r")
            await until(shell, "now\r\n")
            shell.stdin.write("hello\r")
            await until(shell, "hello\r\nhello")
            shell.stdin.write("\x03")
            await until(shell, PROMPT)
            shell.stdin.write("\x04")
            await shell.wait_closed()
            assert shell.exit_status == 130

    asyncio.run(play())


@pytest.mark.real
def test_bulk_output_passes_whole_and_is_recorded(target: tuple[Sshd, asyncssh.SSHKey]) -> None:
    path = target[0].directory / "bulk"
    path.write_bytes(b"x" * 1_000_000)

    async def play() -> tuple[Ends, int, int | None]:
        async with ends(target) as joined:
            shell = await joined.client.create_process(encoding=None)
            shell.stdin.write(b"cat " + f"{path} ".encode() * 6 + b"\n")
            shell.stdin.write_eof()
            output = await shell.stdout.read()
            await shell.wait_closed()
        return joined, len(output), shell.exit_status

    joined, size, status = asyncio.run(play())

    assert (size, status) == (6_000_000, 0)
    assert len(joined.evidence.kept[RecordKind.OUTPUT]) == 6_000_000


@pytest.mark.real
def test_a_script_of_listed_lines_runs_to_its_end(target: tuple[Sshd, asyncssh.SSHKey]) -> None:
    async def play() -> tuple[str, str, int | None]:
        async with ends(target) as joined:
            done = await joined.client.run(input="echo a\ncat\necho b\nrm x\necho c\n")
        return str(done.stdout), str(done.stderr), done.exit_status

    output, errors, status = asyncio.run(play())

    assert output == "a\nb\n"
    assert "not on the list of editors, looking (rm x)" in errors
    assert status == 126


@pytest.mark.real
def test_what_is_no_shell_is_handed_over_with_what_was_asked(
    target: tuple[Sshd, asyncssh.SSHKey],
) -> None:
    async def play() -> Ends:
        async with ends(target) as joined:
            await joined.client.create_process("uname", env={"LANG": "C"}, term_type="xterm")
        return joined

    (requests,) = asyncio.run(play()).handed_over

    assert requests is not None
    assert [kind for kind, _ in requests] == ["env", "pty-req", "exec"]


@pytest.mark.real
def test_a_target_that_is_lost_ends_the_shell(target: tuple[Sshd, asyncssh.SSHKey]) -> None:
    async def play() -> tuple[str, int | None]:
        async with ends(target) as joined:
            shell = await joined.client.create_process(term_type="xterm")
            await until(shell, PROMPT)
            joined.target.abort()
            await shell.wait_closed()
            return str(await shell.stderr.read()), shell.exit_status

    said, status = asyncio.run(play())

    assert said == "watchgate: the target closed the connection\r\n"
    assert status == 255


def test_a_program_whose_time_is_over_is_told_apart() -> None:
    heard: list[object] = []
    shell = SimpleNamespace(
        printed=lambda end, data, stream: heard.append(end), finished=heard.append
    )
    first, second = ProgramEnd(cast(GatewayShell, shell)), ProgramEnd(cast(GatewayShell, shell))
    first.heard(Side.TARGET, b"x", None)
    second.closed(Side.TARGET)

    assert heard == [first, second]
