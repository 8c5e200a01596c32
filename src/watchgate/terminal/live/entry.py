"""One line while it is typed: its keys, where it began, and what was printed meanwhile."""

from __future__ import annotations

import re

from watchgate.terminal.findings import LONGEST_COMMAND
from watchgate.terminal.keyline import Ending, KeyLine
from watchgate.terminal.keys import Key, KeyKind
from watchgate.terminal.screen import Anchor

_STOPS = 12
_PRINTED = 64 * 1024
_UNPRINTED = re.compile(
    rb"\x1b(?:\[[0-9:;<=>?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-Za-z]|[ -~])|[\x00-\x1f\x7f]"
)
_NEWLINES = b"\r\n"
_BACK = frozenset(
    (b"\x01", b"\x02", b"\x1b[H", b"\x1bOH", b"\x1b[D", b"\x1bOD", b"\x1bb", b"\x1b[1~")
)
_SEARCH = frozenset((b"\x12", b"\x13"))
_END_OF_INPUT = b"\x04"


class Entry:
    """The keys of one line."""

    def __init__(self) -> None:
        self.keys = KeyLine()
        self.stops: list[Anchor] = []
        self.right = ""
        """What stood right of the cursor when the first key came."""
        self.last_us = 0
        """When the last key came."""
        self.touched = False
        self.printed = bytearray()
        """What was printed since the first key, its last octets."""
        self.moved = False
        """A key went back in the line."""
        self.completes = False
        """The last key was Tab."""
        self.quoted = False
        """The last key makes the next one a character of the line."""
        self.pasting = False
        self.pasted_us = 0
        self.paste_seen = False
        """In this paste a new line was held and ran nothing."""
        self.ends_input = False
        """The last key was ^D behind something."""
        self.dropped = False
        """^C was typed, and the line that it should have ended is perhaps still there."""
        self._parts: list[str] = []
        self._size = 0
        self._exact = True
        self._stale = True

    @property
    def text(self) -> str:
        """What the keys say of it."""
        return "\n".join((*self._parts, self.keys.text))

    @property
    def current(self) -> str:
        """The same, of the line behind the last pasted new line."""
        return self.keys.text

    @property
    def exact(self) -> bool:
        """Whether the keys tell it."""
        return self._exact and self.keys.exact

    @property
    def wants_stop(self) -> bool:
        """Where the next key comes the output has rested, and that place is not kept yet."""
        return self._stale and len(self.stops) < _STOPS

    def stop(self, anchor: Anchor | None) -> None:
        """The cursor's place as a key comes."""
        self._stale = False
        if anchor is not None:
            self.stops.append(anchor)

    def output(self, octets: bytes) -> None:
        """Something was printed."""
        self._stale = True
        if self.touched:
            self.printed += octets[-_PRINTED:]
            if len(self.printed) > 2 * _PRINTED:
                del self.printed[:-_PRINTED]

    def take(self, t_us: int, key: Key, *, completing: bytes, helping: bytes) -> None:
        """A key that is passed on."""
        kind, octets = key
        if kind is KeyKind.REPORT:
            return
        self.touched, self.last_us = True, t_us
        quoted, self.quoted = self.quoted, octets in (b"\x16", b"\x11")
        self.completes = octets[-1:] in completing and not self.pasting
        self.ends_input = octets == _END_OF_INPUT and bool(self.text)
        if quoted:
            self.keys.lose()
            return
        if kind is KeyKind.PASTE:
            self._paste(t_us, octets)
        for line in self.keys.key(t_us, key):
            if line.ending is Ending.DROPPED:
                self._parts.clear()
                self._exact, self.dropped = True, True
            else:
                self._keep(line.text, exact=line.exact)
        self.moved = self.moved or octets in _BACK
        if kind in (KeyKind.TEXT, KeyKind.CONTROL) and _has(octets, helping + completing):
            self.keys.lose()

    def new_line(self, t_us: int) -> None:
        """A new line inside a paste: the line goes on."""
        self.last_us = t_us
        self._keep(self.keys.text, exact=self.keys.exact)
        self.keys = KeyLine()

    def begin_anew(self) -> None:
        """The line before was dropped: what was typed since then stands behind another prompt, not seen yet."""
        self.stops.clear()
        self.printed.clear()
        self.right = ""
        self.dropped = self.moved = False
        self._stale = True

    def leave_paste(self) -> None:
        """What was taken for a paste was none."""
        self.pasting = False

    def echoed(self, text: str) -> bool:
        """Whether *text* was printed since the first key, in few pieces: something else may have come between."""
        wanted = re.sub(r"\s", "", text)[-2000:].encode()
        if not wanted:
            return True
        shown = _UNPRINTED.sub(b"", bytes(self.printed)).replace(b" ", b"")
        pieces, at, place = 0, 0, 0
        while at < len(wanted):
            length, end = _longest(shown, wanted, at, place)
            if not length:
                return False
            at, place, pieces = at + length, end, pieces + 1
        return pieces <= 1 + len(wanted) // 4

    def _paste(self, t_us: int, octets: bytes) -> None:
        self.pasting = octets == b"\x1b[200~"
        if self.pasting:
            self.pasted_us, self.paste_seen = t_us, False

    def _keep(self, text: str, *, exact: bool) -> None:
        self._size += len(text) + 1
        if self._size > LONGEST_COMMAND:
            self._exact = False
            return
        self._parts.append(text)
        self._exact = self._exact and exact


def _has(octets: bytes, any_of: bytes) -> bool:
    return any(octet in octets for octet in any_of)


def _longest(shown: bytes, wanted: bytes, at: int, place: int) -> tuple[int, int]:
    """How much of *wanted* from *at* on stands in one piece in *shown* behind *place*, and where it ends."""
    low, high, end = 0, len(wanted) - at, place
    while low < high:
        middle = (low + high + 1) // 2
        found = shown.find(wanted[at : at + middle], place)
        if found < 0:
            high = middle - 1
        else:
            low, end = middle, found + middle
    return low, end
