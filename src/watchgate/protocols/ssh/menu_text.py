"""Text in cells: what one character takes of a line, and what may be shown of a name at all."""

from __future__ import annotations

import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})
"""Categories that would move the cursor, turn the text around, or mean something to the terminal."""


def clean(text: str) -> str:
    """*text* with nothing in it that a terminal would act on."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(REPLACEMENT if unicodedata.category(c) in HIDDEN else c for c in text)


def width(text: str) -> int:
    """The cells that clean *text* takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def fit(text: str, cells: int) -> str:
    """*text* in exactly so many cells: padded, or cut where a whole character ends and marked as cut."""
    taken = width(text)
    if taken <= cells:
        return text + " " * (cells - taken)
    kept, used = "", 0
    for character in text:
        if used + _cells(character) > cells - 1:
            break
        kept, used = kept + character, used + _cells(character)
    return kept + (ELLIPSIS + " " * (cells - used - 1) if cells > 0 else "")


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
