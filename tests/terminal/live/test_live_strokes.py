"""Keys one by one, and those of newer keyboard protocols."""

from __future__ import annotations

import pytest

from watchgate.terminal.keys import Key, KeyKind, Keys
from watchgate.terminal.live.strokes import classic, strokes


def _keys(octets: bytes) -> list[Key]:
    return [stroke for key in Keys().feed(0, octets) for stroke in strokes(key)]


def test_runs_are_cut_into_strokes() -> None:
    found = [key.octets for key in _keys(b"ls\r\r\x16\x0f\x7f\x7f")]

    assert found == [b"ls", b"\r", b"\r", b"\x16", b"\x0f", b"\x7f", b"\x7f"]


def test_a_sequence_stays_whole() -> None:
    assert [key.octets for key in _keys(b"\x1b[A\x1bOA")] == [b"\x1b[A", b"\x1bOA"]


@pytest.mark.parametrize(
    "octets",
    [b"\x1b[13u", b"\x1b[13;2u", b"\x1b[13;1:1u", b"\x1b[57414u", b"\x1b[27;5;13~", b"\x1bOM"],
)
def test_enter_is_enter_in_every_keyboard_protocol(octets: bytes) -> None:
    (key,) = _keys(octets)

    assert classic(key) == Key(KeyKind.END, b"\r")


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"\x1b[97u", Key(KeyKind.TEXT, b"a")),
        (b"\x1b[228u", Key(KeyKind.TEXT, "ä".encode())),
        (b"\x1b[99;5u", Key(KeyKind.END, b"\x03")),
        (b"\x1b[111;5u", Key(KeyKind.CONTROL, b"\x0f")),
        (b"\x1b[106;5u", Key(KeyKind.END, b"\n")),
        (b"\x1b[127u", Key(KeyKind.ERASE, b"\x7f")),
        (b"\x1b[27;5;106~", Key(KeyKind.END, b"\n")),
    ],
)
def test_other_keys_are_what_they_were(octets: bytes, expected: Key) -> None:
    (key,) = _keys(octets)

    assert classic(key) == expected


def test_a_release_is_no_key() -> None:
    (key,) = _keys(b"\x1b[13;1:3u")

    assert classic(key).kind is KeyKind.REPORT


def test_a_code_point_beyond_all_is_left_alone() -> None:
    (key,) = _keys(b"\x1b[9999999u")

    assert classic(key) == key
