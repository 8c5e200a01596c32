"""A recording's life in order: opened, written, sealed, read."""

from __future__ import annotations

import asyncio
import os
import stat
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recording_world import ENDING, ERROR, INPUT, OUTPUT, RESIZE, Disk, World

from watchgate.clock import SystemClock
from watchgate.errors import ConfigurationError, RecordingLost
from watchgate.recording.auditors import unwrap
from watchgate.recording.keys import EvidenceKey
from watchgate.recording.limits import Limits
from watchgate.recording.recorder import LiveRecorder
from watchgate.recording.store import RecordingStore
from watchgate.recording.tracks import TrackKeys
from watchgate.recording.verify import State
from watchgate.session.events import (
    InputRedacted,
    RecordingDegraded,
    RecordingGap,
    SessionClosed,
    TargetTrusted,
)
from watchgate.session.model import FailurePolicy
from watchgate.session.ports import RecordKind


def test_a_recording_is_read_as_it_was_made(world: World) -> None:
    async def session() -> Path:
        recorder = await world.open()
        recorder.octets(RESIZE, 1, b"80x24")
        recorder.octets(INPUT, 1, b"ls\r")
        recorder.octets(OUTPUT, 1, b"a b\r\n")
        await world.turn()
        recorder.octets(ERROR, 2, b"oh")
        assert recorder.event(InputRedacted(1)) == 1
        return await world.sealed(recorder)

    path = asyncio.run(session())

    with world.read(path) as recording:
        records = list(recording.records())
    assert [(r.kind, r.channel, r.data) for r in records[:4]] == [
        (RESIZE, 1, b"80x24"),
        (INPUT, 1, b"ls\r"),
        (OUTPUT, 1, b"a b\r\n"),
        (ERROR, 2, b"oh"),
    ]
    assert world.events(path) == [InputRedacted(1), SessionClosed("client", "exit", None, 3, 12)]
    assert world.verify(path).state is State.INTACT


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(list(RecordKind)[:4]), st.integers(0, 9), st.binary(max_size=99)),
        st.floats(0, 70),
    ),
    max_size=60,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(actions=ACTIONS)
def test_any_sequence_comes_back_whole_in_order_and_at_its_time(
    actions: list[tuple[RecordKind, int, bytes] | float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    world = World.at(tmp_path_factory.mktemp("any"), minimum_free=0)
    made: list[tuple[int, RecordKind, int, bytes]] = []

    async def session() -> Path:
        recorder = await world.open()
        for action in actions:
            if isinstance(action, float):
                await world.turn(action)
            else:
                recorder.octets(*action)
                made.append((world.clock.monotonic_us(), *action))
        return await world.sealed(recorder)

    path = asyncio.run(session())

    with world.read(path) as recording:
        records = list(recording.records())
        middle = records[len(records) // 2].t_us
        later = list(recording.records(middle))
    assert [(r.kind, r.channel, r.data) for r in records[:-1]] == [m[1:] for m in made]
    assert all(0 <= r.t_us - m[0] <= len(made) for r, m in zip(records, made, strict=False))
    assert all(a.t_us < b.t_us for a, b in pairwise(records))
    assert later == [r for r in records if r.t_us >= middle]
    assert world.verify(path).state is State.INTACT


def test_files_are_for_the_gateway_alone(world: World) -> None:
    async def session() -> Path:
        return await world.sealed(await world.open())

    path = asyncio.run(session())

    for file in (path, path.with_suffix(".key")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for directory in (path.parent, path.parent.parent, world.root, world.root / "open"):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert list((world.root / "open").iterdir()) == []


def test_two_recordings_are_independent(world: World) -> None:
    async def sessions() -> tuple[Path, Path]:
        first, second = await world.open(), await world.open()
        for number in range(50):
            first.octets(OUTPUT, 1, b"first %d\n" % number)
            second.octets(OUTPUT, 1, b"second %d\n" % number)
            if number % 7 == 0:
                await world.turn()
        return await world.sealed(first), await world.sealed(second)

    paths = asyncio.run(sessions())

    for path, word in zip(paths, (b"first", b"second"), strict=True):
        assert world.octets(path) == b"".join(word + b" %d\n" % n for n in range(50))
        assert world.verify(path).state is State.INTACT


def test_a_bulk_of_octets_is_cut_into_frames_and_comes_back(world: World) -> None:
    bulk = os.urandom(3_000_000) + bytes(3_000_000)

    async def session() -> Path:
        recorder = await world.open()
        recorder.octets(OUTPUT, 1, bulk)
        for begin in range(0, len(bulk), 100_000):
            recorder.octets(OUTPUT, 2, bulk[begin : begin + 100_000])
        return await world.sealed(recorder)

    path = asyncio.run(session())

    with world.read(path) as recording:
        records = list(recording.records())
    for channel in (1, 2):
        assert b"".join(r.data for r in records if (r.kind, r.channel) == (OUTPUT, channel)) == bulk


def test_projections_hear_every_event_once_in_order_and_only_what_is_in_the_file(
    world: World,
) -> None:
    async def session() -> Path:
        recorder = await world.open()
        for number in range(20):
            recorder.event(TargetTrusted("web1", str(number)))
            if number % 6 == 0:
                await world.turn()
                in_file = len(world.events(world.path(recorder)))
                assert len(world.told) == in_file == number + 1
        return await world.sealed(recorder)

    path = asyncio.run(session())

    with world.read(path) as recording:
        assert [envelope for _, envelope in world.told] == list(recording.events())
    assert [envelope.seq for _, envelope in world.told] == list(range(1, 22))


def test_a_projection_that_fails_does_not_hurt_the_recording(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("database is locked")

    async def session() -> Path:
        object.__setattr__(world.store._desk, "on_events", broken)
        recorder = await world.open()
        recorder.event(InputRedacted(1))
        return await world.sealed(recorder)

    path = asyncio.run(session())

    assert world.verify(path).state is State.INTACT
    assert "a projection failed" in caplog.text


def test_without_an_auditor_there_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no auditor"):
        RecordingStore(
            tmp_path,
            tmp_path,
            evidence=EvidenceKey(bytes(32)),
            recipients=[],
            clock=SystemClock(),
            node="n",
        )


def test_threads_write_and_stop_in_order(tmp_path: Path) -> None:
    world = World.at(tmp_path, minimum_free=0, interval=0.05)
    world.clock = SystemClock()  # type: ignore[assignment]
    store = world.fresh_store()
    store.start()

    async def session() -> LiveRecorder:
        recorder = await store.open(world.request())
        assert isinstance(recorder, LiveRecorder)
        recorder.octets(OUTPUT, 1, b"one")
        await recorder.commit()
        assert world.octets(world.path(recorder)) == b"one"
        recorder.octets(OUTPUT, 1, b"two")
        await recorder.seal(ENDING)
        left = await store.open(world.request())
        assert isinstance(left, LiveRecorder)
        left.octets(OUTPUT, 1, b"written by stop")
        return left

    left = asyncio.run(session())

    assert store.stop()
    assert world.octets(world.path(left)) == b"written by stop"


# --- a store that cannot be written when a session begins ---


def unwritable(world: World) -> None:
    world.root.parent.joinpath("recordings").write_text("a file where the directory should be")


def test_close_refuses_to_begin(world: World) -> None:
    unwritable(world)

    with pytest.raises(RecordingLost, match=r"recordings.*Free space"):
        asyncio.run(world.open())


def test_spool_begins_in_the_spool_and_comes_home(world: World) -> None:
    unwritable(world)

    async def session() -> Path:
        recorder = await world.open(FailurePolicy.SPOOL)
        recorder.octets(OUTPUT, 1, b"kept")
        await world.turn()
        assert world.octets(world.path(recorder)) == b"kept"
        world.root.unlink()
        return await world.sealed(recorder)

    path = asyncio.run(session())

    assert path.is_file()
    assert list(world.spool.iterdir()) == []
    assert world.octets(path) == b"kept"
    assert world.verify(path).state is State.INTACT
    assert isinstance(world.events(path)[0], RecordingDegraded)
    assert [type(event) for event in world.alarms] == [RecordingDegraded]


def test_open_begins_without_a_recording_and_says_so(world: World) -> None:
    unwritable(world)

    async def session() -> None:
        recorder = await world.store.open(world.request(FailurePolicy.OPEN))
        recorder.octets(OUTPUT, 1, b"12345")
        world.clock.advance(2)
        assert recorder.event(InputRedacted(1)) == 1
        await recorder.commit()
        await recorder.relieved()
        await recorder.seal(ENDING)
        await recorder.seal(ENDING)

    asyncio.run(session())

    degraded, gap = world.alarms
    assert isinstance(degraded, RecordingDegraded)
    assert isinstance(gap, RecordingGap)
    assert (gap.octets, gap.duration_us) == (5, 2_000_000)


def test_too_little_free_space_refuses_new_recordings(tmp_path: Path) -> None:
    world = World.at(tmp_path, minimum_free=1 << 60)

    with pytest.raises(RecordingLost, match="are free"):
        asyncio.run(world.open())

    assert not any(path.is_file() for path in world.root.rglob("*"))


def test_a_spool_that_is_full_as_well_refuses_too(tmp_path: Path, disk: Disk) -> None:
    world = World.at(tmp_path, minimum_free=0, spool=10)
    disk.full.append(world.root)

    with pytest.raises(RecordingLost, match="spool"):
        asyncio.run(world.open(FailurePolicy.SPOOL))


def test_the_limits_are_those_that_the_documentation_names() -> None:
    limits = Limits()

    assert (limits.interval, limits.waiting, limits.minimum_free) == (0.4, 4 << 20, 64 << 20)


def test_who_wants_to_follow_a_recording_hears_of_it_with_its_keys(world: World) -> None:
    heard: list[tuple[str, Path, TrackKeys]] = []
    world.store._on_open = lambda request, path, keys: heard.append((request.recording, path, keys))
    recorder = asyncio.run(world.open())

    ((recording, path, keys),) = heard
    assert (recording, path) == (recorder.recording, world.path(recorder))
    assert keys == unwrap(path.with_suffix(".key"), world.identities, path.stem)


def test_a_follower_that_fails_stops_no_recording(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no room")

    world.store._on_open = broken
    recorder = asyncio.run(world.open())

    assert world.path(recorder).exists()
    assert "nobody will follow" in caplog.text
