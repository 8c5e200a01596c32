"""The sequences in a terminal's output at which a reader looks at the screen, and how often it may look."""

from __future__ import annotations

import re

SWITCH = re.compile(
    rb"\x1b\[\?[0-9;]{0,16}(?:1049|1047|47)(?:;[0-9;]{0,16})?[hl]"
    rb"|\x1b\[[23]J|\x1bc|\x1b\[(?:1;1)?H\x1b\[0?J"
)
RESET = b"\x1bc"
BROKEN_OFF = re.compile(rb"\x1b(?:\[(?:[?0-9;]{0,40}|(?:1;1)?H(?:\x1b(?:\[0?)?)?)?)?\Z")
PASTE_OFF = b"\x1b[?2004l"
"""Bracketed paste is switched off by a line editor (readline, zle, fish) when it has ended a line."""
LEAVES = re.compile(rb"\r*\n(?:\x1b\[\?2004l)?|\x1b\[\?2004l")

_FAR = 64 * 1024
"""So far into a piece of output it is looked whether a program leaves."""


def leaves_alternate(octets: bytes) -> bool:
    """Whether a full-screen program goes within *octets*."""
    return any(found[0][-1:] == b"l" for found in SWITCH.finditer(octets, 0, _FAR))


class Allowance:
    """So many at once, and so many more with each second of recorded time."""

    def __init__(self, most: int, a_second: int) -> None:
        self._most = most * 1_000_000
        self._a_second = a_second
        self._left = self._most
        self._t_us = 0

    def take(self, t_us: int) -> bool:
        """One more, at *t_us*; False when there is none left."""
        passed = max(0, t_us - self._t_us)
        self._t_us = t_us
        self._left = min(self._most, self._left + passed * self._a_second)
        if self._left < 1_000_000:
            return False
        self._left -= 1_000_000
        return True
