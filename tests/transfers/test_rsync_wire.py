"""Numbers, strings and indexes of the rsync wire."""

from __future__ import annotations

import pytest

from watchgate.transfers.rsync_wire import (
    CEILING,
    Cursor,
    Indexes,
    Ndx,
    Short,
    Steps,
    Unreadable,
)


def cursor(octets: bytes) -> Cursor:
    return Cursor(memoryview(octets))


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        (b"\x00", 0),
        (b"\x7f", 127),
        (b"\x80\x80", 128),
        (b"\x81\xff", 0x1FF),
        (b"\xc1\x00\x00", 0x010000),
        (b"\xe1\x00\x00\x00", 0x01000000),
        (b"\xf0\xff\xff\xff\xff", -1),
    ],
)
def test_a_varint_is_read_whole_and_not_before(octets: bytes, value: int) -> None:
    walk = cursor(octets + b"tail")

    assert walk.varint() == value
    assert walk.at == len(octets)
    for end in range(len(octets)):
        with pytest.raises(Short):
            cursor(octets[:end]).varint()


@pytest.mark.parametrize(
    ("octets", "least", "value"),
    [
        (b"\x00\x06\x00", 3, 6),
        (b"\x6b\xd9\x1c\x01", 4, 0x6B011CD9),
        (b"\x80\x00\x00\x80", 3, 0x800000),
        (b"\xf0\x00\x00\x00\x00\x00\x01", 3, 0x010000000000),
        (b"\xf8\xff\xff\xff\xff\xff\xff\xff", 3, 0x00FFFFFFFFFFFFFF),
        (b"\xfc" + b"\xff" * 8, 3, -1),
    ],
)
def test_a_varlong_keeps_its_upper_bits_in_front(octets: bytes, least: int, value: int) -> None:
    walk = cursor(octets + b"tail")

    assert walk.varlong(least) == value
    assert walk.at == len(octets)


@pytest.mark.parametrize("octets", [b"\xf8\0\0\0\0\0\0", b"\xff\0\0\0\0\0\0"])
def test_a_varint_of_more_than_32_bits_is_unreadable(octets: bytes) -> None:
    with pytest.raises(Unreadable):
        cursor(octets).varint()


def test_a_varlong_of_more_than_64_bits_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        cursor(b"\xff" + bytes(20)).varlong(4)


def test_a_longint_of_old_protocols_is_32_bits_or_a_mark_and_64() -> None:
    assert cursor(b"\x05\0\0\0").longint() == 5
    assert cursor(b"\xff\xff\xff\xff" + (1 << 40).to_bytes(8, "little")).longint() == 1 << 40


@pytest.mark.parametrize("length", [0, 5, 127, 128, 300, 4096])
def test_a_string_has_one_or_two_octets_of_length(length: int) -> None:
    head = bytes([length]) if length < 128 else bytes([0x80 | length >> 8, length & 0xFF])

    assert cursor(head + b"x" * length).vstring() == b"x" * length


def test_a_string_longer_than_a_path_is_unreadable_before_it_is_read() -> None:
    with pytest.raises(Unreadable):
        cursor(b"\xff\xff").vstring()


@pytest.mark.parametrize(
    ("octets", "numbers"),
    [
        (b"\x01\x01\x05", [0, 1, 6]),
        (b"\x00", [Ndx.DONE]),
        (b"\xff\x01", [Ndx.FLIST_EOF]),
        (b"\xff\x64\xff\x01\xff\xfe\x80\x02\x00\x00", [-101, -102, Ndx.FLIST_EOF]),
        (b"\xfe\x01\x00\x01", [255, 256]),
        (b"\xfe\x80\x01\x02\x03\x01", [0x030201, 0x030202]),
        (b"\x05\x00\xff\x64\x02", [4, -1, -101, 6]),
    ],
)
def test_an_index_is_a_distance_from_the_one_of_its_sign(octets: bytes, numbers: list[int]) -> None:
    walk, indexes = cursor(octets), Indexes(protocol=32)

    assert [indexes.read(walk) for _ in numbers] == numbers
    assert walk.at == walk.end


def test_an_index_of_protocol_29_is_a_plain_number() -> None:
    assert Indexes(protocol=29).read(cursor(b"\xff\xff\xff\xff")) == Ndx.DONE


def test_an_index_that_is_not_whole_does_not_move_the_next() -> None:
    indexes = Indexes(protocol=32)
    with pytest.raises(Short):
        indexes.read(cursor(b"\xfe\x01"))

    assert indexes.read(cursor(b"\x01")) == 0


class Words(Steps):
    """Reads strings; for the tests of the walk itself."""

    def __init__(self) -> None:
        super().__init__(self._word)
        self.words: list[bytes] = []

    def _word(self, walk: Cursor) -> None:
        self.words.append(walk.vstring())


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_items_are_read_however_the_octets_arrive(size: int) -> None:
    stream, words = b"\x03one\x00\x03two\x04thr", Words()
    for at in range(0, len(stream), size):
        words.feed(memoryview(stream[at : at + size]))

    assert words.words == [b"one", b"", b"two"]
    assert words.unread == b"\x04thr"


def test_an_item_that_never_ends_is_not_kept() -> None:
    class Endless(Steps):
        def __init__(self) -> None:
            super().__init__(self._all)

        def _all(self, walk: Cursor) -> None:
            walk.take(1 << 30)

    endless = Endless()
    endless.feed(memoryview(bytes(CEILING)))

    with pytest.raises(Unreadable):
        endless.feed(memoryview(b"x"))
