"""Text of events as a log may hold it: nothing that moves a terminal, breaks a line or is no UTF-8.

What cannot stand is written visibly: an octet that was no UTF-8 as `\\x80`, a control character as `\\x1b`,
one that turns the direction of writing as `\\u202e`. A backslash stays one backslash, so what is shown may
be read in two ways; the recording has the octets.
"""

from __future__ import annotations

import re
from typing import Any

MORE = "..."
"""What ends a text that was cut; the whole of it is found by the event's id."""

DEEPEST = 6
WIDEST = 64
"""How deep nested values are shown, and how many items of a list or object."""

# C0 and C1 controls, DEL; what breaks lines or turns text around; lone surrogates; non-characters.
_HIDDEN = r"\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff"
_UNSAFE = re.compile(rf"[\x00-\x1f{_HIDDEN}]")
_UNSAFE_IN_LINES = re.compile(rf"[\x00-\x08\x0b\x0c\x0e-\x1f{_HIDDEN}]")


def _written(match: re.Match[str]) -> str:
    number = ord(match[0])
    if 0xDC80 <= number <= 0xDCFF:  # an octet that `session.events.text` kept
        return f"\\x{number - 0xDC00:02x}"
    return f"\\x{number:02x}" if number < 0x80 else f"\\u{number:04x}"


def one_line(text: str) -> str:
    """*text* without any control character."""
    return _UNSAFE.sub(_written, text)


def lines(text: str) -> str:
    """*text* that may have tabs and line ends, for formats that escape them."""
    return _UNSAFE_IN_LINES.sub(_written, text)


def cut(text: str, most: int) -> str:
    """At most *most* characters of *text*, and whether there was more."""
    return text if len(text) <= most else text[: max(0, most - len(MORE))] + MORE


def clipped(value: Any, most: int, depth: int = 0) -> Any:
    """A JSON value with legible texts of at most *most* characters, and not too many of them."""
    if isinstance(value, str):
        # Cut before and after: replacing makes longer, and there may be a gigabyte.
        return cut(lines(cut(value, most + 1)), most)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else str(value)
    if depth >= DEEPEST:
        return MORE
    wide = min(WIDEST, most)
    if isinstance(value, dict):
        shown = {
            cut(lines(str(key)[: most + 1]), min(most, 128)): clipped(item, most, depth + 1)
            for key, item in list(value.items())[:wide]
        }
        return shown if len(value) <= wide else shown | {MORE: len(value) - wide}
    if isinstance(value, list | tuple):
        shown_items = [clipped(item, most, depth + 1) for item in value[:wide]]
        return shown_items if len(value) <= wide else [*shown_items, MORE]
    return clipped(str(value), most, depth)
