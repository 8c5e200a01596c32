"""How far recordings are indexed, and which files of the index hold something of each.

When a file is lost, the progress of what was in it must be lost too: only then is it read again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from pathlib import Path

from watchgate.catalog.search.model import Progress
from watchgate.catalog.search.opening import Damaged, Placed, transaction
from watchgate.catalog.search.text import asked

NAME = "progress.db"

SCHEMA = (
    """CREATE TABLE progress (
        recording TEXT PRIMARY KEY,
        session TEXT NOT NULL,
        octets INTEGER NOT NULL,
        complete INTEGER NOT NULL,
        policy TEXT NOT NULL,
        problem TEXT NOT NULL
    )""",
    "CREATE INDEX progress_of_session ON progress (session)",
    """CREATE TABLE held (
        file TEXT NOT NULL,
        recording TEXT NOT NULL,
        session TEXT NOT NULL,
        PRIMARY KEY (file, recording)
    ) WITHOUT ROWID""",
    "CREATE INDEX held_of_session ON held (session)",
)


class ProgressFile(Placed):
    """The file that knows it; its connection is a writer's."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        super().__init__(connection, path)
        # What a power cut takes from here is read again; documents are durable before.
        connection.execute("PRAGMA synchronous = NORMAL")

    def advance(self, progress: Progress) -> None:
        """Remember it."""
        self._connection.execute(
            "INSERT INTO progress VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (recording) DO UPDATE SET "
            "session = excluded.session, octets = excluded.octets, complete = excluded.complete, "
            "policy = excluded.policy, problem = excluded.problem",
            (
                asked(progress.recording),
                asked(progress.session),
                progress.octets,
                int(progress.complete),
                asked(progress.policy),
                asked(progress.problem),
            ),
        )

    def holding(self, file: str, recording: str, session: str) -> None:
        """Note, before it is put there, that *file* holds something of *recording*."""
        known = "SELECT 1 FROM held WHERE file = ? AND recording = ?"
        if self._connection.execute(known, (file, recording)).fetchone() is None:
            query = "INSERT OR IGNORE INTO held VALUES (?, ?, ?)"
            self._connection.execute(query, (file, recording, session))

    def files(self) -> list[str]:
        """The files that hold something."""
        return files(self._connection)

    def lose(self, file: str) -> int:
        """*file* is lost: forget the progress of what it held; how many recordings those are."""

        def work() -> int:
            query = "DELETE FROM progress WHERE recording IN (SELECT recording FROM held WHERE file = ?)"
            self._connection.execute(query, (file,))
            return self._connection.execute("DELETE FROM held WHERE file = ?", (file,)).rowcount

        return transaction(self._connection, work)

    def forget(self, sessions: Collection[str]) -> None:
        """Forget everything of *sessions*."""

        def work() -> int:
            for session in sessions:
                self._connection.execute("DELETE FROM held WHERE session = ?", (session,))
                self._connection.execute("DELETE FROM progress WHERE session = ?", (session,))
            return len(sessions)

        transaction(self._connection, work)
        self.settle()


_FILES = """
    WITH RECURSIVE name (file) AS (
        SELECT min(file) FROM held
        UNION ALL
        SELECT (SELECT min(file) FROM held WHERE held.file > name.file) FROM name
        WHERE name.file IS NOT NULL
    )
    SELECT file FROM name WHERE file IS NOT NULL
"""
"""As DISTINCT, but by one step in the key for each file instead of one for each recording."""


def files(connection: sqlite3.Connection) -> list[str]:
    """The files that hold something."""
    return [str(row[0]) for row in connection.execute(_FILES)]


def progress_of(connection: sqlite3.Connection, recording: str) -> Progress | None:
    """How far *recording* is; None: not begun. Raises Damaged."""
    query = (
        "SELECT recording, session, octets, complete, policy, problem "
        "FROM progress WHERE recording = ?"
    )
    row = connection.execute(query, (recording,)).fetchone()
    if row is None:
        return None
    if not isinstance(row[2], int) or not all(isinstance(row[i], str) for i in (0, 1, 4, 5)):
        raise Damaged("a row in it cannot be read")
    return Progress(row[0], row[1], row[2], bool(row[3]), row[4], row[5])
