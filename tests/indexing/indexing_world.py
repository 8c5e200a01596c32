"""Recordings as sessions leave them, and an index in memory."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from watchgate.catalog.search.model import About, Answer, Document, Kind, Progress, Query
from watchgate.clock import ManualClock
from watchgate.errors import ConfigurationError
from watchgate.identifiers import uuid7
from watchgate.indexing.wire import Order
from watchgate.recording.auditors import Identity, generate_identity, load_identities
from watchgate.recording.evidencefile import recording_path
from watchgate.recording.format import Record
from watchgate.recording.keys import EvidenceKey
from watchgate.recording.limits import Limits
from watchgate.recording.reader import Recording
from watchgate.recording.recorder import LiveRecorder
from watchgate.recording.store import RecordingStore
from watchgate.recording.tracks import TrackKeys
from watchgate.session.events import (
    ChannelClosed,
    ChannelOpened,
    CommandFinished,
    CommandRequested,
    PolicyFrozen,
)
from watchgate.session.model import Ending, EndReason, FailurePolicy
from watchgate.session.ports import RecordingRequest, RecordKind

OUTPUT, INPUT, ERROR, RESIZE = (
    RecordKind.OUTPUT,
    RecordKind.INPUT,
    RecordKind.ERROR,
    RecordKind.RESIZE,
)
PROMPT = b"root@web1:~# "


class MemoryIndex:
    """Implements SearchBackend as far as the worker needs it."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, Kind, int], tuple[About, Document]] = {}
        self.known: dict[str, Progress] = {}
        self.puts = 0
        self.broken = ""

    def put(self, about: About, documents: Iterable[Document]) -> int:
        if self.broken:
            raise ConfigurationError(self.broken)
        changed = 0
        for document in documents:
            place = (about.session, document.kind, document.item)
            changed += self.kept.get(place) != (about, document)
            self.kept[place] = (about, document)
        self.puts += 1
        return changed

    def search(self, query: Query) -> Answer:
        hits = [d for _, d in self.kept.values() if query.text in d.text]
        return Answer((), candidates=len(hits))

    def documents(self, session: str, kind: Kind) -> Sequence[tuple[About, Document]]:
        found = [both for (of, k, _), both in self.kept.items() if (of, k) == (session, kind)]
        return sorted(found, key=lambda both: (both[1].at_us, both[1].item))

    def forget(self, session: str) -> int:
        gone = [place for place in self.kept if place[0] == session]
        for place in gone:
            del self.kept[place]
        self.known = {k: v for k, v in self.known.items() if v.session != session}
        return len(gone)

    def progress(self, recording: str) -> Progress | None:
        return self.known.get(recording)

    def advance(self, progress: Progress) -> None:
        if self.broken:
            raise ConfigurationError(self.broken)
        self.known[progress.recording] = progress

    def close(self) -> None:
        pass

    def texts(self, kind: Kind = Kind.COMMAND) -> list[str]:
        """What it has of one kind, in the order of time."""
        found = [d for (_, k, _), (_, d) in self.kept.items() if k is kind]
        return [d.text for d in sorted(found, key=lambda d: (d.at_us, d.item))]


@dataclass
class Desk:
    """A store of recordings whose scribe turns when a test says so."""

    root: Path
    spool: Path
    identities: list[Identity]
    recipient: str
    clock: ManualClock = field(default_factory=ManualClock)
    opened: list[Order] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(2)
        self.store = RecordingStore(
            self.root,
            self.spool,
            evidence=EvidenceKey(bytes(range(32))),
            recipients=[self.recipient],
            clock=self.clock,
            node="gate1",
            random=self.chance.randbytes,
            limits=Limits(minimum_free=0),
            on_open=self._open,
        )

    def _open(self, request: RecordingRequest, path: Path, keys: TrackKeys) -> None:
        self.opened.append(Order.of(request, path, self.spool, keys))

    @classmethod
    def at(cls, directory: Path) -> Desk:
        text, recipient = generate_identity()
        identity = directory / "auditor.key"
        identity.write_text(text)
        return cls(
            directory / "recordings", directory / "spool", load_identities(identity), recipient
        )

    async def open(self, index: str | None = "screen") -> LiveRecorder:
        """A recording under a policy that wants this indexed; None: of a version before there was one."""
        request = RecordingRequest(
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
            on_failure=FailurePolicy.CLOSE,
        )
        recorder = await self.store.open(request)
        assert isinstance(recorder, LiveRecorder)
        recorder.event(PolicyFrozen("0" * 64, {} if index is None else {"index": index}))
        return recorder

    async def turn(self, seconds: float = 0.5) -> None:
        """Let time pass, and what was recorded be written."""
        self.clock.advance(seconds)
        self.store.scribe.turn()
        for _ in range(3):
            await asyncio.sleep(0)

    async def seal(self, recorder: LiveRecorder) -> Path:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(recorder.seal(Ending(EndReason.CLIENT, "exit")))
            while not task.done():
                await asyncio.sleep(0)
                self.store.scribe.answer()
        return self.path(recorder)

    def path(self, recorder: LiveRecorder) -> Path:
        request = recorder.request
        return recording_path(self.root, request.recording, request.started_at_us)

    def records(self, path: Path) -> list[Record]:
        with Recording.open(path, self.identities, self.spool) as recording:
            return list(recording.records())


class Shell:
    """What a session in a shell leaves, typed and echoed key by key."""

    def __init__(self, recorder: LiveRecorder, channel: int, pause: Callable[[], None]) -> None:
        self._recorder = recorder
        self._channel = channel
        self._pause = pause

    def open(self) -> Shell:
        self._recorder.event(ChannelOpened(self._channel, "shell", "xterm-256color", 80, 24))
        self._recorder.octets(OUTPUT, self._channel, PROMPT)
        return self

    def run(self, command: bytes, output: bytes = b"") -> None:
        for key in command:
            self._recorder.octets(INPUT, self._channel, bytes([key]))
            self._recorder.octets(OUTPUT, self._channel, bytes([key]))
            self._pause()
        self._recorder.octets(INPUT, self._channel, b"\r")
        self._recorder.octets(OUTPUT, self._channel, b"\r\n" + output + PROMPT)
        self._pause()

    def close(self) -> None:
        self._recorder.event(ChannelClosed(self._channel, 0, None, 1, 1))


def executed(
    recorder: LiveRecorder, channel: int, command: str, output: bytes, error: bytes = b""
) -> None:
    """What `ssh host COMMAND` leaves."""
    recorder.event(ChannelOpened(channel, "exec"))
    seq = recorder.event(CommandRequested(channel, command))
    recorder.octets(OUTPUT, channel, output)
    if error:
        recorder.octets(ERROR, channel, error)
    recorder.event(CommandFinished(channel, seq, 0, None, 1000))
    recorder.event(ChannelClosed(channel, 0, None, 0, len(output)))


async def worked(desk: Desk, index: str | None = "screen") -> Path:
    """A sealed session with two shells, one of them resized, and two executed commands."""
    recorder = await desk.open(index)

    def pause() -> None:
        desk.clock.advance(0.05)

    first, second = Shell(recorder, 0, pause).open(), Shell(recorder, 1, pause).open()
    executed(recorder, 2, "cat /etc/hostname", b"web1\n")
    await desk.turn()
    first.run(b"ls -l /srv", b"total 0\r\nbackup.tar\r\n")
    second.run(b"whoami", b"root\r\n")
    await desk.turn()
    recorder.octets(RESIZE, 0, b"100x30")
    first.run(b"uptime", b" 10:00:00 up 3 days\r\n")
    await desk.turn(30)
    executed(recorder, 3, "systemctl restart nginx", b"", b"Job failed\n")
    second.close()
    await desk.turn(40)
    first.run(b"grep -r secret /etc", b"/etc/app.conf:secret=1\r\n")
    first.close()
    return await desk.seal(recorder)
