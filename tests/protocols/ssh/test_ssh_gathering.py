"""A flood is given on in larger pieces, in its order and whole; what is no flood waits for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from watchgate.protocols.ssh.gathering import FULL_OCTETS, GATHERED_OCTETS, Gathering

second = itemgetter(1)

FULL = b"x" * 4095


@dataclass
class Moments:
    """Moments that pass when the test says so."""

    then: list[Callable[[], None]] = field(default_factory=list)

    def later(self, seconds: float, then: Callable[[], None]) -> asyncio.TimerHandle:
        assert 0 < seconds <= 0.001
        self.then.append(then)
        return cast(asyncio.TimerHandle, object())

    def pass_one(self) -> None:
        then, self.then = self.then, []
        for one in then:
            one()


@dataclass
class There:
    """What is given on."""

    moments: Moments = field(default_factory=Moments)
    heard: list[tuple[bytes, int | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gathering = Gathering(self._heard, self.moments.later)

    def _heard(self, data: bytes, stream: int | None) -> None:
        self.heard.append((data, stream))

    @property
    def sizes(self) -> list[int]:
        return [len(data) for data, _ in self.heard]


def test_a_key_and_its_echo_wait_for_nothing_and_set_no_timer() -> None:
    there = There()
    there.gathering.take(b"l", None)
    there.gathering.take(b"s", None)

    assert there.heard == [(b"l", None), (b"s", None)]
    assert there.moments.then == []


def test_the_first_of_a_flood_is_given_on_at_once_and_the_rest_by_the_packet() -> None:
    there = There()
    for _ in range(17):
        there.gathering.take(FULL, None)

    assert there.sizes == [4095, 8 * 4095, 8 * 4095]
    assert max(there.sizes) <= GATHERED_OCTETS


def test_what_ends_a_flood_takes_along_what_waits() -> None:
    there = There()
    for _ in range(3):
        there.gathering.take(FULL, None)
    there.gathering.take(b"$ ", None)

    assert there.sizes == [4095, 2 * 4095 + 2]


def test_what_waits_is_given_on_when_the_moment_is_over() -> None:
    there = There()
    for _ in range(3):
        there.gathering.take(FULL, None)
    assert there.sizes == [4095]

    there.moments.pass_one()
    assert there.sizes == [4095, 2 * 4095]


def test_a_flood_that_is_over_is_forgotten_and_the_next_begins_at_once() -> None:
    there = There()
    there.gathering.take(FULL, None)
    there.moments.pass_one()
    there.moments.pass_one()
    assert there.moments.then == []

    there.gathering.take(FULL, None)
    assert there.sizes == [4095, 4095]


def test_streams_are_not_mixed_and_keep_their_order() -> None:
    there = There()
    there.gathering.take(FULL, None)
    there.gathering.take(b"a" * FULL_OCTETS, None)
    there.gathering.take(b"b" * FULL_OCTETS, 1)
    there.gathering.give()

    assert [(data[:1], stream) for data, stream in there.heard] == [
        (b"x", None),
        (b"a", None),
        (b"b", 1),
    ]


def test_a_packet_of_the_largest_size_is_not_cut_and_not_kept() -> None:
    there = There()
    for _ in range(3):
        there.gathering.take(b"y" * GATHERED_OCTETS, None)

    assert there.sizes == [GATHERED_OCTETS] * 3


@given(
    st.lists(
        st.tuples(
            st.binary(min_size=1, max_size=64), st.integers(1, 200), st.sampled_from((None, 1))
        )
        | st.sampled_from(("moment", "give"))
    )
)
def test_nothing_is_lost_doubled_or_put_out_of_order(
    happenings: list[tuple[bytes, int, int | None] | str],
) -> None:
    there = There()
    said: list[tuple[bytes, int | None]] = []
    for one in happenings:
        if one == "moment":
            there.moments.pass_one()
        elif isinstance(one, str):
            there.gathering.give()
        else:
            data, times, stream = one
            said.append((data * times, stream))
            there.gathering.take(data * times, stream)
    there.gathering.give()

    for stream in (None, 1):
        assert b"".join(data for data, where in there.heard if where == stream) == b"".join(
            data for data, where in said if where == stream
        )
    assert [stream for stream, _ in groupby(there.heard, second)] == [
        stream for stream, _ in groupby(said, second)
    ]
    assert all(len(data) <= max(GATHERED_OCTETS, 64 * 200) for data, _ in there.heard)


def test_in_a_loop_a_flood_without_an_end_is_given_on_by_itself() -> None:
    async def flood() -> list[bytes]:
        heard: list[bytes] = []
        all_there = asyncio.Event()

        def take(data: bytes, stream: int | None) -> None:
            heard.append(data)
            if len(heard) == 2:
                all_there.set()

        gathering = Gathering(take)
        gathering.take(FULL, None)
        gathering.take(FULL, None)
        assert heard == [FULL]
        await asyncio.wait_for(all_there.wait(), 5)
        return heard

    assert asyncio.run(flood()) == [FULL, FULL]
