"""A channel's output as pictures of its screen, for players that know no terminal.

The screen is emulated here, once; what leaves is rows of styled text and, from picture to picture, the
rows that changed. So whatever a hostile target printed, a browser only ever gets text to show.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol, TypeAlias

from watchgate.terminal.screen import PLAIN, Run, Screen, Style

LEAST_BETWEEN_US = 40_000
"""A picture is taken when the last is so old, or when nothing more comes for so long."""
_PICTURES_A_CHUNK = 250
_OCTETS_A_CHUNK = 256 * 1024

Row: TypeAlias = list[Any]
"""A row as JSON: text, columns and number of its style, for one run after the other."""
Cursor: TypeAlias = list[int]
"""Column, row, and 1 where it is shown."""


class Timed(Protocol):
    """A screen that is fed with the times of what it is fed."""

    @property
    def screen(self) -> Screen: ...

    def feed_at(self, t_us: int, octets: bytes) -> None: ...


@dataclass(slots=True)
class Chunk:
    """A whole picture, and the changes from there on."""

    t_ms: int
    """From the start of the channel."""
    size: tuple[int, int]
    rows: list[Row]
    cursor: Cursor
    styles: dict[Style, int]
    changes: list[Any] = field(default_factory=list)
    """Each `[milliseconds after the last, [[number of a row, the row], …], cursor]`."""
    weight: int = 0

    @property
    def full(self) -> bool:
        """Whether the next picture should begin another."""
        return len(self.changes) >= _PICTURES_A_CHUNK or self.weight >= _OCTETS_A_CHUNK

    def to_json(self) -> bytes:
        """As the player reads it."""
        document = {
            "t": self.t_ms,
            "size": self.size,
            "rows": self.rows,
            "cursor": self.cursor,
            "styles": [_said(style) for style in self.styles],
            "changes": self.changes,
        }
        return json.dumps(document, separators=(",", ":")).encode()


class Pictures:
    """Cuts the output of a channel into chunks."""

    def __init__(self, open_screen: Callable[[int, int], Timed], columns: int, rows: int) -> None:
        self._timed = open_screen(columns, rows)
        self._chunk: Chunk | None = None
        self._shown: list[Row] = []
        self._cursor: Cursor = []
        self._last_ms = 0
        self._pending_us: int | None = None
        self._taken_us = -LEAST_BETWEEN_US

    def output(self, t_us: int, octets: bytes) -> Iterator[Chunk]:
        """The target printed *octets*; the chunks that are whole by that."""
        if self._pending_us is not None and self._is_due(self._pending_us, t_us):
            yield from self._take(self._pending_us)
        self._timed.feed_at(t_us, octets)
        self._pending_us = t_us

    def resized(self, t_us: int, columns: int, rows: int) -> Iterator[Chunk]:
        """The window changed; a new chunk begins with the new size."""
        yield from self.finish()
        self._timed.screen.resize(columns, rows)
        self._pending_us = t_us

    def finish(self) -> Iterator[Chunk]:
        """The chunk that is left."""
        if self._pending_us is not None:
            yield from self._take(self._pending_us)
        if self._chunk is not None:
            chunk, self._chunk = self._chunk, None
            yield chunk

    def _is_due(self, pending_us: int, now_us: int) -> bool:
        old = pending_us - self._taken_us >= LEAST_BETWEEN_US
        return old or now_us - pending_us >= LEAST_BETWEEN_US

    def _take(self, t_us: int) -> Iterator[Chunk]:
        self._pending_us, self._taken_us = None, t_us
        screen = self._timed.screen
        at_ms = t_us // 1000
        if self._chunk is None:
            self._chunk = self._begun(at_ms, screen)
            return
        rows, cursor = _rows(screen.styled(), self._chunk.styles), _cursor(screen)
        changed = [(number, row) for number, row in enumerate(rows) if row != self._shown[number]]
        if not changed and cursor == self._cursor:
            return
        change = [at_ms - self._last_ms, changed, cursor]
        self._shown, self._cursor, self._last_ms = rows, cursor, at_ms
        self._chunk.changes.append(change)
        self._chunk.weight += sum(len(row) for _, row in changed) * 16 + 16
        if self._chunk.full:
            chunk, self._chunk = self._chunk, None
            yield chunk

    def _begun(self, at_ms: int, screen: Screen) -> Chunk:
        styles = {PLAIN: 0}
        self._shown, self._cursor = _rows(screen.styled(), styles), _cursor(screen)
        self._last_ms = at_ms
        return Chunk(at_ms, (screen.columns, screen.rows), self._shown, self._cursor, styles)


def _rows(styled: Sequence[Sequence[Run]], styles: dict[Style, int]) -> list[Row]:
    return [
        [
            part
            for run in runs
            for part in (run.text, run.columns, styles.setdefault(run.style, len(styles)))
        ]
        for runs in styled
    ]


def _cursor(screen: Screen) -> Cursor:
    column, row = screen.cursor
    return [column, row, int(screen.cursor_visible)]


def _said(style: Style) -> dict[str, Any]:
    """What is not as it is by default."""
    return {name: value for name, value in asdict(style).items() if value not in (None, False)}
