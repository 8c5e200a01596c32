"""The cells of a pyte screen, and rows of them."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from pyte.screens import StaticDefaultDict
from wcwidth import wcwidth

from watchgate.terminal.screen import Color, Run, Style

width_of = functools.lru_cache(maxsize=4096)(wcwidth)
"""How many columns a character takes; -1 for a control."""


class Cell(NamedTuple):
    """pyte's character, with colors as `Color` and what pyte does not know."""

    data: str
    fg: Color = None
    bg: Color = None
    bold: bool = False
    italics: bool = False
    underscore: bool = False
    strikethrough: bool = False
    reverse: bool = False
    blink: bool = False
    dim: bool = False
    hidden: bool = False

    @property
    def style(self) -> Style:
        """How it looks."""
        return Style(
            foreground=self.fg,
            background=self.bg,
            bold=self.bold,
            dim=self.dim,
            italic=self.italics,
            underline=self.underscore,
            inverse=self.reverse,
            strikethrough=self.strikethrough,
            blink=self.blink,
            hidden=self.hidden,
        )


BLANK = Cell(" ")


class Row(StaticDefaultDict[int, Any]):
    """A row of cells, which goes on in the next one when it is *wrapped*."""

    def __init__(self) -> None:
        super().__init__(BLANK)
        self.wrapped = False


class Rows(dict[int, Row]):
    """The rows of a screen; one that nothing was written into is empty."""

    def __missing__(self, key: int) -> Row:
        row = self[key] = Row()
        return row


def mend(row: Row, start: int, end: int) -> None:
    """Halves of wide characters that were cut apart become blanks."""
    for x in range(max(0, start - 1), end):
        wide = x + 1 < end and row[x + 1].data == ""
        if (row[x].data == "" and (x == 0 or not _is_wide(row[x - 1]))) or (
            _is_wide(row[x]) and not wide
        ):
            row[x] = row[x]._replace(data=" ")


def _is_wide(cell: Cell) -> bool:
    return cell.data != "" and width_of(cell.data[0]) > 1


def runs_of(cells: list[Cell]) -> list[Run]:
    """Neighboring *cells* that look alike, blanks without a style at the end left out."""
    while cells and cells[-1] == BLANK:
        cells.pop()
    runs: list[Run] = []
    start = 0
    for x in range(1, len(cells) + 1):
        if x == len(cells) or cells[x][1:] != cells[start][1:]:
            text = "".join(cell.data for cell in cells[start:x])
            runs.append(Run(text, x - start, cells[start].style))
            start = x
    return runs
