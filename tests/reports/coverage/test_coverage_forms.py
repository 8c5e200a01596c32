"""The forms of logs, and lines that somebody else put into them."""

from __future__ import annotations

import json

import pytest
from coverage_lines import MESSAGE, at, forms
from hypothesis import given
from hypothesis import strategies as st

from watchgate.reports.coverage.model import Line

MOMENT = at("2026-11-21T02:30:00+00:00")
PRECISE = at("2026-11-21T02:30:00.123456+00:00")


def journald(**given: object) -> bytes:
    """An entry as `journalctl -o json` writes it."""
    entry: dict[str, object] = {
        "__REALTIME_TIMESTAMP": str(PRECISE),
        "_HOSTNAME": "web1",
        "SYSLOG_IDENTIFIER": "sshd",
        "_COMM": "sshd",
        "_UID": "0",
        "MESSAGE": MESSAGE,
    }
    return json.dumps(entry | given).encode()


READ: list[tuple[str, bytes, int]] = [
    ("Debian 11", f"Nov 21 02:30:00 web1 sshd[1]: {MESSAGE}".encode(), MOMENT),
    ("Debian 12", f"2026-11-21T02:30:00.123456+00:00 web1 sshd[1]: {MESSAGE}".encode(), PRECISE),
    ("another zone", f"2026-11-21T03:30:00.123456+01:00 web1 sshd[1]: {MESSAGE}".encode(), PRECISE),
    ("Zulu", f"2026-11-21T02:30:00.123456Z web1 sshd[1]: {MESSAGE}".encode(), PRECISE),
    ("short-iso", f"2026-11-21T02:30:00+0000 web1 sshd[1]: {MESSAGE}".encode(), MOMENT),
    ("Debian 13", f"2026-11-21T02:30:00Z web1 sshd-session[1]: {MESSAGE}".encode(), MOMENT),
    ("OpenSSH 10", f"2026-11-21T02:30:00Z web1 sshd-auth[1]: {MESSAGE}".encode(), MOMENT),
    ("RHEL secure", f"Nov 21 02:30:00 web1 sshd[1234567]: {MESSAGE}".encode(), MOMENT),
    ("RFC 3164", f"<86>Nov 21 02:30:00 web1 sshd[1]: {MESSAGE}".encode(), MOMENT),
    (
        "RFC 3164 with an ISO stamp",
        f"<86>2026-11-21T02:30:00Z web1 sshd[1]: {MESSAGE}".encode(),
        MOMENT,
    ),
    ("RFC 5424", f"<86>1 2026-11-21T02:30:00.123456Z web1 sshd 1 - - {MESSAGE}".encode(), PRECISE),
    (
        "RFC 5424 with data and BOM",
        f'<38>1 2026-11-21T02:30:00.123456Z web1 sshd 1 ID7 [a@1 b="x \\"]\\\\"][c] \ufeff{MESSAGE}'.encode(),
        PRECISE,
    ),
    (
        "RFC 5424 with its length",
        f"299 <86>1 2026-11-21T02:30:00Z web1 sshd 1 - - {MESSAGE}".encode(),
        MOMENT,
    ),
    ("journald", journald(), PRECISE),
    ("journald, octets", journald(MESSAGE=list(MESSAGE.encode())), PRECISE),
    (
        "journald, OpenSSH 9.8",
        journald(SYSLOG_IDENTIFIER="sshd-session", _COMM="sshd-session"),
        PRECISE,
    ),
]


@pytest.mark.parametrize(
    ("octets", "at_us"), [row[1:] for row in READ], ids=[row[0] for row in READ]
)
def test_a_line_of_each_form_is_read(octets: bytes, at_us: int) -> None:
    assert forms().read(octets) == Line(at_us, "web1", MESSAGE)


def test_a_line_as_programs_write_it_to_dev_log_has_no_host() -> None:
    line = forms().read(f"<86>Nov 21 02:30:00 sshd[1]: {MESSAGE}".encode())

    assert line == Line(MOMENT, "", MESSAGE)


NOT_SSHD = [
    ("sudo", f"Nov 21 02:30:00 web1 sudo[1]: {MESSAGE}".encode()),
    (
        "sudo quotes a line",
        f"Nov 21 02:30:00 web1 sudo:  bob : COMMAND=/bin/echo sshd[1]: {MESSAGE}".encode(),
    ),
    ("logger without a process id", f"Nov 21 02:30:00 web1 sshd: {MESSAGE}".encode()),
    ("a tag inside the message", f"Nov 21 02:30:00 web1 app[1]: web1 sshd[1]: {MESSAGE}".encode()),
    ("another's tag", f"Nov 21 02:30:00 web1 sshd-fake[1]: {MESSAGE}".encode()),
    ("a longer tag", f"Nov 21 02:30:00 web1 mysshd[1]: {MESSAGE}".encode()),
    ("the facility of users", f"<14>Nov 21 02:30:00 web1 sshd[1]: {MESSAGE}".encode()),
    (
        "RFC 5424, the facility of users",
        f"<13>1 2026-11-21T02:30:00Z web1 sshd 1 - - {MESSAGE}".encode(),
    ),
    ("RFC 5424, another program", f"<86>1 2026-11-21T02:30:00Z web1 app 1 - - {MESSAGE}".encode()),
    ("RFC 5424, no process id", f"<86>1 2026-11-21T02:30:00Z web1 sshd - - - {MESSAGE}".encode()),
    ("journald, a user's logger", journald(_COMM="logger", _UID="1000")),
    ("journald, a user's program of that name", journald(_UID="1000")),
    ("journald, root's logger", journald(_COMM="logger")),
    ("journald, another program", journald(SYSLOG_IDENTIFIER="sudo", _COMM="sudo")),
    ("journald, a message left out", journald(MESSAGE=None)),
    ("journald, octets that are none", journald(MESSAGE=[1, 999])),
    ("journald, twice", journald(SYSLOG_IDENTIFIER=["sshd", "sudo"])),
]


@pytest.mark.parametrize("octets", [row[1] for row in NOT_SSHD], ids=[row[0] for row in NOT_SSHD])
def test_what_another_said_in_sshds_name_is_a_line_and_no_message(octets: bytes) -> None:
    line = forms().read(octets)

    assert line is not None
    assert line.message is None


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x00" * 100,
        b"{",
        b"{}",
        b'{"__REALTIME_TIMESTAMP": Infinity}',
        b'{"__REALTIME_TIMESTAMP": "' + b"9" * 5000 + b'"}',
        b"[" * 8000,
        b"{" + b'"a":{' * 1500,
        b"<86>",
        b"<999999>1 x",
        b"Xxx 21 02:30:00 web1 sshd[1]: hello",
        b"Nov 31 02:30:00 web1 sshd[1]: hello",
        b"Nov 21 99:30:00 web1 sshd[1]: hello",
        b"2026-13-21T02:30:00Z web1 sshd[1]: hello",
        b"2099-11-21T02:30:00Z web1 sshd[1]: from the future",
        b"0001-01-01T00:00:00+14:00 web1 sshd[1]: before all",
        b"<86>1 2026-11-21T02:30:00Z web1 sshd 1 - [unclosed " + b'"\\' * 3000,
        b"Accepted password for root from 10.0.0.1 port 1 ssh2",
    ],
)
def test_garbage_is_no_line(octets: bytes) -> None:
    assert forms().read(octets) is None


def test_octets_that_are_no_text_are_written_with_backslashes() -> None:
    line = forms().read(b"Nov 21 02:30:00 web1 sshd[1]: a\xffb")

    assert line is not None
    assert line.message == r"a\xffb"


@given(st.binary(max_size=400))
def test_no_octets_raise(octets: bytes) -> None:
    reader = forms()
    for begin in (b"", b"{", b"<86>1 ", b"<86>", b"Nov 21 02:30:00 web1 ", b"2026-11-21T02:30:00"):
        line = reader.read(begin + octets)

        assert line is None or line.at_us > 0


@given(
    st.dictionaries(
        st.sampled_from(["__REALTIME_TIMESTAMP", "MESSAGE", "_UID", "_COMM", "SYSLOG_IDENTIFIER"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner),
        ),
    )
)
def test_no_entry_of_a_journal_raises(entry: dict[str, object]) -> None:
    line = forms().read(json.dumps(entry).encode())

    assert line is None or line.at_us > 0
