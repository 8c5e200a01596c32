"""How far away a target is."""

from __future__ import annotations

import asyncio

import asyncssh

from watchgate.clock import ManualClock
from watchgate.protocols.ssh.pulse import UNKNOWN_US, Pulse


def test_nothing_is_known_before_it_was_measured() -> None:
    assert Pulse(ManualClock()).round_trip_us() == UNKNOWN_US


def test_a_shorter_round_trip_counts_at_once_and_a_longer_one_slowly() -> None:
    pulse = Pulse(ManualClock())

    pulse.measured(40_000)
    pulse.measured(10_000)
    shortest = pulse.round_trip_us()
    pulse.measured(20_000)

    assert shortest == 10_000
    assert pulse.round_trip_us() == 13_000


def test_it_measures_until_the_connection_no_longer_answers() -> None:
    clock = ManualClock()
    pulse = Pulse(clock)
    asked: list[int] = []

    async def round_trip() -> None:
        asked.append(1)
        if len(asked) == 3:
            raise asyncssh.ConnectionLost("gone")
        clock.advance(0.005)

    asyncio.run(pulse.run(round_trip))

    assert len(asked) == 3
    assert pulse.round_trip_us() == 5000
