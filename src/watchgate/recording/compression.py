"""zstd as recordings use it: streaming with a flush per frame, cheap to hold, bounded to read.

A streaming compressor costs memory (see docs/formats/recording.md for the figures), so a recording
holds one only while something happens; they are pooled because making one costs more than resetting it.
"""

from __future__ import annotations

from typing import IO, Protocol, cast

import zstandard

from watchgate.recording.format import WINDOW_LIMIT

_PARAMETERS = zstandard.ZstdCompressionParameters(
    window_log=16,
    hash_log=14,
    chain_log=6,
    search_log=1,
    min_match=5,
    strategy=zstandard.STRATEGY_FAST,
    write_content_size=False,
    write_checksum=False,
    write_dict_id=False,
)
_POOLED = 8


class Compressors:
    """The compressors of one thread."""

    __slots__ = ("_free", "_once")

    def __init__(self) -> None:
        self._free: list[zstandard.ZstdCompressor] = []
        self._once = zstandard.ZstdCompressor(level=1)

    def take(self) -> zstandard.ZstdCompressor:
        """A compressor of one's own until it is given back."""
        if self._free:
            return self._free.pop()
        return zstandard.ZstdCompressor(compression_params=_PARAMETERS)

    def give(self, compressor: zstandard.ZstdCompressor) -> None:
        """Put it back; a few are kept."""
        if len(self._free) < _POOLED:
            self._free.append(compressor)

    def once(self, data: bytes) -> bytes:
        """*data* as a zstd frame of its own."""
        return self._once.compress(data)


class Stream:
    """One segment being compressed."""

    __slots__ = ("_stream",)

    def __init__(self, compressor: zstandard.ZstdCompressor) -> None:
        self._stream = compressor.compressobj()

    def flush(self, data: bytes) -> bytes:
        """*data* compressed such that a reader can decode all of it from what is there."""
        octets = self._stream.compress(data)
        return octets + self._stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)


class _Reader(Protocol):
    def read(self, size: int) -> bytes: ...


class Inflater:
    """Decompresses a segment frame by frame and never yields more than a frame says it holds."""

    __slots__ = ("_body", "_reader")

    def __init__(self) -> None:
        self._body = b""
        decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW_LIMIT)
        # Anything with read() is a source; the stubs ask for a whole file object.
        self._reader: _Reader = decompressor.stream_reader(cast("IO[bytes]", self))

    def read(self, _size: int = -1) -> bytes:
        """The source side: the current body once, then nothing."""
        body, self._body = self._body, b""
        return body

    def inflate(self, body: bytes, raw_length: int) -> bytes:
        """The *raw_length* octets that *body* adds; raises ValueError when it does not hold them."""
        self._body = body
        try:
            raw = self._reader.read(raw_length)
        except zstandard.ZstdError as error:
            raise ValueError(str(error)) from error
        if len(raw) != raw_length:
            raise ValueError(f"{len(raw)} octets came out where {raw_length} were announced")
        return raw


def inflate_once(body: bytes, raw_length: int) -> bytes:
    """The inverse of `Compressors.once`, with the same bounds as `Inflater`."""
    return Inflater().inflate(body, raw_length)
