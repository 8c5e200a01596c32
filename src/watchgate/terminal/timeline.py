"""When a recorded moment is shown: speed, capped pauses, holding still, and where one is.

A moment of the recording is a *position*, in microseconds from its start; *now* is the reader's monotonic
clock. Between two records the position runs on at the speed of play; a pause longer than the idle limit
is cut to it.
"""

from __future__ import annotations

SLOWEST = 1 / 16
FASTEST = 256.0


class Timeline:
    """Maps positions to the clock; paused until `resume`."""

    __slots__ = ("_anchor", "_idle_us", "_left", "_next", "_playing", "_position", "speed")

    def __init__(
        self, speed: float = 1.0, idle_us: int | None = None, position_us: int = 0
    ) -> None:
        self.speed = min(max(speed, SLOWEST), FASTEST)
        self._idle_us = idle_us
        self._position = position_us  # at the anchor
        self._anchor = 0  # on the clock
        self._next = position_us  # the record that comes next
        self._left = 0.0  # of the way to it, at the anchor, as play at speed 1
        self._playing = False

    @property
    def playing(self) -> bool:
        """Time passes."""
        return self._playing

    def await_record(self, now: int, t_us: int) -> None:
        """The next record is at *t_us*; the one before has just been shown, or skipped."""
        ahead = max(0, t_us - self._position)
        self._next = self._position + ahead
        self._left = float(ahead if self._idle_us is None else min(ahead, self._idle_us))

    def due(self) -> int | None:
        """When the awaited record is to be shown; None while paused."""
        if not self._playing:
            return None
        return self._anchor + round(self._left / self.speed)

    def arrive(self, now: int, lateness_us: int = 250_000) -> None:
        """The awaited record is shown.

        What comes after is timed from when it was due, so that small delays do not add up; after a
        long one (a stopped terminal, a suspended machine) from *now*.
        """
        due = self._anchor + round(self._left / self.speed)
        self._anchor = due if self._playing and 0 <= now - due <= lateness_us else now
        self._position = self._next
        self._left = 0.0

    def position(self, now: int) -> int:
        """The moment of the recording that is shown at *now*."""
        return min(self._next, self._position + round(self._played(now)))

    def pause(self, now: int) -> None:
        """Hold still."""
        self._rebase(now)
        self._playing = False

    def resume(self, now: int) -> None:
        """Go on."""
        self._rebase(now)
        self._playing = True

    def set_speed(self, now: int, speed: float) -> None:
        """Go on at another speed, within `SLOWEST` and `FASTEST`."""
        self._rebase(now)
        self.speed = min(max(speed, SLOWEST), FASTEST)

    def jump(self, now: int, t_us: int) -> None:
        """Be at *t_us*; the next record must be awaited anew."""
        self._anchor = now
        self._position = self._next = t_us
        self._left = 0.0

    def _played(self, now: int) -> float:
        """How much of the way to the next record has been played since the anchor, at speed 1."""
        if not self._playing:
            return 0.0
        return min(self._left, max(0, now - self._anchor) * self.speed)

    def _rebase(self, now: int) -> None:
        played = self._played(now)
        self._position = min(self._next, self._position + round(played))
        self._left = max(0.0, self._left - played)
        self._anchor = now


def parse_moment(text: str) -> int | None:
    """Microseconds of `83`, `83.5`, `1:23` or `1:02:03.5`; None for anything else."""
    parts = text.strip().split(":")
    if not 1 <= len(parts) <= 3 or any(len(part) > 12 for part in parts):
        return None
    whole, _, fraction = parts[-1].partition(".")
    if not all(part.isascii() and part.isdigit() for part in (*parts[:-1], whole)):
        return None
    if fraction and not (fraction.isascii() and fraction.isdigit()):
        return None
    seconds = 0
    for part in (*parts[:-1], whole):
        seconds = seconds * 60 + int(part)
    return seconds * 1_000_000 + int(fraction[:6].ljust(6, "0") or 0)


def moment(t_us: int) -> str:
    """A position for people: `1:23.4`, `1:02:03.4`."""
    tenths = max(0, t_us) // 100_000
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{minutes:02d}:{seconds}" if hours else f"{minutes}:{seconds}"
