"""Events are announced before they are in their recording, and taken back when they do not get there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from recording_world import OUTPUT, Disk, World

from watchgate.recording.extent import Extents
from watchgate.recording.recorder import LiveRecorder
from watchgate.session.events import ChannelOpened, Envelope
from watchgate.session.model import FailurePolicy
from watchgate.session.ports import RecordingRequest

OPENED = ChannelOpened(0, "shell")


@dataclass
class Ledger:
    """What a hand-over log would hold; each line must be resolved before the next."""

    world: World
    lines: list[tuple[RecordingRequest, list[Envelope], int]] = field(default_factory=list)
    told: int = 0
    withdrawn: int = 0
    early: list[int] = field(default_factory=list)
    """Lines whose recording already was as long when they were announced."""

    def announce(self, request: RecordingRequest, events: Sequence[bytes], end: int) -> None:
        assert self.told == len(self.lines), "the last line was neither told nor withdrawn"
        if self.reached(request, end):
            self.early.append(end)
        self.lines.append((request, [Envelope.from_json(event) for event in events], end))

    def withdraw(self) -> None:
        self.lines.pop()
        self.withdrawn += 1

    def tell(self, request: RecordingRequest, envelopes: Sequence[Envelope]) -> None:
        assert self.lines[self.told][:2] == (request, list(envelopes))
        assert self.reached(request, self.lines[self.told][2])
        self.told += 1

    def reached(self, request: RecordingRequest, end: int) -> bool:
        return Extents(self.world.root, self.world.spool).reached(request, end)

    def events(self) -> list[Envelope]:
        return [envelope for _, envelopes, _ in self.lines for envelope in envelopes]


@pytest.fixture
def ledger(world: World) -> Ledger:
    made = Ledger(world)
    store = world.store
    store._desk = replace(store._desk, handover=made, on_events=made.tell)
    return made


def played(world: World, policy: FailurePolicy, during: Callable[[LiveRecorder], object]) -> Path:
    """A session with an event before, one while something happens, and one after it."""

    async def session() -> Path:
        recorder = await world.open(policy)
        recorder.event(OPENED)
        await world.turn()
        during(recorder)
        recorder.event(OPENED)
        recorder.octets(OUTPUT, 0, b"x" * 1000)
        await world.turn()
        return await world.sealed(recorder)

    return asyncio.run(session())


def recorded(world: World, path: Path) -> list[Envelope]:
    with world.read(path) as recording:
        return list(recording.events())


def test_what_is_recorded_was_announced_just_before(world: World, ledger: Ledger) -> None:
    path = played(world, FailurePolicy.CLOSE, lambda _: None)

    assert ledger.events() == recorded(world, path)
    assert len(ledger.lines) == ledger.told == 3
    assert ledger.early == []
    assert ledger.withdrawn == 0


def test_what_a_lost_recording_does_not_hold_is_taken_back(
    world: World, ledger: Ledger, disk: Disk
) -> None:
    path = played(world, FailurePolicy.CLOSE, lambda _: disk.full.append(world.root))

    assert ledger.withdrawn == 1
    assert ledger.told == len(ledger.lines)
    assert ledger.events() == recorded(world, path)


def test_what_goes_to_the_spool_stays_announced(world: World, ledger: Ledger, disk: Disk) -> None:
    path = played(world, FailurePolicy.SPOOL, lambda _: disk.full.append(world.root))

    assert ledger.withdrawn == 0
    assert ledger.told == len(ledger.lines)
    assert ledger.events() == recorded(world, path)


def test_what_is_held_back_is_announced_when_it_is_written(
    world: World, ledger: Ledger, disk: Disk
) -> None:
    async def session() -> Path:
        recorder = await world.open(FailurePolicy.OPEN)
        disk.full.append(world.root)
        recorder.event(OPENED)
        await world.turn()
        recorder.event(OPENED)
        await world.turn(30)
        disk.full.clear()
        await world.turn(30)
        return await world.sealed(recorder)

    path = asyncio.run(session())

    assert ledger.withdrawn >= 1
    assert ledger.told == len(ledger.lines)
    assert ledger.events() == recorded(world, path)


def test_a_ledger_that_breaks_does_not_break_the_session(
    world: World, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: RecordingRequest, events: Sequence[bytes], end: int) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ledger, "announce", broken)
    store = world.store
    store._desk = replace(store._desk, on_events=lambda *_: None)
    path = played(world, FailurePolicy.CLOSE, lambda _: None)

    assert len(recorded(world, path)) == 3
    assert "are not handed over" in caplog.text


def test_a_recording_that_nobody_can_measure_counts_as_long_enough(world: World) -> None:
    assert Extents(world.root, world.spool).reached(world.request(), 10**9)
