"""Manifests read off SFTP conversations made by hand, however they arrive."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sftp_scripts import SCRIPTS, Script, an_upload
from transfer_packets import Chunk, octet_by_octet, replay

from watchgate.session.events import TransferUnreadable
from watchgate.transfers.sftp import SftpReader


@pytest.mark.parametrize("case", SCRIPTS, ids=lambda case: case.__name__)
def test_a_conversation_gives_its_manifest(case: Callable[[], Script]) -> None:
    chunks, expected = case()
    reader = SftpReader(7)

    assert replay(reader, chunks) == expected
    assert reader.failed is None


@pytest.mark.parametrize("case", SCRIPTS, ids=lambda case: case.__name__)
def test_a_conversation_gives_its_manifest_octet_by_octet(case: Callable[[], Script]) -> None:
    chunks, expected = case()

    assert replay(SftpReader(7), octet_by_octet(chunks)) == expected


def test_an_event_comes_with_the_octet_that_completes_it() -> None:
    chunks, expected = an_upload()
    reader = SftpReader(7)
    seen = [
        event
        for way, data in chunks
        for event in (reader.sent(data) if way == "sent" else reader.received(data))
    ]

    assert seen == expected
    assert reader.closed() == []


def test_nothing_is_owed_once_everything_is_closed() -> None:
    for case in SCRIPTS:
        reader = SftpReader(7)
        chunks, _ = case()
        for way, data in chunks:
            _ = reader.sent(data) if way == "sent" else reader.received(data)
        if not reader._waiting and not reader._files:
            assert reader._kept == 0


@given(
    st.sampled_from(SCRIPTS),
    st.lists(st.integers(1, 40), min_size=1, max_size=30),
)
def test_how_a_stream_is_cut_changes_nothing(case: Callable[[], Script], sizes: list[int]) -> None:
    chunks, expected = case()
    pieces: list[Chunk] = []
    for way, data in chunks:
        at = 0
        while at < len(data):
            size = sizes[len(pieces) % len(sizes)]
            pieces.append((way, data[at : at + size]))
            at += size

    assert replay(SftpReader(7), pieces) == expected


@given(
    st.sampled_from(SCRIPTS),
    st.lists(
        st.tuples(st.integers(0, 10**6), st.binary(min_size=1, max_size=4)), min_size=1, max_size=6
    ),
)
def test_damage_anywhere_never_raises(
    case: Callable[[], Script], damage: list[tuple[int, bytes]]
) -> None:
    chunks, _ = case()
    damaged = [(way, bytearray(data)) for way, data in chunks]
    for place, octets in damage:
        data = damaged[place % len(damaged)][1]
        at = place // len(damaged) % len(data)
        data[at : at + len(octets)] = octets
    reader = SftpReader(7)
    events = replay(reader, [(way, bytes(data)) for way, data in damaged])

    unreadables = [event for event in events if isinstance(event, TransferUnreadable)]
    assert len(unreadables) == (reader.failed is not None)
    assert all(len(part) < 300_000 for part in reader.unread)
