"""One line while it is typed."""

from __future__ import annotations

import pytest

from watchgate.terminal.keys import Keys
from watchgate.terminal.live.entry import Entry
from watchgate.terminal.live.strokes import strokes


def _typed(octets: bytes, *, helping: bytes = b"") -> Entry:
    entry = Entry()
    for key in Keys().feed(0, octets):
        for stroke in strokes(key):
            entry.take(0, stroke, completing=b"\t", helping=helping)
    return entry


def _printed(entry: Entry, *pieces: bytes) -> Entry:
    for piece in pieces:
        entry.output(piece)
    return entry


def test_keys_tell_a_plain_line() -> None:
    entry = _typed(b"touch HT\x1b[DI")

    assert (entry.text, entry.exact, entry.moved) == ("touch HIT", True, True)


@pytest.mark.parametrize("octets", [b"rm H\t", b"\x1b[A", b"a\x16b", b"\x12x"])
def test_keys_that_others_decide_do_not(octets: bytes) -> None:
    assert not _typed(octets).exact


def test_a_question_that_is_answered_at_once_is_no_text() -> None:
    assert not _typed(b"show ?", helping=b"?").exact
    assert _typed(b"show ?").exact


def test_pasted_lines_are_one_text() -> None:
    entry = _typed(b"\x1b[200~echo a")
    entry.new_line(0)
    for key in Keys().feed(0, b"touch HIT\x1b[201~"):
        entry.take(0, key, completing=b"\t", helping=b"")

    assert (entry.text, entry.exact, entry.pasting) == ("echo a\ntouch HIT", True, False)


def test_a_paste_without_an_end_is_bounded() -> None:
    entry = _typed(b"\x1b[200~x")
    for _ in range(100_000):
        entry.new_line(0)

    assert len(entry.text) <= 64 * 1024 + 1
    assert not entry.exact


@pytest.mark.parametrize(
    "pieces",
    [
        (b"touch HIT",),
        (b"touch H", b"NOISE\r\n", b"IT"),
        (b"\x1b[32mtouch\x1b[0m HIT",),
        (b"t", b"\x08to", b"\x08ou", b"ch HIT"),
    ],
)
def test_an_echo_is_known_whatever_comes_between(pieces: tuple[bytes, ...]) -> None:
    assert _printed(_typed(b"touch HIT"), *pieces).echoed("touch HIT")


@pytest.mark.parametrize(
    "pieces", [(), (b"***",), (b"some long line of a log that hunts for unter two things",)]
)
def test_what_only_looks_alike_is_no_echo(pieces: tuple[bytes, ...]) -> None:
    assert not _printed(_typed(b"hunter2"), *pieces).echoed("hunter2")


def test_what_is_printed_is_kept_within_a_bound() -> None:
    entry = _printed(_typed(b"x"), *([b"a" * 32768] * 100))

    assert len(entry.printed) <= 128 * 1024
