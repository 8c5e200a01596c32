"""Literals and blocks, plain and compressed."""

from __future__ import annotations

import hashlib
import random
import zlib

import pytest
import zstandard

from watchgate.transfers import rsync_tokens
from watchgate.transfers.rsync_content import Content, SumHead
from watchgate.transfers.rsync_tokens import tokens_for
from watchgate.transfers.rsync_wire import Cursor, Short, Unreadable

HEAD = SumHead(count=3, length=700, sum_length=2, remainder=100)
NO_HEAD = SumHead(0, 0, 0, 0)
TEXT = b"some text that compresses " * 400 + random.Random(3).randbytes(9000)


def pass_file(compression: str | None, octets: bytes, head: SumHead = NO_HEAD) -> Content:
    """The content after one file's tokens, which must end where *octets* do."""
    tokens, content = tokens_for(compression), Content(head, appended=False)
    tokens.begin(content)
    walk = Cursor(memoryview(octets))
    while not tokens.step(walk):
        pass
    assert walk.at == walk.end
    return content


def sha256(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()


def chunks(compressed: bytes) -> bytes:
    """Compressed literals as the chunks that stand in the stream."""
    return b"".join(
        bytes([0x40 | len(part) >> 8, len(part) & 0xFF]) + part
        for part in (compressed[at : at + 16383] for at in range(0, len(compressed), 16383))
    )


def literal(octets: bytes) -> bytes:
    return len(octets).to_bytes(4, "little") + octets


def test_plain_literals_are_the_file() -> None:
    content = pass_file(None, literal(TEXT[:5000]) + literal(TEXT[5000:]) + bytes(4))

    assert content.digest == sha256(TEXT)
    assert (content.size, content.note()) == (len(TEXT), "")


def test_a_block_takes_the_digest_away_and_gives_its_size() -> None:
    last_block = (-3).to_bytes(4, "little", signed=True)
    content = pass_file(None, literal(b"new") + last_block + bytes(4), HEAD)

    assert content.digest is None
    assert content.size == 103
    assert content.note() == "delta: 3 of 103 octets passed as literals"


@pytest.mark.parametrize("token", [-4, -100, -(1 << 31), (1 << 31) - 1])
def test_a_token_beyond_all_bounds_is_unreadable(token: int) -> None:
    with pytest.raises(Unreadable):
        pass_file(None, token.to_bytes(4, "little", signed=True), HEAD)


def deflate(*parts: bytes) -> list[bytes]:
    """Each of *parts* flushed, without the four octets that end every flush."""
    stream = zlib.compressobj(6, zlib.DEFLATED, -15)
    return [
        (stream.compress(part) + stream.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")
        for part in parts
    ]


@pytest.mark.parametrize("compression", ["zlib", "zlibx"])
def test_deflated_literals_are_the_file(compression: str) -> None:
    content = pass_file(compression, chunks(deflate(TEXT)[0]) + b"\0")

    assert content.digest == sha256(TEXT)


def test_zlibx_goes_on_after_blocks() -> None:
    first, second = deflate(b"before", b"after that")
    run = b"\xc0" + (2).to_bytes(2, "little")  # block 0 and two more
    content = pass_file("zlibx", chunks(first) + run + chunks(second) + b"\0", HEAD)

    assert content.literal == len(b"before" + b"after that")
    assert content.matched == 1500


def test_zlib_is_not_read_after_a_block() -> None:
    first, second = deflate(b"before", b"after")
    content = pass_file("zlib", chunks(first) + b"\x81" + chunks(second) + b"\0", HEAD)

    assert (content.size, content.digest) == (None, None)
    assert "zlib" in content.note()
    assert "delta" in content.note()


def test_zstd_is_one_stream_over_all_files() -> None:
    stream = zstandard.ZstdCompressor(level=3).compressobj()
    tokens = tokens_for("zstd")
    digests = []
    for file in (TEXT, b"", TEXT[::-1], b"x"):
        packed = stream.compress(file) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        content = Content(NO_HEAD, appended=False)
        tokens.begin(content)
        walk = Cursor(memoryview(chunks(packed) + b"\0"))
        while not tokens.step(walk):
            pass
        digests.append(content.digest)

    assert digests == [sha256(file) for file in (TEXT, b"", TEXT[::-1], b"x")]


def test_a_chunk_that_expands_without_end_is_counted_and_not_hashed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rsync_tokens, "HASH_CEILING", 1024 * 1024)
    stream = zstandard.ZstdCompressor(level=3).compressobj()
    packed = stream.compress(bytes(20_000_000)) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    content = pass_file("zstd", chunks(packed) + b"\0")

    assert (content.size, content.digest) == (20_000_000, None)
    assert content.note().startswith("not hashed")


def test_a_zstd_window_that_is_too_wide_is_not_kept() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    packed = stream.compress(TEXT) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    content = pass_file("zstd", chunks(packed) + b"\0")

    assert (content.size, content.digest) == (None, None)
    assert "128 MiB" in content.note()


def test_lz4_gives_no_digest_and_says_why() -> None:
    content = pass_file("lz4", chunks(b"whatever") + b"\0")

    assert (content.size, content.digest) == (None, None)
    assert content.note() == "compressed by lz4, which is not read"


@pytest.mark.parametrize("token", [b"\x01", b"\x22", b"\x3f", b"\x20\x03\0\0\0", b"\x83"])
def test_a_flag_or_block_that_is_none_is_unreadable(token: bytes) -> None:
    with pytest.raises(Unreadable):
        pass_file("zlibx", token, HEAD)


@pytest.mark.parametrize("compression", ["zlib", "zlibx", "zstd"])
def test_octets_that_do_not_expand_are_unreadable(compression: str) -> None:
    with pytest.raises(Unreadable):
        pass_file(compression, chunks(b"\xff" * 100) + b"\0")


def test_a_token_that_is_not_whole_waits() -> None:
    tokens, content = tokens_for("zlibx"), Content(HEAD, appended=False)
    tokens.begin(content)

    for octets in (b"", b"\x40", b"\x40\x05abc", b"\xc0\x01", b"\x20\0\0"):
        with pytest.raises(Short):
            tokens.step(Cursor(memoryview(octets)))
    assert (content.literal, content.matched) == (0, 0)


def test_blocks_by_distance_count_from_the_last_one() -> None:
    content = pass_file("zlibx", b"\x80" + b"\x81" + b"\x20\x02\0\0\0" + b"\0", HEAD)

    assert content.matched == HEAD.total == 1500
