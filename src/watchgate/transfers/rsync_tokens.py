"""The tokens of a file: literals and references to blocks, plain or compressed.

Plain tokens are numbers with literals behind them. Compressed ones are flags; literals stand in
chunks of at most 16,383 compressed octets. zlib starts anew with each file, zstd is one stream over
the whole session, lz4 compresses each chunk alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

import zstandard

from watchgate.transfers.rsync_content import Content
from watchgate.transfers.rsync_wire import Cursor, Unreadable

HASH_CEILING = 64 * 1024 * 1024
"""What one compressed chunk may expand to and still be hashed: hashing holds up all sessions."""
_TIGHT = f"not hashed: {HASH_CEILING >> 20} MiB and more came out of one compressed chunk"
_LITERAL_CEILING = 1 << 30
_ZSTD_SLICE = 512
"""A compressed block of 4 octets may expand to 128 KiB: 512 octets to 16 MiB at most."""
_ZSTD_WINDOW = 8 * 1024 * 1024
"""What a zstd stream may ask us to keep; enough for every level up to 19, rsync's own is 3."""
_ZSTD_HEADER = 18
_ZLIB_STEP = 1024 * 1024
_SYNC = b"\0\0\xff\xff"

_DATA, _LONG, _LONG_RUN, _RELATIVE = 0x40, 0x20, 0x21, 0x80


class Tokens(Protocol):
    """Reads the tokens of one file after the other."""

    def begin(self, content: Content) -> None:
        """The next tokens are those of *content*."""

    def step(self, cursor: Cursor) -> bool:
        """Read one token, or some of a literal; true when it was the last of the file."""


def tokens_for(compression: str | None) -> Tokens:
    """The reader of tokens under the agreed *compression*."""
    match compression:
        case None:
            return PlainTokens()
        case "zlib":
            return CompressedTokens(Deflated(matches_count=True))
        case "zlibx":
            return CompressedTokens(Deflated(matches_count=False))
        case "zstd":
            return CompressedTokens(Zstd())
        case _:
            return CompressedTokens(Hidden(compression))


class PlainTokens:
    """Numbers: above zero that many literals follow, below zero is a block, zero is the end."""

    def __init__(self) -> None:
        self._content: Content | None = None
        self._left = 0

    def begin(self, content: Content) -> None:
        self._content = content
        self._left = 0

    def step(self, cursor: Cursor) -> bool:
        content = self._content
        if content is None:
            raise Unreadable("octets of a file came without a file")
        if self._left:
            span = cursor.span(self._left)
            self._left -= len(span)
            content.pass_literal(span)
            return False
        token = cursor.i32()
        if token > _LITERAL_CEILING:
            raise Unreadable(f"a literal of {token} octets is longer than one can be")
        if token > 0:
            self._left = token
        elif token < 0:
            content.match(-token - 1)
        return token == 0


class Expansion(Protocol):
    """How compressed literals become literals again."""

    def begin(self) -> None:
        """A file begins."""

    def literal(self, chunk: memoryview, content: Content) -> None:
        """A chunk of compressed literals of *content*."""

    def matched(self, content: Content) -> None:
        """Blocks were referred to, after literals or first."""


class CompressedTokens:
    """Flags: a chunk of literals, a block or a run of blocks, by number or by distance, or the end."""

    def __init__(self, expansion: Expansion) -> None:
        self._expansion = expansion
        self._content: Content | None = None
        self._block = 0

    def begin(self, content: Content) -> None:
        self._content = content
        self._block = 0
        self._expansion.begin()

    def step(self, cursor: Cursor) -> bool:
        content = self._content
        if content is None:
            raise Unreadable("octets of a file came without a file")
        flag = cursor.u8()
        if flag == 0:
            return True
        if flag & 0xC0 == _DATA:
            chunk = cursor.take((flag & 0x3F) << 8 | cursor.u8())
            self._expansion.literal(chunk, content)
        else:
            self._blocks(cursor, flag, content)
        return False

    def _blocks(self, cursor: Cursor, flag: int, content: Content) -> None:
        if flag in (_LONG, _LONG_RUN):
            first, run = cursor.i32(), flag == _LONG_RUN
        elif flag & _RELATIVE:
            first, run = self._block + (flag & 0x3F), bool(flag & 0x40)
        else:
            raise Unreadable(f"{flag:#04x} is no token of a file")
        more = cursor.u16() if run else 0
        content.match(first, more + 1)
        self._block = first + more
        self._expansion.matched(content)


class Deflated:
    """Raw deflate; with *matches_count* (zlib, not zlibx) blocks are history for what follows."""

    def __init__(self, matches_count: bool) -> None:
        self._matches_count = matches_count
        self._stream = zlib.decompressobj(-15)
        self._unsynced = False

    def begin(self) -> None:
        self._stream = zlib.decompressobj(-15)
        self._unsynced = False

    def literal(self, chunk: memoryview, content: Content) -> None:
        if content.opaque:
            return
        self._unsynced = True
        self._inflate(chunk, content.pass_literal)

    def matched(self, content: Content) -> None:
        if self._matches_count:
            # What the blocks hold is history for the literals that follow, and we have not got it.
            content.hide("compressed by zlib, which is not read after a block of the old file")
        elif self._unsynced:
            # The sender flushed and left off the last four octets, which are always these.
            self._inflate(_SYNC, content.pass_literal)
            self._unsynced = False

    def _inflate(self, chunk: memoryview | bytes, put: Callable[[bytes], None]) -> None:
        try:
            while chunk:
                put(self._stream.decompress(chunk, _ZLIB_STEP))
                chunk = self._stream.unconsumed_tail
        except zlib.error as error:
            raise Unreadable("a file's compressed octets cannot be expanded") from error
        if self._stream.eof:
            raise Unreadable("a file's compressed octets end before their file")


class Zstd:
    """One zstd stream over all files of the session."""

    def __init__(self) -> None:
        self._stream = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
        self._begun = False
        self._wide = ""

    def begin(self) -> None:
        """Nothing: the stream goes on."""

    def literal(self, chunk: memoryview, content: Content) -> None:
        try:
            if not self._begun:
                self._begin(chunk)
            if self._wide:
                content.hide(self._wide)
            else:
                self._expand(chunk, content)
        except zstandard.ZstdError as error:
            raise Unreadable("a file's compressed octets cannot be expanded") from error

    def matched(self, content: Content) -> None:
        """Nothing: blocks leave no trace in the stream."""

    def _begin(self, chunk: memoryview) -> None:
        self._begun = True
        window = zstandard.get_frame_parameters(bytes(chunk[:_ZSTD_HEADER])).window_size
        if window > _ZSTD_WINDOW:
            self._wide = (
                f"compressed by zstd with a window of {window >> 20} MiB, which is not read"
            )

    def _expand(self, chunk: memoryview, content: Content) -> None:
        expanded = 0
        for at in range(0, len(chunk), _ZSTD_SLICE):
            octets = self._stream.decompress(chunk[at : at + _ZSTD_SLICE])
            expanded += len(octets)
            if expanded > HASH_CEILING:
                content.leave_unhashed(_TIGHT)
            content.pass_literal(octets)


class Hidden:
    """A compression that is not read: sizes come from the file list."""

    def __init__(self, name: str) -> None:
        self._reason = f"compressed by {name}, which is not read"

    def begin(self) -> None:
        """Nothing is kept."""

    def literal(self, chunk: memoryview, content: Content) -> None:
        content.hide(self._reason)

    def matched(self, content: Content) -> None:
        """Nothing is kept."""
