"""What a start after a crash makes of recordings that were left open."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest
from recording_world import INPUT, OUTPUT, Disk, World

from watchgate.clock import iso
from watchgate.recording.recorder import LiveRecorder
from watchgate.recording.scan import LogicalFile, read_preamble
from watchgate.recording.sweep import Outcome, sweep
from watchgate.recording.verify import State
from watchgate.session.events import RecordingRecovered
from watchgate.session.model import FailurePolicy


def crash(world: World, *recorders: LiveRecorder) -> None:
    """The process is gone: its locks with it, its files as they are."""
    for recorder in recorders:
        pen = world.pen(recorder)
        for file in (pen._file, pen._store_file):
            if file is not None:
                file.close()
    world.store = world.fresh_store()


def crashed(world: World, policy: FailurePolicy = FailurePolicy.CLOSE) -> Path:
    async def session() -> Path:
        recorder = await world.open(policy)
        recorder.octets(OUTPUT, 1, b"one ")
        recorder.octets(INPUT, 1, b"x")
        await world.turn()
        await world.turn(11)
        recorder.octets(OUTPUT, 1, b"two")
        await world.turn()
        crash(world, recorder)
        return world.path(recorder)

    return asyncio.run(session())


def test_a_recording_left_open_is_sealed_and_says_so(world: World) -> None:
    path = crashed(world)
    before = world.verify(path)
    world.clock.advance(3600)

    (swept,) = world.sweep()

    after = world.verify(path)
    assert before.state is State.INCOMPLETE
    assert (swept.outcome, swept.path, swept.recording) == (Outcome.SEALED, path, path.stem)
    assert swept.event() == RecordingRecovered(path.stem, 0, swept.last_at_us)
    assert (after.state, after.sealed_by) == (State.INCOMPLETE, "evidence")
    assert after.sealed_at_us == world.clock.wall_us()
    assert iso(world.clock.wall_us()) in after.detail
    assert world.octets(path) == b"one two"
    with world.read(path) as recording:
        assert recording.recovered
        assert recording.duration_us == swept.last_at_us - recording.header.started_at_us
        assert [r.data for r in recording.records(11_000_000)] == [b"two"]
    assert list((world.root / "open").iterdir()) == []


def test_a_second_sweep_finds_nothing_to_do(world: World) -> None:
    path = crashed(world)
    world.sweep()
    octets = path.read_bytes()

    assert world.sweep() == []
    assert sweep(world.root, world.spool, world.evidence, world.clock, everything=True) == []
    assert path.read_bytes() == octets


def test_cut_at_any_octet_a_recording_is_sealed_and_what_was_torn_is_told(world: World) -> None:
    path = crashed(world)
    good = path.read_bytes()
    mark = world.root / "open" / path.stem
    link = os.readlink(mark)
    with LogicalFile(path) as file:
        begin = read_preamble(file).place.offset

    for length in range(begin, len(good)):
        path.write_bytes(good[:length])
        torn = world.verify(path).torn_octets
        whole = world.octets(path)
        (swept,) = world.sweep()

        found = world.verify(path)
        assert (swept.outcome, swept.torn_octets) == (Outcome.SEALED, torn)
        assert (found.state, found.torn_octets) == (State.INCOMPLETE, torn)
        assert found.sealed_by == "evidence"
        assert world.octets(path) == whole
        mark.symlink_to(link)


def test_a_sweep_that_was_killed_itself_is_repeated(world: World) -> None:
    path = crashed(world)
    good = path.read_bytes()[:-3]
    mark = world.root / "open" / path.stem
    link = os.readlink(mark)
    path.write_bytes(good)
    world.sweep()
    swept = path.read_bytes()
    whole = len(good) - world.verify(path).torn_octets

    for length in range(whole, len(swept)):
        path.write_bytes(swept[:length] + bytes(max(len(good) - length, 0)))
        mark.symlink_to(link)
        world.sweep()

        assert world.verify(path).sealed_by == "evidence"
        assert world.octets(path) == b"one "


def test_a_recording_that_is_being_written_is_left_alone(world: World) -> None:
    async def session() -> Path:
        recorder = await world.open()
        recorder.octets(OUTPUT, 1, b"live")
        await world.turn()
        assert world.sweep() == []
        return await world.sealed(recorder)

    assert world.verify(asyncio.run(session())).state is State.INTACT


def test_an_altered_recording_is_reported_left_and_blocks_no_other(world: World) -> None:
    bad, good = crashed(world), crashed(world)
    octets = bytearray(bad.read_bytes())
    octets[-100] ^= 1
    bad.write_bytes(octets)

    outcomes = {swept.path: swept.outcome for swept in world.sweep()}

    assert outcomes == {bad: Outcome.ALTERED, good: Outcome.SEALED}
    assert bad.read_bytes() == octets
    assert [swept.path for swept in world.sweep()] == [bad]


@pytest.mark.parametrize("length", [0, 5, 12, 300])
def test_half_a_header_is_put_aside(world: World, length: int) -> None:
    path = crashed(world)
    os.truncate(path, length)

    (swept,) = world.sweep()

    assert swept.outcome is Outcome.BROKEN
    assert swept.path == path.with_name(path.name + ".broken")
    assert swept.path.stat().st_size == length
    assert not path.exists()
    assert world.sweep() == []


def test_a_recording_that_never_got_its_name_is_put_aside(world: World) -> None:
    path = crashed(world)
    path.rename(path.with_name(path.name + ".new"))

    (swept,) = world.sweep()

    assert swept.outcome is Outcome.BROKEN
    assert world.sweep() == []


def test_a_mark_without_anything_is_forgotten(world: World) -> None:
    path = crashed(world)
    path.unlink()

    assert world.sweep() == []
    assert list((world.root / "open").iterdir()) == []


def test_a_disk_that_fails_is_reported_and_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch, disk: Disk
) -> None:
    path = crashed(world)
    with monkeypatch.context() as patch:
        patch.setattr("watchgate.recording.evidencefile.os.pwrite", _full)
        (swept,) = world.sweep()

    assert swept.outcome is Outcome.FAILED
    assert [swept.outcome for swept in world.sweep()] == [Outcome.SEALED]
    assert world.octets(path) == b"one two"


def _full(*_: object) -> int:
    raise OSError(28, "No space left on device")


# --- the spool ---


def spooled(world: World, disk: Disk) -> Path:
    """A crash while the tail of a recording was in the spool."""

    async def session() -> Path:
        recorder = await world.open(FailurePolicy.SPOOL)
        recorder.octets(OUTPUT, 1, b"one ")
        await world.turn()
        disk.full.append(world.root)
        recorder.octets(OUTPUT, 1, b"two ")
        await world.turn()
        recorder.octets(OUTPUT, 1, b"three")
        await world.turn()
        disk.full.clear()
        crash(world, recorder)
        return world.path(recorder)

    return asyncio.run(session())


def test_a_tail_in_the_spool_comes_home(world: World, disk: Disk) -> None:
    path = spooled(world, disk)

    (swept,) = world.sweep()

    assert swept.outcome is Outcome.SEALED
    assert list(world.spool.iterdir()) == []
    assert world.octets(path) == b"one two three"
    assert world.verify(path).sealed_by == "evidence"


def test_a_tail_comes_home_without_a_mark_too(world: World, disk: Disk) -> None:
    path = spooled(world, disk)
    shutil.rmtree(world.root / "open")

    world.sweep()

    assert world.octets(path) == b"one two three"
    assert list(world.spool.iterdir()) == []


@pytest.mark.parametrize("copied", [1, 20, None])
def test_a_homecoming_that_broke_off_is_repeated(
    world: World, disk: Disk, copied: int | None
) -> None:
    path = spooled(world, disk)
    (tail,) = world.spool.iterdir()
    with open(path, "ab") as file:
        file.write(tail.read_bytes()[:copied])
    assert world.octets(path) == b"one two three"

    world.sweep()

    assert world.octets(path) == b"one two three"
    assert world.verify(path).sealed_by == "evidence"
    assert list(world.spool.iterdir()) == []


def test_a_recording_wholly_in_the_spool_comes_home(world: World) -> None:
    world.root.write_text("not a directory")

    async def session() -> Path:
        recorder = await world.open(FailurePolicy.SPOOL)
        recorder.octets(OUTPUT, 1, b"kept")
        await world.turn()
        crash(world, recorder)
        return world.path(recorder)

    path = asyncio.run(session())
    (failed,) = world.sweep()
    assert failed.outcome is Outcome.FAILED
    world.root.unlink()

    (swept,) = world.sweep()

    assert swept.outcome is Outcome.SEALED
    assert world.octets(path) == b"kept"
    assert list(world.spool.iterdir()) == []
    assert list((world.root / "open").iterdir()) == []


def test_a_tail_that_contradicts_its_recording_is_reported_and_nothing_is_lost(
    world: World, disk: Disk
) -> None:
    path = spooled(world, disk)
    (tail,) = world.spool.iterdir()
    octets = path.read_bytes() + bytes(tail.stat().st_size)
    path.write_bytes(octets)

    (swept,) = world.sweep()

    assert swept.outcome is Outcome.FAILED
    assert "differ" in swept.detail
    assert tail.exists()
    assert path.read_bytes() == octets


def test_a_tail_that_never_became_whole_is_removed(world: World) -> None:
    path = crashed(world)
    world.spool.mkdir()
    unborn = world.spool / f"{path.stem}.wgr.tail-900.new"
    unborn.write_bytes(b"never acknowledged")

    world.sweep()

    assert not unborn.exists()
    assert world.octets(path) == b"one two"
