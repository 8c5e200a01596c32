"""What the sender says and what the generator asks, item by item."""

from __future__ import annotations

import struct

import pytest

from watchgate.transfers.rsync_claim import RsyncClaim, claims
from watchgate.transfers.rsync_content import Content
from watchgate.transfers.rsync_flist import FileList
from watchgate.transfers.rsync_handshake import Terms
from watchgate.transfers.rsync_streams import Generator, Sender
from watchgate.transfers.rsync_wire import Compat, Item, Unreadable

LIST = bytes.fromhex("8080 01 61 000600 a4810000  00 00")
"""A file list with one file, `a`."""
DONE, END_OF_LISTS = b"\0", b"\xff\x01"
TRANSFER, NEW = 0x8000, 0x2000


class Ledger:
    """What a sender told."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, str]] = []

    def item(self, number: int, flags: Item, other_name: bytes) -> None:
        self.rows.append((number, f"item {int(flags):#06x} {other_name.decode()}"))

    def ended(self, number: int, content: Content) -> None:
        self.rows.append((number, f"ended {content.size}"))


def terms(protocol: int = 32) -> Terms:
    compat = Compat.INC_RECURSE | Compat.VARINT_FLIST_FLAGS
    return Terms(protocol, compat, None, 16, 16)


def claim(options: str) -> RsyncClaim:
    found = claims(f"rsync --server {options} . x")
    assert found is not None
    return found


def sender(*parts: bytes, options: str = "-re.iv", protocol: int = 32) -> tuple[Sender, Ledger]:
    ledger, what = Ledger(), claim(options)
    stream = Sender(
        what, terms(protocol), what.direction == "upload", FileList(incremental=True), ledger
    )
    stream.feed(memoryview(b"".join(parts)))
    return stream, ledger


def attributes(flags: int, rest: bytes = b"") -> bytes:
    return struct.pack("<H", flags) + rest


def head(count: int = 0, length: int = 0, sums: int = 0, remainder: int = 0) -> bytes:
    return struct.pack("<4i", count, length, sums, remainder)


FILE = attributes(TRANSFER) + head() + struct.pack("<i", 3) + b"abc" + bytes(4) + bytes(16)


def test_a_transfer_is_told_when_its_checksum_has_passed() -> None:
    stream, ledger = sender(LIST, END_OF_LISTS, b"\x02", FILE[:-1])

    assert ledger.rows == []
    assert stream.passing is not None
    stream.feed(memoryview(FILE[-1:]))
    assert ledger.rows == [(1, "ended 3")]
    assert stream.passing is None


def test_an_item_without_a_transfer_is_told_with_its_other_name() -> None:
    linked = attributes(Item.XNAME_FOLLOWS | Item.LOCAL_CHANGE, b"\x05other")
    _, ledger = sender(LIST, END_OF_LISTS, b"\x02", linked)

    assert ledger.rows == [(1, "item 0x5000 other")]


def test_phases_end_and_only_goodbyes_follow() -> None:
    stream, _ = sender(LIST, END_OF_LISTS, DONE * 3)

    assert stream.finished
    stream.feed(memoryview(DONE))
    with pytest.raises(Unreadable):
        stream.feed(memoryview(b"\x01" + FILE))


def test_a_download_ends_with_totals() -> None:
    stream, _ = sender(
        LIST, END_OF_LISTS, DONE * 3, b"\0\x64\0" * 5, DONE, options="--sender -re.iv"
    )

    assert stream.finished
    assert stream.unread == b""


def test_the_preface_of_the_client_comes_first() -> None:
    rules = struct.pack("<i", 5) + b"- old" + bytes(4)
    stream, ledger = sender(rules, LIST, END_OF_LISTS, b"\x02", FILE, options="-re.iv --delete")

    assert stream.unread == b""
    assert ledger.rows == [(1, "ended 3")]


def test_a_sign_of_life_of_an_old_peer_is_passed_over() -> None:
    _, ledger = sender(LIST, END_OF_LISTS, b"\x05" + attributes(NEW), protocol=30)

    assert ledger.rows == []


@pytest.mark.parametrize(
    "octets",
    [
        b"\x05" + attributes(TRANSFER),  # a number that nothing has
        b"\xff\xfe\0\0",  # a second end of the lists
        b"\xff\x64",  # a list after their end
        b"\x02" + attributes(TRANSFER) + head(-1),
        b"\x02" + attributes(TRANSFER) + head() + struct.pack("<i", -1),  # a block of no old file
    ],
)
def test_what_no_sender_says_is_unreadable(octets: bytes) -> None:
    with pytest.raises(Unreadable):
        sender(LIST, END_OF_LISTS, octets)


def generator(*parts: bytes, options: str = "-re.iv") -> Generator:
    """A server's generator, after a list of one file."""
    ledger, files, what = Ledger(), FileList(incremental=True), claim(options)
    Sender(what, terms(), True, files, ledger).feed(memoryview(LIST + END_OF_LISTS))
    stream = Generator(what, terms(), False, files)
    stream.feed(memoryview(b"".join(parts)))
    return stream


def test_sums_are_passed_over_to_the_octet() -> None:
    asked = b"\x02" + attributes(TRANSFER) + head(2, 700, 2, 0) + bytes(12)
    stream = generator(asked, DONE, b"\xff\x02" + bytes(5), DONE)

    assert stream.unread == b""


def test_an_append_has_a_head_and_no_sums_the_first_time() -> None:
    first = b"\x02" + attributes(TRANSFER) + head(2, 700, 2, 0)
    again = b"\x00" + b"\xfe\x80\x01\x00\x00" + attributes(TRANSFER) + head(2, 700, 2, 0)
    stream = generator(first, again + bytes(12), DONE, options="-re.iv --append")

    assert stream.unread == b""


@pytest.mark.parametrize(
    "octets",
    [
        b"\xff\x01",  # the end of file lists, which only a sender says
        b"\x09" + attributes(0),  # a number that nothing has
        b"\x02" + attributes(TRANSFER) + head(1, 700, 65, 0),
    ],
)
def test_what_no_generator_asks_is_unreadable(octets: bytes) -> None:
    with pytest.raises(Unreadable):
        generator(octets)
