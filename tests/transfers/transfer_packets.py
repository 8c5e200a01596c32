"""SFTP conversations made by hand, and their replay whole, in pieces and octet by octet."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from watchgate.session.events import Event, FileChanged, FileMoved
from watchgate.transfers.manifest import TransferReader
from watchgate.transfers.sftp_wire import Fx, Fxf, Fxp

Chunk = tuple[str, bytes]

NO_ATTRIBUTES = struct.pack(">I", 0)
READ = Fxf.READ
PUT = Fxf.WRITE | Fxf.CREAT | Fxf.TRUNC


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def size_attribute(size: int, mode: int = 0o100644) -> bytes:
    return struct.pack(">IQI", 0x1 | 0x4, size, mode)


def packet(kind: int, *parts: bytes) -> bytes:
    body = bytes([kind]) + b"".join(parts)
    return struct.pack(">I", len(body)) + body


@dataclass
class Conversation:
    """What both sides of one SFTP channel say, in order; requests number themselves."""

    chunks: list[Chunk] = field(default_factory=list)
    number: int = 0

    def __post_init__(self) -> None:
        if not self.chunks:
            self.chunks = [
                ("sent", packet(Fxp.INIT, struct.pack(">I", 3))),
                (
                    "received",
                    packet(Fxp.VERSION, struct.pack(">I", 3), string(b"x@y"), string(b"1")),
                ),
            ]

    def ask(self, kind: int, *parts: bytes) -> int:
        self.number += 1
        self.chunks.append(("sent", packet(kind, struct.pack(">I", self.number), *parts)))
        return self.number

    def answer(self, number: int, kind: int, *parts: bytes) -> None:
        self.chunks.append(("received", packet(kind, struct.pack(">I", number), *parts)))

    def status(self, number: int, code: int = Fx.OK) -> None:
        self.answer(number, Fxp.STATUS, struct.pack(">I", code), string(b"words"), string(b""))

    def extended(self, name: bytes, *parts: bytes) -> int:
        return self.ask(Fxp.EXTENDED, string(name), *parts)

    def open(self, path: bytes, flags: int, handle: bytes = b"h") -> None:
        opened = self.ask(Fxp.OPEN, string(path), struct.pack(">I", flags), NO_ATTRIBUTES)
        self.answer(opened, Fxp.HANDLE, string(handle))

    def close(self, handle: bytes = b"h", code: int = Fx.OK) -> None:
        self.status(self.ask(Fxp.CLOSE, string(handle)), code)

    def write(self, offset: int, data: bytes, handle: bytes = b"h") -> int:
        return self.ask(Fxp.WRITE, string(handle), struct.pack(">Q", offset), string(data))

    def read(self, offset: int, length: int, handle: bytes = b"h") -> int:
        return self.ask(Fxp.READ, string(handle), struct.pack(">QI", offset, length))

    def data(self, number: int, data: bytes) -> None:
        self.answer(number, Fxp.DATA, string(data))


def replay(reader: TransferReader, chunks: Iterable[Chunk]) -> list[Event]:
    """Everything that *reader* says of *chunks*, to the end of the channel."""
    events: list[Event] = []
    for way, data in chunks:
        events += reader.sent(data) if way == "sent" else reader.received(data)
    return events + reader.closed()


def octet_by_octet(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    return ((way, data[at : at + 1]) for way, data in chunks for at in range(len(data)))


def moved(
    direction: str,
    path: str,
    data: bytes | None,
    *,
    size: int | None = None,
    complete: bool = True,
    note: str = "",
    protocol: str = "sftp",
) -> FileMoved:
    """A row of the manifest on channel 7; *data* is what its digest is of."""
    digest = None if data is None else sha256(data)
    size = len(data or b"") if size is None else size
    return FileMoved(7, protocol, direction, path, size, digest, complete, note)


def changed(
    operation: str, path: str, to: str | None = None, succeeded: bool = True
) -> FileChanged:
    return FileChanged(7, "sftp", operation, path, to, succeeded)
