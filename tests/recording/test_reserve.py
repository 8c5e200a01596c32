"""A full disk, for real: a small file system of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from recording_world import OUTPUT, World

from watchgate.errors import RecordingLost
from watchgate.recording.recorder import LiveRecorder
from watchgate.recording.reserve import Reserve, sync_file_system
from watchgate.recording.verify import State
from watchgate.session.events import RecordingDegraded, RecordingGap, SessionClosed
from watchgate.session.model import FailurePolicy


def mount(kind: str, directory: Path) -> Path:
    """A file system of two megabytes; the test is skipped where none can be mounted."""
    point = directory / "small"
    point.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(point)]
    if kind == "ext4":
        image = directory / "small.img"
        with open(image, "wb") as file:
            file.truncate(2_000_000)
        made = subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", str(image)],
                              capture_output=True, check=False)  # fmt: skip
        if made.returncode:
            pytest.skip("ext4 cannot be made here")
        command = ["mount", "-o", "loop", str(image), str(point)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip(f"{kind} cannot be mounted here")
    return point


@pytest.fixture(params=["tmpfs", "ext4"])
def small(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A small file system."""
    point = mount(str(request.param), tmp_path)
    try:
        yield point
    finally:
        subprocess.run(["umount", "-l", str(point)], check=True)


def world_on(small: Path, tmp_path: Path) -> World:
    world = World.at(tmp_path, minimum_free=0)
    world.root = small / "recordings"
    world.store = world.fresh_store()
    return world


def fill(point: Path) -> Path:
    """Leave no octet free."""
    ballast = point / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return ballast


async def until_full(world: World, recorder: LiveRecorder) -> bytes:
    """Record until the disk is full; returns what was acknowledged before."""
    acknowledged = b""
    while recorder.lost is None and not recorder.dropping and len(acknowledged) < 4_000_000:
        chunk = os.urandom(30_000)
        recorder.octets(OUTPUT, 1, chunk)
        try:
            await world.drive(recorder.commit())
        except RecordingLost:
            break
        if not recorder.dropping:
            acknowledged += chunk
    return acknowledged


@pytest.mark.root
def test_close_seals_on_a_full_disk_with_all_that_was_acknowledged(
    small: Path, tmp_path: Path
) -> None:
    world = world_on(small, tmp_path)
    kept = b""

    async def session() -> Path:
        nonlocal kept
        recorder = await world.open()
        kept = await until_full(world, recorder)
        assert "No space left" in str(recorder.lost)
        fill(small)
        return await world.sealed(recorder)

    path = asyncio.run(session())

    assert world.octets(path) == kept
    assert isinstance(world.events(path)[-1], SessionClosed)
    assert world.verify(path).state is State.INTACT


@pytest.mark.root
def test_three_recordings_on_one_full_disk_are_all_sealed(small: Path, tmp_path: Path) -> None:
    world = world_on(small, tmp_path)

    async def sessions() -> list[Path]:
        recorders = [await world.open() for _ in range(3)]
        while any(recorder.lost is None for recorder in recorders):
            for recorder in recorders:
                recorder.octets(OUTPUT, 1, os.urandom(20_000))
            await world.turn()
        fill(small)
        return [await world.sealed(recorder) for recorder in recorders]

    for path in asyncio.run(sessions()):
        assert world.verify(path).state is State.INTACT


@pytest.mark.root
def test_spool_goes_on_beside_a_full_disk(small: Path, tmp_path: Path) -> None:
    world = world_on(small, tmp_path)

    async def session() -> tuple[Path, bytes]:
        recorder = await world.open(FailurePolicy.SPOOL)
        ballast = fill(small)
        sent = os.urandom(300_000)
        recorder.octets(OUTPUT, 1, sent)
        await world.drive(recorder.commit())
        assert recorder.lost is None
        assert world.octets(world.path(recorder)) == sent
        ballast.unlink()
        return await world.sealed(recorder), sent

    path, sent = asyncio.run(session())

    assert world.octets(path) == sent
    assert [type(event) for event in world.events(path)] == [RecordingDegraded, SessionClosed]
    assert list(world.spool.iterdir()) == []
    assert world.verify(path).state is State.INTACT


@pytest.mark.root
def test_open_drops_counts_and_goes_on(small: Path, tmp_path: Path) -> None:
    world = world_on(small, tmp_path)

    async def session() -> tuple[Path, bytes]:
        recorder = await world.open(FailurePolicy.OPEN)
        acknowledged = await until_full(world, recorder)
        ballast = fill(small)
        recorder.octets(OUTPUT, 1, bytes(12_345))
        await world.drive(recorder.commit())
        ballast.unlink()
        for _ in range(3):
            await world.turn(2)
        return await world.sealed(recorder), acknowledged

    path, acknowledged = asyncio.run(session())

    gaps = [event for event in world.events(path) if isinstance(event, RecordingGap)]
    assert world.octets(path).startswith(acknowledged)
    assert len(gaps) == 1
    assert gaps[0].octets >= 12_345
    assert world.verify(path).state is State.INTACT


@pytest.mark.root
def test_the_reserve_is_given_back(small: Path, tmp_path: Path) -> None:
    world = world_on(small, tmp_path)

    async def session() -> Path:
        recorder = await world.open()
        recorder.octets(OUTPUT, 1, b"x")
        await world.turn()
        reserved = world.path(recorder).stat().st_blocks * 512
        assert reserved >= Reserve.SIZE
        return await world.sealed(recorder)

    path = asyncio.run(session())

    assert path.stat().st_blocks * 512 < 16_384


def test_a_file_system_without_reserves_is_used_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchgate.recording.reserve._fallocate", lambda *_: -1)
    monkeypatch.setattr("ctypes.get_errno", lambda: 95)
    with open(tmp_path / "file", "wb") as file:
        reserve = Reserve(file.fileno())
        reserve.cover(1)
        reserve.cover(10_000_000)

        assert os.fstat(file.fileno()).st_blocks == 0


def test_a_bad_descriptor_is_an_error() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        sync_file_system(-1)
    with pytest.raises(OSError, match="Bad file descriptor"):
        Reserve(-1).cover(1)
