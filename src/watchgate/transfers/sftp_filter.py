"""SFTP with some of it not granted: a request that is not permitted is answered here, never forwarded.

When everything is permitted the octets pass as they come. Otherwise the client's side is taken apart
into packets and only what is understood goes on: what nobody can read is not forwarded. An answer of
ours goes to the client between two packets of the target, never inside one.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from watchgate.session.events import ChannelRefused, Event, text
from watchgate.transfers.manifest import DigestFactory, UnreadableError, sha256
from watchgate.transfers.sftp import SftpReader
from watchgate.transfers.sftp_requests import (
    EXTENSIONS,
    HARMLESS,
    Change,
    Copy,
    Open,
    Read,
    SetHandle,
    SetStat,
    Write,
    parse,
)
from watchgate.transfers.sftp_wire import (
    MAX_NAME,
    VERSION,
    Fx,
    Fxp,
    Packet,
    status,
)

_INIT = 9
"""Octets of an `INIT` up to and with its version."""

MAX_ANSWERS = 256 * 1024
"""Octets of our answers that wait for the end of a packet of the target."""

_REQUEST_TYPES = frozenset(range(Fxp.OPEN, Fxp.SYMLINK + 1)) | {Fxp.INIT, Fxp.EXTENDED}


@dataclass(frozen=True, slots=True)
class Sifted:
    """What the engine does with octets that came: pass on, answer, record."""

    forward: bytes
    answer: bytes
    """For the client; only ever with something that the client sent."""
    events: list[Event]


class SftpFilter:
    """Reads one SFTP channel as `SftpReader` does, and lets through what is granted.

    When the stream becomes unreadable (`failed`) and not everything is granted, nothing goes on any
    more in either direction: the engine closes the channel. When everything is granted it goes on and
    is recorded octet by octet.
    """

    def __init__(
        self, channel: int, *, upload: bool, download: bool, digests: DigestFactory = sha256
    ) -> None:
        self._channel = channel
        self._reader = SftpReader(channel, digests)
        self._upload = upload
        self._download = download
        self._greeting: bytes | None = b""
        self._answers = bytearray()
        self._passing = True

    @property
    def failed(self) -> str | None:
        """Why the stream cannot be read any more."""
        return self._reader.failed

    @property
    def unread(self) -> tuple[bytes, bytes]:
        """Once `failed`: what was sent and received and is in no event."""
        return self._reader.unread

    @property
    def open_ended(self) -> bool:
        """Everything is granted: the stream goes on even if it cannot be read."""
        return self._upload and self._download

    def sent(self, data: bytes) -> Sifted:
        """The client sent *data*."""
        if self._greeting is not None:
            data = self._greet(data)
        if self.open_ended:
            return Sifted(data, b"", self._reader.sent(data))
        return self._sift(data)

    def received(self, data: bytes) -> Sifted:
        """The target sent *data*; `forward` goes to the client."""
        if self.failed is not None and not self.open_ended:
            return Sifted(b"", b"", [])
        if not self._answers:
            events = self._reader.received(data)
            held_back = self.failed is not None and not self.open_ended
            return Sifted(b"" if held_back else data, b"", events)
        return self._interleave(data)

    def closed(self) -> list[Event]:
        """The channel ended."""
        return self._reader.closed()

    def _greet(self, data: bytes) -> bytes:
        """Lower the version that the client offers to the one that can be read."""
        greeting = (self._greeting or b"") + data
        if len(greeting) < _INIT and greeting[4:5] in (b"", bytes([Fxp.INIT])):
            self._greeting = greeting
            return b""
        self._greeting = None
        length, kind, version = struct.unpack_from(">IBI", greeting.ljust(_INIT, b"\0"))
        if kind != Fxp.INIT or length < _INIT - 4 or version <= VERSION:
            return greeting
        return greeting[:5] + struct.pack(">I", VERSION) + greeting[_INIT:]

    def _sift(self, data: bytes) -> Sifted:
        forward: list[bytes | memoryview] = []
        events: list[Event] = []
        if self.failed is None:
            try:
                for item in self._reader.requests.feed(data):
                    self._weigh(item, forward, events)
            except UnreadableError as error:
                events += self._reader.fail("sent", str(error))
        return Sifted(b"".join(forward), self._ready_answers(), events)

    def _weigh(
        self, item: Packet | memoryview, forward: list[bytes | memoryview], events: list[Event]
    ) -> None:
        """Forward *item* or answer it; the file data of a refused packet is dropped."""
        if isinstance(item, Packet):
            refusal = self._refusal(item)
            self._passing = refusal is None
            if refusal is not None:
                events.append(self._refuse(item, *refusal))
        if self._passing:
            events += self._reader.heard(item)
            forward.append(item.raw if isinstance(item, Packet) else item)

    def _refusal(self, packet: Packet) -> tuple[Fx, str, str] | None:
        """The status, what was asked for and why it is refused; None for what may pass."""
        if packet.kind not in _REQUEST_TYPES:
            return Fx.OP_UNSUPPORTED, f"sftp request {packet.kind}", "this request is not known"
        if packet.kind == Fxp.EXTENDED and (unknown := self._unknown_extension(packet)):
            return Fx.OP_UNSUPPORTED, f"sftp {unknown}", "this request is not known"
        if packet.kind == Fxp.INIT:
            return None
        _, request = parse(packet)
        what, changes, reads = "", False, False
        match request:
            case Open(path):
                what, changes, reads = f"open {text(path)}", request.changes, request.reads
            case Change(operation, path):
                what, changes = f"{operation} {text(path)}", True
            case SetStat(path):
                what, changes = f"setstat {text(path)}", True
            case SetHandle() | Copy() | Write():
                what, changes = type(request).__name__.lower(), True
            case Read():
                what, reads = "read", True
            case _:
                return None
        if changes and not self._upload:
            return Fx.PERMISSION_DENIED, f"sftp {what}", "upload is not granted"
        if reads and not self._download:
            return Fx.PERMISSION_DENIED, f"sftp {what}", "download is not granted"
        return None

    def _unknown_extension(self, packet: Packet) -> str | None:
        fields = packet.fields()
        fields.uint32()
        name = fields.string(MAX_NAME)
        return None if name in EXTENSIONS or name in HARMLESS else text(name)

    def _refuse(self, packet: Packet, code: Fx, what: str, reason: str) -> Event:
        self._answers += status(packet.fields().uint32(), code, f"watchgate: {reason}")
        if len(self._answers) > MAX_ANSWERS:
            raise UnreadableError("too many requests that are not granted")
        return ChannelRefused(what, reason, self._channel)

    def _ready_answers(self) -> bytes:
        """The answers of ours, when the target is not in the middle of one of its own."""
        if not self._answers or not self._reader.answers.between:
            return b""
        answers = bytes(self._answers)
        self._answers.clear()
        return answers

    def _interleave(self, data: bytes) -> Sifted:
        """Pass *data* on, with our answers where the target's packet ends."""
        forward, events = b"", []
        while data and self._answers and self.failed is None:
            size = self._reader.answers.missing
            piece, data = data[:size], data[size:]
            events += self._reader.received(piece)
            forward += piece + self._ready_answers()
        if data and self.failed is None:
            events += self._reader.received(data)
            forward += data
        return Sifted(forward if self.failed is None else b"", b"", events)
