"""A sink as the settings describe it: where events go, in which format, and which of them.

Each key is a row of `KEYS`; the reader of the settings, the reference and the messages follow from them.
Secrets are references (`file:PATH`, `env:NAME`), read when a transport is opened.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from watchgate import quantities as q
from watchgate.errors import ConfigurationError
from watchgate.secret import Secret
from watchgate.siem.fact import Host
from watchgate.siem.filters import Filter, is_kind_pattern
from watchgate.siem.syslog import FACILITIES
from watchgate.siem.transport import Body, Description, Tls

FORMATS = ("cef", "leef", "ecs", "ocsf", "json")
"""The names of `views.VIEWS`, which is not imported for reading settings."""
_SCHEMES = ("udp", "tcp", "tls", "relp", "relps", "https", "http")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PIN = re.compile(r"[0-9a-f]{64}")
_SECRET_LIMIT = 64 * 1024


class Misfit(ValueError):  # noqa: N818 - it is completed by the place and raised as a ConfigurationError
    """Which key of which sink is wrong, and what it must be."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret is, which the settings themselves do not hold."""

    kind: str
    place: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.place}"

    def read(self, data: Path, environment: Mapping[str, str] = os.environ) -> Secret:
        """The secret; raises ConfigurationError. A relative path counts from *data*."""
        found = self._in_file(data) if self.kind == "file" else environment.get(self.place, "")
        if not found:
            raise ConfigurationError(
                f"the secret {self} is empty or not there; put it in, or name another place",
                code="sink.secret",
            )
        return Secret(found)

    def _in_file(self, data: Path) -> str:
        path = data / Path(self.place).expanduser()
        try:
            with path.open(encoding="utf-8") as file:
                return file.read(_SECRET_LIMIT).strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise ConfigurationError(
                f"the secret {self} cannot be read: {reason}; "
                "it must be a file that the user who serves may read",
                code="sink.secret",
            ) from error


@dataclass(frozen=True, slots=True)
class Sink:
    """One place that events are sent to."""

    name: str
    url: str
    format: str = "cef"
    filter: Filter = field(default_factory=Filter)
    facility: str = "authpriv"
    app_name: str = "watchgate"
    tls: Tls = field(default_factory=Tls)
    body: Body = Body.LINES
    token: Reference | None = None
    signing_key: Reference | None = None
    timeout: float = 10.0

    @property
    def address(self) -> str:
        """The url without what may be secret in it: a webhook's path often is."""
        parts = urlsplit(self.url)
        behind = "/…" if parts.path.strip("/") or parts.query else ""
        return f"{parts.scheme}://{parts.netloc}{behind}"

    def anchored(self, data: Path) -> Sink:
        """With relative paths counted from *data*."""
        paths = {key: getattr(self.tls, key) for key in ("ca", "certificate", "key")}
        given = {key: data / path for key, path in paths.items() if path is not None}
        tls = replace(self.tls, **given)
        return replace(self, tls=tls)

    def describe(self, host: Host, data: Path) -> Description:
        """What a transport is opened with; raises ConfigurationError for a secret that is not there."""
        return Description(
            url=self.url,
            host=host,
            facility=self.facility,
            app_name=self.app_name,
            tls=self.tls,
            body=self.body,
            token=_secret(self.token, data),
            signing_key=_secret(self.signing_key, data),
            timeout=self.timeout,
        )


def _secret(reference: Reference | None, data: Path) -> Secret | None:
    return None if reference is None else reference.read(data)


# --- reading -----------------------------------------------------------------------------------------


def _matching(test: Callable[[str], object], expected: str, name: str = "text") -> q.Quantity[str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or not test(value):
            raise ValueError(expected)
        return value

    return q.Quantity(name, expected, read)


def _is_url(value: str) -> bool:
    parts = urlsplit(value)
    host = parts.hostname is not None and parts.username is None and parts.password is None
    return (
        parts.scheme in _SCHEMES
        and host
        and (parts.scheme in ("https", "http") or bool(parts.port))
    )


def _reference(value: object) -> Reference:
    kind, _, place = value.partition(":") if isinstance(value, str) else ("", "", "")
    if kind not in ("file", "env") or not place:
        raise ValueError("not a reference")
    return Reference(kind, place)


def _pin(value: object) -> str:
    # As openssl prints it, and as others do.
    digits = str(value).lower().removeprefix("sha256").lstrip(" :=").replace(":", "")
    if not _PIN.fullmatch(digits):
        raise ValueError("not a fingerprint")
    return digits


def _body(value: object) -> Body:
    return Body(str(value))


_REFERENCE = q.Quantity(
    "secret", '"file:PATH" or "env:NAME"; the secret itself is not written here', _reference
)
_PATTERN = _matching(
    lambda text: 0 < len(text) <= 255, "a name, or a pattern with * and ?", "pattern"
)
_KIND = _matching(
    is_kind_pattern,
    "a kind of event or a pattern such as session.*, after ! to leave it out",
    "pattern",
)
_SEVERITY = q.Quantity("number", "a whole number from 0 to 10", lambda value: _up_to(value, 10))


def _up_to(value: object, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError("not within its bounds")
    return value


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a sink's table; *default* is shown to people."""

    quantity: q.Quantity[Any]
    default: str
    sentence: str


KEYS: dict[str, Key] = {
    "name": Key(
        _matching(_NAME.fullmatch, "letters, digits, '.', '_' or '-', at most 64"),
        "",
        "What this sink is called; its place in the events is remembered by it.",
    ),
    "url": Key(
        _matching(
            _is_url,
            "SCHEME://HOST:PORT with udp, tcp, tls, relp or relps, or https://HOST/PATH, "
            "without a name or password in it",
        ),
        "",
        "Where it is, and the transport: see the guarantee of each.",
    ),
    "format": Key(q.choice(*FORMATS), "cef", "How an event is written."),
    "kinds": Key(
        q.listing(_KIND), "all", "Which kinds of events: `session.*`; `!channel.*` leaves some out."
    ),
    "minimum_severity": Key(_SEVERITY, "0", "The least severity, 0 to 10; see the mapping."),
    "operators": Key(q.listing(_PATTERN), "all", "Only events of these operators; `*` and `?` match."),
    "targets": Key(q.listing(_PATTERN), "all", "Only events about these targets; `*` and `?` match."),
    "facility": Key(q.choice(*FACILITIES), "authpriv", "The facility in syslog."),
    "app_name": Key(
        _matching(re.compile(r"[!-~]{1,48}").fullmatch, "1 to 48 printable ASCII characters without spaces"),
        "watchgate",
        "The application's name in syslog.",
    ),
    "ca": Key(q.PATH, "the system's", "A PEM file of the authorities that may sign the receiver's certificate."),
    "certificate": Key(q.PATH, "none", "Our certificate in PEM, if the receiver wants one."),
    "key": Key(q.PATH, "in `certificate`", "The private key of our certificate, in PEM."),
    "server_name": Key(
        _matching(lambda text: 0 < len(text) <= 255, "a name"),
        "the url's host",
        "The name that must be in the receiver's certificate.",
    ),
    "pin": Key(
        q.Quantity("fingerprint", "the SHA-256 fingerprint of a certificate in hex", _pin),
        "none",
        "Trust exactly the certificate with this SHA-256 fingerprint.",
    ),
    "body": Key(
        q.Quantity("choice", "one of " + ", ".join(Body), _body),
        "lines",
        "What an https sink is sent: `hec` for Splunk, a JSON `array`, or `lines`.",
    ),
    "token": Key(
        _REFERENCE, "none", "Where the token for an https sink is: `file:PATH` or `env:NAME`."
    ),
    "signing_key": Key(
        _REFERENCE, "none", "Where the key is that signs what a webhook is sent (HMAC-SHA256)."
    ),
    "timeout": Key(q.duration(1, 120), "10s", "How long each step with the receiver may take."),
}  # fmt: skip
"""Every key of `[[siem.sinks]]`."""

_FILTER = ("kinds", "minimum_severity", "operators", "targets")
_TLS = ("ca", "certificate", "key", "server_name", "pin")


def read_sinks(value: object) -> tuple[Sink, ...]:
    """The sinks of a settings file; raises Misfit."""
    if not isinstance(value, list):
        raise Misfit("must be tables: write [[siem.sinks]] and the sink's keys below it")
    sinks = tuple(_read_sink(table, number) for number, table in enumerate(value, 1))
    names = [sink.name.casefold() for sink in sinks]
    for sink in sinks:
        if names.count(sink.name.casefold()) > 1:
            raise Misfit(f"name two sinks {sink.name!r}; give each a name of its own")
    return sinks


def _read_sink(table: object, number: int) -> Sink:
    if not isinstance(table, dict):
        raise Misfit("must be tables: write [[siem.sinks]] and the sink's keys below it")
    who = f"sink {table['name']!r}" if isinstance(table.get("name"), str) else f"sink {number}"
    values = {key: _read_key(who, key, raw) for key, raw in table.items()}
    for key in ("name", "url"):
        if key not in values:
            raise Misfit(f"{who}: {key} is missing; it must be {KEYS[key].quantity.expected}")
    filtering = {key: values.pop(key) for key in _FILTER if key in values}
    tls = {key: values.pop(key) for key in _TLS if key in values}
    made = Sink(**values, filter=Filter(**filtering), tls=Tls(**tls))
    _fits(who, made, {*tls})
    return made


def _read_key(who: str, key: str, raw: object) -> Any:
    if key not in KEYS:
        near = get_close_matches(str(key), KEYS, n=1, cutoff=0.4)
        advice = f"did you mean {near[0]}?" if near else f"there are: {', '.join(KEYS)}"
        raise Misfit(f"{who}: there is no key {key!r}; {advice}")
    try:
        return KEYS[key].quantity.read(raw)
    except (ValueError, OverflowError) as error:
        # What stands where a secret's place should be may be the secret.
        shown = "what it is" if KEYS[key].quantity is _REFERENCE or key == "url" else repr(raw)
        raise Misfit(
            f"{who}: {key} cannot be {shown}; it must be {KEYS[key].quantity.expected}"
        ) from error


def _fits(who: str, sink: Sink, tls: Iterable[str]) -> None:
    """That keys which belong to one transport do not stand beside another; raises Misfit."""
    scheme = urlsplit(sink.url).scheme
    if scheme not in ("tls", "relps", "https"):
        for key in sorted(tls):
            raise Misfit(
                f"{who}: {key} is for tls://, relps:// and https://, and the url is {scheme}://"
            )
    if scheme not in ("https", "http"):
        given = {"token": sink.token, "signing_key": sink.signing_key}
        for key, reference in given.items():
            if reference is not None:
                raise Misfit(f"{who}: {key} is for https://, and the url is {scheme}://")
    host = urlsplit(sink.url).hostname or ""
    if scheme == "http" and host not in ("localhost", "::1") and not host.startswith("127."):
        raise Misfit(f"{who}: url must be https://; plain http:// is for this machine only")
    if sink.tls.key is not None and sink.tls.certificate is None:
        raise Misfit(f"{who}: key needs the certificate that it belongs to")


def show_sinks(sinks: Iterable[Sink]) -> str:
    """One line of all, without a secret."""
    return ", ".join(_shown(sink) for sink in sinks)


def _shown(sink: Sink) -> str:
    secrets = {"token": sink.token, "signing key": sink.signing_key}
    said = [f"{name} {reference}" for name, reference in secrets.items() if reference]
    return f"{sink.name} -> {sink.address} ({', '.join([sink.format, *said])})"


SINKS: q.Quantity[tuple[Sink, ...]] = q.Quantity(
    "tables",
    'tables [[siem.sinks]], each with name = "NAME", url = "SCHEME://HOST:PORT" and what else it needs',
    read_sinks,
    show_sinks,
)
