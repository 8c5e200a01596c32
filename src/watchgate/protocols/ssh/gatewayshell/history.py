"""The lines that were given before, for as long as the shell is open."""

from __future__ import annotations

MOST_LINES = 1000


class History:
    """Lines, the newest last; a walk through them begins at the line that is being typed."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._at = 0
        self._typed = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """All that is kept."""
        return tuple(self._lines)

    def add(self, line: str) -> None:
        """Keep *line*, unless it is empty or the last one again; the walk is over."""
        if line.strip() and self._lines[-1:] != [line]:
            self._lines.append(line)
            del self._lines[:-MOST_LINES]
        self.leave()

    def leave(self) -> None:
        """The walk is over."""
        self._at = 0
        self._typed = ""

    def step(self, by: int, typed: str) -> str:
        """The line *by* steps further back (or, when negative, forward); *typed* is what stands there now."""
        if self._at == 0:
            self._typed = typed
        self._at = max(0, min(self._at + by, len(self._lines)))
        return self._lines[-self._at] if self._at else self._typed

    def containing(self, part: str, skip: int = 0) -> str | None:
        """The newest line that holds *part*, when *skip* such lines are passed over."""
        found = [line for line in reversed(self._lines) if part in line]
        return found[skip] if part and skip < len(found) else None
