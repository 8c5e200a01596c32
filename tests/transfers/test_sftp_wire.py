"""SFTP packets, whole and broken."""

from __future__ import annotations

import struct
from itertools import chain

import pytest
from transfer_packets import packet, string

from watchgate.transfers.manifest import UnreadableError
from watchgate.transfers.sftp_wire import (
    MAX_BULK,
    MAX_PACKET,
    Attributes,
    Bulk,
    Fields,
    Fx,
    Fxp,
    Packet,
    Scanner,
    attributes,
    status,
)


def write(data: bytes, handle: bytes = b"hand") -> bytes:
    return packet(
        Fxp.WRITE, struct.pack(">I", 9), string(handle), struct.pack(">Q", 77), string(data)
    )


STREAM = [
    packet(Fxp.INIT, struct.pack(">I", 3)),
    write(b"file data"),
    packet(Fxp.REMOVE, struct.pack(">I", 1), string(b"/x")),
    write(b""),
    write(b"z", handle=b""),
]


def cut(stream: bytes, size: int) -> tuple[list[bytes], bytes]:
    """The packets' raw octets, file data attached to its head, for pieces of *size* octets."""
    scanner, found = Scanner(Fxp.WRITE), []
    for at in range(0, len(stream), size):
        for item in scanner.feed(stream[at : at + size]):
            if isinstance(item, Packet):
                found.append(item.raw)
            else:
                found[-1] += bytes(item)
    return found, scanner.unread


@pytest.mark.parametrize("size", [1, 2, 3, 7, 13, 1000])
def test_a_stream_is_cut_into_its_packets_however_it_arrives(size: int) -> None:
    found, unread = cut(b"".join(STREAM) + STREAM[1][:20], size)

    assert found[:5] == STREAM
    assert b"".join(found[5:]) + unread == STREAM[1][:20]


def test_file_data_comes_as_spans_of_what_was_fed() -> None:
    data = write(bytes(1000))
    head, span = Scanner(Fxp.WRITE).feed(data)

    assert isinstance(head, Bulk)
    assert head.size == 1000
    assert isinstance(span, memoryview)
    assert span.obj is data


def test_between_two_packets_the_scanner_says_so() -> None:
    scanner = Scanner(Fxp.DATA)
    data = packet(Fxp.DATA, struct.pack(">I", 1), string(b"abc"))
    seen = []
    for octet in data:
        seen.append((scanner.between, scanner.missing))
        list(scanner.feed(bytes([octet])))

    assert seen[0] == (True, 5)
    assert not any(between for between, _ in seen[1:])
    assert all(missing <= len(data) - at for at, (_, missing) in enumerate(seen))
    assert scanner.between


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"\0\0\0\0\x01", id="an empty packet"),
        pytest.param(struct.pack(">IB", MAX_PACKET + 1, Fxp.REMOVE), id="too long a packet"),
        pytest.param(struct.pack(">IB", MAX_BULK + 1, Fxp.WRITE), id="too much file data"),
        pytest.param(struct.pack(">IB", 5, Fxp.WRITE) + bytes(8), id="a WRITE without its fields"),
        pytest.param(struct.pack(">IBII", 99, Fxp.WRITE, 1, 257), id="a handle beyond its ceiling"),
        pytest.param(
            struct.pack(">IBIIQI", 40, Fxp.WRITE, 1, 0, 0, 9), id="data short of its packet"
        ),
        pytest.param(
            struct.pack(">IBIIQI", 21, Fxp.WRITE, 1, 0, 0, 9), id="data beyond its packet"
        ),
        pytest.param(b"bash: no such file", id="text"),
    ],
)
def test_a_packet_that_cannot_be_is_refused_before_it_is_gathered(broken: bytes) -> None:
    whole, bytewise = Scanner(Fxp.WRITE), Scanner(Fxp.WRITE)

    with pytest.raises(UnreadableError):
        list(whole.feed(broken))
    assert whole.unread == broken
    with pytest.raises(UnreadableError):
        list(chain.from_iterable(bytewise.feed(bytes([octet])) for octet in broken))


def test_attributes_are_read_with_all_that_may_be_in_them() -> None:
    octets = struct.pack(">IQIIIII", 0x8000000F, 5, 1, 2, 0o100640, 8, 9)
    octets += struct.pack(">I", 1) + string(b"a@b") + string(b"c") + b"rest"
    fields = Fields(octets, 0)

    assert attributes(fields) == Attributes(5, (1, 2), 0o100640)
    assert fields.more


@pytest.mark.parametrize(
    "octets", [b"", b"\0\0\0\x01\0", struct.pack(">II", 0x80000000, 0xFFFFFFFF)]
)
def test_attributes_that_are_cut_off_are_refused(octets: bytes) -> None:
    fields = Fields(octets, 0)

    with pytest.raises(UnreadableError):
        attributes(fields)


def test_a_string_beyond_its_ceiling_is_refused_before_it_is_looked_for() -> None:
    fields = Fields(struct.pack(">I", 0xFFFFFFFF), 0)

    with pytest.raises(UnreadableError, match="4294967295"):
        fields.string(4096)


def test_a_status_is_a_whole_packet() -> None:
    made = status(5, Fx.PERMISSION_DENIED, "no")

    assert made == packet(Fxp.STATUS, struct.pack(">II", 5, 3), string(b"no"), string(b""))
