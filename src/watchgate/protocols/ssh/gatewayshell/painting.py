"""Draws a line that is edited: a prompt and a text that may take several rows of the window."""

from __future__ import annotations

from watchgate.protocols.ssh.menu_text import width

LARGEST = 500
"""Columns beyond which a window is treated as this wide: a client may claim any number."""


class Painting:
    """What is on the operator's screen of the line."""

    def __init__(self, columns: int, *, plain: bool) -> None:
        """A *plain* terminal cannot move its cursor, but back."""
        self._plain = plain
        self._row = 0  # of the cursor, from the row of the prompt
        self._prompt = ""
        self._before = ""
        self._after = ""
        self.resize(columns)

    def resize(self, columns: int) -> None:
        """The window has another width; the next `show` draws everything."""
        self._columns = min(columns or 80, LARGEST)

    def begin(self, prompt: str) -> str:
        """A fresh prompt, on a row of its own."""
        self._prompt, self._before, self._after, self._row = prompt, "", "", 0
        return self._painted()

    def end(self) -> str:
        """Leave the line as it is: the cursor goes below it."""
        moved = "" if self._plain else self._moved(self._before, self._before + self._after)
        self._row = 0
        return f"{moved}\r\n"

    def show(self, before: str, after: str) -> str:
        """What makes the screen show *before* and *after* the cursor, as little of it as is simple."""
        old, self._before, self._after, old_after = self._before, before, after, self._after
        if self._plain:
            return self._plainly(old, before)
        if not after and not old_after and before.startswith(old):
            return self._appended(before[len(old) :])
        return self.again(self._prompt, before, after)

    def again(self, prompt: str, before: str, after: str) -> str:
        """The same line behind another prompt."""
        up = f"\x1b[{self._row}A" if self._row else ""
        self._prompt, self._before, self._after = prompt, before, after
        return f"{up}\r\x1b[J{self._painted()}"

    def _plainly(self, old: str, new: str) -> str:
        kept = 0
        while kept < min(len(old), len(new)) and old[kept] == new[kept]:
            kept += 1
        cells = width(old[kept:])
        return "\b" * cells + " " * cells + "\b" * cells + new[kept:]

    def _appended(self, text: str) -> str:
        row, column = self._place(self._before)
        self._row = row
        # A cursor behind the last column is in no column: it is sent to the next row.
        return text + ("\r\n" if column == 0 and row and text else "")

    def _painted(self) -> str:
        if self._plain:
            return self._prompt + self._before
        whole = self._before + self._after
        end_row, end_column = self._place(whole)
        filled = "\r\n" if end_column == 0 and end_row else ""
        self._row = end_row
        return self._prompt + whole + filled + self._moved(whole, self._before)

    def _moved(self, start: str, to: str) -> str:
        """The way from behind *start* to behind *to*."""
        (old_row, old_column), (row, column) = self._place(start), self._place(to)
        self._row = row
        if (old_row, old_column) == (row, column):
            return ""
        vertical = row - old_row
        steps = f"\x1b[{-vertical}A" if vertical < 0 else f"\x1b[{vertical}B" if vertical else ""
        return f"{steps}\r" + (f"\x1b[{column}C" if column else "")

    def _place(self, text: str) -> tuple[int, int]:
        """Row and column behind the prompt and *text*."""
        if self._prompt.isascii() and text.isascii():
            return divmod(len(self._prompt) + len(text), self._columns)
        row = column = 0
        for character in self._prompt + text:
            cells = width(character)
            if column + cells > self._columns:
                row, column = row + 1, 0
            column += cells
        return (row + 1, 0) if column >= self._columns else (row, column)
