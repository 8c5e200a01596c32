"""A session under `open` whose recording could not even be opened: it counts, and says so."""

from __future__ import annotations

import asyncio
from typing import Any

from watchgate.errors import RecordingLost
from watchgate.recording.desk import Desk
from watchgate.session.events import Event, RecordingDegraded, RecordingGap
from watchgate.session.model import Ending
from watchgate.session.ports import RecordingRequest, RecordKind


class Unrecorded:
    """Implements `session.ports.Recorder` without a file.

    What happened is told to whoever hears alarms, when the session begins and when it ends.
    """

    congested = False
    lost: RecordingLost | None = None

    def __init__(self, request: RecordingRequest, reason: str, desk: Desk) -> None:
        self._request = request
        self._reason = reason
        self._desk = desk
        self._began = desk.clock.monotonic_us()
        self._octets = 0
        self._numbers = 0
        self._sealed = False
        self._tell(RecordingDegraded(policy="open", reason=reason))

    @property
    def recording(self) -> str:
        return self._request.recording

    def octets(self, kind: RecordKind, channel: int, data: bytes) -> None:
        self._octets += len(data)

    def event(self, event: Event) -> int:
        self._numbers += 1
        return self._numbers

    async def relieved(self) -> None:
        return

    async def commit(self) -> None:
        return

    async def failed(self) -> RecordingLost:
        never: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        raise AssertionError(await never)

    async def seal(self, ending: Ending) -> None:
        if self._sealed:
            return
        self._sealed = True
        duration = self._desk.clock.monotonic_us() - self._began
        self._tell(RecordingGap(self._octets, duration, self._reason))

    def _tell(self, event: Event) -> None:
        # Aside: whoever hears alarms may write to a disk, and this is the event loop.
        self._desk.aside(lambda: self._desk.alarm(self._request, event))
