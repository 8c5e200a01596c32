"""The line at the cursor: where it was begun, and how it stood when the terminal went on to the next.

An operator's line is one at which the output rested. The places where it rested are kept; when the output leaves
the line, it is read from the screen with its wrapped rows joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchgate.terminal.findings import LONGEST_COMMAND, width
from watchgate.terminal.lazy import LazyScreen
from watchgate.terminal.prompts import Prompts
from watchgate.terminal.screen import Anchor, Line, LiveScreen, Screen, Style

_STOPS = 24
"""Places of one line that are kept: the first ones, because prompts come first."""

_GAP = " " * 4
_GRAYS = range(232, 251)


@dataclass(frozen=True, slots=True)
class LeftLine:
    """A line as it stood when the terminal went on."""

    t_us: int
    number: int
    """Line feeds that the terminal had printed before."""
    text: str
    stops: tuple[int, ...]
    """Where in the text the output had rested, in order."""
    faint: int | None = None
    """Where a suggestion begins that the shell drew behind the cursor."""
    rows: int = 1
    alternate: bool = False
    accepted: bool = False
    """The line editor said that it had ended the line: it switched bracketed paste off."""
    follows: int | None = None
    """The number of the operator's line right above it, when there is one."""

    @property
    def typed_over(self) -> bool:
        """Something stands behind the place where the output rested first."""
        return self.stops[0] < len(self.text.rstrip())

    def behind(self, place: int) -> str:
        """The text from *place* on, without a suggestion that follows it."""
        end = self.faint if self.faint is not None and self.faint > place else len(self.text)
        return self.text[place:end].strip()


class LineWatch:
    """Follows the line at the cursor of one screen."""

    def __init__(self, screen: LazyScreen[Screen]) -> None:
        self._screen = screen
        self._stops: list[Anchor] = []
        self._left: list[Anchor] = []
        self._above: tuple[Anchor | None, int, int] | None = (
            None  # the last line, its number, its rows
        )
        self._earlier: tuple[int, ...] = ()  # stops of a line that was drawn again here

    @property
    def begun(self) -> bool:
        """The output has rested on this line."""
        return bool(self._stops)

    @property
    def full(self) -> bool:
        """No more places of this line are kept."""
        return len(self._stops) >= _STOPS

    def rest(self) -> bool:
        """The output rests here; whether it has come back to the line that it left last."""
        if self._left and not self._stops:
            place = self._left[0].place()
            self._stops, self._left = self._left, []
            if place is not None and place[1] == self._screen.screen.cursor[1]:
                return True
            self._stops = []
        if len(self._stops) < _STOPS:
            self._stops.append(self._screen.screen.anchor())
        return False

    def prompt(self) -> str:
        """What stands before the place where the output rested first on the line at the cursor."""
        screen = self._screen.screen
        rows = screen.lines()
        column, row = screen.cursor
        first, last = logical(rows, row)
        places = [place for stop in self._stops if (place := stop.place()) is not None]
        ends = [offset(rows, first, place) for place in places if first <= place[1] <= last]
        end = min(ends, default=offset(rows, first, (column, row)))
        return joined(rows, first, last).ljust(end)[:end]

    def drawn_again(self, left: LeftLine) -> None:
        """The line at the cursor is *left*, drawn again below what came between."""
        self._earlier = left.stops

    def forget(self) -> None:
        """Another line begins."""
        self._stops, self._left, self._earlier = [], [], ()

    def leave(self, t_us: int, number: int, *, accepted: bool, prompts: Prompts) -> LeftLine | None:
        """The output goes on to another line: how this one stands; None when it is not where it was begun.

        A line at which the output never rested counts when it begins with one of the *prompts*.
        """
        stops, self._stops = self._stops, []
        earlier, self._earlier = self._earlier, ()
        screen = self._screen.screen
        rows = screen.lines()
        column, row = screen.cursor
        first, last = logical(rows, row)
        places = [place for stop in stops if (place := stop.place()) is not None]
        offsets = {offset(rows, first, place) for place in places if first <= place[1] <= last}
        text = joined(rows, first, last)[:LONGEST_COMMAND]
        if stops and not offsets:
            if any(place[1] > last for place in places):
                self._stops, self._earlier = stops, earlier  # it is drawing above, and comes back
            return None
        if not stops:
            prompt = prompts.behind(text, ())
            if prompt is None:
                return None
            offsets = {prompt}
        self._left = [] if accepted else stops
        offsets.update(earlier)
        text = text.ljust(max(offsets))
        follows = self._follows(first, number)
        self._above = (stops[0] if stops else None, number, last - first + 1)
        cursor = offset(rows, first, (column, row))
        if first == last:
            text = _without_right_prompt(text, cursor, rows[row], screen.columns)
        faint = cursor if cursor < len(text) and is_faint(screen, column, row) else None
        return LeftLine(
            t_us,
            number,
            text,
            tuple(sorted(offsets)),
            faint,
            last - first + 1,
            screen.alternate,
            accepted,
            follows,
        )

    def _follows(self, first: int, number: int) -> int | None:
        """The number of the operator's line right above row *first*."""
        if self._above is None:
            return None
        anchor, above, rows = self._above
        place = anchor.place() if anchor is not None else None
        is_right_above = place[1] + rows == first if place is not None else above + 1 == number
        return above if is_right_above else None


def current(screen: LiveScreen) -> str:
    """The text of the line at the cursor up to the cursor."""
    rows = screen.lines()
    column, row = screen.cursor
    first, last = logical(rows, row)
    end = offset(rows, first, (column, row))
    return joined(rows, first, last).ljust(end)[:end]


def logical(rows: Sequence[Line], row: int) -> tuple[int, int]:
    """The first and the last row of the line that *row* is a part of."""
    first = last = min(row, len(rows) - 1)
    while first > 0 and rows[first - 1].wrapped:
        first -= 1
    while last < len(rows) - 1 and rows[last].wrapped:
        last += 1
    return first, last


def joined(rows: Sequence[Line], first: int, last: int) -> str:
    """The text of the rows from *first* to *last*."""
    return "".join(rows[at].text for at in range(first, last + 1))


def offset(rows: Sequence[Line], first: int, place: tuple[int, int]) -> int:
    """Where in the line that begins in row *first* the cell *place* is."""
    column, row = place
    before = sum(len(rows[at].text) for at in range(first, row))
    return before + index_of(rows[row].text, column)


def index_of(text: str, column: int) -> int:
    """The index of the character in *column*; behind the end the columns are counted on as blanks."""
    if text.isascii():
        return column
    at = 0
    for index, character in enumerate(text):
        at += width(character)
        if at > column:
            return index
    return len(text) + column - at


def _without_right_prompt(text: str, cursor: int, row: Line, columns: int) -> str:
    """*text*, of a line of one row, without what stands at the right margin beyond a gap behind the cursor."""
    if len(text) == cursor or sum(map(width, row.text)) < columns - 2:
        return text
    gap = text.rfind(_GAP, cursor)
    return text[:gap].rstrip() if gap >= 0 else text


def is_faint(screen: LiveScreen, column: int, row: int) -> bool:
    """Whether what begins at the cell is drawn as shells draw suggestions: dim, or gray."""
    if screen.dim(column, row):
        return True
    at = 0
    for run in screen.styled()[row]:
        if at <= column < at + run.columns and run.text.strip():
            return _is_gray(run.style)
        at += run.columns
    return False


def _is_gray(style: Style) -> bool:
    color = style.foreground
    if isinstance(color, tuple):
        return max(color) - min(color) <= 16 and 0x30 <= max(color) <= 0xB0
    return color == 8 or color in _GRAYS
