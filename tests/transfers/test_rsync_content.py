"""What is known of a file by what passed of it."""

from __future__ import annotations

import hashlib

import pytest

from watchgate.transfers.rsync_content import Content, SumHead
from watchgate.transfers.rsync_wire import Cursor, Unreadable

HEAD = SumHead(count=3, length=700, sum_length=2, remainder=100)


@pytest.mark.parametrize(
    ("first", "count", "octets"), [(0, 1, 700), (0, 2, 1400), (2, 1, 100), (0, 3, 1500), (3, 0, 0)]
)
def test_only_the_last_block_is_short(first: int, count: int, octets: int) -> None:
    assert HEAD.octets(first, count) == octets


@pytest.mark.parametrize(("first", "count"), [(-1, 1), (3, 1), (0, 4), (2, -1)])
def test_blocks_that_are_not_there_are_unreadable(first: int, count: int) -> None:
    with pytest.raises(Unreadable):
        HEAD.octets(first, count)


@pytest.mark.parametrize(
    "numbers", [(-1, 0, 0, 0), (1, -1, 0, 0), (1, 1 << 31, 2, 0), (1, 10, 65, 0), (1, 10, 2, 11)]
)
def test_a_head_that_makes_no_sense_is_unreadable(numbers: tuple[int, ...]) -> None:
    octets = b"".join((number & 0xFFFF_FFFF).to_bytes(4, "little") for number in numbers)

    with pytest.raises(Unreadable):
        SumHead.read(Cursor(memoryview(octets)))


def test_what_was_appended_has_no_digest() -> None:
    content = Content(HEAD, appended=True)
    content.pass_literal(b"tail")

    assert (content.size, content.digest, content.covers_file) == (1504, None, False)
    assert content.note() == "appended: 4 of 1504 octets passed"


def test_literals_over_an_old_file_are_the_whole_file() -> None:
    content = Content(HEAD, appended=False)
    content.pass_literal(b"all new")

    assert content.digest == hashlib.sha256(b"all new").hexdigest()
    assert content.covers_file
