"""From encrypted frames to records: what reading as a whole and following a tail have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from watchgate.recording.compression import Inflater, inflate_once
from watchgate.recording.format import (
    BATCH_LIMIT,
    RECORDS_LIMIT,
    Flag,
    FrameType,
    Record,
    decode_records,
)
from watchgate.recording.scan import Frame, Walk
from watchgate.recording.tracks import TrackCipher

_DATA = (FrameType.MAIN, FrameType.INPUT)


class FrameError(Exception):
    """A frame that is not what was written; it does not leave this package."""

    def __init__(self, frame: Frame, why: str) -> None:
        super().__init__(
            f"frame {frame.header.seq} at octet {frame.place.offset}"
            f" ({frame.header.t_us / 1_000_000:.1f} s): {why}"
        )


@dataclass(slots=True)
class Batch:
    """Frames that were written at once, as far as there are keys for them."""

    frames: list[Frame] = field(default_factory=list)
    raw_octets: int = 0
    end: Frame | None = None
    """The frame that ends it: its own last one, or one of another type behind it; None at a file's end."""

    def add(self, frame: Frame) -> None:
        """Take a frame; raises FrameError beyond the bounds that every writer keeps."""
        self.frames.append(frame)
        self.raw_octets += frame.header.raw_length
        if self.raw_octets > BATCH_LIMIT or len(self.frames) > RECORDS_LIMIT:
            raise FrameError(frame, "a batch is longer than any that is written")


class FrameOpener:
    """Opens the frames of one recording in their order, from the beginning of a segment on."""

    __slots__ = ("_cipher", "_inflater")

    def __init__(self, cipher: TrackCipher) -> None:
        self._cipher = cipher
        self._inflater: Inflater | None = None

    def gather(self, walk: Walk) -> Iterator[Batch]:
        """The batches that *walk* meets, still closed; the last one may have no end."""
        batch = Batch()
        for frame in walk:
            header = frame.header
            if header.type in _DATA and self._cipher.opens(header.type):
                batch.add(frame)
            if header.has(Flag.BATCH_END) or header.type not in _DATA:
                batch.end = frame
                yield batch
                batch = Batch()
        yield batch

    def records(self, batch: Batch) -> list[Record]:
        """The records of *batch* in order of time; raises FrameError."""
        records: list[Record] = []
        for frame in batch.frames:
            records += self._open(frame)
            if len(records) > RECORDS_LIMIT:
                raise FrameError(frame, "a batch holds more records than are written")
        records.sort(key=_time)
        return records

    def _open(self, frame: Frame) -> list[Record]:
        header = frame.header
        if header.type == FrameType.MAIN and header.has(Flag.SEGMENT):
            self._inflater = Inflater()
        plain = self._cipher.open(header, frame.head, frame.place.chain, frame.body)
        if plain is None:
            raise FrameError(frame, "its key is another, or something before it was changed")
        try:
            return list(decode_records(self._inflate(frame, plain), header.t_us))
        except ValueError as error:
            raise FrameError(frame, str(error)) from error

    def _inflate(self, frame: Frame, plain: bytes) -> bytes:
        length = frame.header.raw_length
        if frame.header.has(Flag.STORED):
            return plain
        if frame.header.type == FrameType.INPUT:
            return inflate_once(plain, length)
        if self._inflater is None:
            raise ValueError("it continues a segment whose beginning is missing")
        return self._inflater.inflate(plain, length)


def _time(record: Record) -> int:
    return record.t_us
