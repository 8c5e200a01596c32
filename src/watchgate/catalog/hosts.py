"""Host names and addresses in one form, so that the same place is found however it was written.

`WEB1.corp.`, `web1.corp` are one; so are `::ffff:10.0.0.5` and `10.0.0.5`, `[2001:DB8::0]` and
`2001:db8::`. No name is resolved here: an operator's name for a target must not depend on the DNS.
"""

from __future__ import annotations

import ipaddress
import re

from watchgate.errors import ConfigurationError

LONGEST = 253
"""RFC 1035 §3.1: what fits 255 octets on the wire."""

SSH_PORT = 22

_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")

IP = ipaddress.IPv4Address | ipaddress.IPv6Address


def address_of(host: str) -> IP | None:
    """The IP address that *host* is, an IPv4 address in IPv6's clothes as itself; None for a name."""
    try:
        parsed = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


def normal(host: str) -> str:
    """*host* in the form under which it is stored and found."""
    address = address_of(host)
    if address is None:
        return host.rstrip(".").lower()
    _, percent, zone = host.strip("[]").partition("%")
    return f"{address}{percent}{zone}"


def checked(host: str) -> str:
    """The normal form of a *host* that a target may have; else ConfigurationError."""
    name = normal(host)
    if address_of(name) is not None:
        return name
    labels = name.split(".")
    if not name or len(name) > LONGEST or not all(_LABEL.fullmatch(label) for label in labels):
        raise ConfigurationError(
            f"{host!r} is neither a host name nor an IP address", code="target.illegal-host"
        )
    return name


def checked_port(port: int) -> int:
    """*port* when TCP has it; else ConfigurationError."""
    if not 0 < port < 65536:
        raise ConfigurationError(
            f"{port} is not a port; ports are 1 to 65535", code="target.illegal-port"
        )
    return port


def split(text: str) -> tuple[str, int | None]:
    """Host and port of `host`, `host:port`, `[v6]:port` or `v6`; a bad port is part of the host."""
    if address_of(text) is not None:
        return text, None
    host, colon, port = text.rpartition(":")
    if colon and port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536 and len(port) <= 5:
        return host, int(port)
    return text, None
