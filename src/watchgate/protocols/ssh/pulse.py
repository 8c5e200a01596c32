"""How far away a target is: the round trip of its connection, measured while a session lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import asyncssh

from watchgate.clock import Clock

FIRST_SECONDS = (0.0, 0.1, 0.4)
"""The first measurements come quickly: a login is followed by typing."""

EVERY_SECONDS = 15.0

ANSWER_SECONDS = 30.0

UNKNOWN_US = 100_000
"""What is taken until something was measured."""

_NEWEST = 0.3


class Pulse:
    """The round trip of one connection, as a mean in which the newest counts most."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._mean_us: float | None = None

    def round_trip_us(self) -> int:
        """Microseconds to the target and back."""
        return UNKNOWN_US if self._mean_us is None else round(self._mean_us)

    def measured(self, took_us: int) -> None:
        """One round trip took that long; a shorter one than ever counts at once: it shows the distance."""
        if self._mean_us is None or took_us < self._mean_us:
            self._mean_us = float(took_us)
        else:
            self._mean_us += _NEWEST * (took_us - self._mean_us)

    async def run(self, round_trip: Callable[[], Awaitable[None]]) -> None:
        """Measure for as long as the connection answers."""
        pauses = iter(FIRST_SECONDS)
        while True:
            await asyncio.sleep(next(pauses, EVERY_SECONDS))
            began_us = self._clock.monotonic_us()
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await round_trip()
            except (asyncssh.Error, OSError, TimeoutError):
                return
            self.measured(self._clock.monotonic_us() - began_us)
