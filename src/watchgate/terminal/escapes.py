"""Octets to a terminal, cut into text, controls and escape sequences (ECMA-48, xterm).

The cut never depends on how the octets were chunked, and takes linear time: nothing is looked at twice
but the few octets of a sequence that a chunk broke off. A control string (a title, a picture) is
swallowed as it comes; its first octets are kept, at most `KEPT`.

What this is not: an emulator. It knows where a sequence ends, not what it does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

KEPT = 4096
"""Octets of a control string that are kept."""

LONGEST_STRING = 1 << 20
"""Octets after which a control string that nobody ends is given up, so that it cannot hide all that follows."""

_LONGEST_SEQUENCE = 256


class TokenKind(Enum):
    """What a token is; the octets that a token carries are said with each."""

    TEXT = auto()
    """Printable UTF-8."""
    BROKEN = auto()
    """Octets that are no UTF-8, or an escape sequence that breaks off."""
    CONTROL = auto()
    """One C0 control or DEL."""
    ESCAPE = auto()
    """`ESC …`: intermediates and final, without the ESC."""
    CSI = auto()
    """`ESC [ …`: parameters, intermediates and final."""
    OSC = auto()
    """`ESC ] … BEL`: the string."""
    STRING = auto()
    """DCS, SOS, PM or APC: the introducer's letter (`P`, `X`, `^`, `_`) and the string."""


class Token(NamedTuple):
    """A piece of output."""

    kind: TokenKind
    octets: bytes


CHARACTER = (
    rb"[\x20-\x7e]|\xc2[\xa0-\xbf]|[\xc3-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]"
    rb"|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
"""A regex for well-formed UTF-8 (RFC 3629 §4) without controls: an overlong form of one stays broken."""

_TOKEN = re.compile(
    rb"(?P<TEXT>(?:" + CHARACTER + rb")++)"
    rb"|(?P<CONTROL>[\x00-\x1a\x1c-\x1f\x7f])"
    rb"|(?:\x1b\[|\xc2\x9b)(?P<CSI>[\x30-\x3f]{0,200}+[\x20-\x2f]{0,8}+[\x40-\x7e])"
    rb"|(?:\x1b(?P<esc_string>[\]PX^_])|\xc2(?P<c1_string>[\x90\x98\x9d\x9e\x9f]))"
    rb"|\x1b(?P<ESCAPE>[\x20-\x2f]{0,8}+[\x30-\x5a\\\x60-\x7e])"
    rb"|\xc2(?P<c1>[\x80-\x9a\x9c])"
)
_UNFINISHED = re.compile(
    rb"(?:\x1b|\xc2\x9b)(?:\[?[\x30-\x3f]{0,200}[\x20-\x2f]{0,8})?"
    rb"|[\xc2-\xf4]|[\xe0-\xf4][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{2}"
)
_GIVEN_UP = re.compile(rb"(?:\x1b\[|\xc2\x9b)[\x20-\x3f]{0,208}|\x1b[\x20-\x2f]{0,8}")
_STRING_ENDS = re.compile(rb"[\x18\x1a\x1b]|\xc2(?:\x9c|\Z)")
_OSC_ENDS = re.compile(rb"[\x07\x18\x1a\x1b]|\xc2(?:\x9c|\Z)")
_KINDS = {kind.name: kind for kind in TokenKind}


class Tokenizer:
    """Cuts one stream; holds at most one unfinished sequence."""

    __slots__ = ("_body", "_held", "_introducer", "_swallowed")

    def __init__(self) -> None:
        self._held = b""
        self._introducer = b""
        self._body = bytearray()
        self._swallowed = 0

    @property
    def between(self) -> bool:
        """Nothing is held: the next octet begins a token."""
        return not self._held and not self._introducer

    def feed(self, data: bytes) -> Iterator[Token]:
        """The tokens that *data* completes."""
        if self._held:
            data, self._held = self._held + data, b""
        position = 0
        while position < len(data):
            if self._introducer:
                position, ended = self._swallow(data, position)
                if ended is not None:
                    yield ended
                continue
            match = _TOKEN.match(data, position)
            if match is None:
                rest = _UNFINISHED.fullmatch(data, position)
                if rest is not None:
                    self._held = data[position:]
                    return
                broken = _GIVEN_UP.match(data, position)
                end = broken.end() if broken is not None else position + 1
                yield Token(TokenKind.BROKEN, data[position:end])
                position = end
                continue
            position = match.end()
            name = match.lastgroup or ""
            kind = _KINDS.get(name)
            if kind is not None:
                yield Token(kind, match[name])
            elif name == "c1":
                yield Token(TokenKind.ESCAPE, bytes((match[name][0] - 0x40,)))
            else:
                letter = match[name]
                self._introducer = letter if name == "esc_string" else bytes((letter[0] - 0x40,))

    def finish(self) -> Iterator[Token]:
        """What is left when the stream ends in the middle of a sequence."""
        if self._introducer:
            yield self._end_string()
        if self._held:
            held, self._held = self._held, b""
            yield Token(TokenKind.BROKEN, held)

    def _swallow(self, data: bytes, position: int) -> tuple[int, Token | None]:
        """Take octets of a control string from *position*; where it ends, the token."""
        ends = _OSC_ENDS if self._introducer == b"]" else _STRING_ENDS
        room = LONGEST_STRING - self._swallowed
        match = ends.search(data, position)
        stop = min(match.start() if match else len(data), position + room)
        if len(self._body) < KEPT:
            self._body += data[position : min(stop, position + KEPT - len(self._body))]
        self._swallowed += stop - position
        if match is None or stop < match.start():
            return stop, self._end_string() if self._swallowed >= LONGEST_STRING else None
        if match[0] in (b"\x1b", b"\xc2") and match.end() == len(data):
            self._held = match[0]
            return len(data), None
        if match[0] == b"\x1b":
            # Anything but a backslash after the ESC ends the string too, and begins a new sequence.
            is_terminator = data[match.end() : match.end() + 1] == b"\\"
            return match.end() + 1 if is_terminator else match.start(), self._end_string()
        return match.end(), self._end_string()

    def _end_string(self) -> Token:
        introducer, body = self._introducer, bytes(self._body)
        self._introducer = b""
        self._body.clear()
        self._swallowed = 0
        if introducer == b"]":
            return Token(TokenKind.OSC, body)
        return Token(TokenKind.STRING, introducer + body)
