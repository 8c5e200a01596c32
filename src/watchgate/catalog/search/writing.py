"""Putting documents into one file, and taking them out again so that nothing of them is left."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from pathlib import Path

from watchgate.catalog.search.model import About, Document
from watchgate.catalog.search.months import SECOND_US, MonthFile, places
from watchgate.catalog.search.opening import COLUMNS, TABLES, Damaged, Placed, transaction
from watchgate.catalog.search.packing import (
    ABOUT,
    ROW,
    Codec,
    Row,
    Values,
    about_of,
    row_of,
    unpack,
    words,
)

_INSERT_WORDS = f"INSERT INTO words (rowid, {', '.join(COLUMNS)}) VALUES (?{', ?' * len(COLUMNS)})"  # noqa: S608
_DELETE_WORDS = (
    f"INSERT INTO words (words, rowid, {', '.join(COLUMNS)}) "  # noqa: S608
    f"VALUES ('delete', ?{', ?' * len(COLUMNS)})"
)
_INSERT_ROW = f"INSERT INTO document VALUES (?{', ?' * (len(Row.__slots__) - 1)})"  # noqa: S608


class FileWriter(Placed):
    """The one who writes a file; its connection is a writer's."""

    def __init__(self, file: MonthFile, connection: sqlite3.Connection, path: Path) -> None:
        super().__init__(connection, path)
        self._file = file
        self._codec = Codec(file.kind)

    def _do(self, sql: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        return self._connection.execute(sql, values).fetchall()

    # --- in --------------------------------------------------------------------------------------

    def put(self, about: About, documents: Sequence[Document]) -> int:
        """Put *documents*, all normal and each with an item of its own; how many were new or changed."""
        return transaction(self._connection, lambda: self._put(about, documents))

    def _put(self, about: About, documents: Sequence[Document]) -> int:
        known = self._session(about.session)
        if known is not None and known[1] != about:
            # What every document of it is marked with is another: all of them are put again.
            before = self._of(known[0])
            self._remove(known, before)
            documents = _latest([*(document for _, document in before), *documents])
            known = None
        if known is None:
            number, changed = self._add_session(about), list(documents)
        else:
            number, changed = known[0], self._changed(known, documents)
        self._insert(about, number, changed)
        return len(changed)

    def _changed(self, known: tuple[int, About], documents: Sequence[Document]) -> list[Document]:
        """Those of *documents* that are not there as they are; what was there instead is removed."""
        changed, replaced = [], []
        for document in documents:
            found = self._rows("session = ? AND item = ?", (known[0], document.item))
            if found and found[0][1] == document:
                continue
            changed.append(document)
            replaced += found
        self._remove_rows(known[1], known[0], replaced)
        return changed

    def _insert(self, about: About, session: int, documents: Sequence[Document]) -> None:
        values = Values(self._connection)
        free = _Free(self._connection)
        second_us = self._file.start_us
        rows = sorted(
            ((free.place((one.at_us - second_us) // SECOND_US), one) for one in documents),
            key=lambda placed: placed[0],
        )
        # In the order of numbers: the full-text index begins a new segment wherever they go back.
        self._connection.executemany(
            _INSERT_WORDS, ((at, *words(values, about, session, one)) for at, one in rows)
        )
        self._connection.executemany(
            _INSERT_ROW, (self._packed(values, session, at, one) for at, one in rows)
        )

    def _packed(
        self, values: Values, session: int, number: int, document: Document
    ) -> tuple[object, ...]:
        def named(name: str, value: str | None) -> int | None:
            return None if value is None else values.number(name, value)

        return (
            number,
            session,
            document.item,
            (document.at_us - self._file.start_us) % SECOND_US,
            document.offset_us,
            document.channel,
            values.number("source", document.source),
            values.number("confidence", document.confidence),
            named("verdict", document.verdict),
            named("severity", document.severity),
            self._codec.write(document.text),
        )

    # --- sessions --------------------------------------------------------------------------------

    def _session(self, session: str) -> tuple[int, About] | None:
        query = f"SELECT number, {ABOUT} FROM session WHERE id = ?"  # noqa: S608
        row = self._connection.execute(query, (session,)).fetchone()
        return (row[0], about_of(row[1:])) if row else None

    def _add_session(self, about: About) -> int:
        query = "INSERT INTO session VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)"
        values = tuple(getattr(about, name) for name in About.__slots__)
        made = self._connection.execute(query, values).lastrowid
        assert made is not None
        return made

    def _of(self, session: int) -> list[tuple[int, Document]]:
        return self._rows("session = ? ORDER BY number", (session,))

    def _rows(self, where: str, values: Sequence[object]) -> list[tuple[int, Document]]:
        """Documents with their numbers."""
        query = f"SELECT {ROW} FROM document WHERE {where}"  # noqa: S608
        rows = [row_of(row) for row in self._connection.execute(query, values)]
        names = Values(self._connection)
        return [(row.number, unpack(names, self._file, self._codec, row)) for row in rows]

    # --- out -------------------------------------------------------------------------------------

    def holds(self, session: str) -> bool:
        """Whether there are documents of *session*."""
        return self._session(session) is not None

    def remove_items(self, session: str, items: Sequence[int]) -> int:
        """Remove some documents of a session; how many there were."""
        known = self._session(session)
        if known is None:
            return 0

        def work() -> int:
            found = [self._rows("session = ? AND item = ?", (known[0], item)) for item in items]
            rows = [row for one in found for row in one]
            self._remove_rows(known[1], known[0], rows)
            return len(rows)

        return transaction(self._connection, work)

    def forget(self, sessions: Collection[str]) -> int:
        """Remove sessions so that nothing of them is left in the file; how many documents they had."""
        known = [found for session in sessions if (found := self._session(session)) is not None]
        if not known:
            return 0

        def work() -> int:
            count = 0
            for one in known:
                rows = self._of(one[0])
                self._remove(one, rows)
                count += len(rows)
            self._prune()
            # Until segments are merged into one, the old ones still have the trigrams.
            self._do("INSERT INTO words (words) VALUES ('optimize')")
            return count

        count = transaction(self._connection, work)
        self.settle()
        return count

    def _remove(self, known: tuple[int, About], rows: Sequence[tuple[int, Document]]) -> None:
        self._remove_rows(known[1], known[0], rows)
        self._do("DELETE FROM session WHERE number = ?", (known[0],))

    def _remove_rows(
        self, about: About, session: int, rows: Sequence[tuple[int, Document]]
    ) -> None:
        values = Values(self._connection)
        for number, document in rows:
            self._do(_DELETE_WORDS, (number, *words(values, about, session, document)))
            self._do("DELETE FROM document WHERE number = ?", (number,))

    def _prune(self) -> None:
        """Remove the names that no session has any more."""
        for name in ("operator", "target", "account", "protocol"):
            self._do(
                f"DELETE FROM value WHERE name = ? AND value NOT IN (SELECT {name} FROM session)",  # noqa: S608
                (name,),
            )

    # --- upkeep ----------------------------------------------------------------------------------

    def check(self, *, thorough: bool) -> int:
        """Raise Damaged or sqlite3.Error when a table cannot be read; *thorough* looks at every page."""
        for table in TABLES:
            self._do(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608
        self._do("SELECT 1 FROM words WHERE words MATCH 'abc' LIMIT 1")
        if not thorough:
            return 0
        found = self._do("PRAGMA quick_check(1)")
        if found != [("ok",)]:
            raise Damaged(" ".join(str(found[0][0]).split()))
        self._do("INSERT INTO words (words) VALUES ('integrity-check')")
        return 0

    def close_month(self, now_us: int) -> bool:
        """Merge the full-text index into one piece, unless nothing was put since the last time."""

        def work() -> int:
            segments = self._do("SELECT count(*) FROM (SELECT DISTINCT segid FROM words_idx)")
            if self._do("SELECT 1 FROM closed") and segments[0][0] in (0, 1):
                return 0
            self._do("INSERT INTO words (words) VALUES ('optimize')")
            self._do("DELETE FROM closed")
            self._do("INSERT INTO closed VALUES (?)", (now_us,))
            return 1

        done = bool(transaction(self._connection, work))
        if done:
            self.settle()
        return done


class _Free:
    """The next free numbers of each second."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._next: dict[int, int] = {}

    def place(self, second: int) -> int:
        """A number for a document of *second*."""
        number = self._next.get(second)
        if number is None:
            number = self._after(places(second, crowded=False))
        if number == places(second, crowded=False).stop:
            number = self._after(places(second, crowded=True))
        self._next[second] = number + 1
        return number

    def _after(self, numbers: range) -> int:
        """The number after the last of *numbers* that is taken."""
        query = "SELECT max(number) FROM document WHERE number >= ? AND number < ?"
        last = self._connection.execute(query, (numbers.start, numbers.stop)).fetchone()[0]
        return numbers.start if last is None else int(last) + 1


def _latest(documents: Sequence[Document]) -> list[Document]:
    """Of documents with the same item the last."""
    return list({document.item: document for document in documents}.values())
