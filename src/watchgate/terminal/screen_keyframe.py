"""Painting a screen: octets that make an empty terminal of its size show what it shows.

The same painter serves every emulator. What goes on in the next row is painted without moving the cursor,
so that the terminal knows again where a long line wraps.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from watchgate.terminal.screen import PLAIN, Color, Run, Style

_ATTRIBUTES = (
    ("bold", b"1"),
    ("dim", b"2"),
    ("italic", b"3"),
    ("underline", b"4"),
    ("blink", b"5"),
    ("inverse", b"7"),
    ("hidden", b"8"),
    ("strikethrough", b"9"),
)
_BRIGHT = 8
_PALETTE = 16


def select(style: Style) -> bytes:
    """The sequence that makes what follows look like *style*, whatever came before."""
    parts = [b"0"]
    parts += [number for name, number in _ATTRIBUTES if getattr(style, name)]
    parts += _color(style.foreground, 30)
    parts += _color(style.background, 40)
    return b"\x1b[" + b";".join(parts) + b"m"


def paint(rows: Sequence[Sequence[Run]], wrapped: Sequence[bool], columns: int) -> bytes:
    """*rows*, painted on an empty screen of *columns* that wraps; the cursor and the pen end anywhere."""
    out: list[bytes] = []
    pen = PLAIN
    flows = False
    for number, runs in enumerate(rows):
        goes_on = number + 1 < len(rows) and wrapped[number]
        if (runs or goes_on) and not flows:
            out.append(b"\x1b[%dH" % (number + 1))
        for run in runs:
            if run.style != pen:
                pen = run.style
                out.append(select(pen))
            out.append(run.text.encode("utf-8", "replace"))
        if goes_on:
            filling = _filling(runs, rows[number + 1], columns)
            if filling and pen != PLAIN:
                pen = PLAIN
                out.append(select(PLAIN))
            out.append(filling)
        flows = goes_on
    if pen != PLAIN:
        out.append(select(PLAIN))
    return b"".join(out)


def ending(runs: Sequence[Run], columns: int) -> tuple[bytes, int]:
    """What stands in the last column of a row of *columns*, as octets that print it again, and its width.

    A terminal that printed it there again is about to wrap, as one is that has just filled a row.
    """
    if not runs or sum(run.columns for run in runs) < columns:
        return select(PLAIN) + b" ", 1
    last = runs[-1]
    start = len(last.text) - 1
    while start and unicodedata.category(last.text[start]) in ("Mn", "Me", "Cf"):
        start -= 1
    letter = last.text[start:]
    width = 2 if unicodedata.east_asian_width(letter[0]) in "WF" else 1
    return select(last.style) + letter.encode("utf-8", "replace"), width


def _filling(runs: Sequence[Run], following: Sequence[Run], columns: int) -> bytes:
    """The blanks that make a row full, so that it wraps, and one for a next row that is empty.

    A wide character that does not fit any more leaves the last column blank by itself.
    """
    lacking = columns - sum(run.columns for run in runs)
    if not following:
        return b" " * (lacking + 1)
    wide = unicodedata.east_asian_width(following[0].text[0]) in "WF"
    return b" " * (lacking - 1 if wide else lacking)


def _color(color: Color, base: int) -> list[bytes]:
    if color is None:
        return []
    if isinstance(color, tuple):
        return [b"%d;2;%d;%d;%d" % (base + 8, *color)]
    if color < _BRIGHT:
        return [b"%d" % (base + color)]
    if color < _PALETTE:
        return [b"%d" % (base + 52 + color)]
    return [b"%d;5;%d" % (base + 8, color)]
