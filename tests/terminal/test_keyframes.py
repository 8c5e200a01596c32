"""The pictures that a player keeps on its way."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from watchgate.terminal.keyframes import EVERY, MOST, MOST_OCTETS, Keyframe, Keyframes
from watchgate.terminal.screens import open_screen


def kept(columns: int = 20, rows: int = 3) -> Keyframes:
    return Keyframes(partial(open_screen, history=0), columns, rows)


def run(keyframes: Keyframes, first: int, last: int) -> None:
    """Frames of a sixteenth of the way from one keyframe to the next, a second apart."""
    for number in range(first, last):
        keyframes.feed(b"%07d\r" % number * (EVERY // 16 // 8))
        keyframes.passed(number + 1, number * 1_000_000)


def test_going_back_begins_at_the_last_picture_before() -> None:
    keyframes = kept()
    run(keyframes, 0, 100)

    found = keyframes.back(until_us=40_000_000, until_index=None)
    assert (found.index, found.t_us) == (32, 31_000_000)
    assert found.octets == b"\x1b[1H0000031\x1b[1;1H\x1b[0m"
    assert keyframes.now() == found.octets
    assert keyframes.back(until_us=None, until_index=48).index == 48
    assert keyframes.back(until_us=None, until_index=47).index == 32
    assert keyframes.back(until_us=30_999_999, until_index=None).index == 16


def test_before_the_first_picture_there_is_the_empty_screen() -> None:
    keyframes = kept()
    run(keyframes, 0, 17)
    found = keyframes.back(until_us=3, until_index=None)

    assert (found.index, found.t_us, found.octets) == (0, 0, b"")
    assert b"00" not in keyframes.now()


def test_no_picture_is_kept_twice() -> None:
    keyframes = kept()
    run(keyframes, 0, 64)
    start = keyframes.back(until_us=None, until_index=16).index
    run(keyframes, start, 64)
    indices = [keyframes.back(until_us=None, until_index=at).index for at in range(65)]

    assert sorted(set(indices)) == [0, 16, 32, 48, 64]


class Canvas:
    """A screen of which only the size of a keyframe matters."""

    def __init__(self, octets: int) -> None:
        self.octets = octets

    def feed(self, octets: bytes) -> None:
        """Nothing is drawn."""

    def keyframe(self) -> bytes:
        return bytes(self.octets)


def pictures(octets: int, count: int) -> list[Keyframe]:
    """Those that are left after *count* were taken of so many octets each."""
    keyframes = Keyframes(lambda _columns, _rows: Canvas(octets), 80, 24)  # type: ignore[arg-type, return-value]
    chunk = bytes(EVERY)
    for number in range(count):
        keyframes.feed(chunk)
        keyframes.passed(number + 1, number)
    found = {
        frame.index: frame
        for frame in (keyframes.back(until_us=None, until_index=at) for at in range(count + 1))
    }
    return [frame for index, frame in sorted(found.items()) if index]


def test_pictures_are_bounded_and_then_taken_half_as_often() -> None:
    indices = [frame.index for frame in pictures(octets=100, count=3 * MOST)]

    assert MOST // 4 < len(indices) <= MOST
    assert max(after - before for before, after in pairwise(indices)) <= 8


def test_pictures_take_bounded_memory() -> None:
    found = pictures(octets=2**20, count=100)

    assert 4 <= len(found) < 20
    assert sum(len(frame.octets) for frame in found) <= MOST_OCTETS


def test_another_size_makes_the_pictures_useless() -> None:
    keyframes = kept()
    run(keyframes, 0, 64)
    keyframes.resize(10, 2)

    assert keyframes.back(until_us=50_000_000, until_index=None).index == 0
