from __future__ import annotations

import pytest

from watchgate.catalog import hosts
from watchgate.errors import ConfigurationError


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("WEB1.Corp.", "web1.corp"),
        ("10.0.0.5", "10.0.0.5"),
        ("::ffff:10.0.0.5", "10.0.0.5"),
        ("[2001:DB8:0:0::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("my_host", "my_host"),
    ],
)
def test_one_place_has_one_form(written: str, normal: str) -> None:
    assert hosts.checked(written) == normal


@pytest.mark.parametrize(
    "host", ["", ".", "a b", "-a", "a..b", "a/b", "a:b:c:zz", "x" * 64, "a." * 130, "ho\nst", "ü"]
)
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError, match="neither a host name nor an IP address"):
        hosts.checked(host)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_what_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(ConfigurationError, match="is not a port"):
        hosts.checked_port(port)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("web1", ("web1", None)),
        ("web1:2222", ("web1", 2222)),
        ("10.0.0.5:22", ("10.0.0.5", 22)),
        ("2001:db8::1", ("2001:db8::1", None)),
        ("[2001:db8::1]:22", ("[2001:db8::1]", 22)),
        ("[2001:db8::1]", ("[2001:db8::1]", None)),
        ("web1:0", ("web1:0", None)),
        ("web1:99999", ("web1:99999", None)),
        ("web1:" + "9" * 5000, ("web1:" + "9" * 5000, None)),
        ("web1:٢٢", ("web1:٢٢", None)),
    ],
)
def test_host_and_port_are_split(text: str, parts: tuple[str, int | None]) -> None:
    assert hosts.split(text) == parts
