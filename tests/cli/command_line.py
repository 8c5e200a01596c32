"""The command as its user has it, and a session that it finds."""

from __future__ import annotations

import asyncio
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from watchgate.catalog.database import Catalog
from watchgate.catalog.projection import Status, apply
from watchgate.cli.application import run
from watchgate.clock import SystemClock
from watchgate.identifiers import uuid7
from watchgate.recording.auditors import load_recipients
from watchgate.recording.keys import EvidenceKey
from watchgate.recording.store import RecordingStore
from watchgate.session.events import (
    ChannelClosed,
    ChannelOpened,
    CommandFinished,
    CommandRequested,
    Envelope,
    FileMoved,
)
from watchgate.session.model import Ending, EndReason, FailurePolicy
from watchgate.session.ports import RecordingRequest, RecordKind
from watchgate.settings import load


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """The JSON document on stdout."""
        return json.loads(self.out)


class Cli:
    """Runs commands in this process, each as a process of its own would end."""

    def __init__(
        self, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, data: Path
    ) -> None:
        self.data = data
        self._captured = capfdbinary
        self._monkeypatch = monkeypatch

    def __call__(self, *words: str, stdin: bytes = b"") -> Answer:
        """The answer of `watchgate WORDS` on the data directory."""
        self._monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        self._captured.readouterr()
        status = 0
        mask = os.umask(0o022)
        try:
            run(words)
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
        finally:
            os.umask(mask)
        out, err = self._captured.readouterr()
        return Answer(status, out.decode(), err.decode())

    def done(self, *words: str, stdin: bytes = b"") -> str:
        """What a command that must work says."""
        answer = self(*words, stdin=stdin)
        assert answer.status == 0, answer.err
        return answer.out

    def json(self, *words: str, stdin: bytes = b"") -> Any:
        """The document that a command that must work answers with."""
        return json.loads(self.done(*words, "--json", stdin=stdin))


def record(data: Path) -> str:
    """Record a short session in the gateway at *data*, project it, and return its id."""
    settings, clock = load(data, environment={}), SystemClock()
    request = RecordingRequest(
        recording=uuid7(clock),
        session=uuid7(clock),
        protocol="ssh",
        operator="alice",
        account="root",
        target="web1",
        client="192.0.2.7:50022",
        grant=uuid7(clock),
        started_at_us=clock.wall_us(),
        policy_digest="0" * 64,
        on_failure=FailurePolicy.CLOSE,
    )
    written: list[Envelope] = []
    store = RecordingStore(
        settings.paths.recordings,
        settings.paths.spool,
        evidence=EvidenceKey.load(settings.paths.evidence_key),
        recipients=load_recipients(settings.paths.auditors),
        clock=clock,
        node="test",
        on_events=lambda _, envelopes: written.extend(envelopes),
    )
    store.start()
    try:
        asyncio.run(_play_out(store, request))
    finally:
        store.stop()
    with Catalog.open(settings.paths.catalog) as catalog, catalog.write() as connection:
        apply(connection, request, written, Status.SEALED)
    return request.session


async def _play_out(store: RecordingStore, request: RecordingRequest) -> None:
    recorder = await store.open(request)
    recorder.event(ChannelOpened(0, "shell", "xterm", 80, 24))
    recorder.octets(RecordKind.OUTPUT, 0, b"web1:~# ")
    recorder.octets(RecordKind.INPUT, 0, b"uptime\r")
    seq = recorder.event(CommandRequested(0, "uptime \x1b]0;evil\x07"))
    recorder.octets(RecordKind.OUTPUT, 0, b"uptime\r\n up 3 days\r\n")
    recorder.event(CommandFinished(0, seq, 0, None, 1500))
    recorder.event(FileMoved(0, "scp", "upload", "/tmp/a\nb", 12, "ab" * 32, False))
    recorder.event(ChannelClosed(0, 0, None, 7, 20))
    await recorder.seal(Ending(EndReason.CLIENT, "logged out"))
