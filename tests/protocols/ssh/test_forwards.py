"""What a forwarded stream carries, told from its first octets."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.protocols.ssh.forwards import ENOUGH, Carries, classify, is_loopback

COOKIE = b"Cookie: mstshash=alice\r\n"


def client_hello() -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    connection = context.wrap_bio(incoming, outgoing, server_hostname="example.org")
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    return outgoing.read()


def x224(body: bytes, length: int | None = None) -> bytes:
    size = 11 + len(body) if length is None else length
    return b"\x03\x00" + size.to_bytes(2, "big") + bytes([size - 5, 0xE0, 0, 0, 0, 0, 0]) + body


CASES = [
    (b"SSH-2.0-OpenSSH_9.2p1\r\n", Carries.SSH),
    (b"SSH-1.99-Cisco\n", Carries.SSH),
    (x224(b""), Carries.RDP),
    (x224(COOKIE), Carries.RDP),
    (x224(bytes.fromhex("0100080003000000")), Carries.RDP),
    (client_hello(), Carries.TLS),
    (b"SSH-3.0-x", Carries.OTHER),
    (b"GET / HTTP/1.1\r\n", Carries.OTHER),
    (b"\x00\x00\x00\x08\x04\xd2\x16\x2f", Carries.OTHER),
    (x224(bytes.fromhex("c1020100c2020102c0010a")), Carries.OTHER),
    (b"\x03\x00\x00\x10\x0b\xd0\0\0\0\0\0", Carries.OTHER),
    (x224(COOKIE, length=12) + b"x", Carries.RDP),
    (b"\x03\x00\x00\x13\x00\xe0\0\0\0\0\0", Carries.OTHER),
    (b"\x16\x03\x01\x02\x00\x02", Carries.OTHER),
    (b"\x16\x02\x01\x02\x00\x01", Carries.OTHER),
    (b"\x16\x03\x09\x02\x00\x01", Carries.OTHER),
]


@pytest.mark.parametrize(("first", "expected"), CASES)
def test_a_stream_is_told_by_its_first_octets(first: bytes, expected: Carries) -> None:
    assert classify(first) is expected


@pytest.mark.parametrize(("first", "expected"), CASES)
def test_a_stream_is_told_octet_by_octet_and_never_told_otherwise(
    first: bytes, expected: Carries
) -> None:
    verdicts = [classify(first[:size]) for size in range(len(first) + 1)]
    told = [verdict for verdict in verdicts if verdict is not None]

    assert verdicts[0] is None
    assert set(told) == {expected}
    assert verdicts.index(expected) <= 12


@given(st.binary(min_size=ENOUGH, max_size=ENOUGH + 40))
def test_enough_octets_always_give_a_verdict(first: bytes) -> None:
    assert classify(first) is not None
    assert classify(first) is classify(first[:ENOUGH])


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *[(host, True) for host in ("", "localhost", "LOCALHOST.", "web.localhost", "127.0.0.1")],
        *[(host, True) for host in ("127.8.9.1", "127.1", "0", "0.0.0.0", "2130706433", "0x7f.1")],  # noqa: S104 - names, not a bind
        *[(host, True) for host in ("::1", "[::1]", "::", "::ffff:127.0.0.1", "::1%lo")],
        *[(host, False) for host in ("10.0.0.1", "128.0.0.1", "fe80::1%eth0", "web1", "a\0b", "ä")],
    ],
)
def test_the_target_itself_is_known_in_every_spelling(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
