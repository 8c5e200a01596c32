"""Writes a recording and says what is acknowledged, until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from watchgate.clock import SystemClock
from watchgate.identifiers import uuid7
from watchgate.recording.auditors import load_recipients
from watchgate.recording.keys import EvidenceKey
from watchgate.recording.store import RecordingStore
from watchgate.session.model import FailurePolicy
from watchgate.session.ports import RecordingRequest, RecordKind


async def main(directory: Path, policy: FailurePolicy) -> None:
    clock = SystemClock()
    store = RecordingStore(
        directory / "recordings",
        directory / "spool",
        evidence=EvidenceKey.load(directory / "evidence.pem"),
        recipients=load_recipients(directory / "auditors.txt"),
        clock=clock,
        node="gate1",
    )
    store.start()
    request = RecordingRequest(
        uuid7(clock), uuid7(clock), "ssh", "alice", "root", "web1", "10.0.0.9:1", "g",
        clock.wall_us(), "0", policy,
    )  # fmt: skip
    recorder = await store.open(request)
    number = 0
    while True:
        for _ in range(number % 7 + 1):
            recorder.octets(RecordKind.OUTPUT, 1, b"%d\n" % number)
            recorder.octets(RecordKind.INPUT, 1, b"%d\n" % number)
            number += 1
        await recorder.commit()
        # What follows was acknowledged: it must be read whenever we are killed.
        print(number, flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), FailurePolicy(sys.argv[2])))
