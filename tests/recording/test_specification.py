"""A second reader, written from docs/formats/recording.md and sharing nothing with Watchgate's own."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import uuid
import zlib
from binascii import crc_hqx
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

DATA = Path(__file__).with_name("data")
Records = list[list[object]]


def varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (raw[at] & 0x7F) << shift
        at += 1
        if raw[at - 1] < 0x80:
            return value, at
        shift += 7


def records(raw: bytes, time: int) -> Iterator[list[object]]:
    at = 0
    while at < len(raw):
        delta, at = varint(raw, at)
        kind = raw[at]
        channel, at = varint(raw, at + 1)
        length, at = varint(raw, at)
        time += delta
        yield [time, kind, channel, raw[at : at + length].hex()]
        at += length


def read(octets: bytes, data_key: bytes, evidence: bytes) -> tuple[dict[str, object], Records]:
    assert octets[:8] == b"\x89WGR\r\n\x1a\n"
    (length,) = struct.unpack_from("<I", octets, 8)
    at = 12 + length + 64
    header = json.loads(octets[12 : 12 + length])
    Ed25519PublicKey.from_public_bytes(evidence).verify(
        octets[12 + length : at], b"watchgate recording header v1\0" + octets[: 12 + length]
    )
    identity = uuid.UUID(header["recording"]).bytes
    own = Ed25519PublicKey.from_public_bytes(bytes.fromhex(header["public_key"]))
    ciphers = {
        kind: AESGCM(HKDF(SHA256(), 32, identity, b"watchgate " + name).derive(data_key))
        for kind, name in ((1, b"main"), (2, b"input"))
    }
    chain = hashlib.sha256(octets[:at]).digest()
    found: Records = []
    batch: Records = []
    stream = zstandard.ZstdDecompressor().decompressobj()
    flags = number = 0
    while at < len(octets):
        head = octets[at : at + 28]
        size, kind, flags, check, seq, time, raw_size = struct.unpack("<IBBHQQI", head)
        assert crc_hqx(head[:6] + b"\0\0" + head[8:], 0xFFFF) == check
        body = octets[at + 28 : at + 28 + size]
        assert struct.unpack_from("<I", octets, at + 28 + size) == (zlib.crc32(head + body),)
        assert seq == number
        if kind in ciphers:
            plain = ciphers[kind].decrypt(struct.pack("<IQ", kind, seq), body, head + chain)
            if kind == 1 and flags & 2:
                stream = zstandard.ZstdDecompressor().decompressobj()
            if kind == 1:
                plain = stream.decompress(plain)
            elif not flags & 4:
                plain = zstandard.ZstdDecompressor().decompressobj().decompress(plain)
            assert len(plain) == raw_size
            batch += records(plain, time)
        if kind == 3:
            wall, index, signed, signature = struct.unpack("<QQ32s64s", body)
            assert signed == chain
            place = struct.pack("<BQQQQ", flags, seq, time, wall, index)
            message = b"watchgate checkpoint v1\0" + identity + place + chain
            own.verify(signature, message)
        if flags & 1 or kind not in ciphers:
            found += sorted(batch, key=lambda record: record[0])  # type: ignore[arg-type, return-value]
            batch = []
        chain = hashlib.sha256(chain + head + body).digest()
        at += 28 + size + 4
        number = seq + 1
    assert flags & 8, "not sealed"
    return header, found


@pytest.mark.parametrize("version", sorted(path.stem for path in DATA.glob("*.wgr")))
def test_the_specification_is_enough_to_read_a_recording(version: str) -> None:
    identity = pyrage.x25519.Identity.from_str(
        (DATA / f"{version}.identity").read_text().splitlines()[1]
    )
    line = pyrage.decrypt((DATA / f"{version}.key").read_bytes(), [identity])
    label, recording, key = line.decode().split()
    evidence = base64.b64decode((DATA / f"{version}.evidence.pub").read_text().split()[1])

    header, found = read((DATA / f"{version}.wgr").read_bytes(), base64.b64decode(key), evidence)

    expected = json.loads((DATA / f"{version}.expected.json").read_text())
    assert (label, recording) == ("watchgate-data-key-v1", header["recording"])
    assert header == expected["header"]
    assert found == expected["records"]
