"""A flood of octets is given on in pieces of one packet's size.

A busy terminal says what it has in packets of four KiB, and each costs its deciding, recording and sending. So
once one has come that was full, those that follow within a moment are put together. What comes alone, and what
ends a flood, waits for nothing: a packet that is not full is the last of what there was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

GATHERED_OCTETS = 32 * 1024
"""The most that is put together: what every peer takes in one packet (RFC 4253 §6.1)."""

FULL_OCTETS = 2048
"""A packet as large as this was not the end of what there was."""

MOMENT_S = 0.001
"""How long octets of a flood may wait for the next."""

Later = Callable[[float, Callable[[], None]], asyncio.TimerHandle]


class Gathering:
    """What one channel's peer says."""

    def __init__(
        self, heard: Callable[[bytes, int | None], None], later: Later | None = None
    ) -> None:
        """*heard* takes octets and their stream (None: the plain one; RFC 4254 §5.2)."""
        self._heard = heard
        self._later = later or _later
        self._pieces: list[bytes] = []
        self._octets = 0
        self._stream: int | None = None
        self._moment: asyncio.TimerHandle | None = None  # while octets flow
        self._flows = False  # something came in this moment

    def take(self, data: bytes, stream: int | None) -> None:
        """Octets came."""
        size = len(data)
        if self._pieces and (stream != self._stream or self._octets + size > GATHERED_OCTETS):
            self.give()
        self._pieces.append(data)
        self._octets += size
        self._stream = stream
        is_full = size >= FULL_OCTETS
        if self._moment is None or not is_full or self._octets + size > GATHERED_OCTETS:
            self.give()
        if not is_full:
            return
        self._flows = True
        if self._moment is None:
            self._moment = self._later(MOMENT_S, self._passed)

    def give(self) -> None:
        """Give on what waits; to be called before anything else of the same channel is given on."""
        pieces = self._pieces
        if not pieces:
            return
        self._pieces, self._octets = [], 0
        self._heard(pieces[0] if len(pieces) == 1 else b"".join(pieces), self._stream)

    def _passed(self) -> None:
        """A moment is over."""
        flows, self._flows = self._flows, False
        self._moment = self._later(MOMENT_S, self._passed) if flows else None
        self.give()


def _later(seconds: float, then: Callable[[], None]) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(seconds, then)
