"""What a forwarded stream carries, told from its first octets.

A hint for the record and for refusing a way around the gateway, not a security boundary: whoever owns
both ends of a forwarding can disguise anything as anything.
"""

from __future__ import annotations

import socket
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address

ENOUGH = 64
"""Octets from the start of a stream that are ever looked at."""


class Carries(StrEnum):
    """What a stream carries."""

    SSH = "ssh"
    RDP = "rdp"
    TLS = "tls"
    OTHER = "other"


_BANNERS = (b"SSH-2.0-", b"SSH-1.99-")  # RFC 4253 §4.2 and §5.1

_TLS_HELLO = 6
"""Octets up to and with the message type: record type, version, length, type (RFC 8446 §5.1)."""

_X224_REQUEST = 11
"""A TPKT header (RFC 1006 §6) and the fixed part of an X.224 connection request (X.224 §13.3)."""


def classify(first: bytes) -> Carries | None:
    """What a stream carries whose octets so far, in one direction, are *first*; None asks for more.

    SSH is told from either side, RDP and TLS from the side that connects.
    """
    first = first[:ENOUGH]
    if not first:
        return None
    for looks in (_ssh, _rdp, _tls):
        verdict = looks(first)
        if verdict is not Carries.OTHER:
            return verdict
    return Carries.OTHER


def _ssh(first: bytes) -> Carries | None:
    if first.startswith(_BANNERS):
        return Carries.SSH
    return None if any(banner.startswith(first) for banner in _BANNERS) else Carries.OTHER


def _rdp(first: bytes) -> Carries | None:
    """A connection request over TPKT (MS-RDPBCGR §2.2.1.1): empty, or with a cookie or a negotiation.

    Industrial protocols begin the same way, but with parameters (0xC0 and on) in that place.
    """
    if not b"\x03\x00".startswith(first[:2]):
        return Carries.OTHER
    if len(first) < _X224_REQUEST:
        return None if first[5:6] in (b"", b"\xe0") else Carries.OTHER
    length = int.from_bytes(first[2:4], "big")
    if first[5] != 0xE0 or first[4] != length - 5 or length < _X224_REQUEST:
        return Carries.OTHER
    if length == _X224_REQUEST:
        return Carries.RDP
    if len(first) == _X224_REQUEST:
        return None
    return Carries.OTHER if first[_X224_REQUEST] >= 0xC0 else Carries.RDP


def _tls(first: bytes) -> Carries | None:
    """A handshake record of version 3.x that begins with a ClientHello (RFC 8446 §4.1.2)."""
    if len(first) < _TLS_HELLO:
        return (
            None if b"\x16\x03".startswith(first[:2]) and first[2:3] <= b"\x04" else Carries.OTHER
        )
    hello = first[:2] == b"\x16\x03" and first[2] <= 4 and first[5] == 1
    return Carries.TLS if hello else Carries.OTHER


def is_loopback(host: str) -> bool:
    """Whether a host that a client names for a forwarding is, for the target, the target itself.

    In every spelling that a resolver takes: `localhost`, `127.1`, `0`, `::ffff:127.0.0.1`. A name that
    only DNS knows is not resolved here: the target may resolve it otherwise.
    """
    name = host.strip("[]").rstrip(".").lower()
    if name in ("", "localhost") or name.endswith(".localhost"):
        return True
    try:
        address: IPv4Address | IPv6Address = IPv4Address(socket.inet_aton(name))
    except (OSError, ValueError):
        try:
            address = IPv6Address(name.partition("%")[0])
        except ValueError:
            return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    address = mapped or address
    return address.is_loopback or address.is_unspecified
