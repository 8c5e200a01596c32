"""Coverage and digests of file data that passes by offset."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from transfer_packets import sha256

from watchgate.transfers.manifest import PIECE, SCATTERED, Coverage, Digest, OrderedDigest, Window
from watchgate.transfers.manifest import sha256 as factory

spans = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=30)


@given(spans)
def test_coverage_knows_what_is_new_and_what_is_covered(pieces: list[tuple[int, int]]) -> None:
    coverage, covered = Coverage(), set[int]()
    for start, size in pieces:
        wanted = set(range(start, start + size)) - covered
        fresh = [
            octet for first, end in coverage.add(start, start + size) for octet in range(first, end)
        ]
        covered |= wanted

        assert len(fresh) == len(set(fresh))
        assert set(fresh) == wanted
        assert coverage.start == min(covered)
        assert coverage.end == max(covered) + 1
        assert coverage.gapless == (coverage.end - coverage.start == len(covered))


def test_a_file_in_too_many_pieces_is_not_followed() -> None:
    coverage = Coverage()
    for number in range(SCATTERED + 5):
        coverage.add(2 * number, 2 * number + 1)

    assert coverage.scattered
    assert not coverage.gapless
    assert (coverage.start, coverage.end) == (0, 2 * SCATTERED + 9)


@given(st.binary(max_size=300), st.integers(1, 40), st.randoms(use_true_random=False))
def test_pieces_in_any_order_give_the_digest_of_the_file(
    data: bytes, size: int, chance: random.Random
) -> None:
    window = Window(300 + 300 * PIECE)
    digest = OrderedDigest(0, factory, window)
    offsets = list(range(0, len(data), size))
    chance.shuffle(offsets)
    for offset in offsets:
        digest.piece(offset, memoryview(data)[offset : offset + size])

    assert digest.hexdigest() == sha256(data)
    assert window.take(300 + 300 * PIECE)


def test_what_overtakes_more_than_the_window_holds_gives_the_digest_up() -> None:
    window = Window(10 + PIECE)
    digest = OrderedDigest(0, factory, window)
    digest.piece(20, memoryview(bytes(8)))
    digest.piece(28, memoryview(bytes(2)))
    digest.piece(40, memoryview(bytes(1)))
    digest.piece(0, memoryview(bytes(20)))
    digest.piece(30, memoryview(bytes(10)))

    assert digest.covered.gapless
    assert digest.hexdigest() is None
    assert window.take(10 + PIECE)


def test_small_pieces_that_follow_each_other_are_held_as_one() -> None:
    window, data = Window(100 + PIECE), bytes(range(100))
    digest = OrderedDigest(0, factory, window)
    for at in range(1, 100):
        digest.piece(at, memoryview(data)[at : at + 1])
    digest.piece(0, memoryview(data)[:1])

    assert digest.hexdigest() == sha256(data)


def test_small_pieces_apart_cost_more_than_their_octets() -> None:
    digest = OrderedDigest(0, factory, Window(4 * PIECE))
    for at in range(9, 0, -2):
        digest.piece(at, memoryview(b"x"))

    assert digest._held == {}


def test_the_window_is_shared_by_all_files_of_a_channel() -> None:
    window = Window(10 + 2 * PIECE)
    first, second = OrderedDigest(0, factory, window), OrderedDigest(0, factory, window)
    first.piece(1, memoryview(b"12345678"))
    second.piece(1, memoryview(b"123"))
    first.piece(0, memoryview(b"0"))
    second.piece(0, memoryview(b"0"))

    assert first.hexdigest() == sha256(b"012345678")
    assert second.hexdigest() is None


def test_a_gap_leaves_no_digest() -> None:
    digest = OrderedDigest(0, factory, Window())
    digest.piece(0, memoryview(b"ab"))
    digest.piece(3, memoryview(b"d"))

    assert digest.hexdigest() is None
    assert not digest.covered.gapless


def test_octets_that_pass_twice_are_hashed_once() -> None:
    digest = OrderedDigest(0, factory, Window())
    digest.piece(0, memoryview(b"abcd"))
    digest.piece(2, memoryview(b"XXef"))

    assert digest.repeated
    assert digest.hexdigest() == sha256(b"abcdef")


def test_an_engine_may_bring_its_own_digest() -> None:
    class Counting:
        def __init__(self) -> None:
            self.spans: list[bytes] = []

        def update(self, data: bytes | memoryview, /) -> None:
            self.spans.append(bytes(data))

        def hexdigest(self) -> str:
            return b"|".join(self.spans).decode()

    made: list[Counting] = []

    def make() -> Digest:
        made.append(Counting())
        return made[-1]

    digest = OrderedDigest(5, make, Window())
    digest.piece(7, memoryview(b"cd"))
    digest.piece(5, memoryview(b"ab"))

    assert digest.hexdigest() == "ab|cd"
    assert len(made) == 1
