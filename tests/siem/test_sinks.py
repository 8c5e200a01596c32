"""Sinks as the settings have them: each key read, each mistake named, no secret shown."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from watchgate import settings
from watchgate.errors import ConfigurationError
from watchgate.siem.fact import Host
from watchgate.siem.filters import Filter
from watchgate.siem.opening import SCHEMES, open_transport
from watchgate.siem.sinks import FORMATS, KEYS, Reference, Sink, show_sinks
from watchgate.siem.status import GUARANTEES, guarantee_of
from watchgate.siem.transport import Body, Tls
from watchgate.siem.views import VIEWS

HOST = Host("gate1", "1.0")
PIN = "ab" * 32


def loaded(data: Path, *lines: str) -> settings.Settings:
    text = "\n".join(["[siem]", "[[siem.sinks]]", *lines]) + "\n"
    (data / settings.FILE_NAME).write_text(text)
    return settings.load(data, environment={})


def only(data: Path, *lines: str) -> Sink:
    (sink,) = loaded(data, *lines).siem.sinks
    return sink


def test_every_key_is_read(tmp_path: Path) -> None:
    sink = only(
        tmp_path,
        'name = "splunk"',
        'url = "https://splunk.example:8088/services/collector/event"',
        'format = "ecs"',
        'kinds = ["session.*", "!session.claimed"]',
        "minimum_severity = 5",
        'operators = ["al*"]',
        'targets = ["web1"]',
        'facility = "local3"',
        'app_name = "gate"',
        'ca = "siem/ca.pem"',
        'certificate = "/etc/client.pem"',
        'key = "/etc/client.key"',
        'server_name = "splunk"',
        f'pin = "{":".join(["AB"] * 32)}"',
        'body = "hec"',
        'token = "file:siem/token"',
        'signing_key = "env:SIGNING"',
        'timeout = "5s"',
    )

    assert sink == Sink(
        name="splunk",
        url="https://splunk.example:8088/services/collector/event",
        format="ecs",
        filter=Filter(("session.*", "!session.claimed"), 5, ("al*",), ("web1",)),
        facility="local3",
        app_name="gate",
        tls=Tls(
            tmp_path / "siem/ca.pem",
            Path("/etc/client.pem"),
            Path("/etc/client.key"),
            "splunk",
            PIN,
        ),
        body=Body.HEC,
        token=Reference("file", "siem/token"),
        signing_key=Reference("env", "SIGNING"),
        timeout=5.0,
    )


def test_a_name_and_a_url_are_enough(tmp_path: Path) -> None:
    assert only(tmp_path, 'name = "a"', 'url = "tcp://[::1]:514"') == Sink("a", "tcp://[::1]:514")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (('url = "udp://h:1"',), "sink 1: name is missing; it must be letters"),
        (('name = "a"',), "sink 'a': url is missing; it must be SCHEME://HOST:PORT"),
        (('name = "a b"', 'url = "udp://h:1"'), "sink 'a b': name cannot be 'a b'"),
        (('name = "a"', 'url = "udp://h"'), "sink 'a': url cannot be what it is; it must be"),
        (('name = "a"', 'url = "ftp://h:1"'), "udp, tcp, tls, relp or relps"),
        (('name = "a"', 'url = "http://h/x"'), "plain http:// is for this machine only"),
        (
            ('name = "a"', 'url = "udp://h:1"', 'format = "xml"'),
            "cannot be 'xml'; it must be one of cef",
        ),
        (
            ('name = "a"', 'url = "udp://h:1"', 'formt = "cef"'),
            "no key 'formt'; did you mean format?",
        ),
        (('name = "a"', 'url = "udp://h:1"', 'kinds = ["Session"]'), "a pattern such as session.*"),
        (('name = "a"', 'url = "udp://h:1"', "minimum_severity = 11"), "from 0 to 10"),
        (('name = "a"', 'url = "udp://h:1"', "minimum_severity = true"), "from 0 to 10"),
        (('name = "a"', 'url = "udp://h:1"', 'facility = "x"'), "it must be one of kern"),
        (('name = "a"', 'url = "udp://h:1"', 'app_name = "a b"'), "without spaces"),
        (('name = "a"', 'url = "udp://h:1"', 'ca = "ca.pem"'), "ca is for tls://"),
        (('name = "a"', 'url = "relp://h:1"', 'token = "env:X"'), "token is for https://"),
        (('name = "a"', 'url = "tls://h:1"', 'key = "k"'), "key needs the certificate"),
        (('name = "a"', 'url = "tls://h:1"', 'pin = "ab"'), "fingerprint of a certificate"),
        (('name = "a"', 'url = "https://h/x"', 'body = "xml"'), "one of hec, array, lines"),
        (('name = "a"', 'url = "https://h/x"', "timeout = 0"), "at least 1s, at most 2min"),
    ],
)
def test_a_mistake_names_file_sink_key_and_what_is_expected(
    tmp_path: Path, lines: tuple[str, ...], said: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, *lines)

    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / settings.FILE_NAME}: siem.sinks: ")


@pytest.mark.parametrize(
    "line",
    [
        'url = "https://user:hunter2@h/x"',
        'token = "hunter2"',
        'signing_key = "plain:hunter2"',
    ],
)
def test_a_secret_that_stands_where_it_must_not_is_not_shown(tmp_path: Path, line: str) -> None:
    others = ['name = "a"'] if line.startswith("url") else ['name = "a"', 'url = "https://h/x"']
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, *others, line)

    assert "hunter2" not in str(caught.value)


def test_two_sinks_of_one_name_are_refused(tmp_path: Path) -> None:
    lines = ('name = "a"', 'url = "udp://h:1"', "[[siem.sinks]]", 'name = "A"', 'url = "udp://h:2"')
    with pytest.raises(ConfigurationError, match="give each a name of its own"):
        loaded(tmp_path, *lines)


def test_something_else_than_tables_is_refused(tmp_path: Path) -> None:
    (tmp_path / settings.FILE_NAME).write_text('[siem]\nsinks = "udp://h:1"\n')
    with pytest.raises(ConfigurationError, match=r"write \[\[siem.sinks\]\]"):
        settings.load(tmp_path, environment={})


def test_the_settings_show_where_a_secret_is_and_not_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("hunter2\n")
    monkeypatch.setenv("SIGNING", "hunter3")
    sink = only(
        tmp_path,
        'name = "hook"',
        'url = "https://h/x?key=hunter4"',
        'token = "file:token"',
        'signing_key = "env:SIGNING"',
    )
    description = sink.describe(HOST, tmp_path)
    shown = show_sinks([sink])

    assert shown == "hook -> https://h/… (cef, token file:token, signing key env:SIGNING)"
    assert description.token is not None
    assert description.token.reveal_text() == "hunter2"
    assert description.signing_key is not None
    assert description.signing_key.reveal_text() == "hunter3"
    assert "hunter2" not in repr(description) + repr(sink)


@pytest.mark.parametrize("place", ["file:none", "file:empty", "file:binary", "env:NONE"])
def test_a_secret_that_is_not_there_is_said(tmp_path: Path, place: str) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    sink = only(tmp_path, 'name = "a"', 'url = "https://h/x"', f'token = "{place}"')
    with pytest.raises(ConfigurationError, match=f"the secret {place}"):
        sink.describe(HOST, tmp_path)


def test_a_secret_file_is_read_by_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(" s3cret ")
    path.chmod(stat.S_IRUSR)

    assert Reference("file", "token").read(tmp_path).reveal_text() == "s3cret"


def test_the_names_that_are_written_twice_agree() -> None:
    assert set(FORMATS) == set(VIEWS)
    assert set(GUARANTEES) == set(SCHEMES)


@pytest.mark.parametrize("scheme", sorted(GUARANTEES))
def test_what_a_transport_promises_is_what_is_said_of_it(scheme: str, tmp_path: Path) -> None:
    sink = Sink("a", f"{scheme}://127.0.0.1:5514")

    assert open_transport(sink.describe(HOST, tmp_path)).guarantee is guarantee_of(sink)


def test_every_key_says_what_it_does() -> None:
    assert all(key.sentence.endswith(".") for key in KEYS.values())
