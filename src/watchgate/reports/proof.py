"""The evidence behind a report: each recording's file, its digest, and what verification says of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from watchgate.catalog.queries import SessionRow
from watchgate.errors import RecordingUnreadable
from watchgate.recording.evidencefile import recording_path
from watchgate.recording.keys import EvidencePublicKey
from watchgate.recording.verify import State, verify
from watchgate.reports.activity import Proof


def examine(
    row: SessionRow, recordings: Path, spool: Path | None, keys: Sequence[EvidencePublicKey]
) -> Proof:
    """Find, hash and verify the recording of a session; without *keys* it is only hashed."""
    path = recording_path(recordings, row.recording, row.started_at_us)
    name = str(path.relative_to(recordings))
    if not path.is_file():
        return Proof(name, None, "missing", "there is no such file")
    try:
        if not keys:
            return Proof(name, _digest(path), "unverified", "the gateway's public key is not here")
        found = verify(path, keys, spool)
        if found.state is State.LIVE:
            return Proof(name, None, str(found.state), "it is being written")
        # What it says of the file names its directory, which is of no use to who is handed the report.
        detail = found.detail.replace(str(recordings), "recordings")
        return Proof(name, _digest(path), str(found.state), detail)
    except (RecordingUnreadable, OSError) as error:
        return Proof(name, None, "unreadable", str(error).replace(str(recordings), "recordings"))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
