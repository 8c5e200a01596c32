"""The demo as a whole: unattended, twice on one directory, and beside another one."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from watchgate.app import Gateway
from watchgate.clock import SystemClock
from watchgate.demo import main
from watchgate.demo.check import Check, CheckFailedError
from watchgate.demo.world import World
from watchgate.errors import ConfigurationError

pytestmark = pytest.mark.real


@pytest.fixture(autouse=True)
def programs(program: Callable[[str], str]) -> None:
    for name in ("ssh", "scp"):
        program(name)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "demo-data")


def test_the_check_goes_through_and_prints_the_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main.run(True, tmp_path / "demo-data")
    shown = capsys.readouterr()

    assert status == 0, shown.err
    assert [line.split()[1] for line in shown.out.splitlines() if line.startswith("ok")] == [
        "ssh:",
        "a",  # rule
        "scp:",
        *["session"] * 3,
        "search:",
        *["session"] * 2,
    ]
    assert "| watchgate-42" in shown.out
    assert shown.out.endswith("The demo works.\n")


def test_a_failing_step_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchgate.demo.check.TYPED", "exit 5")
    status = main.run(True, tmp_path / "demo-data")
    shown = capsys.readouterr()

    assert status == 1
    assert "FAILED  ssh: a shell on the target: " in shown.err
    assert "the program ended" in shown.err
    assert str(tmp_path) in shown.err


def test_a_second_start_keeps_what_the_first_recorded(world: World) -> None:
    said: list[str] = []

    async def once(work: Callable[[Gateway], object]) -> None:
        async with main.running(world, SystemClock(), port=0) as gateway:
            await asyncio.to_thread(work, gateway)

    def command(_: Gateway) -> None:
        done = world.client.ssh(world.destination, "echo again; exit 6")
        assert (done.returncode, done.stdout) == (6, b"again\n"), done.stderr

    asyncio.run(once(lambda gateway: Check(world, said.append).run()))
    asyncio.run(once(command))
    recordings = list(world.paths.recordings.rglob("*.wgr"))

    assert len(said) == 9
    assert len(recordings) == 3


def test_a_demo_beside_a_running_one_is_refused_and_changes_nothing(world: World) -> None:
    async def both() -> None:
        async with main.running(world, SystemClock(), port=0):
            config = world.client.config.read_bytes()
            with pytest.raises(ConfigurationError, match="another gateway serves"):
                async with main.running(world, SystemClock(), port=0):
                    pass
            assert world.client.config.read_bytes() == config
            done = await asyncio.to_thread(world.client.ssh, world.destination, "echo still here")
            assert done.stdout == b"still here\n"

    asyncio.run(both())


def test_keys_are_for_their_owner_alone(world: World) -> None:
    world.make(SystemClock())
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in (world.root, world.own / "alice", world.paths.vault_key)
    }

    assert set(modes.values()) <= {0o700, 0o600}


def test_a_directory_with_something_else_in_it_is_refused(world: World) -> None:
    world.root.mkdir()
    world.paths.keys.mkdir()
    world.paths.host_key.write_text("of somebody else")

    with pytest.raises(ConfigurationError, match="nothing is overwritten"):
        world.make(SystemClock())


def test_what_is_to_be_pasted_is_one_line_each_and_quoted(tmp_path: Path) -> None:
    world = World(tmp_path / "a directory")
    line = world.ssh("scp", "x", f"{world.destination}:/tmp/")

    assert line.startswith("scp -F '")
    assert line.endswith(f" x {world.destination}:/tmp/")
    assert world.destination.startswith("alice+")
    assert world.destination.endswith("@demo@gate")


def test_a_failed_check_carries_a_stable_code() -> None:
    assert CheckFailedError("ssh: no").code == "demo.check"
