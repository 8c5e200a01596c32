"""`watchgate reindex`: build the catalog's lists again; the recordings are the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchgate.cli.context import Context, with_common_options
from watchgate.cli.output import document, warn
from watchgate.errors import RecordingUnreadable

if TYPE_CHECKING:
    from watchgate.catalog.projection import Status
    from watchgate.recording.auditors import Identity
    from watchgate.recording.reader import Recording
    from watchgate.session.events import Envelope
    from watchgate.session.ports import RecordingRequest


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
) -> None:
    """Build the lists of sessions, commands and files again from the recordings."""
    from watchgate.catalog import projection
    from watchgate.cli import evidence

    began_at_us = context.clock.wall_us()
    identities = evidence.identities(context, identity)
    with context.gateway() as gateway:
        reading = _Reading(context.paths.recordings, context.paths.spool, identities)
        done = projection.reindex(gateway.catalog, reading.all(), began_at_us=began_at_us)
    for problem in reading.problems:
        warn(problem)
    if context.json:
        document({"done": done, "problems": reading.problems})
    else:
        typer.echo(
            f"{done.sessions} sessions from their recordings; "
            f"{done.removed} that have no recording any more were removed"
        )
    if reading.problems:
        raise typer.Exit(1)


@dataclass(slots=True)
class _Reading:
    """All recordings one after the other; what cannot be read is said, and stops nothing."""

    root: Path
    spool: Path
    identities: list[Identity]
    problems: list[str] = field(default_factory=list)

    def all(self) -> Iterator[tuple[RecordingRequest, list[Envelope], Status]]:
        from watchgate.cli import evidence

        for path in evidence.all_recordings(self.root):
            try:
                yield self._one(path)
            except RecordingUnreadable as error:
                self.problems.append(str(error))

    def _one(self, path: Path) -> tuple[RecordingRequest, list[Envelope], Status]:
        from watchgate.catalog.projection import Status
        from watchgate.recording.reader import Recording
        from watchgate.recording.scan import LogicalFile, read_preamble

        with LogicalFile(path, self.spool) as file:
            request = read_preamble(file).header.request()
        events: list[Envelope] = []
        try:
            with Recording.open(path, self.identities, self.spool) as recording:
                status = _status(recording)
                events.extend(recording.events())
        except RecordingUnreadable as error:
            # As live its rows are added to, not replaced: what the catalog knew of it stays.
            self.problems.append(str(error))
            status = Status.LIVE
        return request, events, status


def _status(recording: Recording) -> Status:
    from watchgate.catalog.projection import Status

    if recording.recovered:
        return Status.RECOVERED
    return Status.SEALED if recording.sealed else Status.LIVE


command = with_common_options(reindex)
