"""Terminal output as lines of plain text: what an operator saw, row by row, without the drawing.

Carriage returns, backspaces and the editing of a line are carried out on that line; escape sequences
are removed; a move to another row begins a new line. Whatever full-screen programs draw comes out as the pieces
that they drew: nothing is left out, and nothing is put in its place on a screen.

What comes out is safe to print: no control, no character that reorders text; octets that are no UTF-8 are
written as `\\x9f`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from watchgate.terminal.escapes import Token, Tokenizer, TokenKind

LONGEST_LINE = 4096
"""Characters after which a line is ended."""

_REORDERING = [0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xFEFF]
_SAFE = {code: f"\\u{code:04x}" for code in _REORDERING} | {
    code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))
}
# Whole lines that nothing but colors touches, which is what most output is: not worth cutting into tokens.
_COLOR = re.compile(rb"\x1b\[[0-9;]{0,100}m")
_SIMPLE = re.compile(rb"(?:(?:[\x20-\x7e]|\x1b\[[0-9;]{0,100}+m){0,2000}+\r?\n)++")
_OTHER_ROW = frozenset(b"ABEFHdf")


def safe(text: str) -> str:
    """*text* with what could move the reader's cursor, or the reader, written as escapes."""
    return text.translate(_SAFE)


def safe_octets(data: bytes) -> str:
    """*data* as UTF-8, what is none and all controls as backslash escapes."""
    return safe(data.decode("utf-8", "backslashreplace"))


class Lines:
    """Turns one stream of output into lines; *columns* is where the terminal wraps, 0 is nowhere."""

    __slots__ = ("_cells", "_column", "_row", "_tokens", "columns")

    def __init__(self, columns: int = 0) -> None:
        self.columns = columns
        self._tokens = Tokenizer()
        self._cells: list[str] = []
        self._row = 0  # where the current row begins in a line that wrapped
        self._column = 0

    def feed(self, data: bytes) -> Iterator[str]:
        """The lines that *data* ends."""
        position = 0
        while position < len(data):
            simple = _SIMPLE.match(data, position) if self._is_at_start() else None
            if simple is not None:
                position = simple.end()
                for line in _COLOR.sub(b"", simple[0]).decode("ascii").split("\n")[:-1]:
                    yield line.rstrip("\r ")
                continue
            end = data.find(b"\n", position) + 1 or len(data)
            for token in self._tokens.feed(data[position:end]):
                yield from self._token(token)
            position = end

    def finish(self) -> Iterator[str]:
        """The line that was not ended."""
        for token in self._tokens.finish():
            yield from self._token(token)
        if self._cells:
            yield self._take()

    def _is_at_start(self) -> bool:
        """A line begins here, and nothing is left from before."""
        return not self._cells and not self._column and self._tokens.between

    def _token(self, token: Token) -> Iterator[str]:
        kind, octets = token
        if kind is TokenKind.TEXT:
            yield from self._print(safe(octets.decode()))
        elif kind is TokenKind.BROKEN:
            yield from self._print("".join(f"\\x{octet:02x}" for octet in octets))
        elif kind is TokenKind.CONTROL:
            yield from self._control(octets[0])
        elif kind is TokenKind.CSI:
            yield from self._csi(octets)
        elif kind is TokenKind.ESCAPE and octets in (b"D", b"E", b"M", b"c"):
            yield from self._leave_row()

    def _print(self, text: str) -> Iterator[str]:
        for start in range(0, len(text), LONGEST_LINE):
            self._put(text[start : start + LONGEST_LINE])
            while len(self._cells) >= LONGEST_LINE:
                line, rest = self._cells[:LONGEST_LINE], self._cells[LONGEST_LINE:]
                yield "".join(line)
                self._cells = rest
                self._column = max(0, self._column - LONGEST_LINE)
                self._row = max(0, self._row - LONGEST_LINE)

    def _put(self, text: str) -> None:
        if self._column > len(self._cells):
            self._cells.extend(" " * (self._column - len(self._cells)))
        self._cells[self._column : self._column + len(text)] = text
        self._column += len(text)
        if self.columns:
            full_rows = (self._column - self._row - 1) // self.columns
            self._row += max(0, full_rows) * self.columns

    def _control(self, octet: int) -> Iterator[str]:
        if octet in (0x0A, 0x0B, 0x0C):
            yield self._take()
        elif octet == 0x0D:
            self._column = self._row
        elif octet == 0x08:
            self._column = max(0, self._column - 1)
        elif octet == 0x09:
            width = 8 - (self._column - self._row) % 8
            if self._column >= len(self._cells):
                self._put(" " * width)
            else:
                self._column += width

    def _csi(self, octets: bytes) -> Iterator[str]:
        final = octets[-1]
        if (
            final in _OTHER_ROW
            or octets in (b"2J", b"3J")
            or (octets[:1] == b"?" and final in b"hl")
        ):
            if octets[:1] != b"?" or b"1049" in octets or octets[1:-1] in (b"47", b"1047"):
                yield from self._leave_row()
            return
        self._edit(final, octets)

    def _edit(self, final: int, octets: bytes) -> None:
        at, cells = self._column, self._cells
        count = _parameter(octets)
        match chr(final):
            case "C":
                self._column = min(at + count, self._row + max(self.columns, LONGEST_LINE // 2))
            case "D":
                self._column = max(self._row, at - count)
            case "G":
                self._column = self._row + min(count, LONGEST_LINE // 2) - 1
            case "P":
                del cells[at : at + count]
            case "@":
                room = LONGEST_LINE - len(cells)
                cells[at:at] = " " * max(0, min(count, len(cells) - at, room))
            case "X":
                end = min(at + count, len(cells))
                cells[at:end] = " " * max(0, end - at)
            case "K" if octets == b"1K":
                cells[self._row : at] = " " * max(0, min(at, len(cells)) - self._row)
            case "K" if octets == b"2K":
                del cells[self._row :]
            case "K" | "J":
                del cells[at:]
            case _:
                pass

    def _leave_row(self) -> Iterator[str]:
        """The cursor goes to another row: what stands here is a line, if there is anything."""
        line = self._take()
        if line:
            yield line

    def _take(self) -> str:
        line = "".join(self._cells).rstrip()
        self._cells = []
        self._row = self._column = 0
        return line


def _parameter(octets: bytes) -> int:
    digits = octets[:-1].split(b";")[0]
    return max(1, int(digits[:5])) if digits.isdigit() else 1
