"""What stands at the cursor: the operator's line as the screen shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchgate.terminal.findings import LONGEST_COMMAND, readable, width
from watchgate.terminal.live.glass import View
from watchgate.terminal.reading_lines import index_of, joined, logical, offset
from watchgate.terminal.screen import Anchor, Line

_MOST_ROWS = 200
"""Rows of one line that are read."""
_LEAST = 8
"""Characters at the end of what was typed that must be seen where a row shows only a part of its line."""
_BORDERS = "│|┃║▏▕"


@dataclass(frozen=True, slots=True)
class Sight:
    """The line at the cursor."""

    text: str
    """All of the line, wrapped rows joined."""
    cursor: int
    """Where in it the cursor stands."""
    stops: tuple[int, ...]
    """Where in it the output had rested when keys came, in order."""
    above: tuple[str, ...]
    """The lines between the place where typing began and this one, that one first, from that place on."""
    flat: str
    """Everything from the place where typing began, rows joined whether they say that they are wrapped or not."""
    faint: bool
    """What stands behind the cursor is drawn as suggestions are."""
    dim_before: bool
    """And so is what stands before it."""
    right: str
    """What stood at the right margin when typing began."""
    below: tuple[str, ...]
    """The first rows below the line."""
    bottom: bool
    """It stands in the last row with text."""
    full_row: bool
    """Its row is filled to the right margin, or nearly."""

    @property
    def first_stop(self) -> int | None:
        return self.stops[0] if self.stops else None

    def behind(self, place: int) -> str:
        """The text from *place* on, without what stood at the right margin before and without a suggestion."""
        end = len(self.text)
        if self.suggests(place):
            end = self.cursor
        text = self.text[place:end]
        return self._without_right(text).rstrip()

    def whole(self, place: int) -> str:
        """The same with everything."""
        return self.text[place:].rstrip()

    def suggests(self, place: int) -> bool:
        """Whether what stands behind the cursor is a suggestion for a line that begins at *place*."""
        return self.faint and not self.dim_before and self.cursor > place

    def _without_right(self, text: str) -> str:
        right = self.right.strip()
        if right and text.rstrip().endswith(right):
            rest = text.rstrip().removesuffix(right)
            return rest if rest[-1:] in (" ", "") or right[0] in _BORDERS else text
        return text

    def shows(self, typed: str) -> int | None:
        """Where *typed* begins when the line is it, from a place on at which the output rested; else None."""
        wanted = readable(typed).rstrip()
        for stop in self.stops:
            if _same(self.behind(stop), wanted):
                return stop
        return None

    def shows_at(self, place: int, typed: str) -> bool:
        """Whether *typed* is the line from *place* on."""
        return _same(self.behind(place), readable(typed).rstrip())

    def shows_spread(self, typed: str) -> bool:
        """Whether *typed* stands from where typing began on, over rows that do not say that they are wrapped."""
        wanted = _packed(readable(typed))
        shown = _packed(self.flat)
        return (
            len(wanted) >= _LEAST
            and shown.startswith(wanted)
            and shown[len(wanted) :] in ("", _packed(self.right))
        )

    def shows_end_of(self, typed: str) -> bool:
        """Whether the line ends with so much of the end of *typed* that it was echoed."""
        wanted = readable(typed).rstrip()
        shown = self.text[: self.cursor].rstrip()
        length = _common_end(shown, wanted)
        begins = self.first_stop or 0
        is_behind = len(shown) - length >= begins
        return is_behind and length >= min(len(wanted), _LEAST) and length > 0


def see(view: View, stops: Sequence[Anchor], right: str, *, left: Anchor | None = None) -> Sight:
    """The line at the cursor of *view*; *stops* are the places where its keys began.

    *left*: the output may have gone on already; it is the line at that place.
    """
    rows, column, row = view.rows, view.column, view.row
    places = [place for stop in stops if (place := stop.place()) is not None]
    at = left.place() if left is not None else None
    if at is not None and 0 <= at[1] < row:
        row = at[1]
        column = sum(map(width, rows[row].text))
    row = min(row, len(rows) - 1)
    first, last = logical(rows, row)
    first = max(first, row - _MOST_ROWS)
    offsets = sorted({offset(rows, first, place) for place in places if first <= place[1] <= last})
    text = joined(rows, first, last)[:LONGEST_COMMAND]
    cursor = offset(rows, first, (column, row))
    text = text.ljust(max([cursor, *offsets]))
    faint = cursor < len(text.rstrip()) and view.faint(column, row)
    begins = min(places, key=lambda place: (place[1], place[0]), default=(column, row))
    filled = max(sum(map(width, rows[at].text.rstrip())) for at in range(first, last + 1))
    return Sight(
        text=text,
        cursor=cursor,
        stops=tuple(offsets),
        above=_above(rows, begins, first),
        flat=_flat(rows, begins, last),
        faint=faint,
        dim_before=faint and column > 0 and view.faint(column - 1, row),
        right=right,
        below=tuple(line.text for line in rows[last + 1 : last + 4]),
        bottom=not any(line.text.strip() for line in rows[last + 1 :]),
        full_row=filled >= view.columns - 2,
    )


def right_of_cursor(view: View) -> str:
    """What stands in the cursor's row right of it."""
    text = view.rows[min(view.row, len(view.rows) - 1)].text
    return text[index_of(text, view.column) :].strip()


def _above(rows: Sequence[Line], begins: tuple[int, int], first: int) -> tuple[str, ...]:
    """The lines from the cell *begins* to the row before *first*."""
    column, row = begins
    if not max(0, first - _MOST_ROWS) <= row < first:
        return ()
    lines, text = [], ""
    for at in range(row, first):
        piece = rows[at].text
        text += piece[index_of(piece, column) :] if at == row else piece
        if not rows[at].wrapped:
            lines.append(text.rstrip())
            text = ""
    return tuple(lines)


def _flat(rows: Sequence[Line], begins: tuple[int, int], last: int) -> str:
    column, row = begins
    if not 0 <= row <= last:
        return ""
    row = max(row, last - _MOST_ROWS)
    texts = [line.text for line in rows[row : last + 1]]
    texts[0] = texts[0][index_of(texts[0], column) :]
    return "".join(texts)[:LONGEST_COMMAND]


def _packed(text: str) -> str:
    return "".join(text.split())


def _same(shown: str, wanted: str) -> bool:
    return shown == wanted or (bool(wanted) and readable(shown).rstrip() == wanted)


def _common_end(one: str, other: str) -> int:
    length = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left != right:
            break
        length += 1
    return length
