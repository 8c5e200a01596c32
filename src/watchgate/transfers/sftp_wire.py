"""SFTP version 3 on the wire (draft-ietf-secsh-filexfer-02): packets, fields, ceilings.

A stream is cut into packets. One that carries file data (`WRITE` from the client, `DATA` from the
target) comes as its head and then as spans of what was fed, never gathered; all others come whole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from watchgate.transfers.manifest import UnreadableError

VERSION = 3
"""The only version that is read: what OpenSSH speaks, and every client can."""

MAX_PACKET = 256 * 1024
"""A packet without file data (OpenSSH: SFTP_MAX_MSG_LENGTH); it is gathered, so this is memory."""

MAX_BULK = 4 * 1024 * 1024 + 1024
"""A packet with file data; the most that any known client sends. Only its head is gathered."""

MAX_NAME = 4096
"""A path (Linux: PATH_MAX)."""

MAX_HANDLE = 256
"""A handle (§6.2)."""


class Fxp(IntEnum):
    """Packet types (§3), with OpenSSH's and later drafts' where a client may send them."""

    INIT = 1
    VERSION = 2
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    LSTAT = 7
    FSTAT = 8
    SETSTAT = 9
    FSETSTAT = 10
    OPENDIR = 11
    READDIR = 12
    REMOVE = 13
    MKDIR = 14
    RMDIR = 15
    REALPATH = 16
    STAT = 17
    RENAME = 18
    READLINK = 19
    SYMLINK = 20
    STATUS = 101
    HANDLE = 102
    DATA = 103
    NAME = 104
    ATTRS = 105
    EXTENDED = 200
    EXTENDED_REPLY = 201


class Fxf(IntFlag):
    """Flags of `OPEN` (§6.3)."""

    READ = 0x01
    WRITE = 0x02
    APPEND = 0x04
    CREAT = 0x08
    TRUNC = 0x10
    EXCL = 0x20


class Fx(IntEnum):
    """Status codes (§7) that are told apart here."""

    OK = 0
    EOF = 1
    PERMISSION_DENIED = 3
    OP_UNSUPPORTED = 8


class Fields:
    """The fields of one packet, read from the front."""

    __slots__ = ("_at", "_octets")

    def __init__(self, octets: bytes, at: int) -> None:
        self._octets = octets
        self._at = at

    @property
    def more(self) -> bool:
        """There is something left."""
        return self._at < len(self._octets)

    def uint32(self) -> int:
        """The next four octets as a number."""
        return int.from_bytes(self._take(4), "big")

    def uint64(self) -> int:
        """The next eight octets as a number."""
        return int.from_bytes(self._take(8), "big")

    def string(self, ceiling: int) -> bytes:
        """The next string; one longer than *ceiling* is refused."""
        length = self.uint32()
        if length > ceiling:
            raise UnreadableError(f"a string of {length} octets where {ceiling} are the limit")
        return self._take(length)

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._octets):
            raise UnreadableError("a packet that is shorter than its fields")
        self._at, start = end, self._at
        return self._octets[start:end]


@dataclass(frozen=True, slots=True)
class Packet:
    """A whole packet without file data; *raw* has its length in front."""

    raw: bytes

    @property
    def kind(self) -> int:
        """Its type, an `Fxp` where it is known."""
        return self.raw[4]

    def fields(self) -> Fields:
        """What follows the type."""
        return Fields(self.raw, 5)


@dataclass(frozen=True, slots=True)
class Bulk(Packet):
    """The head of a packet with *size* octets of file data, which follow as spans."""

    size: int


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attributes of a file (§5) that are told apart here."""

    size: int | None = None
    owner: tuple[int, int] | None = None
    permissions: int | None = None

    @property
    def link(self) -> bool:
        """They are those of a symbolic link itself, or may be."""
        return self.permissions is None or self.permissions & 0o170000 == 0o120000


def attributes(fields: Fields) -> Attributes:
    """Read attributes (§5)."""
    flags = fields.uint32()
    size = fields.uint64() if flags & 0x1 else None
    owner = (fields.uint32(), fields.uint32()) if flags & 0x2 else None
    permissions = fields.uint32() if flags & 0x4 else None
    if flags & 0x8:
        fields.uint64()  # two times of 32 bits
    if flags & 0x80000000:
        for _ in range(2 * fields.uint32()):
            fields.string(MAX_PACKET)
    return Attributes(size, owner, permissions)


def status(request: int, code: Fx, message: str) -> bytes:
    """A whole `STATUS` packet (§7) that answers *request*."""
    words = message.encode()
    body = struct.pack(">BIII", Fxp.STATUS, request, code, len(words)) + words + bytes(4)
    return struct.pack(">I", len(body)) + body


class Scanner:
    """Cuts one direction into packets; *bulk* is the type that carries file data there."""

    __slots__ = ("_at", "_bulk", "_head", "_left", "_shown", "_view", "_want")

    def __init__(self, bulk: Fxp) -> None:
        self._bulk = bulk
        self._head = bytearray()
        self._want = 5
        self._left = 0
        self._view = memoryview(b"")
        self._at = 0
        self._shown = b""

    @property
    def between(self) -> bool:
        """The stream stands between two packets."""
        return not self._head and not self._left

    @property
    def missing(self) -> int:
        """Octets that certainly belong to the packet that has begun, or to the head of the next."""
        return self._left or self._want - len(self._head)

    @property
    def unread(self) -> bytes:
        """When reading stopped: the packet last given, or begun, and all that was fed after it."""
        return self._shown + bytes(self._head) + bytes(self._view[self._at :])

    def feed(self, data: bytes) -> Iterator[Packet | memoryview]:
        """The packets, and the spans of file data, that *data* completes; raises UnreadableError."""
        view = self._view = memoryview(data)
        self._at = 0
        while self._at < len(view):
            if self._left:
                span = view[self._at : self._at + self._left]
                self._left -= len(span)
                self._at += len(span)
                yield span
                continue
            part = view[self._at : self._at + self._want - len(self._head)]
            self._head += part
            self._at += len(part)
            if len(self._head) == self._want and (packet := self._grown()) is not None:
                self._shown = packet.raw
                yield packet
                self._shown = b""

    def _grown(self) -> Packet | None:
        """The packet whose head is complete now; else `_want` says how much of it is wanted."""
        self._want, bulk = self._measure(self._head)
        if len(self._head) < self._want:
            return None
        raw = bytes(self._head)
        size = int.from_bytes(raw[-4:], "big") if bulk else 0
        if bulk and len(raw) - 4 + size != int.from_bytes(raw[:4], "big"):
            raise UnreadableError("file data that does not fill its packet")
        self._head.clear()
        self._want = 5
        self._left = size
        return Bulk(raw, size) if bulk else Packet(raw)

    def _measure(self, head: bytearray) -> tuple[int, bool]:
        """How long the head in hand is to become, and whether it is one of file data."""
        length, kind = struct.unpack_from(">IB", head)
        bulk = kind == self._bulk
        if not 1 <= length <= (MAX_BULK if bulk else MAX_PACKET):
            raise UnreadableError(f"a packet of {length} octets")
        if not bulk:
            return 4 + length, False
        want = 13  # length, type, id, and the length of the data or of the handle
        if kind == Fxp.WRITE and len(head) >= want:
            handle = int.from_bytes(head[9:13], "big")
            if handle > MAX_HANDLE:
                raise UnreadableError(f"a handle of {handle} octets")
            want += handle + 12  # handle, offset, length of the data
        if want > 4 + length:
            raise UnreadableError("a packet that is shorter than its fields")
        return want, True
