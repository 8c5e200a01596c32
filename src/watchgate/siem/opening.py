"""From a sink's description to its transport."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from watchgate.clock import Clock, SystemClock
from watchgate.errors import ConfigurationError
from watchgate.siem.connection import Place
from watchgate.siem.datagram import SyslogDatagrams
from watchgate.siem.https import HttpEventCollector, Https
from watchgate.siem.relp import Relp
from watchgate.siem.stream import SyslogStream
from watchgate.siem.syslog import FACILITIES, message
from watchgate.siem.tls import client_context
from watchgate.siem.transport import Body, Description, Guarantee, Transport

SYSLOG: dict[str, Callable[..., Transport]] = {
    "udp": SyslogDatagrams,
    "tcp": SyslogStream,
    "tls": SyslogStream,
    "relp": Relp,
    "relps": Relp,
}
WITH_TLS = frozenset({"tls", "relps", "https"})
SCHEMES = (*SYSLOG, "https", "http")
"""What a sink's url may begin with; `http` on the loopback only."""

PROMISES: dict[Guarantee, str] = {
    Guarantee.AT_LEAST_ONCE: "at least once: the receiver acknowledges each event, and what it does "
    "not acknowledge is sent again",
    Guarantee.RESENT: "at least once as far as resending goes: the receiver acknowledges nothing, so "
    "after a broken connection the last 30 s are sent again",
    Guarantee.BEST_EFFORT: "best effort: what is lost on the way is lost, and nobody learns of it",
}
"""What each guarantee means, for people."""


def open_transport(description: Description, clock: Clock | None = None) -> Transport:
    """The transport of a sink, not connected yet; raises ConfigurationError for what cannot be one."""
    parts = _split(description.url)
    tls = description.tls
    context = client_context(tls) if parts.scheme in WITH_TLS else None
    if parts.scheme in SYSLOG:
        assert parts.hostname is not None
        assert parts.port is not None
        place = Place(parts.hostname, parts.port, tls, context)
        return SYSLOG[parts.scheme](place, _framing(description), description.timeout)
    kind = HttpEventCollector if description.body is Body.HEC else Https
    return kind(description, context, clock or SystemClock())


def _framing(description: Description) -> Callable[..., bytes]:
    if description.facility not in FACILITIES:
        raise _wrong(f"facility {description.facility!r}", "one of " + ", ".join(FACILITIES))
    return functools.partial(
        message,
        node=description.host.node,
        app_name=description.app_name,
        facility=description.facility,
        limit=description.host.limit,
    )


def _split(url: str) -> SplitResult:
    """The parts of *url*, checked; raises ConfigurationError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _wrong(f"url {url!r}", f"an address: {error}") from error
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise _wrong(f"url {url!r}", "SCHEME://HOST:PORT with one of " + ", ".join(SCHEMES))
    if parts.username is not None or parts.password is not None:
        # Not shown: it holds a secret.
        raise _wrong("url holds a name or password", "without; a secret is set as `token`")
    if parts.scheme in SYSLOG and (port is None or parts.path.strip("/") or parts.query):
        raise _wrong(f"url {url!r}", f"{parts.scheme}://HOST:PORT and nothing behind it")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        # Without its path, which of a webhook often is the secret.
        raise _wrong(
            f"url http://{parts.hostname}", "https://; plain HTTP is for the loopback only"
        )
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wrong(what: str, expected: str) -> ConfigurationError:
    return ConfigurationError(
        f"the sink's {what} cannot be used; it must be {expected}", code="sink.settings"
    )
