"""Taking multiplexed messages apart."""

from __future__ import annotations

import pytest

from watchgate.transfers.rsync_mux import Demultiplexer
from watchgate.transfers.rsync_wire import Tag, Unreadable


class Heard:
    """A demultiplexer and what it said."""

    def __init__(self) -> None:
        self.data = b""
        self.messages: list[tuple[Tag, bytes]] = []
        self.mux = Demultiplexer(self._data, lambda tag, told: self.messages.append((tag, told)))

    def _data(self, span: memoryview) -> None:
        self.data += span


def message(code: int, body: bytes) -> bytes:
    return ((code + 7) << 24 | len(body)).to_bytes(4, "little") + body


STREAM = (
    message(Tag.DATA, b"abc")
    + message(Tag.INFO, b"a text for people")
    + message(Tag.DELETED, b"old/dir\0")
    + message(Tag.NOOP, b"")
    + message(Tag.DATA, b"def")
    + message(Tag.SUCCESS, b"\x05\0\0\0")
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_data_passes_and_what_is_told_is_whole(size: int) -> None:
    heard = Heard()
    for at in range(0, len(STREAM), size):
        heard.mux.feed(memoryview(STREAM[at : at + size]))

    assert heard.data == b"abcdef"
    assert heard.messages == [(Tag.DELETED, b"old/dir\0"), (Tag.SUCCESS, b"\x05\0\0\0")]
    assert heard.mux.unread == b""


@pytest.mark.parametrize(
    "octets",
    [
        b"SSH-",
        message(50, b"x"),
        message(Tag.DELETED, b"n" * 5000),
        message(Tag.DELETED, b""),
        message(Tag.SUCCESS, b"12345"),
        message(Tag.INFO, bytes(70_000)),
    ],
)
def test_what_rsync_never_sends_is_unreadable(octets: bytes) -> None:
    with pytest.raises(Unreadable):
        Heard().mux.feed(memoryview(octets))
