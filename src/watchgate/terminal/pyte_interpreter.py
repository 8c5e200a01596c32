"""What each piece of a terminal's output does to a pyte screen, and what doing it costs.

Sequences that are not listed do nothing. Costs are in tenths of a microsecond, roughly; they are what a
hostile stream is measured by, so what moves many cells for few octets costs more.
"""

from __future__ import annotations

from watchgate.terminal import pyte_pen
from watchgate.terminal.escapes import TokenKind
from watchgate.terminal.pyte_grid import Grid

_CHARACTER = 10
_SEQUENCE = 30
_GREATEST = 9999
_MOST_PARAMETERS = 32
_ALTERNATE = (47, 1047, 1049)
_REMEMBERED = frozenset((1, 9, 66, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 2004))
_CONTROLS = {
    b"\b": "cursor_back",
    b"\t": "tab",
    b"\n": "linefeed",
    b"\v": "linefeed",
    b"\f": "linefeed",
    b"\r": "carriage_return",
}
_ESCAPES = {
    b"7": "save_cursor",
    b"8": "restore_cursor",
    b"D": "index",
    b"H": "set_tab_stop",
    b"M": "reverse_index",
    b"c": "reset",
    b"#8": "alignment_display",
}
_COUNTED = {
    "@": "insert_characters",
    "A": "cursor_up",
    "B": "cursor_down",
    "C": "cursor_forward",
    "D": "cursor_back",
    "E": "cursor_down1",
    "F": "cursor_up1",
    "G": "cursor_to_column",
    "L": "insert_lines",
    "M": "delete_lines",
    "P": "delete_characters",
    "X": "erase_characters",
    "`": "cursor_to_column",
    "a": "cursor_forward",
    "d": "cursor_to_line",
    "e": "cursor_down",
}
_SCROLLING = frozenset("LMST")
_ALONG_A_ROW = frozenset("@PXK")


class Interpreter:
    """Performs tokens on *grid*."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self.modes: set[int] = set()
        """Modes that change nothing here, kept for keyframes."""

    def perform(self, kind: TokenKind, octets: bytes) -> int:
        """Perform one token; returns its cost."""
        grid = self._grid
        if kind is TokenKind.TEXT:
            grid.draw(octets.decode())
            return len(octets) * _CHARACTER
        if kind is TokenKind.CONTROL:
            return self._control(octets)
        if kind is TokenKind.CSI:
            return self._csi(octets)
        if kind is TokenKind.ESCAPE:
            return self._escape(octets)
        if kind is TokenKind.BROKEN and octets[0] >= 0x80:
            grid.draw("\ufffd")
        return _SEQUENCE

    def _control(self, octets: bytes) -> int:
        grid = self._grid
        name = _CONTROLS.get(octets)
        if name is not None:
            getattr(grid, name)()
        elif octets in b"\x0e\x0f":
            grid.shifted = int(octets == b"\x0e")
        return _SEQUENCE + (grid.lines if name == "linefeed" else 0)

    def _escape(self, octets: bytes) -> int:
        grid = self._grid
        name = _ESCAPES.get(octets)
        if name is not None:
            getattr(grid, name)()
            if octets == b"c":
                self.modes.clear()
        elif octets == b"E":
            grid.carriage_return()
            grid.index()
        elif octets[:1] in (b"(", b")"):
            grid.graphic[octets[:1] == b")"] = octets[1:] == b"0"
        cells = grid.lines * grid.columns if octets in (b"#8", b"c") else grid.lines
        return _SEQUENCE + 2 * cells

    def _csi(self, octets: bytes) -> int:
        grid = self._grid
        final = chr(octets[-1])
        body = octets[:-1]
        if final == "m" and body[:1] not in (b"?", b">", b"<", b"="):
            grid.cursor.attrs = pyte_pen.changed(grid.cursor.attrs, body)
            return 2 * _SEQUENCE
        private = body[:1] == b"?"
        numbers = _numbers(body[1:] if private else body)
        if numbers is None:
            return _SEQUENCE
        if final in "hl":
            for number in numbers:
                self._mode(number, private=private, on=final == "h")
        elif not private or final in "JK":
            self._perform(final, numbers)
        return self._cost(final, numbers)

    def _perform(self, final: str, numbers: list[int]) -> None:
        grid = self._grid
        first = numbers[0]
        name = _COUNTED.get(final)
        if name is not None:
            getattr(grid, name)(first)
        elif final in "Hf":
            grid.cursor_position(first, numbers[1] if len(numbers) > 1 else 0)
        elif final == "J":
            grid.erase_in_display(first)
        elif final == "K":
            grid.erase_in_line(first)
        elif final == "r":
            self._margins(first, numbers[1] if len(numbers) > 1 else 0)
        elif final == "b" and grid.last:
            grid.draw(grid.last * self._repeats(first))
        elif final == "S":
            grid.scroll_up(first or 1)
        elif final == "T":
            grid.scroll_down(first or 1)
        elif final == "g":
            grid.clear_tab_stop(first)
        elif final == "s":
            grid.save_cursor()
        elif final == "u":
            grid.restore_cursor()

    def _repeats(self, count: int) -> int:
        """How often a character is repeated: for two rows at most, as programs only fill lines with it."""
        return min(count or 1, 2 * self._grid.columns)

    def _margins(self, top: int, bottom: int) -> None:
        grid = self._grid
        bottom = min(bottom or grid.lines, grid.lines)
        if max(top, 1) < bottom:
            grid.set_margins(max(top, 1), bottom)
            if (max(top, 1), bottom) == (1, grid.lines):
                grid.margins = None
            grid.cursor_position()

    def _mode(self, number: int, *, private: bool, on: bool) -> None:
        grid = self._grid
        if private and number in _ALTERNATE:
            if on:
                grid.cover(number)
            else:
                grid.uncover()
        elif private and number == 25:
            grid.cursor.hidden = not on
        elif (private and number in (6, 7)) or (not private and number in (4, 20)):
            (grid.set_mode if on else grid.reset_mode)(number, private=private)
        elif private and number in _REMEMBERED:
            (self.modes.add if on else self.modes.discard)(number)

    def _cost(self, final: str, numbers: list[int]) -> int:
        grid = self._grid
        if final in _SCROLLING:
            return _SEQUENCE + 3 * grid.lines + (_CHARACTER * grid.columns if final == "S" else 0)
        if final in _ALONG_A_ROW:
            return _SEQUENCE + 3 * grid.columns
        if final == "J":
            colored = grid.cursor.attrs.bg is not None
            return _SEQUENCE + 2 * grid.lines * (grid.columns if colored else 1)
        if final == "b":
            return _SEQUENCE + _CHARACTER * self._repeats(numbers[0])
        if final in "hl":
            return _SEQUENCE * len(numbers)
        return _SEQUENCE


def _numbers(body: bytes) -> list[int] | None:
    """The parameters; None for what is no plain list of numbers."""
    if not body:
        return [0]
    numbers = []
    for parameter in body.split(b";", _MOST_PARAMETERS)[:_MOST_PARAMETERS]:
        if parameter and not parameter.isdigit():
            return None
        numbers.append(min(int(parameter[:6] or 0), _GREATEST))
    return numbers
