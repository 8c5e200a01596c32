"""How long a held key waits for the screen to show what it would run.

All times are microseconds. What the other side does with a key is seen one round trip later at the earliest.
"""

from __future__ import annotations

from dataclasses import dataclass

ECHO_US = 100_000
_QUIET_US = 20_000
_LEAST_QUIET_US = 12_000
UNANSWERED_US = 150_000
_BOUND_US = 400_000
_COMPLETION_US = 2_000_000
"""A shell that completes reads no Enter before it is done: waiting with it costs the operator nothing."""
LONGEST_RTT_US = 3_000_000


@dataclass(frozen=True, slots=True)
class Settling:
    """The times of one held key."""

    held_us: int
    rtt_us: int
    echo_us: int = ECHO_US
    """How long an echo is waited for."""
    unanswered_us: int = UNANSWERED_US
    """How long any answer is."""

    @property
    def quiet_us(self) -> int:
        """Without output for so long, it has come to a rest."""
        return max(_LEAST_QUIET_US, self.rtt_us * 3 // 2 + _QUIET_US)

    @property
    def echo_due(self) -> int:
        """What is not echoed until then is not echoed."""
        return self.held_us + self.echo_us + 2 * self.rtt_us

    def bound(self, *, completing: bool) -> int:
        """Later than this nothing is waited for."""
        longest = _COMPLETION_US if completing else _BOUND_US
        return self.held_us + longest + 2 * self.rtt_us

    def answered(self, key_us: int, output_us: int) -> bool:
        """Whether output at *output_us* can be the answer to a key at *key_us*."""
        return output_us >= key_us + self.rtt_us // 2

    def rest_due(self, key_us: int, output_us: int, *, completing: bool) -> int:
        """When the line stands still, if nothing more is printed."""
        if self.answered(key_us, output_us):
            due = max(key_us, output_us) + self.quiet_us
        elif completing:
            due = self.bound(completing=True)
        else:
            due = key_us + max(self.unanswered_us, 4 * self.rtt_us)
        return min(due, self.bound(completing=completing))
