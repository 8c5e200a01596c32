"""The recording format `.wgr`: octets to frames and records, and back.

Specified in docs/formats/recording.md. This module knows the layout and the chain; it holds no keys,
opens no files and waits for nothing. All integers are little-endian.

    file  = MAGIC | u32 length | header (JSON) | signature (64) | frame*
    frame = frame header (28) | body | u32 CRC-32 of frame header and body
    chain = SHA-256 of everything before the first frame, then of chain | frame header | body
"""

from __future__ import annotations

import hashlib
import json
import struct
import uuid
import zlib
from binascii import crc_hqx
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any

from watchgate.session.model import FailurePolicy
from watchgate.session.ports import RecordingRequest, RecordKind

MAGIC = b"\x89WGR\r\n\x1a\n"
"""As PNG's: the high bit, CR LF, ^Z and LF show what a transfer in text mode did to the file."""

FORMAT = 1
SUFFIX = ".wgr"
KEY_SUFFIX = ".key"

HEADER_LIMIT = 64 * 1024
SIGNATURE_SIZE = 64
CHAIN_SIZE = 32
TAG_SIZE = 16
RAW_LIMIT = 4 * 1024 * 1024
"""Most octets of records in one frame; a reader refuses more before it decompresses."""
BODY_LIMIT = RAW_LIMIT + 64 * 1024
BATCH_LIMIT = 16 * 1024 * 1024
"""Most octets of records in one batch, the unit in which a reader sorts."""
RECORDS_LIMIT = 1 << 17
"""Most records in one batch."""
NOTE_LIMIT = 64 * 1024
WINDOW_LIMIT = 1 << 20
"""Largest zstd window that a reader must grant."""
INDEX_LIMIT = 512
"""Most entries of an index; a longer recording keeps every second, fourth, … segment."""

_PREFIX = struct.Struct("<8sI")
_FRAME = struct.Struct("<IBBHQQI")
_CRC = struct.Struct("<I")
_CHECKPOINT = struct.Struct("<QQ32s64s")
_INDEX_ENTRY = struct.Struct("<QQ32s")

PREFIX_SIZE = _PREFIX.size
FRAME_HEADER_SIZE = _FRAME.size
CRC_SIZE = _CRC.size
CHECKPOINT_SIZE = _CHECKPOINT.size
SEAL_SIZE = FRAME_HEADER_SIZE + CHECKPOINT_SIZE + CRC_SIZE
"""A sealed file ends in a frame of exactly this many octets."""

_CHECKPOINT_DOMAIN = b"watchgate checkpoint v1\0"
_HEADER_DOMAIN = b"watchgate recording header v1\0"

ALGORITHMS = {
    "chain": "sha256",
    "checksum": "crc32",
    "cipher": "aes-256-gcm",
    "compression": "zstd",
    "derivation": "hkdf-sha256",
    "signature": "ed25519",
}


class FrameType(IntEnum):
    """What a frame's body is; a reader skips types that it does not know."""

    MAIN = 1
    INPUT = 2
    CHECKPOINT = 3
    INDEX = 4
    NOTE = 5


class Flag(IntFlag):
    """What is special about a frame."""

    BATCH_END = 1
    """The last frame of one flush: all records before it are older than all after it."""
    SEGMENT = 2
    """MAIN: a new zstd stream begins here, so reading can begin here."""
    STORED = 4
    """INPUT: the records are not compressed."""
    SEAL = 8
    """CHECKPOINT: nothing follows."""
    RECOVERED = 16
    """CHECKPOINT: signed by the gateway's evidence key after a crash, not by the recording's own."""
    SKIP = 32
    """*seq* jumps: the numbers between were spent on frames that could not be written."""


@dataclass(frozen=True, slots=True)
class Record:
    """One thing in a recording: what passed, when (microseconds after its start), on which channel."""

    t_us: int
    kind: RecordKind
    channel: int
    data: bytes


@dataclass(frozen=True, slots=True)
class RecordingHeader:
    """What a recording says of itself in clear, signed by the gateway's evidence key."""

    recording: str
    session: str
    node: str
    protocol: str
    operator: str
    account: str
    target: str
    client: str
    grant: str
    started_at_us: int
    policy_digest: str
    on_failure: str
    version: str
    """The Watchgate that wrote it."""
    public_key: bytes
    """Verifies this recording's checkpoints (Ed25519, 32 octets)."""
    evidence_key: str
    """Fingerprint of the evidence key that signed this header."""

    @property
    def identity(self) -> bytes:
        """The recording's id as 16 octets."""
        return uuid.UUID(self.recording).bytes

    def request(self) -> RecordingRequest:
        """What the recording was asked to be, as it says of itself.

        A failure policy of a later version reads as `close`, the strictest.
        """
        known = set(FailurePolicy)
        policy = FailurePolicy(self.on_failure) if self.on_failure in known else FailurePolicy.CLOSE
        values = {name: getattr(self, name) for name in _REQUEST_FIELDS}
        return RecordingRequest(**{**values, "on_failure": policy})

    def to_json(self) -> bytes:
        """Canonical JSON: ASCII, sorted keys, no spaces."""
        values: dict[str, Any] = {name: getattr(self, name) for name in _HEADER_FIELDS}
        values["public_key"] = self.public_key.hex()
        values["algorithms"] = ALGORITHMS
        values["format"] = FORMAT
        return canonical(values)

    @classmethod
    def from_json(cls, octets: bytes) -> RecordingHeader:
        """The inverse; raises ValueError for anything else, unknown fields are skipped."""
        values = json.loads(octets)
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise ValueError("not a header of format 1")
        try:
            known = {name: values[name] for name in _HEADER_FIELDS}
            header = cls(**{**known, "public_key": bytes.fromhex(known["public_key"])})
        except (KeyError, TypeError) as error:
            raise ValueError(f"header field {error}") from error
        if len(header.public_key) != 32 or not isinstance(header.started_at_us, int):
            raise ValueError("header field of a wrong shape")
        uuid.UUID(header.recording)
        return header


_HEADER_FIELDS = tuple(RecordingHeader.__dataclass_fields__)
_REQUEST_FIELDS = tuple(RecordingRequest.__dataclass_fields__)


def canonical(values: dict[str, Any]) -> bytes:
    """JSON with one form per value."""
    return json.dumps(values, sort_keys=True, separators=(",", ":")).encode("ascii")


def header_prefix(header: RecordingHeader) -> bytes:
    """Magic, length and header: what the evidence key signs and the signature follows."""
    text = header.to_json()
    if len(text) > HEADER_LIMIT:
        raise ValueError(f"a header of {len(text)} octets, more than {HEADER_LIMIT}")
    return _PREFIX.pack(MAGIC, len(text)) + text


def header_length(prefix: bytes) -> int | None:
    """How many octets of JSON follow these `PREFIX_SIZE`; None when this is no recording."""
    magic, length = _PREFIX.unpack(prefix)
    if magic != MAGIC or length > HEADER_LIMIT:
        return None
    return int(length)


def header_message(prefix: bytes) -> bytes:
    """What the signature of a header covers."""
    return _HEADER_DOMAIN + prefix


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """The 28 octets before every body."""

    type: int
    flags: int
    seq: int
    t_us: int
    raw_length: int
    body_length: int

    def pack(self) -> bytes:
        """The octets, with a CRC-16 of their own: a wrong length is noticed before it is believed."""
        head = self._pack(0)
        return self._pack(crc_hqx(head, 0xFFFF))

    def _pack(self, check: int) -> bytes:
        return _FRAME.pack(
            self.body_length, self.type, self.flags, check, self.seq, self.t_us, self.raw_length
        )

    @classmethod
    def parse(cls, octets: bytes) -> FrameHeader | None:
        """The header in 28 *octets*, or None when its CRC-16 or its lengths cannot be."""
        length, kind, flags, check, seq, t_us, raw = _FRAME.unpack(octets)
        header = cls(kind, flags, seq, t_us, raw, length)
        if crc_hqx(header._pack(0), 0xFFFF) != check or length > BODY_LIMIT or raw > RAW_LIMIT:
            return None
        return header

    @property
    def size(self) -> int:
        """Octets of the whole frame."""
        return FRAME_HEADER_SIZE + self.body_length + CRC_SIZE

    def has(self, flag: Flag) -> bool:
        """Whether *flag* is set."""
        return bool(self.flags & flag)


def frame_crc(head: bytes, body: bytes) -> bytes:
    """The CRC-32 that ends a frame: it tells a torn tail without any key."""
    return _CRC.pack(zlib.crc32(body, zlib.crc32(head)))


def chain_start(preamble: bytes) -> bytes:
    """The chain before the first frame; *preamble* is magic, length, header and signature."""
    return hashlib.sha256(preamble).digest()


def chain_next(chain: bytes, head: bytes, body: bytes) -> bytes:
    """The chain after a frame."""
    digest = hashlib.sha256(chain + head)
    digest.update(body)
    return digest.digest()


def nonce(header: FrameHeader) -> bytes:
    """The AES-GCM nonce of a DATA frame: type and number, so it never repeats under a key."""
    return struct.pack("<IQ", header.type, header.seq)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signature over everything before it."""

    wall_us: int
    index_offset: int
    """Where the INDEX frame begins; 0 when there is none."""
    chain: bytes
    signature: bytes

    def pack(self) -> bytes:
        """The body of a CHECKPOINT frame."""
        return _CHECKPOINT.pack(self.wall_us, self.index_offset, self.chain, self.signature)

    @classmethod
    def parse(cls, body: bytes) -> Checkpoint | None:
        """The inverse of `pack`; None when the length is wrong."""
        if len(body) != CHECKPOINT_SIZE:
            return None
        return cls(*_CHECKPOINT.unpack(body))


def checkpoint_message(
    identity: bytes, header: FrameHeader, wall_us: int, index_offset: int, chain: bytes
) -> bytes:
    """What a checkpoint's signature covers: domain, recording, place, time and chain."""
    place = struct.pack("<BQQQQ", header.flags, header.seq, header.t_us, wall_us, index_offset)
    return _CHECKPOINT_DOMAIN + identity + place + chain


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """Where a segment begins: enough to decrypt from there."""

    t_us: int
    offset: int
    chain: bytes
    """The chain before the segment's first frame."""


def pack_index(entries: Sequence[IndexEntry]) -> bytes:
    """The body of an INDEX frame."""
    return b"".join(_INDEX_ENTRY.pack(e.t_us, e.offset, e.chain) for e in entries)


def parse_index(body: bytes) -> list[IndexEntry]:
    """The inverse of `pack_index`; raises ValueError when the length is wrong."""
    if len(body) % _INDEX_ENTRY.size:
        raise ValueError("an index of a wrong length")
    return [IndexEntry(*fields) for fields in _INDEX_ENTRY.iter_unpack(body)]


def parse_note(body: bytes) -> dict[str, Any]:
    """The JSON object of a NOTE frame; an empty one when it is not readable."""
    if len(body) > NOTE_LIMIT:
        return {}
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def varint(value: int) -> bytes:
    """*value* in groups of seven bits, least first (LEB128)."""
    if value < 0x80:
        return bytes((value,))
    octets = bytearray()
    while value >= 0x80:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def encode_records(records: Iterable[tuple[int, int, int, bytes]], t_us: int) -> bytes:
    """Records `(t_us, kind, channel, data)` as the plain text of a frame that begins at *t_us*."""
    parts: list[bytes] = []
    for at, kind, channel, data in records:
        parts.append(b"%b%c%b%b" % (varint(at - t_us), kind, varint(channel), varint(len(data))))
        parts.append(data)
        t_us = at
    return b"".join(parts)


def decode_records(raw: bytes, t_us: int) -> Iterator[Record]:
    """The records of a frame that begins at *t_us*; raises ValueError on anything malformed.

    Kinds that this version does not know are skipped.
    """
    position = count = 0
    while position < len(raw):
        count += 1
        if count > RECORDS_LIMIT:
            raise ValueError("more records than are ever written at once")
        delta, position = _take_varint(raw, position)
        if position >= len(raw):
            raise ValueError("a record without a kind")
        kind = raw[position]
        channel, position = _take_varint(raw, position + 1)
        length, position = _take_varint(raw, position)
        end = position + length
        if end > len(raw):
            raise ValueError("a record longer than its frame")
        t_us += delta
        if kind in _KINDS:
            yield Record(t_us, _KINDS[kind], channel, raw[position:end])
        position = end


_KINDS = {int(kind): kind for kind in RecordKind}


def _take_varint(raw: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(raw) and shift < 64:
        octet = raw[position]
        position += 1
        value |= (octet & 0x7F) << shift
        if octet < 0x80:
            return value, position
        shift += 7
    raise ValueError("a number that does not end")
