"""The threads: many files, slow disks, an orderly stop."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest
from recording_world import ENDING, OUTPUT, Disk, World

from watchgate.clock import SystemClock
from watchgate.recording.evidencefile import EvidenceFile
from watchgate.recording.recorder import LiveRecorder
from watchgate.recording.scribe import Aside
from watchgate.recording.verify import State


def test_many_dirty_recordings_are_synced_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    together: list[int] = []
    alone: list[Path] = []
    monkeypatch.setattr("watchgate.recording.scribe.sync_file_system", together.append)
    monkeypatch.setattr(EvidenceFile, "sync", lambda file: alone.append(file.path))

    async def session() -> None:
        recorders = [await world.open() for _ in range(33)]
        for count in (33, 32):
            for recorder in recorders[:count]:
                recorder.octets(OUTPUT, 1, b"x")
            await world.turn()

    asyncio.run(session())

    assert len(together) == 1
    assert len(alone) == 32


def test_a_file_system_that_fails_to_sync_loses_every_recording_on_it(
    world: World, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("watchgate.recording.scribe.sync_file_system", failing)

    async def session() -> None:
        recorders = [await world.open() for _ in range(40)]
        for recorder in recorders:
            recorder.octets(OUTPUT, 1, b"x")
        world.store.scribe.answer()
        for recorder in recorders:
            await world.drive(recorder.commit())
        disk.dead.append(world.root)
        await world.turn()
        await world.turn()
        assert all(recorder.lost is not None for recorder in recorders)

    asyncio.run(session())


def test_a_slow_disk_under_one_session_does_not_hold_up_anothers_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.at(tmp_path, minimum_free=0, interval=0.01)
    world.clock = SystemClock()  # type: ignore[assignment]
    store = world.fresh_store()
    syncing, release = threading.Event(), threading.Event()
    sync = EvidenceFile.sync

    def slow(file: EvidenceFile) -> None:
        syncing.set()
        release.wait(30)
        sync(file)

    monkeypatch.setattr(EvidenceFile, "sync", slow)
    store.start()

    async def sessions() -> None:
        bulk, typing = await store.open(world.request()), await store.open(world.request())
        bulk.octets(OUTPUT, 1, b"x")
        await asyncio.to_thread(syncing.wait, 30)
        typing.octets(OUTPUT, 1, b"y")
        async with asyncio.timeout(10):
            await typing.commit()
        assert isinstance(typing, LiveRecorder)
        assert world.octets(world.path(typing)) == b"y"
        release.set()
        await bulk.seal(ENDING)
        await typing.seal(ENDING)

    asyncio.run(sessions())

    assert store.stop()


def test_a_disk_that_never_answers_does_not_keep_the_gateway_from_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.at(tmp_path, minimum_free=0, interval=0.01)
    world.clock = SystemClock()  # type: ignore[assignment]
    store = world.fresh_store()
    release = threading.Event()
    monkeypatch.setattr(EvidenceFile, "sync", lambda _: release.wait(30))
    store.start()

    async def session() -> None:
        recorder = await store.open(world.request())
        recorder.octets(OUTPUT, 1, b"x")
        await recorder.commit()

    asyncio.run(session())

    began = time.monotonic()
    assert not store.stop(0.2)
    assert time.monotonic() - began < 5
    release.set()


def test_what_was_recorded_is_durable_within_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.at(tmp_path, minimum_free=0)
    world.clock = SystemClock()  # type: ignore[assignment]
    store = world.fresh_store()
    durable = threading.Event()
    sync = EvidenceFile.sync

    def noted(file: EvidenceFile) -> None:
        sync(file)
        durable.set()

    monkeypatch.setattr(EvidenceFile, "sync", noted)
    store.start()

    async def session() -> None:
        recorder = await store.open(world.request())
        recorder.octets(OUTPUT, 1, b"x")
        assert await asyncio.to_thread(durable.wait, 1.0)
        await recorder.seal(ENDING)
        assert isinstance(recorder, LiveRecorder)
        assert world.verify(world.path(recorder)).state is State.INTACT

    asyncio.run(session())

    assert store.stop()


def test_a_failing_job_does_not_end_the_thread_aside(caplog: pytest.LogCaptureFixture) -> None:
    aside = Aside()
    aside.start()
    done = threading.Event()

    def failing() -> None:
        raise ZeroDivisionError

    aside.put(failing)
    aside.put(done.set)

    assert done.wait(10)
    assert aside.stop(10)
    assert "failed" in caplog.text
