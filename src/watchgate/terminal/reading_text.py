"""The text that a terminal showed: every line that could be read, once.

Lines are given when they leave the screen at its top, when what stands is asked for, or before it is cleared. So what was drawn over
itself (a progress bar, a spinner) is given as it stood in the end. Full-screen programs are sampled, and only
what the sample before did not have is given. Blank lines are left out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from watchgate.terminal.findings import ScreenText, readable
from watchgate.terminal.lazy import LazyScreen
from watchgate.terminal.reading_lines import logical
from watchgate.terminal.screen import Line, Screen

PIECE = 4096
"""Characters after which a text is ended."""

SAMPLE_US = 5_000_000
"""Full-screen programs are sampled at most this often."""

CLEARED_US = 1_000_000
"""And before they clear the screen themselves, at most this often."""

SPAN_US = 5_000_000
"""A line that was printed so long after the first one of a text begins another: a text has one moment."""
_MOMENTS = 1024


class ShownText:
    """Collects the text of one screen."""

    def __init__(self, screen: LazyScreen[Screen]) -> None:
        self._screen = screen
        self._given = 0  # rows at the top of the main screen that were given
        self._unended = ""  # the beginning of a line whose end is not given yet
        self._moments = _Moments()
        self._pieces = _Pieces()
        self._missed = 0
        self._unread = 0
        self._sampled_us: int | None = None
        self._sample: frozenset[str] = frozenset()

    def printed(self, t_us: int, line_feeds: int) -> None:
        """So many line feeds were printed at *t_us*."""
        self._moments.add(t_us, line_feeds)

    def skipped(self, octets: int) -> None:
        """So many octets were not fed to the screen."""
        self._unread += octets

    def take_scrolled(self, t_us: int) -> Iterator[ScreenText]:
        """The lines that left the screen."""
        rows = self._screen.screen.scrolled()
        unread, self._unread = self._unread, 0
        if unread:
            self._moments.forget()
            yield from self._pieces.add(t_us, f"[... {_amount(unread)} not read ...]")
        missed, self._missed = self._missed, self._screen.screen.missed
        if self._missed > missed:
            yield from self._pieces.add(t_us, f"[... {self._missed - missed:,} lines not read ...]")
        fresh, self._given = rows[self._given :], max(0, self._given - len(rows))
        self._moments.keep(_ended(fresh) + self._screen.screen.rows)
        yield from self._rows(t_us, fresh)

    def take_standing(self, t_us: int, *, all_rows: bool = False) -> Iterator[ScreenText]:
        """The lines above the one at the cursor; or *all_rows* of the screen."""
        if self._screen.alternate:
            return
        yield from self.take_scrolled(t_us)
        rows = self._screen.screen.lines()
        end = logical(rows, self._screen.screen.cursor[1])[0]
        if all_rows:
            # Above the cursor, and below it where it was moved up, as before the screen is cleared.
            end = max([end, *(number for number, row in enumerate(rows, 1) if row.text)])
        self._moments.keep(_ended(rows[self._given : end]))
        yield from self._rows(t_us, rows[self._given : end])
        self._given = max(self._given, end)

    def rest(self, t_us: int, *, standing: bool) -> Iterator[ScreenText]:
        """Nothing was printed since *t_us*: the text so far; *standing*: what stands is not drawn again."""
        yield from self.take_standing(t_us) if standing else self.take_scrolled(t_us)
        yield from self._pieces.flush()

    def cleared(self) -> None:
        """Nothing stands any more."""
        self._given = 0
        self._moments.forget()

    def resize(self, t_us: int, columns: int, rows: int) -> Iterator[ScreenText]:
        """The window changes; what stands above the line at the cursor was given then."""
        yield from self.take_standing(t_us)
        screen = self._screen.screen
        screen.resize(columns, rows)
        screen.scrolled()
        self._missed = screen.missed
        if not screen.alternate:
            self._given = logical(screen.lines(), screen.cursor[1])[0]

    def sample(self, t_us: int, *, every_us: int = SAMPLE_US) -> Iterator[ScreenText]:
        """What a full-screen program shows, when the last sample is *every_us* ago."""
        if self._sampled_us is not None and t_us - self._sampled_us < every_us:
            return
        lines = [text for text in _joined(self._screen.screen.lines()) if text]
        if not lines:
            return
        new = dict.fromkeys(line for line in lines if line not in self._sample)
        self._sample, self._sampled_us = frozenset(lines), t_us
        yield from self._pieces.flush()
        for line in new:
            yield from self._pieces.add(t_us, line, alternate=True)
        yield from self._pieces.flush()

    def entered(self, t_us: int) -> None:
        """A full-screen program begins; it has drawn nothing yet."""
        self._sample, self._sampled_us = frozenset(), t_us

    def finish(self, t_us: int) -> Iterator[ScreenText]:
        """Nothing more comes."""
        if self._screen.alternate:
            yield from self.sample(t_us, every_us=0)
        else:
            yield from self.take_standing(t_us, all_rows=True)
            yield from self._rows(t_us, [Line("")])  # a line that would have gone on
        yield from self._pieces.flush()

    def _rows(self, t_us: int, rows: Sequence[Line]) -> Iterator[ScreenText]:
        for row in rows:
            self._unended += row.text
            if not row.wrapped or len(self._unended) >= PIECE:
                text, self._unended = readable(self._unended).rstrip(), ""
                moment = self._moments.first(t_us) if row.wrapped else self._moments.next(t_us)
                if text:
                    yield from self._pieces.add(moment, text)


class _Pieces:
    """Puts lines together into texts of a bounded size and duration."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._size = 0
        self._t_us = 0
        self._alternate = False

    def add(self, t_us: int, line: str, *, alternate: bool = False) -> Iterator[ScreenText]:
        is_late = t_us - self._t_us > SPAN_US
        if self._lines and (self._size + len(line) > PIECE or is_late):
            yield from self.flush()
        if not self._lines:
            self._t_us, self._alternate = t_us, alternate
        self._lines.append(line)
        self._size += len(line) + 1

    def flush(self) -> Iterator[ScreenText]:
        if self._lines:
            yield ScreenText(self._t_us, "\n".join(self._lines), self._alternate)
            self._lines, self._size = [], 0


class _Moments:
    """When lines were printed, by their line feeds: the oldest first, within a bound."""

    def __init__(self) -> None:
        self._moments: deque[list[int]] = deque()
        self._count = 0

    def add(self, t_us: int, line_feeds: int) -> None:
        if not line_feeds:
            return
        self._count += line_feeds
        if len(self._moments) >= _MOMENTS:
            self._moments[-1][1] += line_feeds
        else:
            self._moments.append([t_us, line_feeds])

    def keep(self, lines: int) -> None:
        """Only the last *lines* are left to be given: those before were drawn over."""
        surplus = self._count - lines
        while surplus > 0:
            oldest = self._moments[0]
            taken = min(surplus, oldest[1])
            oldest[1] -= taken
            self._count -= taken
            surplus -= taken
            if not oldest[1]:
                self._moments.popleft()

    def first(self, t_us: int) -> int:
        """When the oldest line was printed; *t_us* when that is not known."""
        return self._moments[0][0] if self._moments else t_us

    def next(self, t_us: int) -> int:
        """The same, of which nothing more will be asked."""
        if not self._moments:
            return t_us
        oldest = self._moments[0]
        oldest[1] -= 1
        self._count -= 1
        if not oldest[1]:
            self._moments.popleft()
        return oldest[0]

    def forget(self) -> None:
        self._moments.clear()
        self._count = 0


def _ended(rows: Sequence[Line]) -> int:
    """How many lines end in *rows*."""
    return sum(not row.wrapped for row in rows)


def _joined(rows: Sequence[Line]) -> Iterator[str]:
    text = ""
    for row in rows:
        text += row.text
        if not row.wrapped or len(text) >= PIECE:
            yield readable(text).strip()
            text = ""
    yield readable(text).strip()


def _amount(octets: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if octets >= size:
            return f"{octets / size:.1f} {unit}"
    return f"{octets} octets"
