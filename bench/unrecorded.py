"""The gateway with a recorder that keeps nothing, to measure what recording adds.

Watchgate has no such switch, and must not have one: this replaces its store from the outside.
`python -m bench.unrecorded …` takes the arguments of `watchgate`.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from watchgate import app
from watchgate.cli import main
from watchgate.errors import RecordingLost
from watchgate.session.events import Event
from watchgate.session.model import Ending
from watchgate.session.ports import RecordingRequest, RecordKind


class NoRecorder:
    """Implements `session.ports.Recorder` and forgets everything at once."""

    congested = False
    lost: RecordingLost | None = None

    def __init__(self, request: RecordingRequest) -> None:
        self.recording = request.recording
        self._numbers = itertools.count()

    def octets(self, kind: RecordKind, channel: int, data: bytes) -> None:
        """Nothing is kept."""

    def event(self, event: Event) -> int:
        return next(self._numbers)

    async def relieved(self) -> None:
        """Never congested."""

    async def commit(self) -> None:
        """There is nothing to wait for."""

    async def failed(self) -> RecordingLost:
        await asyncio.get_running_loop().create_future()
        raise AssertionError("nothing sets it")

    async def seal(self, ending: Ending) -> None:
        """There is nothing to seal."""


class NoStore:
    """Stands where the recording store stands."""

    def __init__(self, *anything: Any, **whatever: Any) -> None:
        pass

    def start(self) -> None:
        """There is no thread."""

    def stop(self) -> None:
        """There is no thread."""

    async def open(self, request: RecordingRequest) -> NoRecorder:
        return NoRecorder(request)


if __name__ == "__main__":
    vars(app)["RecordingStore"] = NoStore
    main()
