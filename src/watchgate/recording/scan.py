"""Walking the frames of a recording as it lies on disk: in the store, the spool, or both.

Nothing here needs a key. A walk ends at the seal, at the last whole frame, or where the file cannot be
what was written; *torn* and *damage* tell which.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from watchgate.errors import RecordingUnreadable
from watchgate.recording.evidencefile import lock, unlock
from watchgate.recording.format import (
    CRC_SIZE,
    FRAME_HEADER_SIZE,
    PREFIX_SIZE,
    SIGNATURE_SIZE,
    SUFFIX,
    Flag,
    FrameHeader,
    RecordingHeader,
    chain_next,
    chain_start,
    frame_crc,
    header_length,
)
from watchgate.recording.framechain import Place
from watchgate.recording.spool import Tail, tails

HEADLESS = "recording.headless"
"""The code of RecordingUnreadable for a file that ends before its header does."""
_ZEROS = 8


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of a recording's octets in one file."""

    descriptor: int
    begin: int
    end: int
    skip: int
    """The logical offset of the file's first octet."""


class LogicalFile:
    """A recording's octets, wherever they lie; a snapshot of its size at the time it was opened."""

    def __init__(self, path: Path, spool: Path | None = None) -> None:
        self.path = path
        self.live = False
        self._descriptors: list[int] = []
        self._pieces: list[Piece] = []
        try:
            self._open(tails(spool, path.name.removesuffix(SUFFIX)))
        except OSError as error:
            self.close()
            raise RecordingUnreadable(f"{path} cannot be read: {error.strerror}") from error
        self.size = self._pieces[-1].end if self._pieces else 0

    def __enter__(self) -> LogicalFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files."""
        while self._descriptors:
            os.close(self._descriptors.pop())

    def read(self, offset: int, length: int) -> bytes:
        """Up to *length* octets from *offset*; fewer only at the end."""
        parts = []
        for piece in self._pieces:
            begin, end = max(offset, piece.begin), min(offset + length, piece.end)
            if begin < end:
                parts.append(_read(piece.descriptor, begin - piece.skip, end - begin, self.path))
        return b"".join(parts)

    def _open(self, away: list[Tail]) -> None:
        whole = [tail for tail in away if tail.offset == 0]
        if not self.path.exists() and whole:
            self._add(whole[0].path, 0, None)
            away = []
        else:
            self._add(self.path, 0, None)
        for tail in away:
            size = tail.path.stat().st_size
            if 0 < tail.offset <= self._pieces[-1].end < tail.offset + size:
                last = self._pieces[-1]
                self._pieces[-1] = Piece(last.descriptor, last.begin, tail.offset, last.skip)
                self._add(tail.path, tail.offset, size)

    def _add(self, path: Path, begin: int, size: int | None) -> None:
        # Not blocking: a pipe with a recording's name must not stop a verification.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        self._descriptors.append(descriptor)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise RecordingUnreadable(f"{path} is not a file")
        if lock(descriptor, shared=True):
            unlock(descriptor)
        else:
            self.live = True
        end = begin + (status.st_size if size is None else size)
        self._pieces.append(Piece(descriptor, begin, end, begin))


@dataclass(frozen=True, slots=True)
class Preamble:
    """What precedes the first frame."""

    header: RecordingHeader
    prefix: bytes
    signature: bytes

    @property
    def place(self) -> Place:
        """Where the first frame begins."""
        octets = self.prefix + self.signature
        return Place(0, len(octets), chain_start(octets))


def read_preamble(file: LogicalFile) -> Preamble:
    """The header; raises RecordingUnreadable, with the code HEADLESS when the file is too short."""
    prefix = file.read(0, PREFIX_SIZE)
    if len(prefix) < PREFIX_SIZE:
        raise RecordingUnreadable(f"{file.path} ends within its header", code=HEADLESS)
    length = header_length(prefix)
    if length is None:
        raise RecordingUnreadable(
            f"{file.path} is not a recording, or its first octets were changed"
        )
    octets = file.read(PREFIX_SIZE, length + SIGNATURE_SIZE)
    if len(octets) < length + SIGNATURE_SIZE:
        raise RecordingUnreadable(f"{file.path} ends within its header", code=HEADLESS)
    try:
        header = RecordingHeader.from_json(octets[:length])
    except (ValueError, RecursionError) as error:
        raise RecordingUnreadable(
            f"the header of {file.path} cannot be read: it was changed, or a newer Watchgate wrote it"
        ) from error
    return Preamble(header, prefix + octets[:length], octets[length:])


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole frame and where it stands."""

    header: FrameHeader
    head: bytes
    body: bytes
    place: Place
    """Its number and offset, and the chain before it."""


class Walk:
    """Iterates over whole frames from a place on; afterwards tells how it ended."""

    def __init__(self, file: LogicalFile, place: Place) -> None:
        self.place = place
        """Behind the last whole frame."""
        self.torn = 0
        """Octets of a frame that was begun and never finished."""
        self.damage = ""
        """What is wrong at *place*, when the file was changed."""
        self.sealed = False
        self.last_us = 0
        self._file = file

    def __iter__(self) -> Iterator[Frame]:
        while not self.sealed and (frame := self._next()) is not None:
            yield frame

    def any_frame(self) -> Frame | None:
        """The frame at *place*, whatever its number: a jump to where an index or a seal should be."""
        return self._next(any_number=True)

    def _next(self, *, any_number: bool = False) -> Frame | None:
        place, left = self.place, self._file.size - self.place.offset
        if left < FRAME_HEADER_SIZE:
            self.torn = left
            return None
        head = self._file.read(place.offset, FRAME_HEADER_SIZE)
        header = FrameHeader.parse(head)
        if header is None:
            self._stop("a frame header was changed", FRAME_HEADER_SIZE, left)
            return None
        skips = any_number or (header.has(Flag.SKIP) and header.seq > place.seq)
        if header.seq != place.seq and not skips:
            self.damage = f"frame {header.seq} stands where {place.seq} belongs"
            return None
        if header.size > left:
            self.torn = left
            return None
        octets = self._file.read(place.offset + FRAME_HEADER_SIZE, header.body_length + CRC_SIZE)
        body = octets[: header.body_length]
        if octets[header.body_length :] != frame_crc(head, body):
            self._stop(f"frame {header.seq} was changed", header.size, left)
            return None
        frame = Frame(header, head, body, Place(header.seq, place.offset, place.chain))
        self._pass(frame)
        return frame

    def _pass(self, frame: Frame) -> None:
        header, place = frame.header, frame.place
        self.last_us = max(self.last_us, header.t_us)
        chain = chain_next(place.chain, frame.head, frame.body)
        self.place = Place(header.seq + 1, place.offset + header.size, chain)
        if header.has(Flag.SEAL):
            self.sealed = True
            if rest := self._file.size - self.place.offset:
                self.damage = f"{rest} octets follow the seal"

    def _stop(self, damage: str, size: int, left: int) -> None:
        """Tell a change from a tail that a power cut left as zeros."""
        rest = self._file.read(self.place.offset, min(left, size))
        zeros = len(rest) - len(rest.rstrip(b"\0"))
        if zeros >= _ZEROS and self._only_zeros(self.place.offset + size):
            self.torn = left
        else:
            self.damage = damage

    def _only_zeros(self, offset: int) -> bool:
        while chunk := self._file.read(offset, 1 << 20):
            if chunk.strip(b"\0"):
                return False
            offset += len(chunk)
        return True


def _read(descriptor: int, offset: int, length: int, path: Path) -> bytes:
    try:
        return os.pread(descriptor, length, offset)
    except OSError as error:
        raise RecordingUnreadable(f"{path} cannot be read: {error.strerror}") from error
