"""A store of recordings in a directory, with a clock that a test moves and a scribe that it turns."""

from __future__ import annotations

import asyncio
import errno
import os
import random
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest

from watchgate.clock import ManualClock
from watchgate.errors import WatchgateError
from watchgate.identifiers import uuid7
from watchgate.recording.auditors import Identity, generate_identity, load_identities
from watchgate.recording.evidencefile import EvidenceFile, recording_path
from watchgate.recording.keys import EvidenceKey
from watchgate.recording.limits import Limits
from watchgate.recording.pen import Pen
from watchgate.recording.reader import Recording
from watchgate.recording.recorder import LiveRecorder
from watchgate.recording.store import RecordingStore
from watchgate.recording.sweep import Swept, sweep
from watchgate.recording.verify import Verification, verify
from watchgate.session.events import Envelope, Event
from watchgate.session.model import Ending, EndReason, FailurePolicy
from watchgate.session.ports import Recorder, RecordingRequest, RecordKind

T = TypeVar("T")
OUTPUT, INPUT, ERROR, RESIZE = (
    RecordKind.OUTPUT,
    RecordKind.INPUT,
    RecordKind.ERROR,
    RecordKind.RESIZE,
)
ENDING = Ending(EndReason.CLIENT, "exit")


@dataclass
class World:
    """One gateway's recordings."""

    root: Path
    spool: Path
    identities: list[Identity]
    recipient: str
    evidence: EvidenceKey
    clock: ManualClock = field(default_factory=ManualClock)
    limits: Limits = field(default_factory=Limits)
    told: list[tuple[str, Envelope]] = field(default_factory=list)
    alarms: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(1)
        self.store = self.fresh_store()

    @classmethod
    def at(cls, directory: Path, **limits: Any) -> World:
        text, recipient = generate_identity()
        identity = directory / "auditor.key"
        identity.write_text(text)
        return cls(
            directory / "recordings",
            directory / "spool",
            load_identities(identity),
            recipient,
            EvidenceKey(bytes(range(32))),
            limits=replace(Limits(), **limits),
        )

    def fresh_store(self) -> RecordingStore:
        """A store as another process would make it; its threads do not run."""
        return RecordingStore(
            self.root,
            self.spool,
            evidence=self.evidence,
            recipients=[self.recipient],
            clock=self.clock,
            node="gate1",
            random=self.chance.randbytes,
            limits=self.limits,
            on_events=lambda request, envelopes: self.told.extend(
                (request.recording, envelope) for envelope in envelopes
            ),
            on_alarm=lambda event, _: self.alarms.append(event),
        )

    def request(self, policy: FailurePolicy = FailurePolicy.CLOSE) -> RecordingRequest:
        return RecordingRequest(
            recording=uuid7(self.clock, self.chance.randbytes),
            session=uuid7(self.clock, self.chance.randbytes),
            protocol="ssh",
            operator="alice",
            account="root",
            target="web1",
            client="10.0.0.9:50000",
            grant="g1",
            started_at_us=self.clock.wall_us(),
            policy_digest="0" * 64,
            on_failure=policy,
        )

    def path(self, recorder: Recorder) -> Path:
        assert isinstance(recorder, LiveRecorder)
        request = recorder.request
        return recording_path(self.root, request.recording, request.started_at_us)

    def pen(self, recorder: Recorder) -> Pen:
        self.store.scribe.answer()
        return self.store.scribe._pens[recorder.recording]

    async def open(self, policy: FailurePolicy = FailurePolicy.CLOSE) -> LiveRecorder:
        recorder = await self.store.open(self.request(policy))
        assert isinstance(recorder, LiveRecorder)
        return recorder

    async def drive(self, waiting: Coroutine[Any, Any, T]) -> T:
        """Answer calls to the scribe until *waiting* is done."""
        failures: list[WatchgateError] = []

        async def caught() -> T | None:
            try:
                return await waiting
            except WatchgateError as error:
                failures.append(error)
                return None

        async with asyncio.TaskGroup() as group:
            task = group.create_task(caught())
            while not task.done():
                await asyncio.sleep(0)
                self.store.scribe.answer()
        if failures:
            raise failures[0]
        return cast("T", task.result())

    async def turn(self, seconds: float = 0.4) -> None:
        """Let time pass, give the scribe a turn, and let the loop hear what it tells."""
        self.clock.advance(seconds)
        self.store.scribe.turn()
        for _ in range(3):
            await asyncio.sleep(0)

    async def sealed(self, recorder: Recorder) -> Path:
        await self.drive(recorder.seal(ENDING))
        return self.path(recorder)

    def verify(self, path: Path) -> Verification:
        return verify(path, self.evidence.public, self.spool)

    def sweep(self) -> list[Swept]:
        return sweep(self.root, self.spool, self.evidence, self.clock)

    def read(self, path: Path) -> Recording:
        return Recording.open(path, self.identities, self.spool)

    def octets(self, path: Path, kind: RecordKind = OUTPUT) -> bytes:
        """All of one kind in a recording, in order."""
        with self.read(path) as recording:
            return b"".join(r.data for r in recording.records() if r.kind is kind)

    def events(self, path: Path) -> list[Event]:
        with self.read(path) as recording:
            return [envelope.event for envelope in recording.events()]


class Disk:
    """Makes directories fail as disks do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full: list[Path] = []
        self.dead: list[Path] = []
        append = EvidenceFile.append
        sync = EvidenceFile.sync

        def failing_append(file: EvidenceFile, octets: bytes, *, closing: bool = False) -> None:
            if self._within(file, self.dead):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            if self._within(file, self.full) and not closing:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            append(file, octets, closing=closing)

        def failing_sync(file: EvidenceFile) -> None:
            if self._within(file, self.dead):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            sync(file)

        monkeypatch.setattr(EvidenceFile, "append", failing_append)
        monkeypatch.setattr(EvidenceFile, "sync", failing_sync)

    @staticmethod
    def _within(file: EvidenceFile, roots: Sequence[Path]) -> bool:
        return any(file.path.is_relative_to(root) for root in roots)
