"""From a session's recorder to a sink, by the way that a serving gateway's events go."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from watchgate.catalog.feed import ProjectionFeed
from watchgate.catalog.handover import Handover
from watchgate.clock import SystemClock
from watchgate.identifiers import uuid7
from watchgate.recording.auditors import generate_identity
from watchgate.recording.keys import EvidenceKey
from watchgate.recording.limits import Limits
from watchgate.recording.store import RecordingStore
from watchgate.session.events import CommandDecided, CommandRequested
from watchgate.session.model import Ending, EndReason, FailurePolicy
from watchgate.session.ports import Recorder, RecordingRequest
from watchgate.siem.sender import Pace

from .delivery_world import World, eventually, world

SLOWEST = 1.0
"""Seconds that a high-risk verdict may take to a sink (and on a busy machine of the tests twice as long)."""


@dataclass
class Line:
    """A store, and what follows it."""

    store: RecordingStore
    made: World
    clock: SystemClock

    async def opened(self) -> Recorder:
        request = RecordingRequest(
            recording=uuid7(self.clock),
            session=uuid7(self.clock),
            protocol="ssh",
            operator="alice",
            account="root",
            target="web1",
            client="192.0.2.7:50022",
            grant=uuid7(self.clock),
            started_at_us=self.clock.wall_us(),
            policy_digest="0" * 64,
            on_failure=FailurePolicy.CLOSE,
        )
        return await self.store.open(request)


@contextmanager
def line(folder: Path) -> Iterator[Line]:
    clock = SystemClock()
    with world(folder, "siem", clock=clock, pace=Pace()) as made, made.delivering() as delivery:
        handover = Handover(folder / "handover")
        feed = ProjectionFeed(made.catalog, handover, on_outbox=delivery.wake)
        feed.recover(lambda request, end: True)
        feed.start()
        store = RecordingStore(
            folder / "recordings",
            folder / "spool",
            evidence=EvidenceKey(secrets.token_bytes(32)),
            recipients=[generate_identity()[1]],
            clock=clock,
            node="gate1",
            limits=Limits(minimum_free=0),
            on_events=feed.put,
            handover=handover,
        )
        store.start()
        try:
            yield Line(store, made, clock)
        finally:
            store.stop()
            feed.stop()


def decide(recorder: Recorder, outcome: str, severity: str | None) -> None:
    """A command and its verdict, as a session records them."""
    seq = recorder.event(CommandRequested(1, "rm -rf /", "integration"))
    recorder.event(
        CommandDecided(
            *(1, seq, "rm -rf /", ["rm -r -f /"], [], outcome, ["no-rm"], [], severity),
            *(25, 25, 39, "exact", "integration", "0" * 64),
        )
    )


def test_a_high_risk_verdict_is_at_a_sink_within_a_second(tmp_path: Path) -> None:
    async def play(line: Line) -> float:
        recorder = await line.opened()
        siem = line.made.siems["siem"]
        began = time.monotonic()
        decide(recorder, "block", "high")
        await asyncio.to_thread(
            eventually, lambda: "command.decided" in siem.kinds(), "the verdict is delivered"
        )
        took = time.monotonic() - began
        await recorder.seal(Ending(EndReason.CLIENT))
        return took

    with line(tmp_path) as made:
        took = asyncio.run(play(made))
        (decided,) = (one for one in made.made.siems["siem"].got if one.kind == "command.decided")

    assert took < 2 * SLOWEST
    assert (decided.data["command"], decided.data["normalized"]) == ("rm -rf /", ["rm -r -f /"])


def test_so_it_is_behind_a_thousand_others(tmp_path: Path) -> None:
    async def play(line: Line) -> float:
        busy, other = await line.opened(), await line.opened()
        for _ in range(1000):
            decide(busy, "allow", None)
        began = time.monotonic()
        decide(other, "interrupt", "high")
        siem = line.made.siems["siem"]
        await asyncio.to_thread(
            eventually,
            lambda: any(one.data.get("outcome") == "interrupt" for one in siem.got),
            "the verdict is delivered",
        )
        took = time.monotonic() - began
        for one in (busy, other):
            await one.seal(Ending(EndReason.CLIENT))
        return took

    with line(tmp_path) as made:
        took = asyncio.run(play(made))

    assert took < 2 * SLOWEST
