"""Octets that a terminal sends, cut into keys.

A terminal sends text, controls, and escape sequences for keys; and, unasked by anybody who types, its
own reports. Whether an ESC is the key or the start of a sequence only time can tell: what does not
go on within `PATIENCE_US` was the key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

PATIENCE_US = 50_000
"""How long an unfinished sequence is waited for."""


class KeyKind(Enum):
    """What a key may mean to whoever reads it."""

    TEXT = auto()
    """Printable octets."""
    END = auto()
    """Enter, and the controls after which a line is over: ^C ^D ^U ^Z ^\\."""
    ERASE = auto()
    """Backspace."""
    CONTROL = auto()
    """Any other control, arrow or function key."""
    CODED = auto()
    """Text inside a sequence: Alt with a letter, the keypad's digits, the kitty and xterm key protocols."""
    PASTE = auto()
    """The marks around a bracketed paste."""
    REPORT = auto()
    """The terminal's answer to a question, a mouse event, a change of focus."""


class Key(NamedTuple):
    """One key, or a run of keys of one kind."""

    kind: KeyKind
    octets: bytes


_KEY = re.compile(
    rb"(?P<TEXT>[\x20-\x7e\x80-\xff]+)"
    rb"|(?P<END>[\r\n\x03\x04\x15\x1a\x1c]+)"
    rb"|(?P<ERASE>[\x08\x7f]+)"
    rb"|(?P<CONTROL>[\x00-\x02\x05-\x07\x09\x0b\x0c\x0e-\x14\x16-\x19\x1d-\x1f]+|\x1bO[A-DFHMP-S])"
    rb"|(?P<REPORT>\x1b\[(?:M[\x20-\xff]{3}|<[0-9;]{1,64}[Mm]|[IO]|[?>=]?[0-9;]{1,64}(?:\$y|[Rcntx]))"
    rb"|\x1b[\]P_][^\x07\x1b]{0,4096}(?:\x07|\x1b\\))"
    rb"|(?P<PASTE>\x1b\[20[01]~)"
    rb"|(?P<CODED>\x1b\[27;[0-9;]{0,64}~|\x1b\[[0-9:;]{0,64}[u_]|\x1bO[@-~]|\x1b[\x20-\x4e\x51-\x5a\\^\x60-\x7e\x80-\xff])"
    rb"|(?P<csi>\x1b\[(?!M)[<-?]?[0-9:;]{0,64}[\x20-\x2f]?[@-~])"
)
_UNFINISHED = re.compile(
    rb"\x1b(?:O|\[(?:M[\x20-\xff]{0,2}|[<-?]?[0-9:;]{0,64}[\x20-\x2f]?)|[\]P_][^\x07\x1b]{0,4096}\x1b?)?"
)
_KINDS = {kind.name: kind for kind in KeyKind} | {"csi": KeyKind.CONTROL}


class Keys:
    """Cuts one stream of input."""

    __slots__ = ("_held", "_held_since")

    def __init__(self) -> None:
        self._held = b""
        self._held_since = 0

    def due(self) -> int | None:
        """When what is held stops being the start of a sequence."""
        return self._held_since + PATIENCE_US if self._held else None

    def feed(self, t_us: int, data: bytes) -> Iterator[Key]:
        """The keys that *data*, typed at *t_us*, completes."""
        if self._held:
            if t_us - self._held_since > PATIENCE_US:
                yield from self.flush()
            else:
                data, self._held = self._held + data, b""
        position = 0
        while position < len(data):
            match = _KEY.match(data, position)
            if match is not None:
                position = match.end()
                yield Key(_KINDS[match.lastgroup or ""], match[0])
            elif _UNFINISHED.fullmatch(data, position):
                self._held, self._held_since = data[position:], t_us
                return
            else:
                position += 1
                yield Key(KeyKind.CONTROL, b"\x1b")

    def flush(self) -> Iterator[Key]:
        """What was held, as the keys that it was after all: an ESC and what followed it."""
        held, self._held = self._held, b""
        if not held:
            return
        yield Key(KeyKind.CONTROL, held[:1])
        rest = held[1:].rstrip(b"\x1b")
        if rest:
            yield Key(KeyKind.TEXT, rest)
        if len(rest) + 1 < len(held):
            yield Key(KeyKind.CONTROL, b"\x1b")
