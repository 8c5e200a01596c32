"""The octets of the rsync protocol, 29 to 32: numbers, strings and indexes, read off a span.

There is no specification; what stands here was found by watching rsync talk. A `Cursor` walks over
what has arrived. When an item is not whole yet it raises `Short`, the walk goes back to where the
item began, and the item is tried again when more has come: so every item but file data is small, and
`CEILING` holds what may be kept waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum, IntFlag

CEILING = 256 * 1024
"""The most octets of one direction that are kept because an item is not whole."""
NAME_CEILING = 4096

_SIGN = 0x8000_0000
# How many octets follow the first one of a variable-length number, by its upper six bits.
_EXTRA = bytes([0] * 32 + [1] * 16 + [2] * 8 + [3] * 4 + [4] * 2 + [5, 6])


class Short(Exception):  # noqa: N818 - not an error: the rest is on its way
    """The item is not whole yet."""


class Unreadable(Exception):  # noqa: N818 - internal; becomes TransferUnreadable at the border
    """The stream is not what it claims to be, or is of a kind that is not read; says why."""


class Tag(IntEnum):
    """What a multiplexed message is."""

    DATA = 0
    ERROR_XFER = 1
    INFO = 2
    ERROR = 3
    WARNING = 4
    ERROR_SOCKET = 5
    LOG = 6
    CLIENT = 7
    ERROR_UTF8 = 8
    REDO = 9
    STATS = 10
    IO_ERROR = 22
    IO_TIMEOUT = 33
    NOOP = 42
    ERROR_EXIT = 86
    SUCCESS = 100
    DELETED = 101
    NO_SEND = 102


class Compat(IntFlag):
    """What the server says both sides know, right after the versions."""

    INC_RECURSE = 1
    AVOID_XATTR_OPTIM = 1 << 4
    VARINT_FLIST_FLAGS = 1 << 7
    ID0_NAMES = 1 << 8


class Item(IntFlag):
    """What is to happen, or has happened, with one entry of the file list."""

    REPORT_XATTR = 1 << 8
    BASIS_TYPE_FOLLOWS = 1 << 11
    XNAME_FOLLOWS = 1 << 12
    IS_NEW = 1 << 13
    LOCAL_CHANGE = 1 << 14
    TRANSFER = 1 << 15


class Ndx(IntEnum):
    """Indexes that are not indexes."""

    DONE = -1
    FLIST_EOF = -2
    DEL_STATS = -3
    FLIST_OFFSET = -101


class Cursor:
    """A walk over one span of octets; numbers are little-endian."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.at = 0
        self.end = len(data)

    def take(self, count: int) -> memoryview:
        """Exactly *count* octets."""
        start = self.at
        stop = start + count
        if stop > self.end:
            raise Short
        self.at = stop
        return self.data[start:stop]

    def span(self, most: int) -> memoryview:
        """What is there, at most *most* octets; never raises."""
        start = self.at
        self.at = min(start + most, self.end)
        return self.data[start : self.at]

    def u8(self) -> int:
        at = self.at
        if at >= self.end:
            raise Short
        self.at = at + 1
        return self.data[at]

    def u16(self) -> int:
        return int.from_bytes(self.take(2), "little")

    def i32(self) -> int:
        return int.from_bytes(self.take(4), "little", signed=True)

    def varint(self) -> int:
        """A signed 32-bit number: leading ones of the first octet count the octets that follow."""
        first = self.u8()
        extra = _EXTRA[first >> 2]
        if not extra:
            return first
        if extra > 4:
            raise Unreadable("a number is longer than 32 bits")
        low = int.from_bytes(self.take(extra), "little")
        value = (low | (first & (1 << (8 - extra)) - 1) << 8 * extra) & 0xFFFF_FFFF
        return value - (1 << 32) if value & _SIGN else value

    def varlong(self, least: int) -> int:
        """A 64-bit number of *least* octets or more; the upper bits stand in the first."""
        first = self.u8()
        extra = _EXTRA[first >> 2]
        length = least - 1 + extra
        if length > 8:
            raise Unreadable("a number is longer than 64 bits")
        low = int.from_bytes(self.take(length), "little")
        high = first & (1 << (8 - extra)) - 1
        value = (low | high << 8 * length) & 0xFFFF_FFFF_FFFF_FFFF
        return value - (1 << 64) if value >> 63 else value

    def longint(self) -> int:
        """The 64-bit number of protocols before 30: 32 bits, or -1 and 64 bits."""
        value = self.i32()
        return int.from_bytes(self.take(8), "little", signed=True) if value == -1 else value

    def vstring(self) -> bytes:
        """A string after one octet of length, or two when the first has its upper bit."""
        length = self.u8()
        if length & 0x80:
            length = (length & 0x7F) << 8 | self.u8()
        if length > NAME_CEILING:
            raise Unreadable(f"a string of {length} octets is longer than a path can be")
        return bytes(self.take(length))


class Indexes:
    """The indexes of one direction: each is written as its distance from the one before."""

    def __init__(self, protocol: int) -> None:
        self._plain = protocol < 30
        self._positive = -1
        self._negative = 1

    def read(self, cursor: Cursor) -> int:
        """The next index; moves on only when it is whole."""
        if self._plain:
            return cursor.i32()
        first = cursor.u8()
        if first == 0:
            return Ndx.DONE
        if first == 0xFF:
            self._negative = self._number(cursor, cursor.u8(), self._negative)
            return -self._negative
        self._positive = self._number(cursor, first, self._positive)
        return self._positive

    @staticmethod
    def _number(cursor: Cursor, first: int, before: int) -> int:
        if first != 0xFE:
            return before + first
        high = cursor.u8()
        low = cursor.u8()
        if not high & 0x80:
            return before + (high << 8 | low)
        return (high & 0x7F) << 24 | cursor.u16() << 8 | low


class Steps:
    """A pull parser: the current step takes one item off the cursor and names the next step.

    A step takes at least one octet or raises `Short`; it changes nothing of its object before the
    last octet of its item has been read.
    """

    def __init__(self, first: Callable[[Cursor], None]) -> None:
        self._step = first
        self._kept = b""

    @property
    def unread(self) -> bytes:
        """Octets that arrived and are not whole items yet."""
        return self._kept

    def feed(self, data: memoryview) -> None:
        """Read on with *data*; raises Unreadable."""
        if self._kept:
            data = memoryview(self._kept + data)
        cursor = Cursor(data)
        mark = 0
        try:
            while mark < cursor.end:
                self._step(cursor)
                mark = cursor.at
        except Short:
            pass
        if cursor.end - mark > CEILING:
            raise Unreadable(f"one item is longer than {CEILING} octets")
        self._kept = bytes(data[mark:])
