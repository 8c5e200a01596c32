"""`python -m watchgate.indexing`: the index worker's process; the gateway starts it (supervisor.py)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from watchgate.catalog.search.index import SqliteIndex
from watchgate.catalog.search.model import SearchBackend
from watchgate.clock import SystemClock
from watchgate.confinement import confine
from watchgate.indexing.service import Service
from watchgate.terminal.screens import open_screen

CLOCK = SystemClock()


def open_index(directory: Path) -> SqliteIndex:
    """The index."""
    return SqliteIndex(directory, CLOCK)


def mend(index: SearchBackend) -> Sequence[str]:
    """Begin anew what is lost or damaged: what it held is read again."""
    return index.mend() if isinstance(index, SqliteIndex) else ()


def tidy(index: SearchBackend) -> None:
    """Make the files of months that are over small."""
    if isinstance(index, SqliteIndex):
        index.tidy()


def main() -> None:
    """Serve the gateway at stdin and stdout."""
    confine()
    Service(0, 1, open_index, open_screen, CLOCK, tidy, mend).serve()


if __name__ == "__main__":
    main()
