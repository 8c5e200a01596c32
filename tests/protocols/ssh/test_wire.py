"""The payloads of channel requests: what is read, and what must fail, whole and octet by octet."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from asyncssh.packet import Boolean, String, UInt32
from hypothesis import given
from hypothesis import strategies as st

from watchgate.errors import PeerProtocolError
from watchgate.protocols.ssh import wire

PTY = (
    String(b"xterm")
    + UInt32(80)
    + UInt32(24)
    + UInt32(640)
    + UInt32(480)
    + String(b"\x35\0\0\0\1\0")
)
SIZE = UInt32(120) + UInt32(40) + UInt32(0) + UInt32(0)
SIGNAL = String(b"KILL") + Boolean(True) + String(b"killed") + String(b"en")

GOOD: list[tuple[Callable[[bytes], Any], bytes, Any]] = [
    (wire.pty_req, PTY, wire.Terminal(b"xterm", 80, 24)),
    (wire.window_change, SIZE, (120, 40)),
    (wire.env, String(b"LANG") + String(b"C\xff"), (b"LANG", b"C\xff")),
    (wire.one_string, String(b"printf '\xff'"), b"printf '\xff'"),
    (wire.one_string, String(b""), b""),
    (wire.exit_status, UInt32(255), 255),
    (wire.exit_status, UInt32(0xFFFFFFFF), 0xFFFFFFFF),
    (wire.exit_signal, SIGNAL, wire.ExitSignal("KILL", True)),
    (wire.exit_signal, String(b"\xff") + bytes(9), wire.ExitSignal("\ufffd", False)),
]


@pytest.mark.parametrize(("read", "octets", "expected"), GOOD)
def test_a_request_is_read(read: Callable[[bytes], Any], octets: bytes, expected: Any) -> None:
    assert read(octets) == expected


@pytest.mark.parametrize(("read", "octets", "_expected"), GOOD)
def test_a_request_that_ends_early_or_goes_on_is_refused(
    read: Callable[[bytes], Any], octets: bytes, _expected: Any
) -> None:
    for size in range(len(octets)):
        with pytest.raises(PeerProtocolError, match="ends in the middle"):
            read(octets[:size])

    with pytest.raises(PeerProtocolError, match="1 octets follow a request"):
        read(octets + b"\0")


@pytest.mark.parametrize(
    ("read", "octets"),
    [
        (wire.pty_req, String(bytes(wire.TERM_LIMIT + 1)) + bytes(20)),
        (wire.pty_req, String(b"x") + bytes(16) + String(bytes(wire.MODES_LIMIT + 1))),
        (wire.env, String(bytes(wire.NAME_LIMIT + 1)) + String(b"")),
        (wire.env, String(b"x") + String(bytes(wire.VALUE_LIMIT + 1))),
        (wire.one_string, String(bytes(wire.COMMAND_LIMIT + 1))),
        (wire.one_string, UInt32(0xFFFFFFFF)),
        (wire.exit_signal, String(bytes(wire.TERM_LIMIT + 1)) + bytes(9)),
    ],
)
def test_a_string_above_its_ceiling_is_refused_before_it_is_read(
    read: Callable[[bytes], Any], octets: bytes
) -> None:
    with pytest.raises(PeerProtocolError, match="where at most"):
        read(octets)


def test_a_string_at_its_ceiling_is_read() -> None:
    command = bytes(wire.COMMAND_LIMIT)

    assert wire.one_string(String(command)) == command


@given(st.binary(max_size=300))
def test_a_string_comes_back_as_it_was_written(octets: bytes) -> None:
    assert wire.string(octets) == String(octets)
    assert wire.one_string(wire.string(octets)) == octets


@given(
    st.sampled_from([case[0] for case in GOOD]),
    st.binary(max_size=200),
)
def test_nothing_but_a_protocol_error_comes_of_any_octets(
    read: Callable[[bytes], Any], octets: bytes
) -> None:
    with contextlib.suppress(PeerProtocolError):
        assert read(octets) is not None
