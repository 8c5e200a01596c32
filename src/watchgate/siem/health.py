"""Whether a sink takes events: said once when it has failed for a while, and once when it does again."""

from __future__ import annotations

import asyncio
import logging

from sqlalchemy import Connection

from watchgate.catalog import journal, outbox
from watchgate.catalog.outbox import SinkState
from watchgate.catalog.thread import CatalogThread
from watchgate.clock import Clock
from watchgate.session.events import SinkFailed, SinkRecovered

log = logging.getLogger(__name__)

_REASON = 500
"""Characters of a reason that are kept."""


class Health:
    """What is known of one sink's failing, here and in the catalog."""

    def __init__(self, name: str, catalog: CatalogThread, clock: Clock, patience: float) -> None:
        self._name = name
        self._catalog = catalog
        self._clock = clock
        self._patience_us = round(patience * 1_000_000)
        self._began_us: int | None = None
        """When the present failure began: monotonic."""
        self._since_us = 0
        """The same, in wall time."""
        self._said: str | None = None
        """The reason that the catalog has, once it was said that the sink fails."""

    def remember(self, state: SinkState) -> None:
        """A former process said that the sink fails: it is not said again."""
        if state.failing_since_us is not None:
            self._since_us, self._said = state.failing_since_us, state.failure or ""

    async def ill(self, reason: str, seconds: float) -> None:
        """The sink failed; wait *seconds*, and say so as soon as it has lasted too long."""
        reason = reason[:_REASON]
        if self._began_us is None:
            self._began_us = self._clock.monotonic_us()
            if self._said is None:
                self._since_us = self._clock.wall_us()
                log.info("the sink %s fails: %s", self._name, reason)
        if self._said is None:
            left = (self._began_us + self._patience_us - self._clock.monotonic_us()) / 1_000_000
            first = min(seconds, max(left, 0.0))
            await asyncio.sleep(first)
            seconds -= first
            if left <= first:
                await self._say(reason)
        elif reason != self._said:
            self._said = reason
            await self._catalog.write(outbox.failing, self._name, self._since_us, reason)
        await asyncio.sleep(seconds)

    async def well(self) -> None:
        """The sink took something."""
        self._began_us = None
        if self._said is None:
            return
        waiting = await self._catalog.write(self._note_recovered)
        self._said = None
        log.warning("the sink %s takes events again; %d wait for it", self._name, waiting)

    async def _say(self, reason: str) -> None:
        waiting = await self._catalog.write(self._note_failed, reason)
        self._said = reason
        log.warning("the sink %s fails, %d events wait for it: %s", self._name, waiting, reason)

    def _note_failed(self, connection: Connection, reason: str) -> int:
        waiting = self._waiting(connection)
        outbox.failing(connection, self._name, self._since_us, reason)
        journal.append(connection, self._clock, SinkFailed(self._name, reason, waiting))
        return waiting

    def _note_recovered(self, connection: Connection) -> int:
        waiting = self._waiting(connection)
        lasted = max(self._clock.wall_us() - self._since_us, 0)
        outbox.failing(connection, self._name, None, None)
        journal.append(connection, self._clock, SinkRecovered(self._name, lasted, waiting))
        return waiting

    def _waiting(self, connection: Connection) -> int:
        state = outbox.states(connection).get(self._name)
        return 0 if state is None else outbox.lag(connection, state.cursor).events
