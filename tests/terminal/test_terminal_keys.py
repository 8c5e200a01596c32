"""Keys, cut from what a terminal sends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchgate.terminal.keys import PATIENCE_US, Key, KeyKind, Keys

CASES = [
    (b"abc\xc3\xa4", [("TEXT", b"abc\xc3\xa4")]),
    (b"ls\r", [("TEXT", b"ls"), ("END", b"\r")]),
    (b"\x7f\x08", [("ERASE", b"\x7f\x08")]),
    (b"\t\x01", [("CONTROL", b"\t\x01")]),
    (b"\x1b[A\x1bOB", [("CONTROL", b"\x1b[A"), ("CONTROL", b"\x1bOB")]),
    (b"\x1b[1;5C\x1b[15~", [("CONTROL", b"\x1b[1;5C"), ("CONTROL", b"\x1b[15~")]),
    (b"\x1bf", [("CODED", b"\x1bf")]),
    (b"\x1bOp", [("CODED", b"\x1bOp")]),
    (b"\x1b[97;1u", [("CODED", b"\x1b[97;1u")]),
    (b"\x1b[27;2;65~", [("CODED", b"\x1b[27;2;65~")]),
    (b"\x1b[200~x", [("PASTE", b"\x1b[200~"), ("TEXT", b"x")]),
    (b"\x1b[24;80R", [("REPORT", b"\x1b[24;80R")]),
    (b"\x1b[?62;4c", [("REPORT", b"\x1b[?62;4c")]),
    (b"\x1b[M !!", [("REPORT", b"\x1b[M !!")]),
    (b"\x1b[<0;3;4M", [("REPORT", b"\x1b[<0;3;4M")]),
    (b"\x1b]11;rgb:00/00/00\x1b\\", [("REPORT", b"\x1b]11;rgb:00/00/00\x1b\\")]),
    (b"\x1bP1$r0m\x1b\\", [("REPORT", b"\x1bP1$r0m\x1b\\")]),
    (b"\x1b\x1b[A", [("CONTROL", b"\x1b"), ("CONTROL", b"\x1b[A")]),
    (b"\x1b\r", [("CONTROL", b"\x1b"), ("END", b"\r")]),
]


def pieces(keys: list[Key]) -> list[tuple[str, bytes]]:
    return [(key.kind.name, key.octets) for key in keys]


@pytest.mark.parametrize(("data", "expected"), CASES)
def test_octets_are_cut_into_keys(data: bytes, expected: list[tuple[str, bytes]]) -> None:
    keys = Keys()

    assert pieces([*keys.feed(0, data), *keys.flush()]) == expected


@pytest.mark.parametrize(("data", "expected"), CASES)
def test_a_sequence_may_come_in_two_chunks(data: bytes, expected: list[tuple[str, bytes]]) -> None:
    for place in range(1, len(data)):
        keys = Keys()
        cut = [*keys.feed(0, data[:place]), *keys.feed(PATIENCE_US, data[place:]), *keys.flush()]

        assert b"".join(key.octets for key in cut) == data
        if data[:1] == b"\x1b" and len(expected) == 1:
            assert pieces(cut) == expected


def test_an_esc_that_nothing_follows_is_the_key() -> None:
    keys = Keys()

    assert list(keys.feed(0, b"\x1b")) == []
    assert keys.due() == PATIENCE_US
    assert list(keys.feed(PATIENCE_US + 1, b"[A")) == [
        Key(KeyKind.CONTROL, b"\x1b"),
        Key(KeyKind.TEXT, b"[A"),
    ]
    assert keys.due() is None


@given(st.lists(st.tuples(st.integers(0, 100_000), st.binary(max_size=12)), max_size=12))
def test_no_octet_is_lost(steps: list[tuple[int, bytes]]) -> None:
    keys = Keys()
    now = 0
    found: list[Key] = []
    for step, data in steps:
        now += step
        found += keys.feed(now, data)
    found += keys.flush()

    assert b"".join(key.octets for key in found) == b"".join(data for _, data in steps)
