"""How quickly a terminal answers keys: who has seen it answer need not wait as for one that nobody knows.

A wait for something that does not come (an echo that is switched off, a key that changes nothing) lasts many
times as long as the slowest answer among the last ones; as long as they are few, it lasts its full time.
All times are microseconds; round trips are no part of them.
"""

from __future__ import annotations

from collections import deque

LEAST_US = 40_000
"""No wait is shorter: a machine that was quick may have other work the next moment."""

_FORGOTTEN_US = 300_000
"""A key that was not answered for so long is not going to be."""
_TIMES = 10
_LAST = 32
_FEW = 4


class Pace:
    """Of one terminal."""

    def __init__(self) -> None:
        self._answers: deque[int] = deque(maxlen=_LAST)
        self._asked_us: int | None = None

    def typed(self, t_us: int) -> None:
        """A key was passed on."""
        if self._asked_us is None or t_us > self._asked_us + _FORGOTTEN_US:
            self._asked_us = t_us

    def passed(self) -> None:
        """What is printed now is no answer to a key."""
        self._asked_us = None

    def printed(self, t_us: int, rtt_us: int) -> None:
        """The target printed; *rtt_us* is the round trip to it."""
        if self._asked_us is None:
            return
        took_us = max(0, t_us - self._asked_us - rtt_us)
        self._asked_us = None
        if took_us > _FORGOTTEN_US:
            self._answers.clear()  # whether this was slow or no answer, it is not known any more
        else:
            self._answers.append(took_us)

    def patience_us(self, longest_us: int, least_us: int = LEAST_US) -> int:
        """How long to wait for what would be waited for *longest_us* where nothing is known."""
        if len(self._answers) < _FEW:
            return longest_us
        return min(longest_us, max(least_us, _TIMES * max(self._answers)))
