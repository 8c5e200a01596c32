r"""What sshd says when it let somebody in (auth.c, `auth_log`; auth2-pubkey.c for certificates).

The whole message is anchored, from `Accepted` to its end. Names in `Failed` and `Invalid user` lines are
whatever an attacker typed; they stand behind other words and never begin a message. sshd writes octets
that do not print as `\012` (vis(3)), so a name cannot break a line either.

A key id is the choice of whoever signed the certificate, and may hold anything: what stands before it is
read from the left, what stands behind it from the right.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

from watchgate.reports.coverage.model import UNKNOWN_SOURCE, Accepted

PROGRAMS = frozenset({"sshd", "sshd-session", "sshd-auth"})
"""As it calls itself; since OpenSSH 9.8 sessions are a program of their own."""

_BEGIN = re.compile(r"Accepted ([a-z][a-z0-9-]{0,30}(?:/[a-z0-9-]{1,30})?) for ")
_SOURCE = re.compile(r" from ([0-9A-Za-z.:%_-]{1,64}) port (\d{1,5}) ssh2(: |\Z)")
_DIGEST = r"(?:SHA\d{1,3}:[A-Za-z0-9+/=]{1,128}|(?:MD5:)?[0-9a-f]{2}(?::[0-9a-f]{2}){15,19})"
_KEY = re.compile(rf"[A-Z0-9-]{{1,40}} ({_DIGEST})(?:, .*)?", re.DOTALL)
_CERTIFICATE = re.compile(rf"[A-Z0-9-]{{1,40}}-CERT ({_DIGEST}) ID ")
_SIGNED = re.compile(rf" \(serial \d{{1,20}}\) CA [A-Z0-9-]{{1,40}} ({_DIGEST})(?:, |\Z)")
_ESCAPED = re.compile(rb"\\(\\|[0-3][0-7]{2})")
_LONGEST_ACCOUNT = 100
"""sshd cuts a name there."""


def begins_login(message: str) -> bool:
    """Whether *message* is about a login that sshd let in, readable or not."""
    return _BEGIN.match(message) is not None


def read_message(message: str) -> Accepted | None:
    """The login that *message* tells; None when it tells none, or not in the words that sshd has."""
    begin = _BEGIN.match(message)
    if begin is None:
        return None
    # The first that fits: a name of an account that exists is not an attacker's choice, a key id may be.
    where = _SOURCE.search(message, begin.end())
    if where is None:
        return None
    account = message[begin.end() : where.start()]
    source, port = _source(where[1]), int(where[2])
    if not 0 < len(account) <= 4 * _LONGEST_ACCOUNT or account.startswith("invalid user "):
        return None
    if source is None or port > 65535:
        return None
    fingerprint, key_id, authority = _proof(begin[1], message[where.end() :])
    return Accepted(_plain(account), begin[1], source, port, key_id, fingerprint, authority)


@lru_cache(4096)
def _source(text: str) -> str | None:
    """An address in one form, as the gateway's own addresses are written."""
    if text == UNKNOWN_SOURCE:
        return text
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def _proof(method: str, extra: str) -> tuple[str | None, str | None, str | None]:
    """Fingerprint, key id and CA; what is not in sshd's words, or was cut off, is nothing of these."""
    if method not in ("publickey", "hostbased"):
        return None, None, None
    if certificate := _CERTIFICATE.match(extra):
        endings = list(_SIGNED.finditer(extra, certificate.end()))
        if not endings:
            return certificate[1], None, None
        signed = endings[-1]
        return certificate[1], _plain(extra[certificate.end() : signed.start()]), signed[1]
    key = _KEY.fullmatch(extra)
    return (key[1] if key else None), None, None


def _plain(text: str) -> str:
    """*text* with vis(3) undone where that gives printable text: `CORP\\\\admin`, `J\\303\\266rg`."""
    if "\\" not in text:
        return text
    octets = _ESCAPED.sub(
        lambda found: b"\\" if found[1] == b"\\" else bytes((int(found[1], 8),)),
        text.encode("utf-8", "surrogateescape"),
    )
    try:
        plain = octets.decode("utf-8")
    except UnicodeDecodeError:
        return text
    return plain if plain.isprintable() else text
