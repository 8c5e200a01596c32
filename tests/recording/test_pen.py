"""What a recording does when its disk fails, by policy; checkpoints, compressors, clocks."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest
from recording_world import INPUT, OUTPUT, Disk, World

from watchgate.errors import RecordingLost
from watchgate.recording.evidencefile import EvidenceFile
from watchgate.recording.format import FrameType
from watchgate.recording.pen import Mode
from watchgate.recording.recorder import LiveRecorder
from watchgate.recording.scan import LogicalFile, Walk, read_preamble
from watchgate.recording.verify import State
from watchgate.session.events import (
    InputRedacted,
    RecordingDegraded,
    RecordingGap,
    SessionClosed,
)
from watchgate.session.model import FailurePolicy


def frame_types(path: Path) -> list[int]:
    with LogicalFile(path) as file:
        return [frame.header.type for frame in Walk(file, read_preamble(file).place)]


def mode(world: World, recorder: LiveRecorder) -> Mode:
    return world.pen(recorder).mode


# --- close ---


def test_close_loses_the_recording_and_seals_what_was_acknowledged(
    world: World, disk: Disk
) -> None:
    async def session() -> Path:
        recorder = await world.open()
        recorder.octets(OUTPUT, 1, b"acknowledged")
        await world.drive(recorder.commit())
        disk.full.append(world.root)
        recorder.octets(OUTPUT, 1, b"lost")
        with pytest.raises(RecordingLost, match=r"recordings.*No space left.*Free space"):
            await world.drive(recorder.commit())
        assert recorder.lost is await recorder.failed()
        assert not recorder.congested
        recorder.octets(OUTPUT, 1, b"not even taken")
        with pytest.raises(RecordingLost):
            await recorder.commit()
        return await world.sealed(recorder)

    path = asyncio.run(session())

    found = world.verify(path)
    assert found.state is State.INTACT
    assert "evidence could not be written" in found.detail
    assert [note["note"] for note in found.notes] == ["lost"]
    assert world.octets(path) == b"acknowledged"
    assert world.events(path) == [SessionClosed("client", "exit", None, 0, 30)]


def test_a_dead_disk_leaves_the_recording_for_the_sweep(world: World, disk: Disk) -> None:
    async def session() -> Path:
        recorder = await world.open()
        recorder.octets(OUTPUT, 1, b"acknowledged")
        await world.drive(recorder.commit())
        disk.dead.append(world.root)
        recorder.octets(OUTPUT, 1, b"lost")
        await world.turn()
        assert recorder.lost is not None
        return await world.sealed(recorder)

    path = asyncio.run(session())

    assert world.verify(path).state is State.INCOMPLETE
    disk.dead.clear()
    assert [swept.path for swept in world.sweep()] == [path]
    assert world.octets(path) == b"acknowledged"


def test_a_failed_sync_is_a_failed_write(world: World, disk: Disk) -> None:
    async def session() -> None:
        recorder = await world.open()
        recorder.octets(OUTPUT, 1, b"written but not durable")
        await world.drive(recorder.commit())
        disk.dead.append(world.root)
        await world.turn()
        await world.turn()
        assert recorder.lost is not None

    asyncio.run(session())


def test_a_lost_recording_does_not_touch_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = EvidenceFile.append

    async def sessions() -> tuple[Path, Path]:
        lost, good = await world.open(), await world.open()

        def failing(file: EvidenceFile, octets: bytes, *, closing: bool = False) -> None:
            if file.path == world.path(lost):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            append(file, octets, closing=closing)

        monkeypatch.setattr(EvidenceFile, "append", failing)
        for recorder in (lost, good):
            recorder.octets(OUTPUT, 1, b"x")
        await world.turn()
        assert lost.lost is not None
        assert good.lost is None
        return await world.sealed(lost), await world.sealed(good)

    _, good = asyncio.run(sessions())

    assert world.verify(good).state is State.INTACT


def test_an_error_of_ours_in_one_recording_ends_it_and_only_it(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def sessions() -> Path:
        broken, good = await world.open(FailurePolicy.OPEN), await world.open()
        pen = world.pen(broken)

        def bug(_: object) -> bytes:
            raise ZeroDivisionError

        monkeypatch.setattr(pen._sealer, "batch", bug)
        for recorder in (broken, good):
            recorder.octets(OUTPUT, 1, b"x")
        await world.turn()
        assert "ZeroDivisionError" in str(broken.lost)
        return await world.sealed(good)

    assert world.verify(asyncio.run(sessions())).state is State.INTACT
    assert "broke" in caplog.text


def test_an_error_of_ours_while_sealing_leaves_the_recording_to_the_sweep(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: object) -> bytes:
        raise ZeroDivisionError

    async def session() -> Path:
        recorder = await world.open()
        recorder.octets(OUTPUT, 1, b"x")
        await world.turn()
        for name in ("seal", "note"):
            monkeypatch.setattr(world.pen(recorder)._sealer, name, bug)
        return await world.sealed(recorder)

    path = asyncio.run(session())

    assert [swept.path for swept in world.sweep()] == [path]
    assert world.octets(path) == b"x"


# --- spool ---


def test_spool_goes_on_in_the_spool_and_comes_home_when_sealed(world: World, disk: Disk) -> None:
    async def session() -> Path:
        recorder = await world.open(FailurePolicy.SPOOL)
        recorder.octets(OUTPUT, 1, b"one ")
        await world.turn()
        disk.full.append(world.root)
        recorder.octets(OUTPUT, 1, b"two ")
        await world.drive(recorder.commit())
        path = world.path(recorder)
        assert len(list(world.spool.iterdir())) == 1
        assert world.octets(path) == b"one two "
        assert world.verify(path).state is State.LIVE
        recorder.octets(OUTPUT, 1, b"three")
        disk.full.clear()
        return await world.sealed(recorder)

    path = asyncio.run(session())

    assert list(world.spool.iterdir()) == []
    assert world.verify(path).state is State.INTACT
    assert world.octets(path) == b"one two three"
    assert [type(event) for event in world.events(path)] == [RecordingDegraded, SessionClosed]
    assert [type(event) for event in world.alarms] == [RecordingDegraded]


def test_spool_comes_home_while_the_session_goes_on(world: World, disk: Disk) -> None:
    async def session() -> Path:
        recorder = await world.open(FailurePolicy.SPOOL)
        disk.full.append(world.root)
        recorder.octets(OUTPUT, 1, os.urandom(9_000_000))
        await world.turn()
        await world.turn(11)
        assert mode(world, recorder) is Mode.SPOOL
        disk.full.clear()
        for _ in range(5):
            await world.turn(11)
        assert mode(world, recorder) is Mode.STORE
        assert list(world.spool.iterdir()) == []
        recorder.octets(OUTPUT, 1, b"home")
        return await world.sealed(recorder)

    path = asyncio.run(session())

    assert world.verify(path).state is State.INTACT
    assert world.octets(path).endswith(b"home")


def test_a_store_that_stays_full_leaves_the_tail_and_the_scribe_brings_it_later(
    world: World, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async def session() -> Path:
        recorder = await world.open(FailurePolicy.SPOOL)
        recorder.octets(OUTPUT, 1, b"one ")
        await world.turn()
        disk.full.append(world.root)
        recorder.octets(OUTPUT, 1, b"two")
        with monkeypatch.context() as patch:
            patch.setattr("watchgate.recording.spool._splice", full)
            path = await world.sealed(recorder)
        assert len(list(world.spool.iterdir())) == 1
        assert world.verify(path).state is State.INTACT
        assert world.octets(path) == b"one two"
        await world.turn(11)
        return path

    path = asyncio.run(session())

    assert list(world.spool.iterdir()) == []
    assert world.octets(path) == b"one two"


def test_beyond_its_bound_spool_is_close(tmp_path: Path, disk: Disk) -> None:
    world = World.at(tmp_path, minimum_free=0, spool=50_000)

    async def session() -> Path:
        recorder = await world.open(FailurePolicy.SPOOL)
        disk.full.append(world.root)
        recorder.octets(OUTPUT, 1, b"kept")
        await world.turn()
        assert recorder.lost is None
        recorder.octets(OUTPUT, 1, os.urandom(60_000))
        await world.turn()
        with pytest.raises(RecordingLost, match="limit"):
            await recorder.commit()
        disk.full.clear()
        return await world.sealed(recorder)

    path = asyncio.run(session())

    assert world.octets(path) == b"kept"
    assert world.verify(path).state is State.INTACT


def test_what_the_store_had_not_synced_is_synced_though_the_recording_left_it(
    world: World, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    sync = EvidenceFile.sync

    def noting(file: EvidenceFile) -> None:
        synced.append(file.path)
        sync(file)

    monkeypatch.setattr(EvidenceFile, "sync", noting)

    async def session() -> None:
        recorder = await world.open(FailurePolicy.SPOOL)
        recorder.octets(OUTPUT, 1, b"one")
        await world.drive(recorder.commit())
        disk.full.append(world.root)
        recorder.octets(OUTPUT, 1, b"two")
        await world.drive(recorder.commit())
        assert synced == []
        await world.turn()
        assert world.path(recorder) in synced
        disk.dead.append(world.root)
        assert recorder.lost is None

    asyncio.run(session())


# --- open ---


def test_open_counts_what_it_drops_and_goes_on(world: World, disk: Disk) -> None:
    async def session() -> Path:
        recorder = await world.open(FailurePolicy.OPEN)
        recorder.octets(OUTPUT, 1, b"one ")
        await world.turn()
        disk.full.append(world.root)
        recorder.octets(OUTPUT, 1, b"pending ")
        await world.turn()
        recorder.octets(OUTPUT, 1, b"0123456789")
        recorder.event(InputRedacted(7))
        await world.drive(recorder.commit())
        await recorder.relieved()
        await world.turn(5)
        disk.full.clear()
        await world.turn(2)
        await world.turn()
        recorder.octets(OUTPUT, 1, b"two")
        return await world.sealed(recorder)

    path = asyncio.run(session())

    events = world.events(path)
    gap = next(event for event in events if isinstance(event, RecordingGap))
    assert world.octets(path) == b"one pending two"
    assert (gap.octets, gap.duration_us) == (10, 7_000_000)
    assert [type(e) for e in events] == [
        RecordingDegraded,
        InputRedacted,
        RecordingGap,
        SessionClosed,
    ]
    assert [type(event) for event in world.alarms] == [RecordingDegraded, RecordingGap]
    assert "10 octets are missing" in world.verify(path).detail
    assert world.verify(path).state is State.INTACT


def test_open_that_never_works_again_closes_in_the_reserve(world: World, disk: Disk) -> None:
    async def session() -> Path:
        recorder = await world.open(FailurePolicy.OPEN)
        recorder.octets(OUTPUT, 1, b"one")
        await world.turn()
        disk.full.append(world.root)
        recorder.octets(OUTPUT, 1, b"pending")
        await world.turn()
        recorder.octets(OUTPUT, 1, b"dropped")
        for number in range(3000):
            recorder.event(InputRedacted(number))
        await world.turn(3)
        return await world.sealed(recorder)

    path = asyncio.run(session())

    events = world.events(path)
    assert world.octets(path) == b"one"
    assert isinstance(events[-2], RecordingGap)
    assert events[-2].octets == len(b"pendingdropped")
    assert isinstance(events[-1], SessionClosed)
    assert world.verify(path).state is State.INTACT
    assert world.verify(path).notes[0]["octets"] == 14


def test_a_gap_that_ends_while_sealing_is_measured_right(world: World, disk: Disk) -> None:
    async def session() -> Path:
        recorder = await world.open(FailurePolicy.OPEN)
        disk.full.append(world.root)
        recorder.octets(OUTPUT, 1, b"pending")
        await world.turn()
        recorder.octets(OUTPUT, 1, b"dropped!")
        disk.full.clear()
        return await world.sealed(recorder)

    path = asyncio.run(session())

    gaps = [event for event in world.events(path) if isinstance(event, RecordingGap)]
    assert world.octets(path) == b"pending"
    assert [gap.octets for gap in gaps] == [8]
    assert world.verify(path).state is State.INTACT


# --- signatures, compressors, clocks ---


def test_what_is_written_is_signed_within_ten_seconds_and_idle_costs_nothing(world: World) -> None:
    async def session() -> Path:
        recorder = await world.open()
        recorder.octets(OUTPUT, 1, b"x")
        await world.turn()
        path = world.path(recorder)
        assert frame_types(path) == [FrameType.MAIN]
        await world.turn(10)
        assert frame_types(path) == [FrameType.MAIN, FrameType.CHECKPOINT]
        for _ in range(50):
            await world.turn(10)
        assert frame_types(path) == [FrameType.MAIN, FrameType.CHECKPOINT]
        return await world.sealed(recorder)

    assert world.verify(asyncio.run(session())).state is State.INTACT


def test_what_was_written_by_a_commit_is_signed_as_well(world: World) -> None:
    async def session() -> None:
        recorder = await world.open()
        await world.turn()
        recorder.octets(OUTPUT, 1, b"x")
        await world.drive(recorder.commit())
        await world.turn(11)
        assert frame_types(world.path(recorder)) == [FrameType.MAIN, FrameType.CHECKPOINT]

    asyncio.run(session())


def test_an_idle_recording_gives_its_compressor_back(world: World) -> None:
    async def session() -> Path:
        recorder = await world.open()
        recorder.octets(OUTPUT, 1, b"one")
        await world.turn()
        await world.turn(29)
        assert world.pen(recorder).warm
        await world.turn(2)
        assert not world.pen(recorder).warm
        recorder.octets(OUTPUT, 1, b"two")
        await world.turn()
        return await world.sealed(recorder)

    path = asyncio.run(session())

    assert world.octets(path) == b"onetwo"


@pytest.mark.parametrize("seconds", [-7200, 3600])
def test_a_clock_that_jumps_is_noted_and_moves_no_record(world: World, seconds: int) -> None:
    async def session() -> Path:
        recorder = await world.open()
        recorder.octets(OUTPUT, 1, b"before")
        await world.turn(1)
        world.clock.jump(seconds)
        recorder.octets(INPUT, 1, b"after")
        await world.turn(1)
        return await world.sealed(recorder)

    path = asyncio.run(session())

    with world.read(path) as recording:
        times = [record.t_us for record in recording.records()]
    assert times[1] - times[0] == 1_000_000
    assert world.verify(path).notes == ({"note": "clock", "jump_us": seconds * 1_000_000},)
    assert world.verify(path).state is State.INTACT


def test_an_event_that_is_no_json_is_recorded_as_that(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def session() -> Path:
        recorder = await world.open()
        recorder.event(InputRedacted(object()))  # type: ignore[arg-type]
        return await world.sealed(recorder)

    path = asyncio.run(session())

    with world.read(path) as recording:
        first = next(recording.events())
    assert first.event.data() == {"unwritable": "TypeError"}
    assert "cannot be written as JSON" in caplog.text
