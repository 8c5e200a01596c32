"""Connections for those who search: kept for the next question, as long as the file is the same one."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from watchgate.catalog.search.opening import beside, connect, identity

_STEPS = 20_000
"""Of SQLite's own machine, between two looks at the clock."""

_MOST_IDLE = 16


@dataclass(frozen=True, slots=True)
class _Idle:
    connection: sqlite3.Connection
    path: Path
    identity: tuple[int, int]


class Readers:
    """Lends each connection to one question at a time; safe to use from several threads."""

    def __init__(self) -> None:
        self._idle: list[_Idle] = []
        self._lock = threading.Lock()

    @contextmanager
    def of(
        self, path: Path, is_over: Callable[[], bool] | None = None
    ) -> Iterator[sqlite3.Connection]:
        """A connection to the file at *path*, interrupted when *is_over* says so.

        Raises FileNotFoundError, Damaged, sqlite3.Error.
        """
        state = identity(path)
        if state is None:
            raise FileNotFoundError(path)
        connection = self._taken(path, state) or connect(path)
        fit = False
        try:
            connection.set_progress_handler(is_over, _STEPS)
            yield connection
            fit = True
        except GeneratorExit:
            fit = True  # who asked has enough
            raise
        finally:
            connection.set_progress_handler(None, 0)
            if fit:
                self._keep(_Idle(connection, path, state))
            else:
                connection.close()

    def _taken(self, path: Path, state: tuple[int, int]) -> sqlite3.Connection | None:
        """An idle connection to that file; those to one that was replaced are closed."""
        with self._lock:
            same = [one for one in self._idle if one.path == path]
            fit = [one for one in same if one.identity == state]
            chosen = fit[-1] if fit else None
            old = [one for one in same if one.identity != state]
            self._idle = [one for one in self._idle if one is not chosen and one not in old]
        for one in old:
            one.connection.close()
        return chosen.connection if chosen else None

    def _keep(self, idle: _Idle) -> None:
        with self._lock:
            self._idle.append(idle)
            over = self._idle[:-_MOST_IDLE]
            self._idle = self._idle[-_MOST_IDLE:]
        for one in over:
            one.connection.close()

    def close(self) -> None:
        """Close those that are idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for one in idle:
            one.connection.close()


def octets_of(path: Path) -> int:
    """The size of a file with its log; 0 when it is gone."""
    total = 0
    for name in (path, *beside(path)):
        try:
            total += os.stat(name).st_size
        except FileNotFoundError:
            continue
    return total
