"""Undoing `$'…'`, and quoting a word again where it has to be."""

from __future__ import annotations

import re

_ESCAPE = re.compile(
    r"\\(?:x\{(?P<braced>[0-9A-Fa-f]+)\}|x(?P<hex>[0-9A-Fa-f]{1,2})|u(?P<short>[0-9A-Fa-f]{1,4})"
    r"|U(?P<long>[0-9A-Fa-f]{1,8})|(?P<octal>[0-7]{1,3})|c(?P<control>.)|(?P<one>.))",
    re.DOTALL,
)
_ONE = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "E": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "?": "?",
}
_PLAIN = re.compile(r"[\w@%+=:,./^{}\]-][\w@%+=:,./^{}!~#\]-]*|\[", re.ASCII)
_LARGEST = 0x10FFFF


def ansi(text: str) -> str:
    r"""What stands between `$'` and `'`, its escapes undone (bash(1), QUOTING; zsh's `\x{…}` too)."""
    return _ESCAPE.sub(_unescaped, text) if "\\" in text else text


def _unescaped(found: re.Match[str]) -> str:
    kind = found.lastgroup
    value = found[kind] if kind else ""
    match kind:
        case "one":
            return _ONE.get(value, "\\" + value)
        case "control":
            return chr(ord(value[0]) & 0x1F)
        case "octal":
            return chr(int(value, 8) & 0xFF)
        case _:
            number = int(value[:9], 16)
            return chr(number) if number <= _LARGEST else "\ufffd"


def quoted(text: str) -> str:
    """*text* as one word of shell, in quotes only where it must be."""
    if _PLAIN.fullmatch(text):
        return text
    return "'" + text.replace("'", "'\\''") + "'"
