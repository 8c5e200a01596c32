"""Takes a secret out of what a terminal prints after it was typed there.

A terminal that does not echo prints nothing of it. One that does (a prompt that was not what it seemed, a
shell that was back already) prints it at once, whole or broken at the edge of the screen; a program that shows
a star for each character tells its length. What a program does to it before it prints it cannot be known.

Whoever sees the output could try secrets by printing them and looking which are replaced. So this lasts for
`LASTS` octets, and the caller uses it for some seconds and then no longer.
"""

from __future__ import annotations

import re

from watchgate.secret import Secret

MASK = b"***"
LASTS = 64 * 1024
"""Octets after which it lets everything pass."""

_BETWEEN = rb"(?:[\r\n\x08\x00]| \r|\x1b\[[0-9;?]{0,16}[A-Za-z])"
_MOST_BETWEEN = 4
_STARS = re.compile(rb"\*+|\x08 \x08")
"""What stands for characters that are typed, and takes it back."""


class Scrubber:
    """The output of one terminal, for a while; what could be the beginning of the secret is held back."""

    def __init__(self, secret: Secret) -> None:
        octets = secret.reveal().rstrip(b"\r\n")
        between = _BETWEEN + b"{0,%d}" % _MOST_BETWEEN
        parts = [re.escape(octets[at : at + 1]) for at in range(len(octets))]
        self._whole = re.compile(between.join(parts), re.DOTALL) if parts else None
        self._first = octets[:1]
        self._octets = octets
        self._window = len(octets) * 4 + 64
        self._held = b""
        self._left = LASTS
        self._stars = True

    def __repr__(self) -> str:
        return "Scrubber(***)"

    @property
    def holds(self) -> bool:
        """Whether something is held back; `flush` after a moment of silence."""
        return bool(self._held)

    @property
    def over(self) -> bool:
        """Whether it does nothing any more."""
        return self._whole is None or self._left <= 0

    def feed(self, octets: bytes) -> bytes:
        """*octets* without the secret."""
        if self.over:
            return self.flush() + octets
        assert self._whole is not None
        self._left -= len(octets)
        *parts, last = self._whole.split(self._held + octets)
        cut = self._begun(last)
        self._held = last[cut:]
        return MASK.join(self._without_stars(part) for part in (*parts, last[:cut]))

    def flush(self) -> bytes:
        """What is held back, when nothing has followed for a while."""
        held, self._held = self._held, b""
        return self._without_stars(held)

    def _without_stars(self, octets: bytes) -> bytes:
        """Without what stands for characters that were typed, up to the end of the prompt's line."""
        if not self._stars:
            return octets
        line, ended, rest = octets.partition(b"\n")
        self._stars = not ended
        return _STARS.sub(b"", line) + ended + rest

    def _begun(self, data: bytes) -> int:
        """Where at the end of *data* something begins that could become the secret."""
        at = max(0, len(data) - self._window)
        while (at := data.find(self._first, at)) >= 0:
            if self._goes_on(data, at):
                return at
            at += 1
        return len(data)

    def _goes_on(self, data: bytes, at: int) -> bool:
        """Whether all of *data* from there is a beginning of the secret."""
        reached = {at}
        for wanted in self._octets:
            reached = _behind_gaps(data, reached)
            if len(data) in reached:
                return True
            reached = {place + 1 for place in reached if data[place] == wanted}
        return False


_GAP = re.compile(_BETWEEN)
_GAP_BEGUN = re.compile(rb"(?: |\x1b(?:\[[0-9;?]{0,16})?)\Z")


def _behind_gaps(data: bytes, places: set[int]) -> set[int]:
    """*places*, and all that are reached from them over what may stand between two characters."""
    found, fresh = set(places), set(places)
    for _ in range(_MOST_BETWEEN):
        fresh = {end for place in fresh if (end := _gap(data, place)) is not None} - found
        found |= fresh
    return found


def _gap(data: bytes, at: int) -> int | None:
    """Behind what may stand between two characters at *at*; the end when it is cut off there."""
    if match := _GAP.match(data, at):
        return match.end()
    return len(data) if _GAP_BEGUN.match(data, at) else None
