"""Words as shells quote them, read back to the octets that they stand for.

bash's `printf %q`, zsh's `${(qqqq)…}` and fish's `string escape` write differently; all of them write a
sequence of words between blanks, each made of plain characters, `\\x`, `'…'` and `$'…'`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_PIECE = re.compile(
    rb"\$'(?P<ansi>(?:[^'\\]|\\.)*)'"
    rb"|'(?P<single>(?:[^'\\]|\\.)*)'"
    rb"|\\(?P<escaped>.)"
    rb"|(?P<plain>(?:[^\s'\\$]|\$(?!'))+)"
    rb"|(?P<blank>[ ]+)",
    re.DOTALL,
)
_ANSI = re.compile(
    rb"\\(?:(?P<octal>[0-7]{1,3})|x(?P<hex>[0-9A-Fa-f]{1,2})"
    rb"|u(?P<u4>[0-9A-Fa-f]{1,4})|U(?P<u8>[0-9A-Fa-f]{1,8})|c(?P<control>.)|(?P<other>.))",
    re.DOTALL,
)
_NAMED = {
    b"a": b"\a",
    b"b": b"\b",
    b"e": b"\x1b",
    b"E": b"\x1b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
}
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")


class UnquotableError(ValueError):
    """Octets that no shell writes as words."""


def shell_words(octets: bytes) -> Iterator[bytes]:
    """The words in *octets* as bash and zsh quote them; raises `UnquotableError`."""
    word: bytearray | None = None
    position = 0
    while position < len(octets):
        found = _PIECE.match(octets, position)
        if found is None:
            raise UnquotableError(f"octet {position} begins no word")
        position = found.end()
        if found.lastgroup == "blank":
            if word is not None:
                yield bytes(word)
            word = None
            continue
        word = bytearray() if word is None else word
        word += _unquoted(found)
    if word is not None:
        yield bytes(word)


def percent_words(octets: bytes) -> Iterator[bytes]:
    """The words in *octets* as fish's `string escape --style=url` writes them."""
    for word in octets.split(b" "):
        if word:
            yield _PERCENT.sub(lambda found: bytes((int(found[1], 16),)), word)


def _unquoted(found: re.Match[bytes]) -> bytes:
    match found.lastgroup:
        case "ansi":
            return _ANSI.sub(_ansi, found["ansi"])
        case "single":
            return found["single"]
        case "escaped":
            return found["escaped"]
        case _:
            return found["plain"]


def _ansi(found: re.Match[bytes]) -> bytes:
    """One escape of `$'…'` (bash manual, "ANSI-C Quoting"; zsh's uses the same)."""
    match found.lastgroup:
        case "octal":
            return bytes((int(found["octal"], 8) & 0xFF,))
        case "hex":
            return bytes((int(found["hex"], 16),))
        case "u4" | "u8":
            return _character(int(found[found.lastgroup], 16))
        case "control":
            return bytes((found["control"][0] & 0x1F,))
        case _:
            return _NAMED.get(found["other"], found["other"])


def _character(number: int) -> bytes:
    if number > 0x10FFFF or 0xD800 <= number < 0xE000:
        return b"\xef\xbf\xbd"
    return chr(number).encode()
