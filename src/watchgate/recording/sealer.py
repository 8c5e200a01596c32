"""From records to frames: compress, encrypt, chain, sign. No files, no threads, no policy.

A `Sealer` is used by one thread. What it returns must be written in order, once, whole; frames that
could not be written are taken back with `rewind`, and their numbers are never used again, because a
nonce that was used for one plain text must not be used for another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from watchgate.recording.compression import Compressors, Stream
from watchgate.recording.format import (
    TAG_SIZE,
    Flag,
    FrameType,
    IndexEntry,
    RecordingHeader,
    chain_start,
    encode_records,
)
from watchgate.recording.framechain import FrameChain, Place
from watchgate.recording.limits import Limits
from watchgate.recording.tracks import TrackCipher
from watchgate.session.ports import RecordKind

Entry = tuple[int, int, int, bytes]
"""A record on its way: t_us, kind, channel, data."""

_FRAME_RAW = 256 * 1024
_COMPRESS_FROM = 96
"""INPUT shorter than this grows when compressed."""
_INPUT = int(RecordKind.INPUT)


class Sealer:
    """Makes the frames of one recording."""

    def __init__(
        self,
        header: RecordingHeader,
        preamble: bytes,
        cipher: TrackCipher,
        signing: Ed25519PrivateKey,
        compressors: Compressors,
        limits: Limits,
    ) -> None:
        self._cipher = cipher
        self._signing = signing
        self._compressors = compressors
        self._segment_us = round(limits.segment_seconds * 1_000_000)
        self._segment_octets = limits.segment_octets
        self._compressor: zstandard.ZstdCompressor | None = None
        self._stream: Stream | None = None
        self._segment_began = 0
        self._segment_raw = 0
        start = Place(0, len(preamble), chain_start(preamble))
        self._chain = FrameChain(header.identity, start)

    @property
    def place(self) -> Place:
        """Where the next frame goes."""
        return self._chain.place

    @property
    def warm(self) -> bool:
        """Whether a compressor is held."""
        return self._compressor is not None

    def batch(self, entries: Sequence[Entry]) -> bytes:
        """The frames of *entries*, which are in order of time, as one batch."""
        main = [entry for entry in entries if entry[1] != _INPUT]
        typed = [entry for entry in entries if entry[1] == _INPUT]
        groups = [(FrameType.MAIN, group) for group in _groups(main)]
        groups += [(FrameType.INPUT, group) for group in _groups(typed)]
        frames = []
        for number, (kind, group) in enumerate(groups, 1):
            flags = Flag.BATCH_END if number == len(groups) else Flag(0)
            make = self._main if kind is FrameType.MAIN else self._typed
            frames.append(make(group, flags))
        return b"".join(frames)

    def note(self, t_us: int, values: dict[str, Any]) -> bytes:
        """A NOTE frame."""
        return self._chain.note(t_us, values)

    def checkpoint(self, t_us: int, wall_us: int) -> bytes:
        """A signature over all before it."""
        return self._chain.checkpoint(t_us, wall_us, self._signing.sign)

    def seal(self, t_us: int, wall_us: int) -> bytes:
        """The INDEX and the last signature; nothing may follow."""
        return self._chain.seal(t_us, wall_us, self._signing.sign)

    def cool(self) -> None:
        """End the segment and give the compressor back."""
        self._stream = None
        if self._compressor is not None:
            self._compressors.give(self._compressor)
            self._compressor = None

    def rewind(self, place: Place) -> None:
        """What was made since *place* is not in the file and never will be."""
        self._chain.rewind(place)
        self.cool()

    def _main(self, entries: Sequence[Entry], flags: Flag) -> bytes:
        began = entries[0][0]
        raw = encode_records(entries, began)
        stream = self._stream
        if stream is None or self._segment_over(began):
            stream = self._begin_segment(began)
            flags |= Flag.SEGMENT
        self._segment_raw += len(raw)
        return self._data(FrameType.MAIN, flags, began, len(raw), stream.flush(raw))

    def _typed(self, entries: Sequence[Entry], flags: Flag) -> bytes:
        began = entries[0][0]
        raw = encode_records(entries, began)
        if len(raw) < _COMPRESS_FROM:
            return self._data(FrameType.INPUT, flags | Flag.STORED, began, len(raw), raw)
        return self._data(FrameType.INPUT, flags, began, len(raw), self._compressors.once(raw))

    def _segment_over(self, t_us: int) -> bool:
        return (
            self._segment_raw >= self._segment_octets
            or t_us - self._segment_began >= self._segment_us
        )

    def _begin_segment(self, t_us: int) -> Stream:
        if self._compressor is None:
            self._compressor = self._compressors.take()
        stream = self._stream = Stream(self._compressor)
        self._segment_began = t_us
        self._segment_raw = 0
        self._chain.index.add(IndexEntry(t_us, self.place.offset, self.place.chain))
        return stream

    def _data(self, kind: FrameType, flags: Flag, t_us: int, raw: int, plain: bytes) -> bytes:
        header = self._chain.header(kind, flags, t_us, raw, len(plain) + TAG_SIZE)
        head = header.pack()
        return self._chain.finish(head, self._cipher.seal(header, head, self.place.chain, plain))


def _groups(entries: Sequence[Entry]) -> list[Sequence[Entry]]:
    """Runs of entries of about a frame each."""
    groups: list[Sequence[Entry]] = []
    begin = size = 0
    for position, entry in enumerate(entries):
        if size >= _FRAME_RAW:
            groups.append(entries[begin:position])
            begin, size = position, 0
        size += len(entry[3])
    if begin < len(entries):
        groups.append(entries[begin:])
    return groups
