"""`watchgate reindex`: build the catalog's lists and the index again; the recordings are the truth."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchgate.cli.context import Context, Gateway, with_common_options
from watchgate.cli.output import document, warn
from watchgate.errors import ConfigurationError, RecordingUnreadable

if TYPE_CHECKING:
    from watchgate.catalog.projection import Reindexed, Status
    from watchgate.indexing.rebuild import Rebuild, Rebuilt
    from watchgate.recording.auditors import Identity
    from watchgate.recording.reader import Recording
    from watchgate.recording.tracks import TrackKeys
    from watchgate.session.events import Envelope
    from watchgate.session.ports import RecordingRequest


class Part(StrEnum):
    """What is built again."""

    CATALOG = "catalog"
    INDEX = "index"


def reindex(
    context: Context,
    identity: Annotated[
        list[Path] | None,
        typer.Option(
            "--identity",
            metavar="FILE",
            help="The auditor's private key; else keys/auditor.key in the data directory.",
        ),
    ] = None,
    only: Annotated[
        Part | None,
        typer.Option("--only", help="Build only the lists, or only what is searched."),
    ] = None,
) -> None:
    """Build the lists of sessions and the index again from the recordings; forget what was erased."""
    from watchgate.cli import evidence

    identities = evidence.identities(context, identity)
    settings = context.settings.index
    if only is Part.INDEX and not settings.enabled:
        raise ConfigurationError(
            "nothing is indexed by this gateway (index.enabled is false); set it to true first",
            code="index.off",
        )
    with context.gateway() as gateway:
        done = _Reindexing(
            context,
            gateway,
            identities,
            catalog=only is not Part.INDEX,
            index=settings.directory if settings.enabled and only is not Part.CATALOG else None,
        ).run()
    for problem in done.problems:
        warn(problem)
    if context.json:
        document(done)
    else:
        _say(done)
    if done.problems:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `reindex` did."""

    done: Reindexed | None
    """The lists; None: they were left as they are."""
    index: Rebuilt | None
    erased: int
    """Sessions whose recording was erased: what they said is forgotten."""
    problems: list[str]


def _say(outcome: Outcome) -> None:
    if outcome.done is not None:
        typer.echo(
            f"{outcome.done.sessions} sessions from their recordings; "
            f"{outcome.done.removed} that have no recording any more were removed"
        )
    if outcome.index is not None:
        typer.echo(
            f"{outcome.index.recordings} recordings indexed; "
            f"{outcome.index.documents} commands and screens are new or changed"
        )
    if outcome.erased:
        typer.echo(f"{outcome.erased} erased: their key is gone, and what they said is forgotten")


@dataclass(frozen=True, slots=True)
class _Erased:
    request: RecordingRequest
    status: Status
    last_at_us: int


@dataclass(slots=True)
class _Reindexing:
    """One pass through all recordings; what cannot be read is said, and stops nothing."""

    context: Context
    gateway: Gateway
    identities: list[Identity]
    catalog: bool
    index: Path | None
    problems: list[str] = field(default_factory=list)
    erased: list[_Erased] = field(default_factory=list)
    present: set[str] = field(default_factory=set)
    """The recordings that there are, readable or not."""
    rebuild: Rebuild | None = None

    def run(self) -> Outcome:
        from watchgate.catalog import projection
        from watchgate.indexing.rebuild import Rebuild

        began_at_us = self.context.clock.wall_us()
        known = self._known(began_at_us)
        done: Reindexed | None = None
        rebuilt: Rebuilt | None = None
        with ExitStack() as stack:
            if self.index is not None:
                self._mend(self.index)
                self.rebuild = stack.enter_context(Rebuild(self.index, self.context.clock))
            if self.catalog:
                catalog = self.gateway.catalog
                done = projection.reindex(catalog, self._all(), began_at_us=began_at_us)
            else:
                for _ in self._all():
                    pass
            if self.rebuild is not None:
                rebuilt = self.rebuild.finish()
                self.problems += rebuilt.problems
        self._forget(known)
        return Outcome(done, rebuilt, len(self.erased), self.problems)

    def _mend(self, directory: Path) -> None:
        """Begin damaged files of the index anew, so that what was in them is read again."""
        from watchgate.catalog.search.index import SqliteIndex

        if directory.is_dir():
            with closing(SqliteIndex(directory, self.context.clock)) as index:
                for done in index.mend(thorough=True):
                    warn(done)

    def _known(self, before_us: int) -> dict[str, str]:
        """The sessions that the catalog lists and that did not just begin, with their recordings."""
        from sqlalchemy import select

        from watchgate.catalog.schema import session

        query = select(session.c.id, session.c.recording).where(session.c.started_at_us < before_us)
        with self.gateway.catalog.read() as connection:
            return {row.id: row.recording for row in connection.execute(query)}

    def _all(self) -> Iterator[tuple[RecordingRequest, list[Envelope], Status]]:
        from watchgate.cli import evidence

        for path in self._shown(list(evidence.all_recordings(self.context.paths.recordings))):
            self.present.add(path.stem)
            try:
                yield self._one(path)
            except RecordingUnreadable as error:
                self.problems.append(str(error))

    def _shown(self, paths: list[Path]) -> Iterable[Path]:
        """The same, with a bar for who waits at a terminal."""
        if self.context.json or not sys.stderr.isatty():
            return paths
        import rich.console
        import rich.progress

        console = rich.console.Console(stderr=True)
        return rich.progress.track(paths, "reading", console=console, transient=True)

    def _one(self, path: Path) -> tuple[RecordingRequest, list[Envelope], Status]:
        from watchgate.catalog.projection import Status
        from watchgate.indexing.catchup import key_file
        from watchgate.indexing.wire import Order
        from watchgate.recording.auditors import unwrap
        from watchgate.recording.scan import LogicalFile, read_preamble

        spool = self.context.paths.spool
        with LogicalFile(path, spool) as file:
            request = read_preamble(file).header.request()
        key = key_file(path, spool)
        events: list[Envelope] = []
        # As live its rows are added to, not replaced: what the catalog knew of it stays.
        status = Status.LIVE
        try:
            if key is None:
                self._note_erased(path, request)
            else:
                keys = unwrap(key, self.identities, request.recording)
                if self.rebuild is not None:
                    self.rebuild.add(Order.of(request, path, spool, keys, whole=True))
                if self.catalog:
                    status = self._events(path, keys, events)
        except RecordingUnreadable as error:
            self.problems.append(str(error))
            status = Status.LIVE
        return request, events, status

    def _events(self, path: Path, keys: TrackKeys, events: list[Envelope]) -> Status:
        """Add the events of a recording to *events*; its status."""
        from watchgate.recording.reader import Recording

        with Recording.with_keys(path, keys, self.context.paths.spool) as recording:
            events.extend(recording.events())
            return _status(recording)

    def _note_erased(self, path: Path, request: RecordingRequest) -> None:
        """Remember what is to be forgotten, and when it ended, which its seal says without a key."""
        from watchgate.recording.reader import Recording
        from watchgate.recording.tracks import TrackKeys

        closed = TrackKeys(None, None)
        with Recording.with_keys(path, closed, self.context.paths.spool) as recording:
            ended_at_us = request.started_at_us + recording.duration_us
            self.erased.append(_Erased(request, _status(recording), ended_at_us))

    # --- forgetting ---

    def _forget(self, known: dict[str, str]) -> None:
        """Forget what erased recordings said, and in the index those that are gone."""
        from watchgate.catalog.erasure import erase

        for one in self.erased:
            with self.gateway.catalog.write() as connection:
                erase(connection, one.request, one.status, one.last_at_us)
        gone = {session: recording for session, recording in known.items() if self._gone(recording)}
        gone |= {one.request.session: one.request.recording for one in self.erased}
        directory = self.context.settings.index.directory
        if gone and directory.is_dir():
            self._forget_in_index(directory, gone)

    def _gone(self, recording: str) -> bool:
        from watchgate.recording.spool import tails

        return recording not in self.present and not tails(self.context.paths.spool, recording)

    def _forget_in_index(self, directory: Path, gone: dict[str, str]) -> None:
        from watchgate.catalog.search.index import SqliteIndex
        from watchgate.catalog.search.model import Kind

        with closing(SqliteIndex(directory, self.context.clock)) as index:
            # To forget takes long, so it is asked first.
            index.forget_all(
                [
                    session
                    for session, recording in gone.items()
                    if index.progress(recording) or any(index.documents(session, k) for k in Kind)
                ]
            )


def _status(recording: Recording) -> Status:
    from watchgate.catalog.projection import Status

    if recording.recovered:
        return Status.RECOVERED
    return Status.SEALED if recording.sealed else Status.LIVE


command = with_common_options(reindex)
