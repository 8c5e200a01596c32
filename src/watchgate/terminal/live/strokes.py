"""Keys one by one, and what the keyboard protocols of newer terminals send for the classic ones.

With the kitty protocol Enter is `CSI 13 u`, with xterm's modifyOtherKeys it may be `CSI 27;1;13~`, on the
keypad `ESC O M`. Programs that do not speak them take them for something else, which the screen shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from watchgate.terminal.keys import Key, KeyKind

_KITTY = re.compile(rb"\x1b\[(\d{1,7})(?::\d*){0,2}(?:;(\d{1,3})?(?::(\d))?)?(?:;([\d:]{0,64}))?u")
_XTERM = re.compile(rb"\x1b\[27;(\d{1,3});(\d{1,7})~")
_KEYPAD_ENTER = 57414
_RELEASE = b"3"
_CONTROLS = frozenset((*range(0x20), 0x7F))
_RUNS = (KeyKind.END, KeyKind.ERASE)


def strokes(key: Key) -> Iterator[Key]:
    """*key*, one stroke after the other: what ends lines or controls an editor comes in runs."""
    kind, octets = key
    is_run = kind in _RUNS or (kind is KeyKind.CONTROL and octets[:1] != b"\x1b")
    if not is_run or len(octets) == 1:
        yield key
        return
    for at in range(len(octets)):
        yield Key(kind, octets[at : at + 1])


def classic(key: Key) -> Key:
    """*key* as a terminal without a keyboard protocol would send it; a release is a report."""
    kind, octets = key
    if octets == b"\x1bOM":
        return Key(KeyKind.END, b"\r")
    if kind is not KeyKind.CODED:
        return key
    kitty = _KITTY.fullmatch(octets)
    if kitty is not None:
        if kitty[3] == _RELEASE:
            return Key(KeyKind.REPORT, octets)
        return _plain(key, int(kitty[1]), int(kitty[2] or 1) - 1)
    xterm = _XTERM.fullmatch(octets)
    if xterm is not None:
        return _plain(key, int(xterm[2]), int(xterm[1]) - 1)
    return key


def _plain(key: Key, code: int, modifiers: int) -> Key:
    """The key with that code point; modifiers: 1 shift, 2 alt, 4 control."""
    modifiers &= 0b111
    if code in (13, _KEYPAD_ENTER):
        return Key(KeyKind.END, b"\r")
    if modifiers & 4 and (chr(code & 0x7F).isalpha() or 0x40 <= code < 0x60):
        return _control(code & 0x1F)
    if modifiers in (0, 1) and code in _CONTROLS:
        return _control(code)
    if modifiers in (0, 1) and 0x20 <= code < 0xD800:
        return Key(KeyKind.TEXT, chr(code).encode())
    return key


def _control(octet: int) -> Key:
    octets = bytes((octet,))
    if octet in b"\r\n\x03\x04\x15\x1a\x1c":
        return Key(KeyKind.END, octets)
    return Key(KeyKind.ERASE if octet in (0x08, 0x7F) else KeyKind.CONTROL, octets)
