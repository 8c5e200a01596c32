"""A chain of frames in the making: numbers, offsets, digests, and the frames in clear.

What a recording's own writer (sealer.py) and the sweep that closes it after a crash have in common.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from watchgate.recording.format import (
    CHECKPOINT_SIZE,
    INDEX_LIMIT,
    Checkpoint,
    Flag,
    FrameHeader,
    FrameType,
    IndexEntry,
    canonical,
    chain_next,
    checkpoint_message,
    frame_crc,
    pack_index,
)

Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next frame goes: its number, its offset, and the chain before it."""

    seq: int
    offset: int
    chain: bytes


class Index:
    """Segment starts, thinned so that the INDEX frame fits into the reserve of a full disk."""

    __slots__ = ("_entries", "_seen", "_stride")

    def __init__(self) -> None:
        self._entries: list[IndexEntry] = []
        self._seen = 0
        self._stride = 1

    def add(self, entry: IndexEntry) -> None:
        """A segment begins at *entry*."""
        if self._seen % self._stride == 0:
            self._entries.append(entry)
        self._seen += 1
        if len(self._entries) > INDEX_LIMIT:
            self._entries = self._entries[::2]
            self._stride *= 2

    def rewind(self, offset: int) -> None:
        """Forget what begins at *offset* or later: it was not written."""
        self._entries = [entry for entry in self._entries if entry.offset < offset]

    def pack(self) -> bytes:
        """The body of the INDEX frame."""
        return pack_index(self._entries)


class FrameChain:
    """Appends frames to one recording; *place* is where the next goes."""

    __slots__ = ("_identity", "_skip", "index", "place")

    def __init__(self, identity: bytes, place: Place, index: Index | None = None) -> None:
        self._identity = identity
        self._skip = Flag(0)
        self.place = place
        self.index = index or Index()

    def header(self, kind: FrameType, flags: Flag, t_us: int, raw: int, body: int) -> FrameHeader:
        """The header of the next frame."""
        flags, self._skip = flags | self._skip, Flag(0)
        return FrameHeader(kind, int(flags), self.place.seq, t_us, raw, body)

    def finish(self, head: bytes, body: bytes) -> bytes:
        """The next frame whole."""
        place = self.place
        frame = b"".join((head, body, frame_crc(head, body)))
        chain = chain_next(place.chain, head, body)
        self.place = Place(place.seq + 1, place.offset + len(frame), chain)
        return frame

    def note(self, t_us: int, values: dict[str, Any]) -> bytes:
        """A NOTE frame: clear text, so it can be read without a key."""
        return self._clear(FrameType.NOTE, t_us, canonical(values))

    def checkpoint(self, t_us: int, wall_us: int, sign: Sign) -> bytes:
        """A signature over all before it."""
        return self._signed(Flag(0), t_us, wall_us, 0, sign)

    def seal(self, t_us: int, wall_us: int, sign: Sign, flags: Flag = Flag.SEAL) -> bytes:
        """The INDEX and the last signature; nothing may follow."""
        index_offset = self.place.offset
        index = self._clear(FrameType.INDEX, t_us, self.index.pack())
        return index + self._signed(flags, t_us, wall_us, index_offset, sign)

    def rewind(self, place: Place) -> None:
        """What was made since *place* is not in the file and never will be.

        The numbers stay spent; a reader allows the jump where SKIP says so.
        """
        self.index.rewind(place.offset)
        if self.place.seq != place.seq:
            self._skip = Flag.SKIP
        self.place = Place(self.place.seq, place.offset, place.chain)

    def _clear(self, kind: FrameType, t_us: int, body: bytes) -> bytes:
        return self.finish(self.header(kind, Flag(0), t_us, len(body), len(body)).pack(), body)

    def _signed(self, flags: Flag, t_us: int, wall_us: int, index_offset: int, sign: Sign) -> bytes:
        header = self.header(FrameType.CHECKPOINT, flags, t_us, CHECKPOINT_SIZE, CHECKPOINT_SIZE)
        chain = self.place.chain
        message = checkpoint_message(self._identity, header, wall_us, index_offset, chain)
        body = Checkpoint(wall_us, index_offset, chain, sign(message)).pack()
        return self.finish(header.pack(), body)
