"""Octets to frames and records, and what must fail."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.recording.format import (
    FRAME_HEADER_SIZE,
    INDEX_LIMIT,
    MAGIC,
    RAW_LIMIT,
    FrameHeader,
    IndexEntry,
    Record,
    RecordingHeader,
    decode_records,
    encode_records,
    header_length,
    header_prefix,
    nonce,
    pack_index,
    parse_index,
    parse_note,
    varint,
)
from watchgate.recording.framechain import Index
from watchgate.session.model import FailurePolicy
from watchgate.session.ports import RecordKind

HEADER = RecordingHeader(
    recording="01a1fc73-57e9-77f7-8f1c-548de135718b",
    session="01a1fc73-57e9-7997-ac50-57b192d238ff",
    node="gate1",
    protocol="ssh",
    operator="alice",
    account="röot\udcff",
    target="web1",
    client="10.0.0.9:50000",
    grant="g1",
    started_at_us=1_780_000_000_000_000,
    policy_digest="00",
    on_failure="spool",
    version="0.1.0",
    public_key=bytes(32),
    evidence_key="SHA256:x",
)

RECORDS = st.lists(
    st.tuples(
        st.integers(0, 1 << 40),
        st.sampled_from(list(RecordKind)),
        st.integers(0, 1 << 33),
        st.binary(max_size=300),
    )
)


@given(RECORDS)
def test_records_come_back_as_they_were(values: list[tuple[int, RecordKind, int, bytes]]) -> None:
    at = 5
    records = []
    for delta, kind, channel, data in values:
        at += delta
        records.append((at, kind, channel, data))

    decoded = list(decode_records(encode_records(records, 5), 5))

    assert decoded == [Record(*record) for record in records]


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, (1 << 32) + 7, (1 << 63) - 1])
def test_a_number_takes_seven_bits_an_octet(value: int) -> None:
    octets = varint(value)

    assert len(octets) == max((value.bit_length() + 6) // 7, 1)
    assert sum((octet & 0x7F) << 7 * place for place, octet in enumerate(octets)) == value


@pytest.mark.parametrize(
    "raw",
    [b"\x80", b"\x00", b"\x00\x01", b"\x00\x01\x00", b"\x00\x01\x00\x02x", b"\xff" * 12],
    ids=["endless", "no kind", "no channel", "no length", "too short", "too long a number"],
)
def test_a_malformed_record_is_an_error(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"record|number"):
        list(decode_records(raw, 0))


def test_a_kind_of_a_later_version_is_skipped() -> None:
    raw = encode_records([(1, 99, 0, b"news"), (2, RecordKind.OUTPUT, 0, b"known")], 0)

    assert list(decode_records(raw, 0)) == [Record(2, RecordKind.OUTPUT, 0, b"known")]


def test_a_frame_header_comes_back() -> None:
    header = FrameHeader(1, 3, 7, 123_456, 99, 115)

    assert FrameHeader.parse(header.pack()) == header
    assert len(header.pack()) == FRAME_HEADER_SIZE


def test_every_flipped_bit_of_a_frame_header_is_noticed() -> None:
    good = FrameHeader(1, 3, 7, 123_456, 99, 115).pack()

    for bit in range(len(good) * 8):
        octets = bytearray(good)
        octets[bit // 8] ^= 1 << bit % 8
        assert FrameHeader.parse(bytes(octets)) is None


def test_a_frame_longer_than_the_ceiling_is_refused_before_it_is_read() -> None:
    assert FrameHeader.parse(FrameHeader(1, 0, 0, 0, RAW_LIMIT + 1, 10).pack()) is None
    assert FrameHeader.parse(FrameHeader(1, 0, 0, 0, 10, 1 << 31).pack()) is None


def test_a_nonce_is_its_frames_alone() -> None:
    nonces = {nonce(FrameHeader(kind, 0, seq, 0, 0, 0)) for kind in (1, 2) for seq in range(100)}

    assert len(nonces) == 200
    assert all(len(octets) == 12 for octets in nonces)


def test_a_header_is_ascii_and_comes_back_octet_for_octet() -> None:
    text = HEADER.to_json()

    assert text.isascii()
    assert b" " not in text.replace(b"web1", b"")
    assert RecordingHeader.from_json(text) == HEADER
    assert RecordingHeader.from_json(text).to_json() == text


def test_a_header_says_what_was_asked_for() -> None:
    request = HEADER.request()

    assert (request.recording, request.account) == (HEADER.recording, HEADER.account)
    assert request.on_failure is FailurePolicy.SPOOL


@pytest.mark.parametrize(
    "octets",
    [b"", b"[]", b"{", b'{"format":1}', b'{"format":2}', b"\xff", HEADER.to_json()[:-1]],
)
def test_what_is_no_header_is_an_error(octets: bytes) -> None:
    with pytest.raises(ValueError, match=r"header|JSON|Expect|decode|delimiter"):
        RecordingHeader.from_json(octets)


def test_a_header_announces_its_length_within_the_ceiling() -> None:
    prefix = header_prefix(HEADER)

    assert header_length(prefix[:12]) == len(prefix) - 12
    assert header_length(MAGIC + b"\xff\xff\xff\x7f") is None
    assert header_length(b"\x89WGR\n\x1a\n\0\0\0\0\0") is None


def test_an_index_comes_back_and_stays_small() -> None:
    index = Index()
    for number in range(5000):
        index.add(IndexEntry(number, number * 10, bytes(32)))

    entries = parse_index(index.pack())
    assert len(entries) <= INDEX_LIMIT
    assert entries[0].t_us == 0
    assert [e.t_us for e in entries] == sorted({e.t_us for e in entries})
    assert max(b.t_us - a.t_us for a, b in pairwise(entries)) == 16


def test_an_index_of_half_an_entry_is_an_error() -> None:
    with pytest.raises(ValueError, match="length"):
        parse_index(pack_index([IndexEntry(0, 0, bytes(32))])[:-1])


@pytest.mark.parametrize("body", [b"", b"\xff", b"[1]", b"7"])
def test_a_note_that_is_not_readable_is_empty(body: bytes) -> None:
    assert parse_note(body) == {}
