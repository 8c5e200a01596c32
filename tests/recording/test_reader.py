"""Reading: keys that fit and keys that do not, tracks apart, any moment, hostile files."""

from __future__ import annotations

import asyncio
import os
import tracemalloc
from pathlib import Path

import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from recording_world import ENDING, INPUT, OUTPUT, World
from test_format import HEADER

from watchgate.errors import RecordingUnreadable
from watchgate.recording.auditors import (
    Identity,
    erase,
    generate_identity,
    load_identities,
    rewrap,
    share_output,
    unwrap,
)
from watchgate.recording.compression import Compressors
from watchgate.recording.format import Flag, FrameType, Record, encode_records, header_prefix
from watchgate.recording.limits import Limits
from watchgate.recording.reader import Recording
from watchgate.recording.sealer import Sealer
from watchgate.recording.tracks import TrackCipher, TrackKeys
from watchgate.recording.verify import State
from watchgate.secret import Secret


def typed(world: World, minutes: int = 0) -> Path:
    async def session() -> Path:
        recorder = await world.open()
        for minute in range(minutes + 1):
            recorder.octets(INPUT, 1, b"secret plan %d\r" % minute)
            recorder.octets(OUTPUT, 1, b"ok %d\r\n" % minute)
            await world.turn(60)
        return await world.sealed(recorder)

    return asyncio.run(session())


def another(directory: Path) -> tuple[list[Identity], str]:
    text, recipient = generate_identity()
    file = directory / "another.key"
    file.write_text(text)
    return load_identities(file), recipient


def test_the_wrong_identity_is_refused_with_what_to_do(world: World, tmp_path: Path) -> None:
    path = typed(world)
    stranger, _ = another(tmp_path)

    with pytest.raises(RecordingUnreadable, match="not wrapped to this auditor"):
        Recording.open(path, stranger)


def test_an_erased_key_erases_the_recording_and_the_chain_stays(world: World) -> None:
    path = typed(world)
    erase(path.with_suffix(".key"))

    with pytest.raises(RecordingUnreadable, match="erased"):
        world.read(path)

    assert world.verify(path).state is State.INTACT


def test_a_key_of_another_recording_is_refused(world: World) -> None:
    first, second = typed(world), typed(world)
    first.with_suffix(".key").write_bytes(second.with_suffix(".key").read_bytes())

    with pytest.raises(RecordingUnreadable, match="not of"):
        world.read(first)


def test_a_new_auditor_reads_after_a_rewrap_and_the_evidence_is_untouched(
    world: World, tmp_path: Path
) -> None:
    path = typed(world)
    octets = path.read_bytes()
    stranger, recipient = another(tmp_path)
    rewrap(path.with_suffix(".key"), world.identities, [recipient], path.stem)

    with Recording.open(path, stranger) as recording:
        assert next(recording.records()).data == b"secret plan 0\r"
    with pytest.raises(RecordingUnreadable):
        world.read(path)
    assert path.read_bytes() == octets


def test_the_output_can_be_handed_on_without_the_input(world: World, tmp_path: Path) -> None:
    path = typed(world)
    stranger, recipient = another(tmp_path)
    copy = tmp_path / "output-only.key"
    share_output(path.with_suffix(".key"), world.identities, [recipient], path.stem, copy)

    with Recording.open(path, stranger, key_file=copy) as recording:
        records = list(recording.records())
    assert [r.data for r in records if r.kind is OUTPUT] == [b"ok 0\r\n"]
    assert not [r for r in records if r.kind is INPUT]


def test_the_input_key_alone_opens_the_input_alone(world: World) -> None:
    path = typed(world)
    keys = unwrap(path.with_suffix(".key"), world.identities, path.stem)

    with Recording.with_keys(path, TrackKeys(None, keys.input)) as recording:
        assert [r.kind for r in recording.records()] == [INPUT]
        assert [r.kind for r in recording.records(1)] == []


def test_another_data_key_opens_nothing(world: World) -> None:
    path = typed(world)
    keys = TrackKeys.derive(Secret(bytes(32)), bytes(16))

    with (
        Recording.with_keys(path, keys) as recording,
        pytest.raises(RecordingUnreadable, match="its key is another"),
    ):
        list(recording.records())


@pytest.mark.parametrize("indexed", [True, False])
def test_reading_begins_at_any_moment_and_finds_the_same(world: World, indexed: bool) -> None:
    path = typed(world, minutes=20)
    if not indexed:
        os.truncate(path, path.stat().st_size - 1)
    with world.read(path) as recording:
        everything = list(recording.records())
        for start in (0, 1, 30_000_000, 600_000_000, 600_000_001, 1 << 40):
            assert list(recording.records(start)) == [r for r in everything if r.t_us >= start]


def test_reading_from_the_middle_skips_what_precedes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = typed(world, minutes=20)
    opened: list[int] = []
    open_frame = TrackCipher.open

    def counting(cipher: TrackCipher, header: object, *rest: bytes) -> bytes | None:
        opened.append(1)
        return open_frame(cipher, header, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(TrackCipher, "open", counting)
    with world.read(path) as recording:
        assert len(list(recording.records(1_190_000_000))) == 3

    assert len(opened) < 8


def test_an_index_that_lies_is_not_believed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    path = typed(world, minutes=5)
    with world.read(path) as recording:
        everything = list(recording.records())
        entries = recording._index()
        wrong = [type(e)(e.t_us, e.offset + 7, e.chain) for e in entries]
        monkeypatch.setattr(recording, "_index", lambda: wrong)

        assert list(recording.records(200_000_000)) == [
            r for r in everything if r.t_us >= 200_000_000
        ]


def test_a_live_recording_is_read_up_to_its_last_batch(world: World) -> None:
    async def session() -> None:
        recorder = await world.open()
        recorder.octets(OUTPUT, 1, b"one")
        await world.turn()
        path = world.path(recorder)
        with world.read(path) as recording:
            assert recording.live
            assert not recording.sealed
            assert [r.data for r in recording.records()] == [b"one"]
        recorder.octets(OUTPUT, 1, b"two")
        assert world.octets(path) == b"one"
        await world.turn()
        assert world.octets(path) == b"onetwo"
        await world.drive(recorder.seal(ENDING))

    asyncio.run(session())


def test_a_changed_recording_is_read_up_to_the_change(world: World) -> None:
    path = typed(world, minutes=3)
    with open(path, "r+b") as file:
        file.seek(-400, os.SEEK_END)
        octet = file.read(1)
        file.seek(-400, os.SEEK_END)
        file.write(bytes([octet[0] ^ 1]))
    read: list[Record] = []

    with (
        world.read(path) as recording,
        pytest.raises(RecordingUnreadable, match="run verify"),
    ):
        read.extend(recording.records())

    assert read


class Hostile:
    """Writes recordings as somebody would who knows an auditor's recipient and nothing else."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "hostile.wgr"
        self.keys = TrackKeys.derive(Secret(bytes(32)), HEADER.identity)
        self.preamble = header_prefix(HEADER) + bytes(64)

    def sealer(self) -> Sealer:
        signing = Ed25519PrivateKey.from_private_bytes(bytes(32))
        cipher = TrackCipher(self.keys)
        return Sealer(HEADER, self.preamble, cipher, signing, Compressors(), Limits())

    def read(self, *frames: bytes) -> int:
        self.path.write_bytes(self.preamble + b"".join(frames))
        with Recording.with_keys(self.path, self.keys) as recording:
            return sum(len(record.data) for record in recording.records())


@pytest.mark.parametrize("kind", [FrameType.MAIN, FrameType.INPUT])
def test_a_bomb_is_not_inflated(tmp_path: Path, kind: FrameType) -> None:
    hostile = Hostile(tmp_path)
    sealer = hostile.sealer()
    bomb = zstandard.ZstdCompressor(level=1).compress(bytes(1 << 28))
    frame = sealer._data(kind, Flag.SEGMENT, 0, 1000, bomb)
    del bomb
    tracemalloc.start()

    read = hostile.read(frame)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read == 0
    assert peak < 4_000_000


def test_a_million_empty_records_are_refused(tmp_path: Path) -> None:
    hostile = Hostile(tmp_path)
    raw = zstandard.ZstdCompressor().compress(b"\0\1\0\0" * 1_000_000)
    frame = hostile.sealer()._data(FrameType.MAIN, Flag.SEGMENT, 0, 4_000_000, raw)

    with pytest.raises(RecordingUnreadable, match="more records"):
        hostile.read(frame)


def test_a_batch_without_an_end_is_refused_at_its_ceiling(tmp_path: Path) -> None:
    hostile = Hostile(tmp_path)
    sealer = hostile.sealer()
    record = encode_records([(0, OUTPUT, 1, bytes(4_000_000))], 0)
    raw = zstandard.ZstdCompressor().compress(record)
    frames = [sealer._data(FrameType.MAIN, Flag.SEGMENT, 0, len(record), raw) for _ in range(6)]

    with pytest.raises(RecordingUnreadable, match="longer than any"):
        hostile.read(*frames)


@pytest.mark.parametrize(
    ("flags", "raw", "plain"),
    [
        (Flag(0), 10, b"no segment"),
        (Flag.SEGMENT, 10, b"not zstd"),
        (Flag.SEGMENT, 10, b""),
        (Flag.SEGMENT, 500, zstandard.ZstdCompressor().compress(b"too little")),
        (Flag.SEGMENT, 4, zstandard.ZstdCompressor().compress(b"\xff\xff\xff\xff")),
    ],
)
def test_garbage_under_a_good_key_is_an_error(
    tmp_path: Path, flags: Flag, raw: int, plain: bytes
) -> None:
    hostile = Hostile(tmp_path)

    with pytest.raises(RecordingUnreadable, match="frame 0"):
        hostile.read(hostile.sealer()._data(FrameType.MAIN, flags, 0, raw, plain))
