"""What the tests of the catalog begin with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from watchgate.catalog.change import Change, changing
from watchgate.catalog.database import Catalog
from watchgate.clock import ManualClock
from watchgate.session.events import Envelope, Event
from watchgate.session.model import FailurePolicy
from watchgate.session.ports import RecordingRequest

STARTED = 1_780_000_000_000_000


@contextmanager
def fresh(folder: Path) -> Iterator[tuple[Catalog, ManualClock]]:
    """An empty catalog and a clock that stands still."""
    with Catalog.open(folder / "catalog.db") as catalog:
        yield catalog, ManualClock()


@contextmanager
def change(folder: Path) -> Iterator[Change]:
    """A change in an empty catalog."""
    with fresh(folder) as (catalog, clock), changing(catalog, clock, "test") as made:
        yield made


def request(number: int = 1, **given: object) -> RecordingRequest:
    """What the recording of session *number* says of itself."""
    values: dict[str, object] = {
        "recording": f"0190aaaa-0000-7000-8000-{number:012}",
        "session": f"0190bbbb-0000-7000-8000-{number:012}",
        "protocol": "ssh",
        "operator": "alice",
        "account": "root",
        "target": "web1",
        "client": "192.0.2.7:50000",
        "grant": "0190cccc-0000-7000-8000-000000000001",
        "started_at_us": STARTED + number * 1_000_000,
        "policy_digest": "ab" * 32,
        "on_failure": FailurePolicy.CLOSE,
    }
    return RecordingRequest(**(values | given))  # type: ignore[arg-type]


def envelopes(of: RecordingRequest, *events: Event) -> list[Envelope]:
    """*events* as the recorder numbers and times them: one a second."""
    return [
        Envelope(of.started_at_us + seq * 1_000_000, of.session, seq, event)
        for seq, event in enumerate(events)
    ]
