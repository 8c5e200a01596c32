"""Following: in whatever pieces a file grows, the records are those of the whole."""

from __future__ import annotations

import asyncio
import os
import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recording_world import ENDING, ERROR, INPUT, OUTPUT, RESIZE, Disk, World

from watchgate.errors import RecordingUnreadable
from watchgate.recording.auditors import unwrap
from watchgate.recording.format import Record
from watchgate.recording.tail import Tail, spooled_octets
from watchgate.recording.tracks import TrackKeys
from watchgate.secret import Secret
from watchgate.session.events import ChannelOpened
from watchgate.session.model import FailurePolicy


async def worked(world: World, turns: int = 6) -> Path:
    """A session on both tracks, over two segments and several batches and checkpoints."""
    recorder = await world.open()
    recorder.event(ChannelOpened(0, "shell", "xterm", 80, 24))
    for number in range(turns):
        recorder.octets(INPUT, 0, b"ls %d\r" % number)
        recorder.octets(OUTPUT, 0, b"ls %d\r\nfile\r\n" % number)
        recorder.octets(ERROR, 1, b"oops\n")
        recorder.octets(RESIZE, 0, b"100x30")
        await world.turn(25)
    return await world.sealed(recorder)


def keys_of(world: World, path: Path) -> TrackKeys:
    return unwrap(path.with_suffix(".key"), world.identities, path.stem)


def whole(world: World, path: Path) -> list[Record]:
    with world.read(path) as recording:
        return list(recording.records())


def everything(tail: Tail, octets: int = 1 << 20) -> list[Record]:
    """What a tail gives until it has no more."""
    found = tail.more(octets)
    while tail.behind:
        found += tail.more(octets)
    return found


@cache
def sample() -> tuple[bytes, TrackKeys, tuple[Record, ...]]:
    """The octets of a recording, its keys, and all of its records."""
    with tempfile.TemporaryDirectory() as directory:
        world = World.at(Path(directory), minimum_free=0)
        path = asyncio.run(worked(world))
        return path.read_bytes(), keys_of(world, path), tuple(whole(world, path))


# --- pieces --------------------------------------------------------------------------------------


def test_a_sealed_recording_is_read_as_a_whole(world: World) -> None:
    path = asyncio.run(worked(world))
    tail = Tail(path, keys_of(world, path), world.spool)
    found = tail.more()

    assert found == whole(world, path)
    assert tail.sealed
    assert tail.octets == path.stat().st_size
    assert not tail.behind
    assert tail.more() == []


def test_cut_anywhere_and_grown_again_it_gives_the_same(tmp_path: Path) -> None:
    octets, keys, records = sample()
    path = tmp_path / "one.wgr"
    for cut in range(0, len(octets), 3):
        path.write_bytes(octets[:cut])
        tail = Tail(path, keys)
        found = tail.more()
        given = len(found)
        assert tuple(found) == records[:given]
        path.write_bytes(octets)
        found += everything(tail)

        assert tuple(found) == records, cut
        assert tail.sealed


@settings(max_examples=60, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 6000), max_size=8).map(sorted),
    octets=st.integers(1, 4096),
)
def test_in_any_pieces_and_turns_of_any_size_it_gives_the_same(
    cuts: list[int], octets: int
) -> None:
    whole_file, keys, records = sample()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "one.wgr"
        path.write_bytes(b"")
        tail = Tail(path, keys)
        found: list[Record] = []
        for cut in [*cuts, len(whole_file)]:
            with path.open("r+b") as file:
                file.write(whole_file[:cut])
            found += everything(tail, octets)

        assert tuple(found) == records
        assert tail.sealed


def test_a_turn_takes_no_more_than_it_may_and_says_that_there_is_more(world: World) -> None:
    path = asyncio.run(worked(world))
    tail = Tail(path, keys_of(world, path))
    first = tail.more(1)

    assert 0 < len(first) < len(whole(world, path))
    assert tail.behind
    assert not tail.sealed


def test_with_the_main_key_alone_the_input_stays_closed(world: World) -> None:
    path = asyncio.run(worked(world))
    found = everything(Tail(path, keys_of(world, path).main_only()), 64)

    assert found == [record for record in whole(world, path) if record.kind is not INPUT]


# --- live ----------------------------------------------------------------------------------------


def test_it_follows_what_is_being_written(world: World) -> None:
    async def session() -> None:
        recorder = await world.open()
        path = world.path(recorder)
        tail = Tail(path, keys_of(world, path), world.spool)
        assert tail.more() == []
        assert tail.live
        assert not tail.grown()
        recorder.octets(OUTPUT, 0, b"one")
        await world.turn()
        assert tail.grown()
        assert [record.data for record in tail.more()] == [b"one"]
        assert tail.more() == []
        await world.drive(recorder.seal(ENDING))
        last = tail.more()

        assert len(last) == 1
        assert tail.sealed
        assert not tail.live

    asyncio.run(session())


def test_it_follows_through_the_spool_and_home_again(world: World, disk: Disk) -> None:
    async def session() -> tuple[list[Record], Path]:
        recorder = await world.open(FailurePolicy.SPOOL)
        path = world.path(recorder)
        tail = Tail(path, keys_of(world, path), world.spool)
        found: list[Record] = []
        for step in range(8):
            disk.full[:] = [world.root] if 2 <= step < 5 else []
            recorder.octets(OUTPUT, 0, b"step %d" % step)
            await world.turn(11)
            if step == 3:
                spooled = spooled_octets(world.spool)[recorder.recording]
                assert spooled > 0
                assert tail.grown(spooled)
            found += everything(tail)
        await world.drive(recorder.seal(ENDING))
        found += everything(tail)
        assert tail.sealed
        return found, path

    found, path = asyncio.run(session())

    assert found == whole(world, path)
    assert spooled_octets(world.spool) == {}


def test_a_recording_that_begins_in_the_spool_is_followed_home(world: World, disk: Disk) -> None:
    async def session() -> tuple[list[Record], Path]:
        disk.full[:] = [world.root]
        recorder = await world.open(FailurePolicy.SPOOL)
        path = world.path(recorder)
        keys = unwrap(world.spool / f"{path.stem}.key", world.identities, path.stem)
        tail = Tail(path, keys, world.spool)
        recorder.octets(OUTPUT, 0, b"away")
        await world.turn()
        found = everything(tail)
        assert b"away" in [record.data for record in found]
        disk.full.clear()
        await world.drive(recorder.seal(ENDING))
        return found + everything(tail), path

    found, path = asyncio.run(session())

    assert path.exists()
    assert found == whole(world, path)


def test_what_a_crash_left_is_given_when_a_sweep_sealed_it(world: World) -> None:
    async def session() -> Path:
        recorder = await world.open()
        recorder.octets(OUTPUT, 0, b"before")
        await world.turn()
        recorder.octets(INPUT, 0, b"typed")
        recorder.octets(OUTPUT, 0, b"last words")
        await world.turn()
        return world.path(recorder)

    path = asyncio.run(session())
    keys = keys_of(world, path)
    # The last batch is MAIN and INPUT; the INPUT frame, which ends it, is torn.
    crashed = path.with_name("crashed.wgr")
    crashed.write_bytes(path.read_bytes()[:-5])
    tail = Tail(crashed, keys)
    found = tail.more()
    assert [record.data for record in found] == [b"before"]
    octets = crashed.read_bytes()
    os.replace(crashed, path)
    world.sweep()
    os.replace(path, crashed)
    found += everything(tail)

    assert [record.data for record in found] == [b"before", b"last words"]
    assert tail.sealed
    assert len(octets) < crashed.stat().st_size


def test_what_was_cut_off_and_written_anew_is_read_anew(world: World) -> None:
    octets, keys, records = sample()
    path = world.root.parent / "one.wgr"
    # A note that was written whole before the rest of its batch failed, and was cut off again.
    path.write_bytes(octets[: len(octets) - 144])
    tail = Tail(path, keys)
    found = tail.more()
    path.write_bytes(octets[: len(octets) - 400])
    found += tail.more()
    path.write_bytes(octets)
    found += everything(tail)

    assert tuple(found) == records
    assert tail.sealed


# --- damage --------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", [40, 1500, 2600, -200, -30])
def test_a_changed_octet_is_named_after_what_precedes_it(tmp_path: Path, where: int) -> None:
    octets, keys, records = sample()
    damaged = bytearray(octets)
    damaged[where] ^= 0xFF
    path = tmp_path / "one.wgr"
    path.write_bytes(damaged)
    tail = Tail(path, keys)
    found: list[Record] = []

    def read_on() -> None:
        for _ in range(10):
            found.extend(everything(tail))

    with pytest.raises(RecordingUnreadable, match=r"one\.wgr.*verify"):
        read_on()
    assert tuple(found) == records[: len(found)]
    assert not tail.sealed


def test_octets_behind_the_seal_are_damage(tmp_path: Path) -> None:
    octets, keys, records = sample()
    path = tmp_path / "one.wgr"
    path.write_bytes(octets + b"x" * 40)
    tail = Tail(path, keys)
    found = tail.more()

    assert tuple(found) == records
    with pytest.raises(RecordingUnreadable, match="follow the seal"):
        everything(tail)


def test_a_recording_that_is_gone_is_said(tmp_path: Path) -> None:
    _, keys, _ = sample()
    tail = Tail(tmp_path / "gone.wgr", keys)

    with pytest.raises(RecordingUnreadable, match="gone"):
        everything(tail)


def test_the_key_of_another_recording_opens_nothing(world: World) -> None:
    path = asyncio.run(worked(world, 1))
    tail = Tail(path, TrackKeys(Secret(bytes(32)), None))

    with pytest.raises(RecordingUnreadable, match="its key is another"):
        everything(tail)
