"""Finding documents in one file, the newest first."""

from __future__ import annotations

import heapq
import itertools
import sqlite3
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import cache

from watchgate.catalog.search.model import About, Document, Hit, Query
from watchgate.catalog.search.months import CROWDED, SECOND_US, MonthFile, places, second_of
from watchgate.catalog.search.opening import Damaged, was_interrupted
from watchgate.catalog.search.packing import (
    ABOUT,
    ROW,
    Codec,
    Values,
    about_of,
    at_us,
    row_of,
    token,
    unpack,
)
from watchgate.catalog.search.planning import Plan, expressions, quoted
from watchgate.catalog.search.regex import Clause
from watchgate.catalog.search.text import asked, indexed
from watchgate.clock import Clock, iso

MOST_SESSIONS = 64
"""A beginning of more session ids than this is looked at in the rows, not in the index."""

_FIRST_WINDOW = 86_400
"""Seconds. The full-text index cannot be stopped while it looks, so it is asked for a day, then two, ..."""

_SAMPLED_PLACES = 16
_SAMPLED_THERE = 4
_LAST = "SELECT max(number) FROM document WHERE number < ?"
_SAMPLE = "SELECT text FROM document WHERE number >= ? ORDER BY number LIMIT ?"

_COLUMNS = "document.number, document.us, document.item, document.text, session.id"
_WITH_SESSION = "CROSS JOIN session ON session.number = document.session"


@dataclass(slots=True)
class Budget:
    """How much a search may still look at. Shared by all files of one search."""

    clock: Clock
    until_us: int
    candidates: int
    looked_at: int = 0
    spent: str = ""
    """Why there is nothing left; empty: there is."""
    _reached_us: list[int] = field(default_factory=list)

    def is_over(self) -> bool:
        """Whether to stop now."""
        if not self.spent and self.clock.monotonic_us() > self.until_us:
            self.spent = "its time was over"
        return bool(self.spent)

    def take(self) -> bool:
        """Look at one more document; false: there is no more to be had."""
        if self.is_over():
            return False
        if self.looked_at >= self.candidates:
            self.spent = f"{self.candidates} documents were looked at"
            return False
        self.looked_at += 1
        return True

    def reached(self, moment_us: int) -> None:
        """A file was looked through from its end down to this moment when the budget was spent."""
        self._reached_us.append(moment_us)

    def partial(self) -> str:
        """Why there may be more hits."""
        if not self.spent:
            return ""
        back_to = f" back to {iso(max(self._reached_us))}" if self._reached_us else ""
        return f"the search was stopped{back_to}, because {self.spent}"


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A document that may match."""

    number: int
    us: int
    item: int
    text: str | bytes
    session: str

    @property
    def age(self) -> tuple[int, str, int]:
        """Its place among those of the same second; the session and item only to have an order."""
        return self.us, self.session, self.item


class FileReader:
    """Reads one file for one question or a few; its connection is a reader's."""

    def __init__(self, file: MonthFile, connection: sqlite3.Connection) -> None:
        self._file = file
        self._connection = connection
        self._codec = Codec(file.kind)
        self._values = Values(connection)

    # --- searching -------------------------------------------------------------------------------

    def hits(self, plan: Plan, budget: Budget) -> Iterator[Hit]:
        """The documents that match, the newest first, while the budget lasts."""
        narrowed = self._narrowed(plan)
        if narrowed is None:
            return
        seconds = self._seconds(plan.query)
        with closing(self._candidates(narrowed, seconds, budget)) as candidates:
            for candidate in candidates:
                yield from self._verified(candidate, plan)

    def _verified(self, candidate: _Candidate, plan: Plan) -> Iterator[Hit]:
        """The hit, when the candidate is one."""
        if _is_outside(plan.query, at_us(self._file, candidate.number, candidate.us)):
            return
        found = plan.matcher.find(self._file.kind, self._codec.read(candidate.text))
        if found is not None:
            for about, document in self._read("document.number = ?", (candidate.number,)):
                yield Hit(about, document, found.line, found.spans)

    def _seconds(self, query: Query) -> range:
        """The seconds of the month that the query asks about."""
        start, end = self._file.start_us, self._file.end_us
        since = start if query.since_us is None else min(max(query.since_us, start), end)
        until = end if query.until_us is None else min(max(query.until_us, start), end)
        return range((since - start) // SECOND_US, -((start - until) // SECOND_US))

    def _narrowed(self, plan: Plan) -> _Narrowed | None:
        """What the file is asked for; None: nothing in it can match."""
        words = []
        for name, value in plan.facets.items():
            number = self._values.find(name, value)
            if number is None:
                return None
            words.append(quoted(token(number)))
        words += expressions(plan.clauses, self._share(plan.clauses))
        if not plan.query.session:
            return _Narrowed(words)
        sessions = self._sessions(plan.query.session)
        if not sessions:
            return None
        if len(sessions) > MOST_SESSIONS:
            return _Narrowed(words, plan.query.session)
        tokens = (quoted(token(number, session=True)) for number in sessions)
        return _Narrowed([*words, f"({' OR '.join(tokens)})"])

    def _share(self, clauses: Sequence[Clause]) -> Callable[[str], float]:
        """How many of the documents have a trigram, by a few that are taken from all over the file."""
        samples = [indexed(self._codec.read(text)) for text in self._sample()] if clauses else []
        count = max(1, len(samples))
        return cache(lambda trigram: sum(trigram in text for text in samples) / count)

    def _sample(self) -> Iterator[str | bytes]:
        last = self._connection.execute(_LAST, (CROWDED,)).fetchone()[0] or 0
        for place in range(_SAMPLED_PLACES):
            start = last * place // _SAMPLED_PLACES
            for row in self._connection.execute(_SAMPLE, (start, _SAMPLED_THERE)):
                yield _text(row[0])

    def _sessions(self, beginning: str) -> list[int]:
        query = "SELECT number FROM session WHERE id >= ? AND id < ? LIMIT ?"
        bounds = (*_beginning(beginning), MOST_SESSIONS + 1)
        return [row[0] for row in self._connection.execute(query, bounds)]

    def _candidates(
        self, narrowed: _Narrowed, seconds: range, budget: Budget
    ) -> Generator[_Candidate, None, None]:
        """Documents that may match, the newest first."""
        # Each generator closes those it reads: an open statement would hold on to the log.
        with ExitStack() as stack:
            halves = [
                stack.enter_context(closing(self._half(narrowed, seconds, budget, crowded=crowded)))
                for crowded in (False, True)
                if not crowded or self._is_crowded()
            ]
            merged = heapq.merge(*halves, key=lambda one: -second_of(one.number))
            for _, group in itertools.groupby(merged, key=lambda one: second_of(one.number)):
                yield from sorted(group, key=lambda one: one.age, reverse=True)

    def _is_crowded(self) -> bool:
        query = "SELECT 1 FROM document WHERE number >= ? LIMIT 1"
        return self._connection.execute(query, (CROWDED,)).fetchone() is not None

    def _half(
        self, narrowed: _Narrowed, seconds: range, budget: Budget, *, crowded: bool
    ) -> Generator[_Candidate, None, None]:
        """Candidates of one half of the numbers, a window of time after the other."""
        window, stop = _FIRST_WINDOW, seconds.stop
        while stop > seconds.start:
            start = max(stop - window, seconds.start)
            first = places(start, crowded=crowded).start
            last = places(stop, crowded=crowded).start
            with closing(self._rows(narrowed.statement(first, last), budget)) as rows:
                for row in rows:
                    # Down to here this file was looked through.
                    stop = second_of(row.number) + 1
                    if not budget.take():
                        break
                    yield row
            if budget.is_over():
                budget.reached(self._file.start_us + min(stop, seconds.stop) * SECOND_US)
                return
            stop, window = start, window * 2

    def _rows(
        self, statement: tuple[str, tuple[object, ...]], budget: Budget
    ) -> Generator[_Candidate, None, None]:
        """The candidates of a statement, until the budget interrupts it."""
        try:
            with closing(self._connection.execute(*statement)) as cursor:
                yield from map(_candidate, cursor)
        except sqlite3.Error as error:
            if not (was_interrupted(error) and budget.is_over()):
                raise

    # --- reading ---------------------------------------------------------------------------------

    def of(self, session: str) -> list[tuple[About, Document]]:
        """All documents of a session."""
        return self._read("session.id = ? ORDER BY document.number", (session,))

    def _read(self, where: str, values: Sequence[object]) -> list[tuple[About, Document]]:
        query = (
            f"SELECT {ABOUT}, {ROW} FROM session "  # noqa: S608
            f"JOIN document ON document.session = session.number WHERE {where}"
        )
        split = len(About.__slots__)
        found = [
            (about_of(row[:split]), row_of(row[split:]))
            for row in self._connection.execute(query, values)
        ]
        return [(about, unpack(self._values, self._file, self._codec, row)) for about, row in found]


@dataclass(frozen=True, slots=True)
class _Narrowed:
    """What the documents are chosen by, besides their time."""

    words: list[str]
    session: str = ""
    """A beginning of many session ids."""

    def statement(self, first: int, stop: int) -> tuple[str, tuple[object, ...]]:
        """The statement for numbers from *first* up to *stop*, and its values."""
        values: tuple[object, ...] = (first, stop)
        if self.words:
            asked = "words CROSS JOIN document ON document.number = words.rowid"
            where = "words.rowid >= ? AND words.rowid < ? AND words MATCH ?"
            values = (*values, " AND ".join(self.words))
        else:
            asked = "document"
            where = "document.number >= ? AND document.number < ?"
        if self.session:
            where += " AND session.id >= ? AND session.id < ?"
            values = (*values, *_beginning(self.session))
        order = "words.rowid" if self.words else "document.number"
        sql = (
            f"SELECT {_COLUMNS} FROM {asked} {_WITH_SESSION} "  # noqa: S608
            f"WHERE {where} ORDER BY {order} DESC"
        )
        return sql, values


def _beginning(text: str) -> tuple[str, str]:
    """The bounds of all ids that begin with *text*."""
    folded = asked(text.strip().lower())
    return folded, f"{folded}\U0010ffff"


def _is_outside(query: Query, at: int) -> bool:
    before = query.since_us is not None and at < query.since_us
    return before or (query.until_us is not None and at >= query.until_us)


def _candidate(row: Sequence[object]) -> _Candidate:
    number, us, item, text, session = row
    if (
        isinstance(number, int)
        and isinstance(us, int)
        and isinstance(item, int)
        and isinstance(session, str)
    ):
        return _Candidate(number, us, item, _text(text), session)
    raise Damaged("a row in it cannot be read")


def _text(stored: object) -> str | bytes:
    if not isinstance(stored, str | bytes):
        raise Damaged("a text in it cannot be read")
    return stored
