"""What a sink's description may be, and the files that its TLS needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from watchgate.errors import ConfigurationError
from watchgate.secret import Secret
from watchgate.siem.https import HttpEventCollector, Https
from watchgate.siem.opening import PROMISES, SCHEMES, open_transport
from watchgate.siem.relp import Relp
from watchgate.siem.stream import SyslogStream
from watchgate.siem.transport import Body, Description, Guarantee, Tls

from .facts import HOST
from .servers import Certificates


@pytest.mark.parametrize(
    ("url", "options", "kind"),
    [
        ("tcp://siem:514", {}, SyslogStream),
        ("tls://[2001:db8::1]:6514", {}, SyslogStream),
        ("relps://siem:20514", {}, Relp),
        ("https://siem/hook?x=1", {}, Https),
        ("https://siem:8088", {"body": Body.HEC}, HttpEventCollector),
        ("http://localhost:8088", {}, Https),
        ("http://[::1]:8088", {}, Https),
    ],
)
def test_an_address_names_its_transport(url: str, options: dict[str, Any], kind: type) -> None:
    assert type(open_transport(Description(url, HOST, **options))) is kind


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("siem:514", "SCHEME://HOST:PORT"),
        ("ftp://siem:21", "udp, tcp, tls, relp, relps, https"),
        ("tcp://siem", "tcp://HOST:PORT"),
        ("tcp://siem:99999", "an address"),
        ("tcp://[::1:514", "an address"),
        ("tcp://siem:514/path", "nothing behind it"),
        ("https://", "SCHEME://HOST:PORT"),
        ("http://siem.example/hook", "plain HTTP is for the loopback only"),
        ("http://127.0.0.1.evil.example/", "loopback only"),
    ],
)
def test_an_address_that_cannot_be_one_says_what_it_must_be(url: str, expected: str) -> None:
    with pytest.raises(ConfigurationError, match=expected) as caught:
        open_transport(Description(url, HOST))
    assert caught.value.code == "sink.settings"


def test_a_secret_in_an_address_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigurationError, match="`token`") as caught:
        open_transport(Description("https://user:hunter2@siem/", HOST))
    assert "hunter2" not in str(caught.value)


def test_an_unknown_facility_names_those_that_there_are() -> None:
    with pytest.raises(ConfigurationError, match="authpriv"):
        open_transport(Description("tcp://siem:514", HOST, facility="local9"))


@pytest.mark.parametrize(
    "tls",
    [
        Tls(ca=Path("/nowhere/ca.pem")),
        Tls(certificate=Path("/nowhere/client.pem")),
        Tls(pin="no hex"),
        Tls(pin="ab:cd"),
    ],
)
def test_tls_that_cannot_be_set_up_is_told_before_it_is_used(tls: Tls) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_transport(Description("tls://siem:6514", HOST, tls=tls))
    assert caught.value.code == "sink.tls"


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("hello")

    with pytest.raises(ConfigurationError, match=str(file)):
        open_transport(Description("tls://siem:6514", HOST, tls=Tls(ca=file)))


def test_a_key_of_another_certificate_is_refused(certificates: Certificates) -> None:
    tls = Tls(certificate=certificates.client, key=certificates.server_key)

    with pytest.raises(ConfigurationError, match="cannot be used"):
        open_transport(Description("tls://siem:6514", HOST, tls=tls))


def test_a_description_does_not_show_its_secrets() -> None:
    description = Description("https://siem/", HOST, token=Secret("t0k"), signing_key=Secret("k3y"))

    assert "t0k" not in repr(description)
    assert "k3y" not in repr(description)


def test_every_guarantee_and_scheme_has_words() -> None:
    assert set(PROMISES) == set(Guarantee)
    assert SCHEMES == ("udp", "tcp", "tls", "relp", "relps", "https", "http")
