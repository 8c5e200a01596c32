"""One sink's task: reads events behind its cursor, sends them, and moves the cursor when they are safe.

The cursor is what the sink has for good, in the catalog. Before it lies what was sent and may yet be lost:
nothing where the receiver acknowledges, the last seconds where it does not. After any failure sending
begins again behind the cursor, so what was uncertain arrives twice, under the same id.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from watchgate.catalog import journal, outbox
from watchgate.catalog.outbox import Waiting
from watchgate.catalog.thread import CatalogThread
from watchgate.clock import Clock
from watchgate.errors import SinkError, WatchgateError
from watchgate.session.events import SinkDropped
from watchgate.siem.fact import Fact, Host, View
from watchgate.siem.health import Health
from watchgate.siem.sinks import Sink
from watchgate.siem.transport import Transport

log = logging.getLogger(__name__)

Open = Callable[[Sink], Transport]
"""Opens a sink's transport; raises WatchgateError."""
OF_SINKS = "sink."


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast and how patient delivery is; times in seconds."""

    batch: int = 500
    look: float = 0.5
    """How often the outbox is looked at for what another process put there."""
    save: float = 0.25
    """A cursor is kept in the catalog at least so often: so much is sent again after kill -9."""
    upkeep: float = 2.0
    first_wait: float = 1.0
    longest_wait: float = 60.0
    patience: float = 10.0
    """A sink that fails for so long is said to fail."""
    refusals: int = 3
    """An event that a receiver refused by itself so often is left out."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """An event that the sink wants, as it is sent."""

    number: int
    fact: Fact
    text: bytes


@dataclass(frozen=True, slots=True)
class _Sent:
    """Events up to *number* that may be lost if the connection breaks before *settled_us*."""

    number: int
    events: int
    settled_us: int


class Sender:
    """Delivers to one sink."""

    def __init__(
        self,
        sink: Sink,
        view: View,
        host: Host,
        open_: Open,
        catalog: CatalogThread,
        clock: Clock,
        random: Callable[[], float],
        pace: Pace,
    ) -> None:
        self.sink = sink
        self.idle = asyncio.Event()
        """Set while all that waits was sent, or while the sink fails."""
        self._news = asyncio.Event()
        self._view = view
        self._host = host
        self._open = open_
        self._catalog = catalog
        self._clock = clock
        self._random = random
        self._pace = pace
        self._transport: Transport | None = None
        self._health = Health(sink.name, catalog, clock, pace.patience)
        self._cursor = 0
        self._saved = 0
        self._saved_us = 0
        self._saving = asyncio.Lock()
        self._position = 0
        """The last event that was sent or that the sink does not want."""
        self._unsettled: deque[_Sent] = deque()
        self._delivered = 0
        self._attempts = 0
        self._refused: tuple[str, int] = ("", 0)

    @property
    def cursor(self) -> int:
        """The last event that is safe, as the catalog knows it."""
        return self._saved

    def poke(self) -> None:
        """There may be events that were not there before."""
        self._news.set()
        if not self._attempts:
            self.idle.clear()

    async def run(self) -> None:
        """Deliver until cancelled."""
        state = (await self._catalog.read(outbox.states))[self.sink.name]
        self._cursor = self._saved = self._position = state.cursor
        self._health.remember(state)
        while True:
            try:
                if not await self._step():
                    if not self._news.is_set():
                        self.idle.set()
                    await self._rest()
            except WatchgateError as error:
                await self._fail(error)
            except Exception as error:  # one sink's defect must not stop the others
                log.exception("delivery to the sink %s failed unexpectedly", self.sink.name)
                await self._fail(SinkError(f"an unexpected {type(error).__name__}, see the log"))

    async def close(self) -> None:
        """Keep the cursor and close the transport."""
        await self._save()
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.close()

    async def give_up(self, number: int) -> None:
        """Events up to *number* have to go: leave them out, and say which were for this sink."""
        while self._unsettled and self._unsettled[0].number <= number:
            sent = self._unsettled.popleft()
            self._settled(sent.number, sent.events)
        if self._cursor >= number:
            return
        dropped = await self._count(max(self._cursor, self._position), number)
        self._pass(number)
        if dropped is not None:
            await self._catalog.write(self._note_dropped, number, dropped)
        await self._save()

    # --- sending -----------------------------------------------------------------------------------

    async def _step(self) -> bool:
        """Send the next batch; false when nothing waits."""
        transport = self._transport
        if transport is None:
            transport = self._transport = self._open(self.sink)
        if not transport.standing():
            # It raises, and says why the connection broke.
            await transport.send(())
        self._settle(transport)
        self._news.clear()
        rows = await self._catalog.read(outbox.after, self._position, self._pace.batch)
        if rows:
            self.idle.clear()
            await self._send(transport, rows)
        if not rows or self._clock.monotonic_us() - self._saved_us >= self._pace.save * 1_000_000:
            await self._save()
        return bool(rows)

    async def _send(self, transport: Transport, rows: list[Waiting]) -> None:
        chosen = [one for row in rows if (one := self._choose(row)) is not None]
        sent = len(chosen)
        if chosen:
            try:
                sent = await transport.send([(one.fact, one.text) for one in chosen])
            except SinkError as error:
                await self._refuse(error, chosen[0])
                raise
            self._attempts = 0
            await self._health.well()
        if sent == len(chosen):
            self._took(transport, rows[-1].number, sent)
        elif sent:
            self._took(transport, chosen[sent - 1].number, sent)

    def _choose(self, row: Waiting) -> _Chosen | None:
        if not self.sink.filter.wants_kind(row.kind):
            return None
        try:
            fact = Fact.from_json(row.entry)
        except ValueError:
            # It would fail each time, and hold up all that waits behind it.
            log.exception("event %d of the outbox is not one", row.number)
            return None
        if not self.sink.filter.wants(fact):
            return None
        return _Chosen(row.number, fact, self._shown(fact))

    def _shown(self, fact: Fact) -> bytes:
        try:
            return self._view(fact, self._host)
        except Exception:
            log.exception("event %s cannot be shown as %s", fact.uid, self.sink.format)
            known = {"uid": fact.uid, "kind": fact.kind, "at_us": fact.at_us, "shown": False}
            return json.dumps(known).encode()

    def _took(self, transport: Transport, number: int, events: int) -> None:
        self._position = max(self._position, number)
        settle_us = transport.settle_us
        if settle_us == 0:
            self._settled(number, events)
        elif events or self._unsettled:
            due = self._clock.monotonic_us() + settle_us
            self._unsettled.append(_Sent(number, events, due))
        else:
            self._settled(number, 0)

    def _settle(self, transport: Transport) -> None:
        """What was sent long enough ago, over a connection that still stands, is safe."""
        now = self._clock.monotonic_us()
        while self._unsettled and self._unsettled[0].settled_us <= now and transport.standing():
            sent = self._unsettled.popleft()
            self._settled(sent.number, sent.events)

    def _settled(self, number: int, events: int) -> None:
        self._cursor = max(self._cursor, number)
        self._delivered += events

    async def _save(self) -> None:
        """Keep the cursor in the catalog, if it moved."""
        self._saved_us = self._clock.monotonic_us()
        async with self._saving:
            if self._cursor == self._saved:
                return
            cursor, delivered = self._cursor, self._delivered
            name, now = self.sink.name, self._clock.wall_us()
            await self._catalog.write(outbox.advance, name, cursor, delivered=delivered, at_us=now)
            self._saved = cursor
            self._delivered -= delivered

    async def _rest(self) -> None:
        """Wait for news, or until what was sent settles or turns out to be lost."""
        seconds = self._pace.look if self._unsettled else None
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return

    # --- failing -----------------------------------------------------------------------------------

    async def _fail(self, error: WatchgateError) -> None:
        """Begin again behind the cursor, after a while."""
        self._position = self._cursor
        self._unsettled.clear()
        self.idle.set()
        await self._drop_transport()
        self._attempts += 1
        try:
            await self._health.ill(str(error), self._wait(error))
        except WatchgateError as second:
            log.warning("the sink %s: %s", self.sink.name, second)
            await asyncio.sleep(self._pace.first_wait)

    def _wait(self, error: WatchgateError) -> float:
        """Seconds until the next try: twice as long each time, and never two sinks in step."""
        pace = self._pace
        doubled = pace.first_wait * float(1 << min(self._attempts - 1, 30))
        wait = min(doubled, pace.longest_wait)
        asked = error.retry_after if isinstance(error, SinkError) else None
        return max(wait * (0.75 + 0.5 * self._random()), asked or 0.0)

    async def _drop_transport(self) -> None:
        """The next try opens it afresh, with the certificates and secrets that are there then."""
        transport, self._transport = self._transport, None
        if transport is not None:
            try:
                await transport.close()
            except WatchgateError as error:
                log.debug("the sink %s: %s", self.sink.name, error)

    async def _refuse(self, error: SinkError, first: _Chosen) -> None:
        """Count how often one event is refused by itself; what is never taken is left out in the end."""
        if error.event != first.fact.uid:
            return
        uid, times = self._refused
        times = times + 1 if uid == first.fact.uid else 1
        self._refused = (first.fact.uid, times)
        if times < self._pace.refusals:
            return
        log.warning("the sink %s refuses an event, which is left out: %s", self.sink.name, error)
        at_us, kind = first.fact.at_us, first.fact.kind
        dropped = SinkDropped(self.sink.name, 1, at_us, at_us)
        self._pass(first.number)
        # Said of an event about sinks, this would be refused too, and so on for ever.
        silent = kind.startswith(OF_SINKS)
        await self._catalog.write(self._note_dropped, first.number, dropped, silent=silent)

    # --- leaving out -------------------------------------------------------------------------------

    def _pass(self, number: int) -> None:
        self._cursor = max(self._cursor, number)
        self._position = max(self._position, number)

    def _note_dropped(
        self, connection: Connection, number: int, dropped: SinkDropped, *, silent: bool = False
    ) -> None:
        outbox.drop(connection, self.sink.name, number, dropped.events)
        if not silent:
            journal.append(connection, self._clock, dropped)

    async def _count(self, cursor: int, until: int) -> SinkDropped | None:
        """How many events between the two the sink wants, if any."""
        events, first, last = 0, 0, 0
        while cursor < until:
            rows = await self._catalog.read(outbox.after, cursor, self._pace.batch)
            if not rows:
                break
            cursor = rows[-1].number
            moments = [self._moment(row) for row in rows if row.number <= until]
            wanted = [moment for moment in moments if moment is not None]
            if wanted:
                events, first, last = events + len(wanted), first or wanted[0], wanted[-1]
        return SinkDropped(self.sink.name, events, first, last) if events else None

    def _moment(self, row: Waiting) -> int | None:
        try:
            fact = Fact.from_json(row.entry)
        except ValueError:
            return None
        return fact.at_us if self.sink.filter.wants(fact) else None
