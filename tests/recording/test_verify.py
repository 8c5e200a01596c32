"""What verification finds, with nothing but the public key."""

from __future__ import annotations

import asyncio
import os
import shutil
import zlib
from pathlib import Path

import pytest
from recording_world import INPUT, OUTPUT, World

from watchgate.errors import RecordingUnreadable
from watchgate.recording.format import SEAL_SIZE
from watchgate.recording.keys import EvidenceKey
from watchgate.recording.scan import LogicalFile, Walk, read_preamble
from watchgate.recording.verify import State, verify
from watchgate.session.events import InputRedacted


def small(world: World) -> Path:
    """A sealed recording with every type of frame."""

    async def session() -> Path:
        recorder = await world.open()
        recorder.octets(OUTPUT, 1, b"$ ")
        recorder.octets(INPUT, 1, b"id\r")
        await world.turn()
        await world.turn(11)
        world.clock.jump(-60)
        recorder.octets(OUTPUT, 1, b"uid=0")
        recorder.event(InputRedacted(1))
        return await world.sealed(recorder)

    return asyncio.run(session())


def frames(path: Path) -> list[tuple[int, int]]:
    """Offset and type of each frame."""
    with LogicalFile(path) as file:
        walk = Walk(file, read_preamble(file).place)
        return [(frame.place.offset, frame.header.type) for frame in walk]


def change(path: Path, offset: int, octets: bytes) -> None:
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(octets)


def test_an_intact_recording_says_when_and_by_whom_it_was_sealed(world: World) -> None:
    found = world.verify(small(world))

    assert (found.state, found.sealed_by) == (State.INTACT, "recording")
    assert found.sealed_at_us == world.clock.wall_us()
    assert found.frames == found.signed_frames
    assert found.notes == ({"note": "clock", "jump_us": -60_000_000},)


def test_every_flipped_bit_is_found(world: World) -> None:
    path = small(world)
    good = path.read_bytes()
    missed = []

    with open(path, "r+b", buffering=0) as file:
        for bit in range(len(good) * 8):
            octet = good[bit // 8]
            os.pwrite(file.fileno(), bytes([octet ^ 1 << bit % 8]), bit // 8)
            if world.verify(path).state is not State.ALTERED:
                missed.append(bit)
            os.pwrite(file.fileno(), bytes([octet]), bit // 8)

    assert missed == []
    assert world.verify(path).state is State.INTACT


def test_cut_at_any_octet_it_is_incomplete_and_what_is_left_can_be_read(world: World) -> None:
    path = small(world)
    good = path.read_bytes()
    begin = frames(path)[0][0]
    ends = [offset for offset, _ in frames(path)] + [len(good)]
    whole = 0

    for length in range(len(good) - 1, -1, -1):
        os.truncate(path, length)
        found = world.verify(path)
        if length < begin:
            assert (found.state, found.at_offset) == (State.ALTERED, 0)
            continue
        last = max(end for end in ends if end <= length)
        assert found.state is State.INCOMPLETE
        assert (found.octets, found.torn_octets) == (last, length - last)
        assert found.at_offset == last
        with world.read(path) as recording:
            whole = max(whole, len(list(recording.records())))
            assert recording.torn_octets == length - last

    assert whole == 5


def test_where_it_was_altered_is_told(world: World) -> None:
    path = small(world)
    offset = frames(path)[3][0]
    change(path, offset + 40, b"\xff\xff\xff")

    found = world.verify(path)

    assert (found.state, found.at_offset, found.frames) == (State.ALTERED, offset, 3)
    assert found.at_us is not None
    assert f"octet {offset}" in found.detail


def test_a_frame_with_a_corrected_checksum_is_found_at_the_next_signature(world: World) -> None:
    path = small(world)
    octets = path.read_bytes()
    (begin, _), (end, _) = frames(path)[:2]
    body = bytearray(octets[begin : end - 4])
    body[30] ^= 1
    change(path, begin, bytes(body) + zlib.crc32(body).to_bytes(4, "little"))

    found = world.verify(path)

    assert found.state is State.ALTERED
    assert "something before it was changed" in found.detail


@pytest.mark.parametrize("removed", range(6))
def test_a_removed_frame_is_found(world: World, removed: int) -> None:
    path = small(world)
    octets = path.read_bytes()
    places = [offset for offset, _ in frames(path)]
    path.write_bytes(octets[: places[removed]] + octets[places[removed + 1] :])

    assert world.verify(path).state is State.ALTERED


def test_two_frames_that_changed_places_are_found(world: World) -> None:
    path = small(world)
    octets = path.read_bytes()
    first, second, third = [offset for offset, _ in frames(path)][:3]
    path.write_bytes(octets[:first] + octets[second:third] + octets[first:second] + octets[third:])

    assert world.verify(path).state is State.ALTERED


@pytest.mark.parametrize("rest", [b"x", bytes(4096), "frame"])
def test_what_follows_the_seal_is_found(world: World, rest: bytes | str) -> None:
    path = small(world)
    octets = path.read_bytes()
    extra = octets[-SEAL_SIZE:] if isinstance(rest, str) else rest
    path.write_bytes(octets + extra)

    found = world.verify(path)

    assert found.state is State.ALTERED
    assert f"{len(extra)} octets follow the seal" in found.detail


def test_a_seal_of_another_recording_is_found(world: World) -> None:
    first, second = small(world), small(world)
    octets = first.read_bytes()
    first.write_bytes(octets[:-SEAL_SIZE] + second.read_bytes()[-SEAL_SIZE:])

    assert world.verify(first).state is State.ALTERED


def test_a_recording_in_the_place_of_another_is_found(world: World) -> None:
    first, second = small(world), small(world)
    shutil.copy(first, second)

    found = world.verify(second)

    assert found.state is State.ALTERED
    assert "named after another recording" in found.detail


def test_a_copy_under_any_other_name_is_intact(world: World, tmp_path: Path) -> None:
    copy = tmp_path / "evidence.wgr"
    shutil.copy(small(world), copy)

    assert world.verify(copy).state is State.INTACT


def test_another_gateways_recording_is_not_ours(world: World) -> None:
    path = small(world)
    other = EvidenceKey(bytes(32)).public

    found = verify(path, other)

    assert found.state is State.ALTERED
    assert other.fingerprint in found.detail
    assert verify(path, [other, world.evidence.public]).state is State.INTACT


def test_a_live_recording_is_live_until_it_is_sealed(world: World) -> None:
    async def session() -> Path:
        recorder = await world.open()
        recorder.octets(OUTPUT, 1, b"x")
        await world.turn()
        assert world.verify(world.path(recorder)).state is State.LIVE
        return await world.sealed(recorder)

    assert world.verify(asyncio.run(session())).state is State.INTACT


def test_a_tail_of_zeros_after_a_power_cut_is_torn_not_altered(world: World) -> None:
    path = small(world)
    octets = path.read_bytes()
    last = frames(path)[-1][0]
    for kept in (last, last + 10, last + 40):
        path.write_bytes(octets[:kept] + bytes(5000))
        found = world.verify(path)

        assert found.state is State.INCOMPLETE
        assert found.octets == last


@pytest.mark.parametrize(
    "octets", [b"", b"x", b"\x89WGR\r\n\x1a\n", b"\x89WGR\n\x1a\n" + bytes(100), bytes(1000)]
)
def test_what_is_no_recording_is_altered(world: World, tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "x.wgr"
    path.write_bytes(octets)

    assert world.verify(path).state is State.ALTERED


def test_what_cannot_be_opened_is_an_error_and_a_pipe_does_not_block(
    world: World, tmp_path: Path
) -> None:
    with pytest.raises(RecordingUnreadable, match="No such file"):
        world.verify(tmp_path / "absent.wgr")
    os.mkfifo(tmp_path / "pipe.wgr")

    with pytest.raises(RecordingUnreadable, match="not a file"):
        world.verify(tmp_path / "pipe.wgr")
