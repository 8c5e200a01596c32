"""sshd's messages, and what looks like them."""

from __future__ import annotations

import time

import pytest
from coverage_lines import CA, CERTIFICATE, KEY, MESSAGE, SESSION, accepted, plain
from hypothesis import given
from hypothesis import strategies as st

from watchgate.reports.coverage.model import Accepted
from watchgate.reports.coverage.sshd import begins_login, read_message

OLD_KEY = "aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99"

READ: list[tuple[str, Accepted]] = [
    (MESSAGE, accepted()),
    (
        f"Accepted publickey for root from 10.0.0.1 port 42934 ssh2: ED25519 {KEY}",
        plain(),
    ),
    (
        f"Accepted publickey for root from 10.0.0.1 port 42934 ssh2: ED25519-SK {KEY}",
        plain(),
    ),
    (
        f"Accepted publickey for root from 10.0.0.1 port 42934 ssh2: RSA {OLD_KEY}",
        plain(fingerprint=OLD_KEY),
    ),
    (
        "Accepted password for root from 10.0.0.1 port 42934 ssh2",
        plain(method="password", fingerprint=None),
    ),
    (
        "Accepted keyboard-interactive/pam for root from 10.0.0.1 port 42934 ssh2",
        plain(method="keyboard-interactive/pam", fingerprint=None),
    ),
    (
        "Accepted gssapi-with-mic for ora from 10.0.0.1 port 42934 ssh2: ora@REALM",
        plain(account="ora", method="gssapi-with-mic", fingerprint=None),
    ),
    (
        f'Accepted hostbased for root from 10.0.0.1 port 42934 ssh2: ED25519 {KEY}, client user "x", client host "y"',
        plain(method="hostbased"),
    ),
    (
        "Accepted none for guest from 10.0.0.1 port 42934 ssh2",
        plain(account="guest", method="none", fingerprint=None),
    ),
    (
        "Accepted password for root from 2001:DB8::0:1 port 42934 ssh2",
        plain(method="password", source="2001:db8::1", fingerprint=None),
    ),
    (
        "Accepted password for root from ::ffff:10.0.0.1 port 42934 ssh2",
        plain(method="password", fingerprint=None),
    ),
    (
        "Accepted password for root from UNKNOWN port 65535 ssh2",
        plain(method="password", source="UNKNOWN", port=65535, fingerprint=None),
    ),
    (
        r"Accepted password for CORP\\admin from 10.0.0.1 port 42934 ssh2",
        plain(account=r"CORP\admin", method="password", fingerprint=None),
    ),
    (
        r"Accepted password for J\303\266rg from 10.0.0.1 port 42934 ssh2",
        plain(account="Jörg", method="password", fingerprint=None),
    ),
    (
        "Accepted password for domain user from 10.0.0.1 port 42934 ssh2",
        plain(account="domain user", method="password", fingerprint=None),
    ),
]


@pytest.mark.parametrize(("message", "said"), READ, ids=lambda value: str(value)[:60])
def test_a_login_is_read(message: str, said: Accepted) -> None:
    assert read_message(message) == said


NOT_LOGINS = [
    # What an attacker typed as his name.
    "Failed password for invalid user Accepted password for root from 10.0.0.1 port 1 ssh2 from 203.0.113.9 port 5 ssh2",
    f"Invalid user {MESSAGE} from 203.0.113.9 port 5",
    r"Invalid user x\012Accepted password for root from 10.0.0.1 port 1 ssh2 from 203.0.113.9 port 5",
    f"Failed password for {MESSAGE} from 203.0.113.9 port 5 ssh2",
    f"Connection closed by invalid user {MESSAGE} 203.0.113.9 port 5 [preauth]",
    f"Received disconnect from 203.0.113.9 port 5:11: {MESSAGE} [preauth]",
    # What sshd says of keys and certificates that is not a login yet.
    f'Accepted certificate ID "{SESSION}" (serial 4711) signed by ED25519 CA {CA} via /etc/ssh/ca.pub',
    f"Accepted key ED25519 {KEY} found at /root/.ssh/authorized_keys:1",
    f"Postponed publickey for root from 10.0.0.1 port 1 ssh2: ED25519 {KEY}",
    "Partial publickey for root from 10.0.0.1 port 1 ssh2",
    "Accepted password for invalid user root from 10.0.0.1 port 1 ssh2",
    # What is not whole, or not anchored.
    " Accepted password for root from 10.0.0.1 port 1 ssh2",
    "Accepted password for root from 10.0.0.1 port 1 ssh2 and more",
    "Accepted password for root from 10.0.0.1 port 1 ssh22",
    "Accepted password for root from 10.0.0.1 port 99999 ssh2",
    "Accepted password for root from host.example port 1 ssh2",
    "Accepted password for  from 10.0.0.1 port 1 ssh2"[:20],
    "Accepted password for root from 10.0.0.1 port 1 ssh2\n",
    "accepted password for root from 10.0.0.1 port 1 ssh2",
]


@pytest.mark.parametrize("message", NOT_LOGINS, ids=lambda text: text[:50])
def test_what_only_looks_like_a_login_is_none(message: str) -> None:
    assert read_message(message) is None


KEY_IDS = [
    "key with spaces",
    "(serial 1)",
    f"{SESSION} (serial 1) CA ED25519 {CA}",
    "x from 203.0.113.9 port 5 ssh2: ED25519-CERT",
    "ID ID (serial",
    "",
    "CA",
]


@pytest.mark.parametrize("key_id", KEY_IDS)
def test_a_key_id_may_hold_anything_and_is_still_read_whole(key_id: str) -> None:
    other = "SHA256:" + "o" * 43
    certificate = f"RSA-CERT {KEY} ID {key_id} (serial 7) CA RSA {other}"
    said = read_message(f"Accepted publickey for root from 10.0.0.9 port 7 ssh2: {certificate}")

    assert said == accepted(source="10.0.0.9", port=7, key_id=key_id, authority=other)


def test_a_certificate_that_was_cut_off_is_a_login_without_one() -> None:
    said = read_message(MESSAGE[:-60])

    assert said is not None
    assert said.key_id is None
    assert said.source == "10.0.0.1"


def test_a_name_whose_octets_do_not_print_stays_escaped() -> None:
    said = read_message(r"Accepted password for a\012b\033 from 10.0.0.1 port 1 ssh2")

    assert said is not None
    assert said.account == r"a\012b\033"


def test_a_login_that_cannot_be_read_is_known_to_be_one() -> None:
    assert begins_login("Accepted newmethod for root from the moon")
    assert not begins_login("Accepted certificate ID x")


@given(st.text(max_size=300), st.integers(0, len(MESSAGE)), st.integers(0, len(MESSAGE)))
def test_no_message_raises(noise: str, start: int, end: int) -> None:
    for message in (noise, MESSAGE[:start] + noise + MESSAGE[end:]):
        said = read_message(message)

        assert said is None or 0 <= said.port <= 65535


@pytest.mark.parametrize(
    "message",
    [
        "Accepted password for " + " from 1 port 1 ssh2" * 400,
        "Accepted password for " + "a from " * 1100,
        f"Accepted publickey for a from 1.1.1.1 port 1 ssh2: {CERTIFICATE[:-50]}"
        + " (serial 1) CA" * 550,
        "Accepted " + "a-" * 4000,
    ],
)
def test_no_message_takes_long(message: str) -> None:
    begin = time.perf_counter()
    read_message(message[:8192])

    assert time.perf_counter() - begin < 0.05
