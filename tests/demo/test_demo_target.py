"""The demo target, reached by real OpenSSH clients and by asyncssh."""

from __future__ import annotations

import asyncio
import getpass
import re
import shutil
import time
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

import asyncssh
import pytest
import uvloop

from watchgate.demo.openssh import OpenSsh
from watchgate.demo.target import DemoTarget
from watchgate.errors import ConfigurationError

pytestmark = pytest.mark.real


class Visitor:
    """A client that the target in *directory* trusts, and that trusts the target."""

    def __init__(self, directory: Path) -> None:
        self.client = OpenSsh.create(directory / "client")
        self.key = self.client.new_key()
        self.public = self.key.with_suffix(".pub").read_text()
        self.target = DemoTarget(self.public, directory)

    def where(self, *options: str, flag: str = "-p") -> list[str]:
        self.client.trust(self.target.port, self.target.host_key)
        return [flag, str(self.target.port), "-i", str(self.key), *options]

    def ssh(self, command: str, *options: str, data: bytes = b"") -> tuple[int, bytes, bytes]:
        who = f"{getpass.getuser()}@127.0.0.1"
        done = self.client.ssh(*self.where(*options), who, command, data=data)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def visitor(tmp_path: Path, program: Callable[[str], str]) -> Visitor:
    for name in ("ssh", "scp", "ssh-keygen"):
        program(name)
    return Visitor(tmp_path)


class Runner(Protocol):
    """`asyncio.run` or `uvloop.run`."""

    def __call__(self, main: Coroutine[Any, Any, None], /) -> None: ...


def serve(visitor: Visitor, visit: Callable[[], object], *, runner: Runner = asyncio.run) -> None:
    """Run the target while *visit* does its part in a thread."""

    async def main() -> None:
        async with visitor.target:
            await asyncio.to_thread(visit)

    runner(main())


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
def test_exec_passes_input_both_outputs_and_the_exit_status(
    visitor: Visitor, runner: Runner
) -> None:
    seen: list[object] = []
    serve(
        visitor,
        lambda: seen.append(visitor.ssh("cat; echo no >&2; exit 9", data=b"\0\xff in")),
        runner=runner,
    )

    assert seen == [(9, b"\0\xff in", b"no\n")]


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_large_binary_output_arrives_whole(visitor: Visitor, size: int) -> None:
    seen: list[tuple[int, bytes, bytes]] = []
    serve(visitor, lambda: seen.append(visitor.ssh(f"head -c {size} /dev/zero")))

    assert seen == [(0, bytes(size), b"")]


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
def test_a_shell_has_a_terminal_that_follows_the_window(visitor: Visitor, runner: Runner) -> None:
    seen: list[object] = []

    def visit() -> None:
        arguments = visitor.where("-tt", f"{getpass.getuser()}@127.0.0.1")
        with visitor.client.terminal(*arguments, columns=93, rows=21) as person:
            person.send("tty; stty size; ps -o stat= -p $$; echo termi''nal $TERM\r")
            seen.append(person.expect(re.compile(rb"terminal \w+")))
            person.resize(101, 33)
            person.send("stty size\r")
            person.expect(re.compile(rb"\b33 101\b"))
            person.send("sleep 100\r")
            person.expect("sleep 100")
            person.send(b"\x03")  # job control works only with a controlling terminal
            person.send("echo interrup''ted; exit 4\r")
            person.expect("interrupted")
            seen.append(person.wait())

    serve(visitor, visit, runner=runner)

    first, status = seen
    assert isinstance(first, bytes)
    assert re.search(rb"/dev/pts/\d+\r\n21 93\r\n", first)
    assert first.endswith(b"terminal xterm")
    assert status == 4


@pytest.mark.parametrize("option", ["-T", "-tt"])
def test_a_program_that_a_signal_ends_is_told_as_such(visitor: Visitor, option: str) -> None:
    ends: list[tuple[int | None, tuple[str, bool, str, str] | None]] = []

    async def main() -> None:
        async with visitor.target as target, connect(visitor) as connection:
            process = await connection.create_process(
                "exec kill -KILL $$", term_type="xterm" if option == "-tt" else None
            )
            await process.wait_closed()
            ends.append((process.exit_status, process.exit_signal))
            assert target.port

    asyncio.run(main())

    [(status, ended_by)] = ends
    assert status == -1
    assert ended_by is not None
    assert ended_by[0] == "KILL"


def test_a_signal_reaches_the_program_and_its_children(visitor: Visitor) -> None:
    seen: list[str | None] = []

    async def main() -> None:
        async with visitor.target, connect(visitor) as connection:
            process = await connection.create_process(
                "trap 'echo caught; exit 5' TERM; echo ready; while :; do sleep 100 & wait; done"
            )
            assert await process.stdout.readline() == "ready\n"
            process.send_signal("TERM")
            seen.append(await process.stdout.read())
            await process.wait_closed()
            assert process.exit_status == 5

    asyncio.run(main())

    assert seen == ["caught\n"]


def test_a_program_whose_client_vanishes_is_hung_up(visitor: Visitor, tmp_path: Path) -> None:
    mark = tmp_path / "hung-up"

    async def main() -> None:
        async with visitor.target:
            async with connect(visitor) as connection:
                process = await connection.create_process(
                    f"trap 'echo yes >{mark}; exit' HUP; echo ready; while :; do sleep 0.05; done"
                )
                assert await process.stdout.readline() == "ready\n"
                connection.abort()
            await asyncio.to_thread(wait_for, mark)

    asyncio.run(main())

    assert mark.read_text() == "yes\n"


def test_a_background_job_does_not_hold_a_terminal_session_open(visitor: Visitor) -> None:
    seen: list[tuple[int, bytes, bytes]] = []
    command = "(trap '' HUP; sleep 4) & echo left; exit 2"
    serve(visitor, lambda: seen.append(visitor.ssh(command, "-tt")))

    [(status, output, _)] = seen
    assert status == 2
    assert b"left" in output


@pytest.mark.parametrize("old_protocol", [False, True])
def test_scp_moves_a_file_both_ways(visitor: Visitor, tmp_path: Path, old_protocol: bool) -> None:
    sent, kept, back = tmp_path / "sent", tmp_path / "kept", tmp_path / "back"
    sent.write_bytes(bytes(range(256)) * 4000)

    def visit() -> None:
        options = visitor.where(*(["-O"] if old_protocol else []), flag="-P")
        remote = f"{getpass.getuser()}@127.0.0.1:{kept}"
        for pair in ([str(sent), remote], [remote, str(back)]):
            done = visitor.client.scp(*options, *pair)
            assert done.returncode == 0, done.stderr

    serve(visitor, visit)

    assert back.read_bytes() == sent.read_bytes()


def test_without_openssh_programs_asyncssh_serves_the_transfers(
    visitor: Visitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchgate.demo.target.SFTP_SERVERS", ())
    sent, kept = tmp_path / "sent", tmp_path / "kept"
    sent.write_bytes(b"by ourselves" * 9999)

    def visit() -> None:
        remote = f"{getpass.getuser()}@127.0.0.1:{kept}"
        for protocol in ("-s", "-O"):
            done = visitor.client.scp(*visitor.where(protocol, flag="-P"), str(sent), remote)
            assert done.returncode == 0, done.stderr
            assert kept.read_bytes() == sent.read_bytes()
            kept.unlink()

    serve(visitor, visit)

    assert shutil.which("scp")


@pytest.mark.parametrize("who", ["key", "user"])
def test_another_key_or_another_user_is_refused(visitor: Visitor, who: str) -> None:
    seen: list[tuple[int, bytes]] = []

    def visit() -> None:
        key = visitor.client.new_key("stranger") if who == "key" else visitor.key
        user = "somebody-else" if who == "user" else getpass.getuser()
        done = visitor.client.ssh(*visitor.where()[:2], "-i", str(key), f"{user}@127.0.0.1", "true")
        seen.append((done.returncode, done.stderr))

    serve(visitor, visit)

    [(status, said)] = seen
    assert status == 255
    assert b"Permission denied" in said


def test_the_host_key_is_kept_and_not_readable_by_others(visitor: Visitor, tmp_path: Path) -> None:
    keys: list[str] = []

    async def main() -> None:
        for _ in range(2):
            async with DemoTarget(visitor.public, tmp_path / "kept") as target:
                keys.append(target.host_key)

    asyncio.run(main())
    file = tmp_path / "kept" / "demo_target_host_ed25519"

    assert keys[0] == keys[1]
    assert keys[0].startswith("ssh-ed25519 ")
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_damaged_host_key_is_said(visitor: Visitor, tmp_path: Path) -> None:
    (tmp_path / "demo_target_host_ed25519").write_text("damaged")

    with pytest.raises(ConfigurationError, match=r"demo_target_host_ed25519 cannot be read"):
        asyncio.run(enter(visitor.target))


def test_a_port_that_is_taken_is_said(visitor: Visitor, tmp_path: Path) -> None:
    async def main() -> None:
        async with visitor.target as first:
            await enter(DemoTarget(visitor.public, tmp_path, port=first.port))

    with pytest.raises(ConfigurationError, match=r"cannot listen on 127\.0\.0\.1:\d+"):
        asyncio.run(main())


def test_it_listens_on_loopback_only_and_closes_its_port(visitor: Visitor) -> None:
    async def main() -> tuple[int, int]:
        async with visitor.target as target:
            inside = target.port
        return inside, target.port

    inside, after = asyncio.run(main())

    assert inside > 0
    assert after == 0


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 5
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.02)


async def enter(target: DemoTarget) -> None:
    async with target:
        pass


def connect(visitor: Visitor) -> AbstractAsyncContextManager[asyncssh.SSHClientConnection]:
    return asyncssh.connect(
        "127.0.0.1",
        visitor.target.port,
        username=getpass.getuser(),
        client_keys=[str(visitor.key)],
        known_hosts=asyncssh.import_known_hosts(f"127.0.0.1 {visitor.target.host_key}"),
        config=None,
        agent_path=None,
    )
