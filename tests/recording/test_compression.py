"""zstd: every flush is readable, compressors are reused, inflating is bounded."""

from __future__ import annotations

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from watchgate.recording.compression import Compressors, Inflater, Stream, inflate_once


@given(st.lists(st.binary(min_size=1, max_size=2000), min_size=1, max_size=20))
def test_every_flush_can_be_read_as_soon_as_it_is_there(chunks: list[bytes]) -> None:
    stream, inflater = Stream(Compressors().take()), Inflater()

    for chunk in chunks:
        assert inflater.inflate(stream.flush(chunk), len(chunk)) == chunk


def test_a_compressor_is_reused_and_remembers_nothing() -> None:
    compressors = Compressors()
    first = compressors.take()
    Stream(first).flush(b"secret of another session" * 10)
    compressors.give(first)
    second = compressors.take()
    octets = Stream(second).flush(b"secret of another session" * 10)

    assert second is first
    assert Inflater().inflate(octets, 250) == b"secret of another session" * 10


def test_only_a_few_compressors_are_kept() -> None:
    compressors = Compressors()
    for compressor in [compressors.take() for _ in range(50)]:
        compressors.give(compressor)

    assert len(compressors._free) == 8


def test_two_streams_do_not_mix() -> None:
    compressors = Compressors()
    one, two = Stream(compressors.take()), Stream(compressors.take())
    readers = Inflater(), Inflater()

    for number in range(10):
        for stream, reader, word in zip((one, two), readers, (b"one", b"two"), strict=True):
            text = word * (number + 1)
            assert reader.inflate(stream.flush(text), len(text)) == text


def test_a_short_input_alone_comes_back() -> None:
    data = b"id; uname -a; cat /etc/shadow\r" * 9

    assert inflate_once(Compressors().once(data), len(data)) == data


@pytest.mark.parametrize("length", [0, 1, 249])
def test_no_more_comes_out_than_was_announced(length: int) -> None:
    octets = zstandard.ZstdCompressor().compress(bytes(250))

    assert inflate_once(octets, length) == bytes(length)


@pytest.mark.parametrize("octets", [b"", b"garbage", b"\x28\xb5\x2f\xfd"])
def test_what_is_too_little_is_an_error(octets: bytes) -> None:
    with pytest.raises(ValueError, match=r"came out|decompress"):
        inflate_once(octets, 10)


def test_a_window_beyond_the_ceiling_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=24, write_content_size=False)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    octets = stream.compress(b"x" * 100) + stream.flush()

    with pytest.raises(ValueError, match="memory"):
        inflate_once(octets, 100)
