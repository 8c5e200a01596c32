"""A catalog with an outbox, sinks that a test can break, and delivery between them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from watchgate.catalog import journal, outbox
from watchgate.catalog.database import Catalog
from watchgate.clock import Clock, SystemClock
from watchgate.errors import WatchgateError
from watchgate.session.events import Event
from watchgate.siem.delivery import Delivery
from watchgate.siem.fact import Fact, Host, uid_of
from watchgate.siem.filters import Filter
from watchgate.siem.sender import Pace
from watchgate.siem.sinks import Sink
from watchgate.siem.transport import Batch, Guarantee, Transport

HOST = Host("gate1", "1.0")
QUICK = Pace(look=0.02, save=0.0, upkeep=0.02, first_wait=0.01, longest_wait=0.03, patience=0.15)
SECONDS = 10.0


def eventually(holds: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
    """Wait until *holds*; fails the test when it does not in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not in {seconds} s: {what}"
        time.sleep(0.01)


@dataclass
class Siem:
    """A receiver in memory; what it does is what the test sets."""

    got: list[Fact] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    tries: int = 0
    opened: int = 0
    error: Callable[[Batch], WatchgateError | None] = lambda batch: None
    """Why it does not take a batch."""
    takes: int = 1_000_000
    """How many events of a batch it acknowledges."""
    guarantee: Guarantee = Guarantee.AT_LEAST_ONCE
    settle_us: int = 0
    stands: bool = True
    gate: threading.Event | None = None
    """When set, it answers nothing until this is set."""

    def uids(self) -> list[str]:
        return [fact.uid for fact in self.got]

    def kinds(self) -> list[str]:
        return [fact.kind for fact in self.got]

    def fails(self, error: WatchgateError | None) -> None:
        self.error = lambda batch: error


class SiemTransport:
    """Implements `Transport` for one connection to a `Siem`."""

    def __init__(self, siem: Siem) -> None:
        self._siem = siem
        siem.opened += 1

    @property
    def guarantee(self) -> Guarantee:
        return self._siem.guarantee

    @property
    def settle_us(self) -> int:
        return self._siem.settle_us

    async def send(self, batch: Batch) -> int:
        siem = self._siem
        siem.tries += 1
        if siem.gate is not None:
            await asyncio.to_thread(siem.gate.wait, SECONDS)
        if (error := siem.error(batch)) is not None:
            raise error
        taken = list(batch)[: siem.takes]
        siem.got += [fact for fact, _ in taken]
        siem.texts += [text for _, text in taken]
        return len(taken)

    def standing(self) -> bool:
        return self._siem.stands

    async def close(self) -> None:
        return


@dataclass
class World:
    """One gateway's outbox and sinks."""

    catalog: Catalog
    siems: dict[str, Siem]
    clock: Clock
    pace: Pace
    backlog: int = 1_000_000
    filters: dict[str, Filter] = field(default_factory=dict)
    put_so_far: int = 0

    def delivery(self) -> Delivery:
        sinks = [
            Sink(name, "relp://127.0.0.1:1", "json", self.filters.get(name, Filter()))
            for name in self.siems
        ]
        return Delivery(
            self.catalog,
            sinks,
            HOST,
            data=Path("/nowhere"),
            backlog=self.backlog,
            clock=self.clock,
            random=lambda: 0.5,
            pace=self.pace,
            open_=self._open,
        )

    def _open(self, sink: Sink) -> Transport:
        return SiemTransport(self.siems[sink.name])

    @contextmanager
    def delivering(self) -> Iterator[Delivery]:
        delivery = self.delivery()
        delivery.start()
        try:
            yield delivery
        finally:
            delivery.stop(2.0)

    def register(self) -> None:
        """The sinks are known, as after a first start."""
        with self.catalog.write() as connection:
            outbox.register(connection, list(self.siems))

    def put(self, count: int, kind: str = "channel.opened", **context: str) -> list[str]:
        """Events into the outbox; their ids."""
        first = self.put_so_far
        self.put_so_far += count
        facts = [
            Fact(uid_of("s", n), n, kind, 1, "s", n, {"n": n}, context)
            for n in range(first, first + count)
        ]
        with self.catalog.write() as connection:
            outbox.put(connection, facts)
        return [fact.uid for fact in facts]

    def states(self) -> dict[str, outbox.SinkState]:
        with self.catalog.read() as connection:
            return outbox.states(connection)

    def left(self) -> int:
        with self.catalog.read() as connection:
            return outbox.lag(connection, 0).events

    def journal(self) -> list[Event]:
        with self.catalog.read() as connection:
            return [entry.event for entry in reversed(journal.entries(connection, limit=1000))]

    def kinds(self) -> list[str]:
        return [event.kind for event in self.journal()]


@contextmanager
def world(
    folder: Path, *names: str, clock: Clock | None = None, pace: Pace = QUICK
) -> Iterator[World]:
    """Sinks of these names, known to the outbox; nothing is delivered yet."""
    with Catalog.open(folder / "catalog.db") as catalog:
        made = World(catalog, {name: Siem() for name in names}, clock or SystemClock(), pace)
        made.register()
        yield made
