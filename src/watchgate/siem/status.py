"""How every sink stands: what the settings say of it, and what delivery has noted of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import Connection

from watchgate.catalog import outbox
from watchgate.siem.opening import PROMISES
from watchgate.siem.sinks import Sink
from watchgate.siem.transport import Guarantee

GUARANTEES: dict[str, Guarantee] = {
    "udp": Guarantee.BEST_EFFORT,
    "tcp": Guarantee.RESENT,
    "tls": Guarantee.RESENT,
    "relp": Guarantee.AT_LEAST_ONCE,
    "relps": Guarantee.AT_LEAST_ONCE,
    "https": Guarantee.AT_LEAST_ONCE,
    "http": Guarantee.AT_LEAST_ONCE,
}
"""What each transport promises, for who does not open one."""


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """One sink, for people."""

    name: str
    address: str
    format: str
    guarantee: str
    promise: str
    registered: bool
    """Whether a gateway has served with it: until then nothing is kept for it."""
    waiting: int
    """Events that it may not have for good, those that its filter leaves out among them."""
    oldest_at_us: int | None
    delivered: int
    delivered_at_us: int | None
    dropped: int
    failing_since_us: int | None
    failure: str | None

    @property
    def state(self) -> str:
        """In one word."""
        if not self.registered:
            return "new"
        return "fails" if self.failing_since_us is not None else "takes events"


def guarantee_of(sink: Sink) -> Guarantee:
    """What the sink's transport promises."""
    return GUARANTEES[urlsplit(sink.url).scheme]


def statuses(connection: Connection, sinks: Sequence[Sink]) -> list[SinkStatus]:
    """Every sink of the settings, in their order."""
    states = outbox.states(connection)
    return [_status(connection, sink, states.get(sink.name)) for sink in sinks]


def _status(connection: Connection, sink: Sink, state: outbox.SinkState | None) -> SinkStatus:
    guarantee = guarantee_of(sink)
    lag = outbox.Lag(0, None) if state is None else outbox.lag(connection, state.cursor)
    return SinkStatus(
        name=sink.name,
        address=sink.address,
        format=sink.format,
        guarantee=guarantee.value,
        promise=PROMISES[guarantee],
        registered=state is not None,
        waiting=lag.events,
        oldest_at_us=lag.oldest_at_us,
        delivered=state.delivered if state else 0,
        delivered_at_us=state.delivered_at_us if state else None,
        dropped=state.dropped if state else 0,
        failing_since_us=state.failing_since_us if state else None,
        failure=state.failure if state else None,
    )
