"""Finding a recording and opening it, in the name of somebody whom the journal remembers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from watchgate.catalog import journal, queries
from watchgate.cli.context import Context
from watchgate.errors import ConfigurationError, NotFound
from watchgate.recording.auditors import Identity, load_identities
from watchgate.recording.evidencefile import recording_path
from watchgate.recording.format import SUFFIX
from watchgate.recording.reader import Recording
from watchgate.session.events import RecordingAccessed


@dataclass(frozen=True, slots=True)
class Found:
    """A recording that was asked for."""

    path: Path
    spool: Path | None
    """Where the rest of it may lie; None for a copy elsewhere."""


def find(context: Context, name: str) -> Found:
    """The recording of a session (by id, or a beginning of it), or the one in a file."""
    path = Path(name)
    if name.endswith(SUFFIX) or path.is_file():
        if not path.is_file():
            raise NotFound(f"there is no recording {name}", code="recording.not-found")
        return Found(path, context.paths.spool if _is_ours(context, path) else None)
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        row = queries.find_session(connection, name)
    paths = context.paths
    return Found(recording_path(paths.recordings, row.recording, row.started_at_us), paths.spool)


def all_recordings(directory: Path) -> Iterator[Path]:
    """Every recording in a directory and below it, in the order of their names."""
    yield from sorted(path for path in directory.rglob(f"*{SUFFIX}") if path.is_file())


def identities(context: Context, files: list[Path] | None) -> list[Identity]:
    """The auditors' identities in *files*, else the one that `init` left beside the data."""
    if files:
        return [identity for file in files for identity in load_identities(file)]
    beside = context.paths.auditor_key
    if not beside.exists():
        raise ConfigurationError(
            f"a recording is opened with an auditor's private key, and there is none in {beside}; "
            "name yours with --identity FILE",
            code="recording.no-identity",
        )
    return load_identities(beside)


def open_recording(
    context: Context, found: Found, files: list[Path] | None, what: str
) -> Recording:
    """Open it, and note in the journal of the gateway that has it who did *what*."""
    opened = Recording.open(found.path, identities(context, files), found.spool)
    if found.spool is not None:
        event = RecordingAccessed(context.actor, opened.header.recording, what)
        with context.gateway() as gateway, gateway.catalog.write() as connection:
            journal.append(connection, context.clock, event, opened.header.session)
    return opened


def _is_ours(context: Context, path: Path) -> bool:
    """Whether a file lies among the recordings of the gateway in the data directory."""
    if not path.resolve().is_relative_to(context.paths.recordings.resolve()):
        return False
    return context.paths.catalog.exists()
