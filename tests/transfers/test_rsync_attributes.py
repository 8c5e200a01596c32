"""Access lists and extended attributes are passed over, to the octet."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from watchgate.transfers.rsync_attributes import (
    pass_acls,
    pass_xattr_request,
    pass_xattrs,
    xattr_answer,
)
from watchgate.transfers.rsync_wire import Cursor, Short, Unreadable

NAMED = "00 10 02 05 1d 04 726f6f74 07 1c"  # two names, one spelled out


@pytest.mark.parametrize(
    ("passes", "octets"),
    [
        (lambda walk: pass_acls(walk, False), "01"),
        (lambda walk: pass_acls(walk, False), "00 0f 07 05 07 05"),
        (lambda walk: pass_acls(walk, False), NAMED),
        (lambda walk: pass_acls(walk, True), "00 00" + NAMED),
        (lambda walk: pass_xattrs(walk, 16), "03"),
        (lambda walk: pass_xattrs(walk, 16), "00 00"),
        (lambda walk: pass_xattrs(walk, 16), "00 01 02 03 6100 010203"),
        (lambda walk: pass_xattrs(walk, 16), "00 01 02 21 6100" + "ee" * 16),
        (pass_xattr_request, "01 02 00"),
    ],
)
def test_attributes_are_passed_over(passes: Callable[[Cursor], None], octets: str) -> None:
    data = bytes.fromhex(octets)
    walk = Cursor(memoryview(data + b"tail"))
    passes(walk)

    assert walk.at == len(data)
    with pytest.raises(Short):
        passes(Cursor(memoryview(data[:-1])))


def test_an_answer_is_a_length_or_the_end() -> None:
    assert xattr_answer(Cursor(memoryview(b"\x01\x83\xe8"))) == 1000
    assert xattr_answer(Cursor(memoryview(b"\0"))) is None


def test_an_attribute_without_bounds_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        pass_xattrs(Cursor(memoryview(bytes.fromhex("00 01 f0ffffff7f 00"))), 16)
