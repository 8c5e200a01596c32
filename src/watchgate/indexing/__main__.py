"""`python -m watchgate.indexing`: the index worker's process; the gateway starts it (supervisor.py)."""

from __future__ import annotations

import sys
from pathlib import Path

from watchgate.catalog.search.index import SqliteIndex
from watchgate.catalog.search.model import SearchBackend
from watchgate.clock import SystemClock
from watchgate.indexing.confinement import confine
from watchgate.indexing.service import Service
from watchgate.terminal.screens import open_screen

CLOCK = SystemClock()


def open_index(directory: Path) -> SqliteIndex:
    """The index, once what is lost or damaged in it is known to be: it is then read again."""
    index = SqliteIndex(directory, CLOCK)
    for sentence in index.mend():
        sys.stderr.write(f"{sentence}\n")
    return index


def tidy(index: SearchBackend) -> None:
    """Make the files of months that are over small."""
    if isinstance(index, SqliteIndex):
        index.tidy()


def main() -> None:
    """Serve the gateway at stdin and stdout."""
    confine()
    Service(0, 1, open_index, open_screen, CLOCK, tidy).serve()


if __name__ == "__main__":
    main()
