"""Comma-separated values that a spreadsheet opens as text (RFC 4180).

A cell that begins with `=`, `+`, `-`, `@`, a tab or a line break would be a formula there, chosen by
whoever typed the command that it holds: an apostrophe is put before it. Numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""The wide forms are what some spreadsheets of East Asia take for the narrow ones."""


def text(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The table with its headings, lines ended by CRLF."""
    made = io.StringIO(newline="")
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows([cell(value) for value in row] for row in rows)
    return made.getvalue()


def cell(value: object) -> str:
    """One value as a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return str(value)
    # A lone surrogate is not text, and NUL ends it for many readers.
    plain = str(value).encode("utf-8", "backslashreplace").decode().replace("\0", r"\x00")
    # A reader that trims would find the formula behind blanks.
    return f"'{plain}" if plain.lstrip(" \u00a0\u200b\ufeff").startswith(_FORMULA) else plain
