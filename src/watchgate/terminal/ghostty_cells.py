"""The cells of a libghostty-vt screen, as runs of text that look alike."""

from __future__ import annotations

import weakref
from typing import Any

from watchgate.terminal.ghostty import Terminal, character, check, library
from watchgate.terminal.screen import PLAIN, Color, Run, Style

_WIDE = 1
_SPACER_TAIL = 2
_SPACER_HEAD = 3
_GRAPHEME = 1
_BACKGROUND_PALETTE = 2
_BACKGROUND_RGB = 3


class _Cell:
    """What the octets of a cell say without asking for the row that it is in."""

    __slots__ = ("background", "grapheme", "style", "text", "wide")

    def __init__(self, text: str, wide: int, style: int, background: Color, grapheme: bool) -> None:
        self.text = text
        self.wide = wide
        self.style = style
        self.background = background
        self.grapheme = grapheme


class Cells:
    """Reads the screen of *terminal*; the buffers are kept from one reading to the next."""

    def __init__(self, terminal: Terminal) -> None:
        ffi, lib, _ = library()
        self._ffi, self._lib = ffi, lib
        self._terminal = terminal
        state = ffi.new("GhosttyRenderState*")
        check(lib.ghostty_render_state_new(ffi.NULL, state))
        self._state = state[0]
        weakref.finalize(self, lib.ghostty_render_state_free, state[0])
        self._rows = ffi.new("GhosttyRenderStateRowIterator*")
        check(lib.ghostty_render_state_row_iterator_new(ffi.NULL, self._rows))
        weakref.finalize(self, lib.ghostty_render_state_row_iterator_free, self._rows[0])
        self._view = ffi.new("GhosttyCellsView*")
        self._int = ffi.new("int*")
        self._u16 = ffi.new("uint16_t*")
        self._u32 = ffi.new("uint32_t*")
        self._rgb = ffi.new("GhosttyColorRgb*")
        self._index = ffi.new("GhosttyColorPaletteIndex*")

    def runs(self) -> list[list[Run]]:
        """Every row, blanks without a style at its end left out."""
        lib = self._lib
        check(lib.ghostty_render_state_update(self._state, self._terminal.handle))
        check(
            lib.ghostty_render_state_get(
                self._state, lib.GHOSTTY_RENDER_STATE_DATA_ROW_ITERATOR, self._rows
            )
        )
        known: dict[int, _Cell] = {}
        result: list[list[Run]] = []
        while lib.ghostty_render_state_row_iterator_next(self._rows[0]):
            check(
                lib.ghostty_render_state_row_get(
                    self._rows[0], lib.GHOSTTY_RENDER_STATE_ROW_DATA_CELLS_RAW, self._view
                )
            )
            result.append(self._row(len(result), known))
        return result

    def _row(self, row: int, known: dict[int, _Cell]) -> list[Run]:
        runs: list[Run] = []
        text: list[str] = []
        columns = 0
        looks: tuple[int, Color] | None = None
        style = PLAIN
        for column, octets in enumerate(self._ffi.unpack(self._view.ptr, self._view.len)):
            cell = known.get(octets) or known.setdefault(octets, self._cell(octets))
            if cell.wide in (_SPACER_TAIL, _SPACER_HEAD):
                continue
            if (cell.style, cell.background) != looks:
                looks = (cell.style, cell.background)
                before, style = style, self._style(column, row, cell)
                if columns and style != before:
                    runs.append(Run("".join(text), columns, before))
                    text, columns = [], 0
            text.append(self._terminal.letters(column, row) if cell.grapheme else cell.text)
            columns += 2 if cell.wide == _WIDE else 1
        if columns:
            runs.append(Run("".join(text), columns, style))
        return _trimmed(runs)

    def _style(self, column: int, row: int, cell: _Cell) -> Style:
        if not cell.style:
            return PLAIN if cell.background is None else Style(background=cell.background)
        style = self._terminal.style(column, row)
        background = _color(style.bg_color) if cell.background is None else cell.background
        return Style(
            foreground=_color(style.fg_color),
            background=background,
            bold=style.bold,
            dim=style.faint,
            italic=style.italic,
            underline=style.underline != 0,
            inverse=style.inverse,
            strikethrough=style.strikethrough,
            blink=style.blink,
            hidden=style.invisible,
        )

    def _cell(self, octets: int) -> _Cell:
        lib = self._lib
        tag = self._get(octets, lib.GHOSTTY_CELL_DATA_CONTENT_TAG, self._int)
        wide = self._get(octets, lib.GHOSTTY_CELL_DATA_WIDE, self._int)
        style = self._get(octets, lib.GHOSTTY_CELL_DATA_STYLE_ID, self._u16)
        if tag == _BACKGROUND_PALETTE:
            index = self._get(octets, lib.GHOSTTY_CELL_DATA_COLOR_PALETTE, self._index)
            return _Cell(" ", wide, style, index, grapheme=False)
        if tag == _BACKGROUND_RGB:
            self._get(octets, lib.GHOSTTY_CELL_DATA_COLOR_RGB, self._rgb)
            rgb = (self._rgb.r, self._rgb.g, self._rgb.b)
            return _Cell(" ", wide, style, rgb, grapheme=False)
        number = self._get(octets, lib.GHOSTTY_CELL_DATA_CODEPOINT, self._u32)
        text = character(number or 0x20)
        if wide == _WIDE and text == " ":
            text = "  "  # a wide character for which the character set in use has nothing
        return _Cell(text, wide, style, None, grapheme=tag == _GRAPHEME)

    def _get(self, octets: int, key: int, into: Any) -> int:
        check(self._lib.ghostty_cell_get(octets, key, into))
        return 0 if into is self._rgb else int(into[0])


def _color(color: Any) -> Color:
    if color.tag == 1:
        return int(color.value.palette)
    if color.tag == 2:
        rgb = color.value.rgb
        return (rgb.r, rgb.g, rgb.b)
    return None


def _trimmed(runs: list[Run]) -> list[Run]:
    """*runs* without the blanks at the end that have no style."""
    while runs and runs[-1].style == PLAIN:
        last = runs.pop()
        text = last.text.rstrip(" ")
        if text:
            blanks = len(last.text) - len(text)
            runs.append(Run(text, last.columns - blanks))
            break
    return runs
