"""Recorded output, made harmless for the terminal that it is played on.

A recording may hold sequences that ask the terminal to answer (the answer would be typed into
the reader's shell), to fill its clipboard, to print, to write files, or to change how its keys are
sent. What draws, colors and moves passes; of everything else only what this module knows to be harmless
does, so that what a terminal invents tomorrow is held back too.

Every sequence is written anew, in its seven-bit form and complete: what is passed on never depends on how
the octets were chunked, and never leaves the terminal inside a sequence.
"""

from __future__ import annotations

import re

from watchgate.terminal.escapes import CHARACTER, Token, Tokenizer, TokenKind

RESET = (
    b"\x1b[?1049l\x1b[?47l"  # leave the alternate screen
    b"\x1b[?1l\x1b>\x1b[?66l"  # cursor and keypad keys as usual
    b"\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l"  # no mouse, no focus
    b"\x1b[?2004l"  # no bracketed paste
    b"\x1b[?2026l\x1b[?6l\x1b[4l\x1b[?7h\x1b[r"  # draw at once, anywhere, wrapping
    b"\x0f\x1b(B\x1b[0m\x1b[?25h\x1b[0 q"  # plain characters, a visible cursor
)
"""Puts a terminal right after a session was played on it."""

_ORDINARY = frozenset(b"@ABCDEFGHIJKLMPSTXZ`abdefgmrsu")
_WITH_INTERMEDIATE = {
    b" ": frozenset(b"@Aq"),
    b"!": frozenset(b"p"),
    b'"': frozenset(b"q"),
    b"$": frozenset(b"rtvxz{"),
    b"'": frozenset(b"}~"),
    b"*": frozenset(b"x"),
    b"#": frozenset(b"{}pq"),
}
_PRIVATE_MODES = frozenset((1, 5, 6, 7, 12, 25, 45, 47, 66, 69, 1047, 1048, 1049, 2026, 2027))
_MODES = frozenset((4, 20))
_ESCAPES = re.compile(rb"[78DEHMNOc=>no|}~]|[()*+\-./][\x20-\x2f]?[0-9A-Z<>=`a-z]|#[34568]|%[@G]")
_STRINGS = re.compile(rb"(?:[012]|4|5|8|1[0-9]|104|105|11[0-9]|133)(?:;[^\x00-\x1f\x7f]*)?")
# What most output consists of, passed without being cut: all of it would pass token by token too.
_PLAIN = re.compile(
    rb"(?:" + CHARACTER + rb"|[\x07-\x0f]"
    rb"|\x1b(?:\[[0-9;:]{0,100}+[@A-HJ-MPSTXZ`abdefgmr]|\[\?(?:7|12|25|1049|2026)[hl]|[78DEHM=>]|[()][0AB]))++"
)
_SLICE = 256
_KEPT_CONTROLS = frozenset(b"\x07\b\t\n\v\f\r\x0e\x0f")


class Defuse:
    """Filters one stream of output."""

    __slots__ = ("_tokens",)

    def __init__(self) -> None:
        self._tokens = Tokenizer()

    def feed(self, data: bytes) -> bytes:
        """What of *data* may reach a terminal."""
        passed: list[bytes] = []
        position = 0
        while position < len(data):
            plain = _PLAIN.match(data, position) if self._tokens.between else None
            if plain is not None:
                passed.append(plain[0])
                position = plain.end()
                continue
            end = position + _SLICE
            passed.extend(_harmless(token) for token in self._tokens.feed(data[position:end]))
            position = end
        return b"".join(passed)


def _harmless(token: Token) -> bytes:
    kind, octets = token
    if kind is TokenKind.TEXT:
        return octets
    if kind is TokenKind.CSI:
        return _csi(octets)
    if kind is TokenKind.CONTROL:
        return octets if octets[0] in _KEPT_CONTROLS else b""
    if kind is TokenKind.ESCAPE:
        return b"\x1b" + octets if _ESCAPES.fullmatch(octets) else b""
    if kind is TokenKind.OSC:
        return _osc(octets)
    if kind is TokenKind.BROKEN and octets[0] >= 0xA0:
        return "\ufffd".encode()
    return b""


def _csi(octets: bytes) -> bytes:
    final = octets[-1]
    body = octets[:-1]
    parameters = body.rstrip(b"\x20!\"#$%&'()*+,-./")
    intermediates = body[len(parameters) :]
    if intermediates:
        known = final in _WITH_INTERMEDIATE.get(intermediates, ()) and parameters[:1] not in (
            b"<",
            b"=",
            b">",
            b"?",
        )
        return b"\x1b[" + octets if known else b""
    if parameters[:1] == b"?":
        if final in b"hlrs":
            return _modes(b"?", parameters[1:], final, _PRIVATE_MODES)
        return b"\x1b[" + octets if final in b"JK" else b""
    if parameters[:1] in (b"<", b"=", b">"):
        return b""
    if final in b"hl":
        return _modes(b"", parameters, final, _MODES)
    if final == 0x74:  # of the window operations only the stack of titles
        return b"\x1b[" + octets if parameters.split(b";")[0] in (b"22", b"23") else b""
    return b"\x1b[" + octets if final in _ORDINARY else b""


def _modes(private: bytes, parameters: bytes, final: int, known: frozenset[int]) -> bytes:
    """A change of modes with those left out that make the terminal send what nobody typed."""
    kept = [p for p in parameters.split(b";") if p.isdigit() and len(p) < 6 and int(p) in known]
    return b"\x1b[%b%b%c" % (private, b";".join(kept), final) if kept else b""


def _osc(octets: bytes) -> bytes:
    """Titles, colors, hyperlinks and prompt marks; no question, no clipboard, no file."""
    if _STRINGS.fullmatch(octets) is None:
        return b""
    number, _, rest = octets.partition(b";")
    asks = number not in (b"0", b"1", b"2", b"8", b"133") and b"?" in rest
    return b"" if asks else b"\x1b]" + octets + b"\x07"
