"""Writing the files of the index, and what happens when one of them is lost.

A damaged file is set aside under another name and begun anew, and the progress of every recording that had
something in it is forgotten, so that it is read again. That is told by an error, because whoever follows
recordings must begin again from their progress.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from watchgate.catalog.search.model import About, Document, Progress
from watchgate.catalog.search.months import MonthFile, file_of, files_in, month_of
from watchgate.catalog.search.opening import (
    BROKEN,
    SCHEMA,
    alone_in,
    beside,
    connect,
    damage,
    explain,
    identity,
)
from watchgate.catalog.search.progress import NAME as PROGRESS
from watchgate.catalog.search.progress import SCHEMA as PROGRESS_SCHEMA
from watchgate.catalog.search.progress import ProgressFile
from watchgate.catalog.search.writing import FileWriter
from watchgate.clock import Clock, iso
from watchgate.errors import ConfigurationError

T = TypeVar("T")

DAMAGED = "index.damaged"
"""The code of the error that says so."""

_ASIDE = ".damaged-"


class Keeper:
    """The writing side of an index. Several threads and processes take turns."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._turn = threading.RLock()
        self._writers: dict[MonthFile, FileWriter] = {}
        self._progress: ProgressFile | None = None

    def close(self) -> None:
        """Let go of the files."""
        with self._turn:
            for writer in self._writers.values():
                writer.close()
            self._writers.clear()
            self._close_progress()

    # --- documents -------------------------------------------------------------------------------

    def put(self, about: About, documents: Sequence[Document]) -> int:
        """Put *documents*, all normal and each with an identity of its own."""
        by_file: dict[MonthFile, list[Document]] = {}
        for one in documents:
            by_file.setdefault(MonthFile(month_of(one.at_us), one.kind), []).append(one)
        with self._turn:
            return sum(self._put(file, about, of_file) for file, of_file in by_file.items())

    def _put(self, file: MonthFile, about: About, documents: list[Document]) -> int:
        writer = self._writer(file)
        self._known(lambda known: known.holding(file.name, about.recording, about.session))
        changed = self._safely(file, lambda: writer.put(about, documents))
        if changed:
            self._remove_elsewhere(file, about.session, [one.item for one in documents])
        return changed

    def _remove_elsewhere(self, file: MonthFile, session: str, items: Sequence[int]) -> None:
        """Remove what was put into another month before: a document has one time."""
        for other in files_in(self._directory):
            if other.kind is file.kind and other != file:
                writer = self._writer(other)
                self._safely(other, partial(writer.remove_items, session, items))

    def forget(self, sessions: Collection[str]) -> int:
        """Remove all of some sessions from every file; how many documents there were."""
        counts: list[int] = []
        said: list[str] = []
        with self._turn:
            for file in files_in(self._directory):
                self._mended(said, partial(self._forget, file, sessions, counts))
            if (self._directory / PROGRESS).exists():
                self._known(lambda known: known.forget(sessions))
            # They might be in one of these, and nothing else needs them.
            for aside in self._directory.glob(f"*{_ASIDE}*"):
                aside.unlink(missing_ok=True)
        if said:
            raise ConfigurationError("; ".join(said), code=DAMAGED)
        return sum(counts)

    def _forget(self, file: MonthFile, sessions: Collection[str], counts: list[int]) -> None:
        writer = self._writer(file)
        counts.append(self._safely(file, lambda: writer.forget(sessions)))

    def advance(self, progress: Progress) -> None:
        """Remember how far a recording is."""
        with self._turn:
            self._known(lambda known: known.advance(progress))

    # --- upkeep ----------------------------------------------------------------------------------

    def mend(self, *, thorough: bool = False) -> list[str]:
        """Look for files that are lost or damaged and begin them anew; what was done, in sentences."""
        said: list[str] = []
        with self._turn:
            self._mended(said, lambda: self._known(lambda known: None))
            held: list[str] = []
            if (self._directory / PROGRESS).exists():
                self._mended(said, lambda: self._known(lambda known: held.extend(known.files())))
            names = {file.name for file in files_in(self._directory)} | set(held)
            for file in sorted(file for name in names if (file := file_of(name))):
                self._mended(said, partial(self._check, file, thorough))
        return said

    def _check(self, file: MonthFile, thorough: bool) -> None:
        writer = self._writer(file)
        self._safely(file, lambda: writer.check(thorough=thorough))

    def _mended(self, said: list[str], work: Callable[[], object]) -> None:
        try:
            work()
        except ConfigurationError as error:
            if error.code != DAMAGED:
                raise
            said.append(str(error))

    def tidy(self) -> list[str]:
        """Close the months that are over and were put into since; the names of their files."""
        current = month_of(self._clock.wall_us())
        files = [file for file in files_in(self._directory) if file.month < current]
        return [file.name for file in files if self.close_month(file)]

    def close_month(self, file: MonthFile) -> bool:
        """Make the file as small and fast as it can be; false when it is."""
        with self._turn:
            writer = self._writer(file)
            return self._safely(file, lambda: writer.close_month(self._clock.wall_us()))

    # --- files -----------------------------------------------------------------------------------

    def _writer(self, file: MonthFile) -> FileWriter:
        """The writer of *file*, which is made when it is missing."""
        path = self._directory / file.name
        known = self._writers.get(file)
        if known is not None and known.is_of(path):
            return known
        if known is not None:
            self._writers.pop(file).close()
        lost: list[int] = []
        # Opened before: nobody else may make a file while this one is made.
        self._known(lambda progress: None)
        connection = self._safely(
            file, lambda: connect(path, SCHEMA, lambda: lost.append(self._lost(file)))
        )
        self._writers[file] = FileWriter(file, connection, path)
        if known is not None or any(lost):
            # Also when another process began it: what was put through the old one is gone.
            raise ConfigurationError(
                f"the index file {path} was missing; a new one is begun, and the recordings that "
                "had something in it are read again",
                code=DAMAGED,
            )
        return self._writers[file]

    def _safely(self, file: MonthFile, work: Callable[[], T]) -> T:
        """What *work* on *file* returns; a damaged file is set aside."""
        path = self._directory / file.name
        before = identity(path)
        try:
            return work()
        except BROKEN as error:
            problem = damage(error)
            if problem is None:
                raise explain(error, path) from error
            if file in self._writers:
                self._writers.pop(file).close()
            # Before it is set aside: a crash between the two leaves a file that is found damaged again.
            self._known(lambda progress: progress.lose(file.name))
            what = "the recordings that had something in it are"
            raise self._set_aside(path, before, problem, what) from error

    def _lost(self, file: MonthFile) -> int:
        """Forget the progress of all that *file* held; how many recordings those are."""
        assert self._progress is not None
        try:
            return self._progress.lose(file.name)
        except BROKEN as error:
            raise explain(error, self._directory / PROGRESS) from error

    def _known(self, work: Callable[[ProgressFile], T]) -> T:
        """What *work* on the progress returns; a damaged file of it is set aside."""
        path = self._directory / PROGRESS
        before = identity(path)
        try:
            if self._progress is None or not self._progress.is_of(path):
                self._close_progress()
                self._progress = ProgressFile(connect(path, PROGRESS_SCHEMA), path)
            return work(self._progress)
        except BROKEN as error:
            problem = damage(error)
            if problem is None:
                raise explain(error, path) from error
            self._close_progress()
            raise self._set_aside(path, before, problem, "all recordings are") from error

    def _close_progress(self) -> None:
        if self._progress is not None:
            self._progress.close()
            self._progress = None

    def _set_aside(
        self, path: Path, before: tuple[int, int] | None, problem: str, what: str
    ) -> ConfigurationError:
        """Give a damaged file another name, if no other process did; the error that says so."""
        stamp = iso(self._clock.wall_us()).replace(":", "").replace("-", "")
        aside = path.with_name(f"{path.name}{_ASIDE}{stamp}")
        try:
            with alone_in(path.parent):
                if identity(path) == before:
                    os.replace(path, aside)
                    for left in beside(path):
                        left.unlink(missing_ok=True)
        except OSError as error:
            return ConfigurationError(
                f"the index file {path} is damaged ({problem}) and cannot be set aside "
                f"({error.strerror}); move it away",
                code="index.unwritable",
            )
        return ConfigurationError(
            f"the index file {path} was damaged ({problem}); it is now {aside.name}, a new one is "
            f"begun, and {what} read again",
            code=DAMAGED,
        )
