"""The multiplexed stream of rsync: messages of up to 16 MiB, each with a tag, most of them data.

Data goes on as spans, nothing of it is gathered. Messages that say something about files are handed
over whole; texts for people are passed over; a tag that is not rsync's is a stream that is not rsync.
"""

from __future__ import annotations

from collections.abc import Callable

from watchgate.transfers.rsync_wire import NAME_CEILING, Tag, Unreadable

_BASE = 7
_TOLD = frozenset({Tag.DELETED, Tag.SUCCESS, Tag.NO_SEND})
_LIMITS = {
    Tag.DELETED: NAME_CEILING + 1,
    Tag.REDO: 4,
    Tag.STATS: 8,
    Tag.IO_ERROR: 4,
    Tag.IO_TIMEOUT: 4,
    Tag.NOOP: 0,
    Tag.ERROR_EXIT: 4,
    Tag.SUCCESS: 4,
    Tag.NO_SEND: 4,
}
_TEXT_LIMIT = 64 * 1024


class Demultiplexer:
    """Takes messages apart: *data* gets the spans of DATA, *message* what is told about files."""

    def __init__(
        self, data: Callable[[memoryview], None], message: Callable[[Tag, bytes], None]
    ) -> None:
        self._data = data
        self._message = message
        self._header = b""
        self._tag = Tag.DATA
        self._left = 0
        self._told = b""

    @property
    def unread(self) -> bytes:
        """Octets of a header or of a told message that is not whole."""
        return self._told + self._header

    def feed(self, octets: memoryview) -> None:
        """Take *octets* apart; raises Unreadable."""
        at, end = 0, len(octets)
        while at < end:
            if not self._left:
                want = 4 - len(self._header)
                self._header += octets[at : at + want]
                at += want
                if len(self._header) == 4:
                    self._open()
                continue
            stop = min(at + self._left, end)
            self._left -= stop - at
            self._body(octets[at:stop])
            at = stop

    def _open(self) -> None:
        word = int.from_bytes(self._header, "little")
        self._header = b""
        self._tag, self._left = self._tag_of((word >> 24) - _BASE), word & 0xFF_FFFF
        if self._tag is not Tag.DATA and self._left > _LIMITS.get(self._tag, _TEXT_LIMIT):
            raise Unreadable(f"a message {self._tag.name} of {self._left} octets is too long")
        if self._tag in _TOLD and not self._left:
            raise Unreadable(f"a message {self._tag.name} is empty")

    @staticmethod
    def _tag_of(code: int) -> Tag:
        try:
            return Tag(code)
        except ValueError as unknown:
            raise Unreadable(f"{code} is not a message of rsync") from unknown

    def _body(self, span: memoryview) -> None:
        if self._tag is Tag.DATA:
            self._data(span)
        elif self._tag in _TOLD:
            self._told += span
            if not self._left:
                told, self._told = self._told, b""
                self._message(self._tag, told)
