"""What telling SIEMs costs, and how fast it is: `python -m bench.siem`.

1. The scribe's thread: what a batch costs it to hand over, beside what it costs to record.
2. The catalog: what a transaction of events costs with and without a sink.
3. Delivery: events a second from a full outbox to a receiver in this process that acknowledges at once.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import threading
import time
from pathlib import Path

from watchgate.catalog import outbox
from watchgate.catalog.database import Catalog
from watchgate.catalog.feed import ProjectionFeed
from watchgate.catalog.handover import Handover
from watchgate.clock import SystemClock
from watchgate.identifiers import uuid7
from watchgate.recording.desk import encode_event
from watchgate.session.events import CommandRequested, Envelope
from watchgate.session.model import FailurePolicy
from watchgate.session.ports import RecordingRequest
from watchgate.siem.delivery import Delivery
from watchgate.siem.fact import Fact, Host, uid_of
from watchgate.siem.sinks import Sink
from watchgate.siem.transport import Batch, Guarantee, Transport

BATCHES = 20_000
EVENTS = 20_000
CLOCK = SystemClock()


class Sponge:
    """A receiver that takes everything at once; implements `Transport`."""

    guarantee = Guarantee.AT_LEAST_ONCE
    settle_us = 0

    def __init__(self, expected: int) -> None:
        self._left = expected
        self.done = threading.Event()

    async def send(self, batch: Batch) -> int:
        self._left -= len(batch)
        if self._left <= 0:
            self.done.set()
        return len(batch)

    def standing(self) -> bool:
        return True

    async def close(self) -> None:
        return


def request() -> RecordingRequest:
    """A session's recording."""
    return RecordingRequest(
        recording=uuid7(CLOCK),
        session=uuid7(CLOCK),
        protocol="ssh",
        operator="alice",
        account="root",
        target="web1",
        client="192.0.2.7:50022",
        grant=uuid7(CLOCK),
        started_at_us=CLOCK.wall_us(),
        policy_digest="0" * 64,
        on_failure=FailurePolicy.CLOSE,
    )


def events(of: RecordingRequest, count: int) -> list[Envelope]:
    """Commands of a session."""
    command = "/usr/bin/systemctl restart nginx && tail -n 100 /var/log/nginx/error.log"
    return [
        Envelope(CLOCK.wall_us(), of.session, seq, CommandRequested(0, command))
        for seq in range(count)
    ]


def handing_over(folder: Path) -> None:
    """The scribe's thread, with the feed beside it as in a gateway."""
    of = request()
    encoded = [[encode_event(one)] for one in events(of, BATCHES)]
    log = Handover(folder / "handover")
    log.open(0)
    costs = []
    for number, one in enumerate(encoded):
        began = time.perf_counter_ns()
        log.announce(of, one, number)
        costs.append(time.perf_counter_ns() - began)
        if number % 100 == 99:
            log.release(number + 1)
    spread = statistics.quantiles(costs, n=100)
    print(
        f"hand over one event: median {spread[49] / 1000:.1f} µs, "
        f"99 of 100 within {spread[98] / 1000:.1f} µs"
    )


def recording(folder: Path, sinks: tuple[str, ...]) -> None:
    """The feed's thread: projections, and the outbox when a sink wants it."""
    with Catalog.open(folder / f"catalog-{len(sinks)}.db") as catalog:
        with catalog.write() as connection:
            outbox.register(connection, sinks)
        feed = ProjectionFeed(catalog)
        of = request()
        batches = [events(of, EVENTS)[start : start + 10] for start in range(0, EVENTS, 10)]
        for batch in batches:
            feed.put(of, batch)
        began = time.process_time()
        feed.start()
        feed.stop(120)
        took = time.process_time() - began
    about = "with a sink" if sinks else "without a sink"
    print(f"into the catalog {about}: {took / EVENTS * 1e6:.0f} µs of processor an event")


def delivering(folder: Path, form: str) -> None:
    """From a full outbox to a receiver that costs nothing."""
    sponge = Sponge(EVENTS)

    def opened(sink: Sink) -> Transport:
        return sponge

    of = request()
    context = {"operator": "alice", "account": "root", "target": "web1", "client": of.client}
    facts = [Fact.of(one, context) for one in events(of, EVENTS)]
    with Catalog.open(folder / f"outbox-{form}.db") as catalog:
        with catalog.write() as connection:
            outbox.register(connection, ["siem"])
            outbox.put(connection, facts)
        delivery = Delivery(
            catalog,
            [Sink("siem", "relp://127.0.0.1:1", form)],
            Host("gate1", "1.0"),
            data=folder,
            backlog=10**9,
            clock=CLOCK,
            random=random.Random(1).random,
            open_=opened,
        )
        began = time.perf_counter()
        delivery.start()
        sponge.done.wait(120)
        took = time.perf_counter() - began
        delivery.stop()
    assert uid_of(of.session, 0) == facts[0].uid
    print(f"deliver as {form}: {EVENTS / took:,.0f} events a second")


def main() -> None:
    """Run all three."""
    with tempfile.TemporaryDirectory() as folder:
        handing_over(Path(folder))
        recording(Path(folder), ())
        recording(Path(folder), ("siem",))
        for form in ("cef", "leef", "ecs", "ocsf", "json"):
            delivering(Path(folder), form)


if __name__ == "__main__":
    main()
