"""Keyframes of a libghostty-vt screen.

The text is painted by the painter that all emulators share; margins, pen and character sets the library
says itself. What a full-screen program covers, and where a cursor was saved, is seen in a copy of the
terminal that is made to show it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from watchgate.errors import WatchgateError
from watchgate.terminal.ghostty import Area, Terminal
from watchgate.terminal.ghostty_cells import Cells
from watchgate.terminal.screen import Run
from watchgate.terminal.screen_keyframe import ending, paint

_ORIGIN = 6
_SIDE_MARGINS = 69
_VISIBLE = 25
_ALTERNATE_MODES = (1049, 1047, 47)
_PRIVATE_MODES = (1, 5, 7, 9, 45, 66, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 2004, 2027)
_SET_FROM_THE_START = frozenset((7,))
_MODES = (4, 20)
_TAB = 8
_CANCEL = b"\x18"
_MARGINS = re.compile(rb"\x1b\[(\d+);\d+r(?:\x1b\[(\d+);\d+s)?|\x1b\[(\d+);\d+s")
_USUAL_PEN = b"\x1b[0m"


def keyframe(terminal: Terminal, columns: int, rows: int, runs: Sequence[Sequence[Run]]) -> bytes:
    """Octets that make a reset terminal of that size show *runs*, and go on as *terminal* would."""
    parts: list[bytes] = []
    stops = terminal.tab_stops()
    if stops != _usual_stops(columns):
        parts.append(stops)
    if terminal.alternate:
        parts.append(_covered(terminal, columns, rows))
        mode = next((mode for mode in _ALTERNATE_MODES if terminal.mode(mode)), 1049)
        parts.append(b"\x1b[?%dh\x1b[H" % mode)
        parts.append(b"\x0f\x1b(B\x1b[0m")
    parts.append(_text(terminal, columns, rows, runs))
    parts.append(_saved_cursor(terminal, columns, runs))
    parts.append(_cursor_and_pen(terminal, columns, runs))
    parts += _modes(terminal)
    return b"".join(parts) + terminal.unfinished()


def _covered(terminal: Terminal, columns: int, rows: int) -> bytes:
    """The screen that a full-screen program covers, with its cursor and pen."""
    leave = b"".join(b"\x1b[?%dl" % mode for mode in _ALTERNATE_MODES if terminal.mode(mode))
    copy = _copied(terminal, leave or b"\x1b[?1049l")
    if copy is None:
        return b""
    runs = Cells(copy).runs()
    return _text(copy, columns, rows, runs) + _place(copy, columns, runs) + copy.pen()


def _saved_cursor(terminal: Terminal, columns: int, runs: Sequence[Sequence[Run]]) -> bytes:
    """What a program finds when it goes back to the cursor that it saved."""
    copy = _copied(terminal, b"\x1b8")
    if copy is None:
        return b""
    pen = copy.pen()
    if copy.cursor == (0, 0) and pen == _USUAL_PEN:
        return b""
    return _place(copy, columns, runs) + pen + b"\x1b7\x0f\x1b(B\x1b[0m"


def _copied(terminal: Terminal, octets: bytes) -> Terminal | None:
    """A copy that was fed *octets*; None when the library cannot make one."""
    try:
        copy = terminal.copy()
    except WatchgateError:
        return None
    octets = _CANCEL + octets
    copy.write(copy.octets(octets), 0, len(octets))
    return copy


def _text(terminal: Terminal, columns: int, rows: int, runs: Sequence[Sequence[Run]]) -> bytes:
    wrapped = [terminal.wrapped(row, Area.ACTIVE) for row in range(rows)]
    return paint(runs, wrapped, columns)


def _cursor_and_pen(terminal: Terminal, columns: int, runs: Sequence[Sequence[Run]]) -> bytes:
    """Margins, the cursor, and how the next character looks."""
    parts: list[bytes] = []
    if terminal.mode(_SIDE_MARGINS):
        parts.append(b"\x1b[?%dh" % _SIDE_MARGINS)
    margins = terminal.margins()
    parts.append(margins)
    top = left = 0
    if terminal.mode(_ORIGIN):
        parts.append(b"\x1b[?%dh" % _ORIGIN)
        found = _MARGINS.search(margins)
        if found is not None:
            top = int(found[1] or 1) - 1
            left = int(found[2] or found[3] or 1) - 1
    parts.append(_place(terminal, columns, runs, top, left))
    parts.append(terminal.pen())
    return b"".join(parts)


def _place(
    terminal: Terminal, columns: int, runs: Sequence[Sequence[Run]], top: int = 0, left: int = 0
) -> bytes:
    """To the cursor; past the last column it comes by printing what stands there again."""
    column, row = terminal.cursor
    if terminal.wrap_pending and column == columns - 1:
        text, width = ending(runs[row], columns)
        return b"\x1b[%d;%dH" % (row + 1 - top, columns - width + 1 - left) + text
    return b"\x1b[%d;%dH" % (row + 1 - top, column + 1 - left)


def _modes(terminal: Terminal) -> Iterator[bytes]:
    for mode in _PRIVATE_MODES:
        is_set = terminal.mode(mode)
        if is_set != (mode in _SET_FROM_THE_START):
            yield b"\x1b[?%d%c" % (mode, b"h" if is_set else b"l")
    for mode in _MODES:
        if terminal.mode(mode, private=False):
            yield b"\x1b[%dh" % mode
    if not terminal.mode(_VISIBLE):
        yield b"\x1b[?%dl" % _VISIBLE


def _usual_stops(columns: int) -> bytes:
    stops = b"".join(b"\x1b[%dG\x1bH" % (stop + 1) for stop in range(_TAB, columns, _TAB))
    return b"\x1b[3g" + stops + b"\x1b[H"
