"""How long recordings are, for who must know whether a batch got into one before a crash."""

from __future__ import annotations

from pathlib import Path

from watchgate.errors import RecordingUnreadable
from watchgate.recording.evidencefile import recording_path
from watchgate.recording.scan import LogicalFile
from watchgate.session.ports import RecordingRequest


class Extents:
    """The lengths of a store's recordings; each is looked at once, before a sweep changes it."""

    def __init__(self, root: Path, spool: Path) -> None:
        self._root = root
        self._spool = spool
        self._sizes: dict[str, int | None] = {}

    def reached(self, request: RecordingRequest, end: int) -> bool:
        """Whether that recording is at least *end* octets long; true when nobody can say."""
        if request.recording not in self._sizes:
            self._sizes[request.recording] = self._size(request)
        size = self._sizes[request.recording]
        return size is None or size >= end

    def _size(self, request: RecordingRequest) -> int | None:
        path = recording_path(self._root, request.recording, request.started_at_us)
        try:
            with LogicalFile(path, self._spool) as file:
                return file.size
        except (RecordingUnreadable, ValueError):
            return None
