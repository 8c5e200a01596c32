"""Octets that were made to hurt: no back end raises, hangs or grows for them."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from watchgate.terminal.lazy import LazyScreen
from watchgate.terminal.screens import Backend, open_screen

BACKENDS: list[Backend] = ["ghostty", "pyte"]

HOSTILE = {
    "combining marks": b"a" + "\u0301".encode() * 1_000_000,
    "alignment tests": b"\x1b#8" * 10_000,
    "huge parameters": b"\x1b[99999999999999999999999A\x1b[2147483647@\x1b[4294967296;18446744073709551616H"
    * 2000,
    "insert huge": b"\x1b[2147483647@" * 10_000,
    "many parameters": (b"\x1b[" + b"1;" * 5000 + b"m") * 20,
    "sixteen parameters": (b"\x1b[" + b";".join([b"3"] * 17) + b"H") * 5000,
    "colons": (b"\x1b[" + b"4:3:" * 300 + b"m") * 200,
    "private colors": b"\x1b[?4m\x1b[>4;2m\x1b[?1;2;3m" * 5000,
    "repeats": b"x\x1b[65535b\x1b[99999b" * 1000,
    "repeats and clears": b"x\x1b[65535b\x1b[3J" * 500,
    "scrolls": b"\x1b[9999S\x1b[9999T\x1b[9999L\x1b[9999M" * 3000,
    "line feeds": b"\n" * 500_000,
    "resets": b"\x1bc" * 30_000,
    "screen switches": b"\x1b[?1049h\x1b[?1049l" * 5000,
    "a title that never ends": b"\x1b]0;" + b"x" * 3_000_000,
    "a picture that never ends": b"\x1bP0;1q" + b"#1;2;3" * 300_000,
    "pictures": b"\x1b_Ga=T,f=24,s=9999,v=9999;AAAA\x1b\\" * 5000,
    "a sequence that never ends": b"\x1b[" + b"1" * 1_000_000,
    "broken utf-8": b"\xff\xfe\xc3\xe2\x82\xf0\x9f\xed\xa0\x80\xf4\x90\x80\x80" * 20_000,
    "right to left": "שלום \u202eעולם\u202c مرحبا ".encode() * 5000,
    "no width": "a\u200b\u200d\ufeff\u2060\ufe0f".encode() * 20_000,
    "families": "👨\u200d👩\u200d👧\u200d👦🏳\ufe0f\u200d🌈".encode() * 5000,
    "saved cursors": b"\x1b7" * 200_000,
    "tab stops": b"\x1bH\x1b[C" * 50_000 + b"\t" * 50_000,
    "modes": b"".join(b"\x1b[?%dh\x1b[%dh" % (number, number) for number in range(12_000)),
    "hyperlinks": b"".join(b"\x1b]8;;http://h/%d\x07x" % number for number in range(20_000)),
    "colors": b"".join(b"\x1b[38;2;%d;%d;%dmx" % (n % 256, n // 256, 7) for n in range(40_000)),
    "synchronized for ever": b"\x1b[?2026h" + b"text\r\n" * 20_000,
    "columns": b"\x1b[?3h\x1b[?3l" * 5000,
    "a null": b"\x00" * 500_000,
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_octets_take_no_more_than_a_moment(backend: Backend, case: str) -> None:
    screen = open_screen(120, 40, history=1000, backend=backend)
    started = time.process_time()
    screen.feed(HOSTILE[case])
    screen.feed(b"\x18\x1b\\\x1b[?1049l\x1b[!p\x1bc\x1b[r\x1b[Hstill here")
    taken = time.process_time() - started

    assert screen.lines()[0].text == "still here"
    assert len(screen.styled()) == 40
    assert len(screen.scrolled()) <= 1000
    assert taken < 10  # a second where nothing else runs; what grows with a square takes minutes


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "case", ["a title that never ends", "combining marks", "saved cursors", "line feeds"]
)
def test_hostile_octets_take_little_memory(backend: Backend, case: str) -> None:
    screen = open_screen(120, 40, history=1000, backend=backend)
    before = resident()
    tracemalloc.start()
    screen.feed(HOSTILE[case])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 8 * 2**20
    assert resident() - before < 64 * 2**20


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_soup_of_escapes_with_resizes_is_survived(backend: Backend) -> None:
    octets = survive(backend, total=300_000)

    assert octets >= 300_000


@pytest.mark.soak
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_hundred_megabytes_of_escapes_are_survived(backend: Backend) -> None:
    before = resident()
    started = time.process_time()
    # The slow back end is never fed without a budget; see `watchgate.terminal.lazy`.
    octets = survive(backend, total=100_000_000, lazily=backend == "pyte")

    assert octets >= 100_000_000
    assert time.process_time() - started < 300
    assert resident() - before < 200 * 2**20


def survive(backend: Backend, total: int, *, lazily: bool = False) -> int:
    """Feed *total* octets of nonsense, resizing, and read all there is to read now and then."""
    chance = random.Random(4)
    screen = open_screen(80, 24, history=500, backend=backend)
    lazy = LazyScreen(screen)
    fed = 0
    for number, octets in enumerate(soup(chance)):
        if lazily:
            lazy.feed_at(number * 10_000, octets)
        else:
            screen.feed(octets)
        fed += len(octets)
        if number % 50 == 0:
            lazy.resize(
                chance.choice((1, 2, 7, 80, 132, 5000)), chance.choice((1, 2, 24, 60, 5000))
            )
            screen.scrolled()
            screen.lines()
            screen.anchor().place()
        if number % 500 == 0:
            screen.resize(80, 24)
            screen.keyframe()
        if fed >= total:
            return fed
    return fed


def soup(chance: random.Random) -> Iterator[bytes]:
    """Sequences that mean something, sequences that mean nothing, and text, in pieces cut anywhere."""
    finals = b"@ABCDEFGHIJKLMPSTXZ`abcdefghlmnpqrstuvwxyz{|}~"
    while True:
        parts = []
        for _ in range(200):
            match chance.randrange(7):
                case 0 | 1:
                    numbers = b";".join(
                        b"%d" % chance.choice((0, 1, 2, 5, 25, 47, 1049, 9999, 2**31))
                        for _ in range(chance.randrange(4))
                    )
                    prefix = chance.choice((b"", b"", b"", b"?", b">", b"!"))
                    parts.append(b"\x1b[" + prefix + numbers + bytes((chance.choice(finals),)))
                case 2:
                    parts.append(b"\x1b" + bytes((chance.randrange(0x20, 0x7F),)))
                case 3:
                    parts.append(chance.randbytes(chance.randrange(30)))
                case 4:
                    parts.append("日本語 e\u0301 שלום 👩\u200d🚀".encode())
                case _:
                    parts.append(b"some text\r\n" * chance.randrange(3))
        yield b"".join(parts)


def resident() -> int:
    """Octets of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
