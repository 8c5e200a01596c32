"""How large an emulated screen may become, whatever sizes a client claims."""

from __future__ import annotations

MAX_COLUMNS = 1000
MAX_ROWS = 500
HISTORY = 5000
"""Rows that left a screen and are kept for `Screen.scrolled`, unless another number is given."""
HISTORY_CELLS = 2_000_000
"""Cells of such rows, at most: on very wide screens fewer rows are kept."""


def bounded(columns: int, rows: int) -> tuple[int, int]:
    """*columns* and *rows*, brought within the bounds."""
    return min(max(columns, 1), MAX_COLUMNS), min(max(rows, 1), MAX_ROWS)


def kept_rows(history: int, columns: int) -> int:
    """How many rows that left a screen of *columns* are kept when *history* are asked for."""
    return max(0, min(history, HISTORY_CELLS // columns))
