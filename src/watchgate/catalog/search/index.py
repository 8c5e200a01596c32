"""The index on one machine: SQLite files, one a month and kind, which any number of processes may read.

One process writes at a time (another waits); searching holds no lock that a writer minds. Nothing here is
the only copy: what is lost is read again from the recordings.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from watchgate.catalog.search.connections import Readers, octets_of
from watchgate.catalog.search.keeping import Keeper
from watchgate.catalog.search.model import About, Answer, Document, Hit, Kind, Progress, Query
from watchgate.catalog.search.months import MonthFile, file_of, files_in
from watchgate.catalog.search.opening import BROKEN, damage, explain, was_interrupted
from watchgate.catalog.search.packing import normal, normal_about
from watchgate.catalog.search.planning import Plan, plan
from watchgate.catalog.search.progress import NAME as PROGRESS
from watchgate.catalog.search.progress import files as files_held
from watchgate.catalog.search.progress import progress_of
from watchgate.catalog.search.reading import Budget, FileReader
from watchgate.catalog.search.text import asked
from watchgate.clock import Clock
from watchgate.errors import ConfigurationError

_AGAIN = "`watchgate reindex` reads the recordings again"


@dataclass(frozen=True, slots=True)
class FileState:
    """One file of the index, for who looks after it."""

    name: str
    month: str
    kind: Kind
    octets: int
    """With its log."""
    problem: str
    """Why it cannot be read; empty: it can be opened."""


class SqliteIndex:
    """The index in *directory*, which is made (0700) when something is first put; a `SearchBackend`.

    Safe to use from several threads. A damaged file costs a search its month, and the answer says so. The
    writer sets it aside, begins a new one, and raises ConfigurationError with the code `index.damaged`:
    the progress of all that was in it is forgotten, so whoever follows recordings begins again from there.
    """

    def __init__(self, directory: Path, clock: Clock) -> None:
        self.directory = directory
        self._clock = clock
        self._readers = Readers()
        self._keeper = Keeper(directory, clock)

    def close(self) -> None:
        """Let go of the files."""
        self._keeper.close()
        self._readers.close()

    # --- finding ---------------------------------------------------------------------------------

    def search(self, query: Query) -> Answer:
        """Answer; raises Refused for a query that cannot be answered (too short, not a regex)."""
        planned = plan(query)
        begun = self._clock.monotonic_us()
        budget = Budget(self._clock, begun + round(query.seconds * 1_000_000), query.candidates)
        problems = self._missing(query)
        limit = max(1, query.limit)
        hits = list(itertools.islice(self._hits(planned, budget, problems), limit + 1))
        more = f"only the newest {limit} are shown" if len(hits) > limit else ""
        return Answer(
            hits=tuple(hits[:limit]),
            partial=more or budget.partial(),
            candidates=budget.looked_at,
            elapsed_us=self._clock.monotonic_us() - begun,
            problems=tuple(problems),
        )

    def _hits(self, planned: Plan, budget: Budget, problems: list[str]) -> Iterator[Hit]:
        """All hits, the newest first: month after month, in each both kinds together."""
        files = [file for file in files_in(self.directory) if _is_asked(file, planned.query)]
        for _, of_month in itertools.groupby(files, key=lambda file: file.month):
            streams = [self._hits_in(file, planned, budget, problems) for file in of_month]
            yield from heapq.merge(*streams, key=_age, reverse=True)
            if budget.is_over():
                return

    def _hits_in(
        self, file: MonthFile, planned: Plan, budget: Budget, problems: list[str]
    ) -> Iterator[Hit]:
        path = self.directory / file.name
        try:
            with self._readers.of(path, budget.is_over) as connection:
                yield from FileReader(file, connection).hits(planned, budget)
        except BROKEN as error:
            if not (was_interrupted(error) and budget.is_over()):
                problems.append(_unreadable(path, error))
        except FileNotFoundError:
            problems.append(_is_missing(file))

    def _missing(self, query: Query) -> list[str]:
        """Sentences on files that should be there and are not."""
        path = self.directory / PROGRESS
        try:
            with self._readers.of(path) as connection:
                held = files_held(connection)
        except FileNotFoundError:
            return []
        except BROKEN as error:
            return [_unreadable(path, error)]
        present = {file.name for file in files_in(self.directory)}
        gone = [file for name in held if name not in present and (file := file_of(name))]
        return [_is_missing(file) for file in gone if _is_asked(file, query)]

    def documents(self, session: str, kind: Kind) -> Sequence[tuple[About, Document]]:
        """All of one session and kind, in the order of time.

        Raises ConfigurationError when a file cannot be read: it might hold some.
        """
        found: list[tuple[About, Document]] = []
        for file in files_in(self.directory):
            if file.kind is kind:
                found += self._documents_in(file, session)
        return sorted(found, key=lambda pair: (pair[1].at_us, pair[1].item))

    def _documents_in(self, file: MonthFile, session: str) -> list[tuple[About, Document]]:
        path = self.directory / file.name
        try:
            with self._readers.of(path) as connection:
                return FileReader(file, connection).of(asked(session))
        except BROKEN as error:
            raise ConfigurationError(_unreadable(path, error), code="index.unreadable") from error
        except FileNotFoundError as error:
            raise ConfigurationError(_is_missing(file), code="index.unreadable") from error

    # --- putting ---------------------------------------------------------------------------------

    def put(self, about: About, documents: Iterable[Document]) -> int:
        """Add *documents*, all of one recording, in one transaction a file; how many were new or changed.

        Raises ConfigurationError, with the code `index.damaged` when a file had to be begun anew.
        """
        unique = {(one.kind, one.item): one for one in map(normal, documents)}
        return self._keeper.put(normal_about(about), list(unique.values()))

    def forget(self, session: str) -> int:
        """Remove all of a session, and what is known of its progress; how many documents there were.

        Nothing of it is left in these files: what becomes free is overwritten, and files that were set
        aside go as well. It takes as long as writing the full-text index of the session's months again.
        """
        return self.forget_all((session,))

    def forget_all(self, sessions: Iterable[str]) -> int:
        """Remove several sessions in the time that one takes."""
        return self._keeper.forget([asked(session) for session in sessions])

    def progress(self, recording: str) -> Progress | None:
        """How far it is indexed; None: not begun."""
        path = self.directory / PROGRESS
        try:
            with self._readers.of(path) as connection:
                return progress_of(connection, asked(recording))
        except FileNotFoundError:
            return None
        except BROKEN as error:
            raise ConfigurationError(_unreadable(path, error), code="index.unreadable") from error

    def advance(self, progress: Progress) -> None:
        """Remember it, after the documents that belong to it were put."""
        self._keeper.advance(progress)

    # --- upkeep ----------------------------------------------------------------------------------

    def mend(self, *, thorough: bool = False) -> list[str]:
        """Look for lost and damaged files and begin them anew; what was done, in sentences.

        For the writer, before it asks for any progress. Only *thorough* reads the files whole, and finds
        damage in their midst too.
        """
        return self._keeper.mend(thorough=thorough)

    def tidy(self) -> list[str]:
        """Make the files of months that are over as small and fast as they can be; their names.

        Seconds for each that was put into since the last time, nothing for the others.
        """
        return self._keeper.tidy()

    def files(self) -> list[FileState]:
        """All files, the newest month first."""
        return [self._state(file) for file in files_in(self.directory)]

    def _state(self, file: MonthFile) -> FileState:
        path = self.directory / file.name
        problem = ""
        try:
            with self._readers.of(path) as connection:
                connection.execute("SELECT 1 FROM document, session LIMIT 1").fetchone()
        except BROKEN as error:
            problem = _unreadable(path, error)
        except FileNotFoundError:
            problem = _is_missing(file)
        return FileState(file.name, file.month, file.kind, octets_of(path), problem)


def _is_asked(file: MonthFile, query: Query) -> bool:
    """Whether a file can hold something that the query asks for."""
    since = query.since_us is None or query.since_us < file.end_us
    return (
        since
        and (query.until_us is None or query.until_us > file.start_us)
        and (file.kind in query.kinds)
    )


def _age(hit: Hit) -> tuple[int, str, str, int]:
    """By which the newest is first; all but the time only to have an order."""
    return hit.document.at_us, hit.about.session, hit.document.kind, hit.document.item


def _unreadable(path: Path, error: Exception) -> str:
    problem = damage(error)
    if problem is None:
        return str(explain(error, path))
    return f"the index file {path.name} cannot be read ({problem}); {_AGAIN}"


def _is_missing(file: MonthFile) -> str:
    return f"the index file {file.name} is missing; {_AGAIN}"
