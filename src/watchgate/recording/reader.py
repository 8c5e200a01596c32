"""Reading a recording with an auditor's identity: records in order, events, from any moment on."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from watchgate.errors import RecordingUnreadable
from watchgate.recording.auditors import Identity, unwrap
from watchgate.recording.format import (
    KEY_SUFFIX,
    SEAL_SIZE,
    Checkpoint,
    Flag,
    FrameType,
    IndexEntry,
    Record,
    RecordingHeader,
    parse_index,
)
from watchgate.recording.framechain import Place
from watchgate.recording.opening import FrameError, FrameOpener
from watchgate.recording.scan import Frame, LogicalFile, Preamble, Walk, read_preamble
from watchgate.recording.spool import tails
from watchgate.recording.tracks import TrackCipher, TrackKeys
from watchgate.session.events import Envelope
from watchgate.session.ports import RecordKind


class Recording:
    """An open recording; close it, or use it as a context manager.

    One that is still being written is read up to its last whole batch at the time it was opened. A torn
    tail is left out and counted in *torn_octets* once `records` has come to the end.
    """

    def __init__(self, file: LogicalFile, preamble: Preamble, keys: TrackKeys) -> None:
        self.torn_octets = 0
        self._file = file
        self._preamble = preamble
        self._cipher = TrackCipher(keys)
        self._seal = _read_seal(file)
        self._scanned: tuple[list[IndexEntry], int] | None = None

    @classmethod
    def open(
        cls,
        path: Path,
        identities: Sequence[Identity],
        spool: Path | None = None,
        key_file: Path | None = None,
    ) -> Recording:
        """The recording at *path*, with the key beside it; raises RecordingUnreadable."""
        file = LogicalFile(path, spool)
        try:
            preamble = read_preamble(file)
            key_path = key_file or _find_key(path, spool)
            return cls(file, preamble, unwrap(key_path, identities, preamble.header.recording))
        except RecordingUnreadable:
            file.close()
            raise

    @classmethod
    def with_keys(cls, path: Path, keys: TrackKeys, spool: Path | None = None) -> Recording:
        """The recording at *path*, as far as *keys* open it; raises RecordingUnreadable."""
        file = LogicalFile(path, spool)
        try:
            return cls(file, read_preamble(file), keys)
        except RecordingUnreadable:
            file.close()
            raise

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    @property
    def header(self) -> RecordingHeader:
        """What the recording says of itself in clear."""
        return self._preamble.header

    @property
    def sealed(self) -> bool:
        """Whether it ends in a seal; whether the seal is genuine is what `verify` tells."""
        return self._seal is not None

    @property
    def recovered(self) -> bool:
        """Whether a sweep sealed it after a crash."""
        return self._seal is not None and self._seal.header.has(Flag.RECOVERED)

    @property
    def live(self) -> bool:
        """Whether it was being written when it was opened."""
        return self._file.live

    @property
    def duration_us(self) -> int:
        """Microseconds from the start to the end, or to the last frame that there is."""
        if self._seal is not None:
            return self._seal.header.t_us
        return self._scan()[1]

    def records(self, start_us: int = 0) -> Iterator[Record]:
        """All records from *start_us* on, both tracks merged, in order of time.

        Raises RecordingUnreadable at the place where the file was changed, after what precedes it.
        """
        walk = Walk(self._file, self._start(start_us))
        try:
            for record in self._opened(walk):
                if record.t_us >= start_us:
                    yield record
        except FrameError as error:
            raise RecordingUnreadable(f"{self._file.path}, {error}; run verify on it") from error
        self.torn_octets = walk.torn
        if walk.damage:
            raise RecordingUnreadable(
                f"{self._file.path} at octet {walk.place.offset}: {walk.damage}; run verify on it"
            )

    def events(self) -> Iterator[Envelope]:
        """Every event, in order; raises RecordingUnreadable."""
        for record in self.records():
            if record.kind is RecordKind.EVENT:
                try:
                    yield Envelope.from_json(record.data)
                except (ValueError, RecursionError) as error:
                    raise RecordingUnreadable(
                        f"{self._file.path} at {record.t_us} µs: {error}"
                    ) from error

    def _opened(self, walk: Walk) -> Iterator[Record]:
        opener = FrameOpener(self._cipher)
        for batch in opener.gather(walk):
            # The writer may be in the middle of the last batch.
            if batch.end is not None or not self._file.live:
                yield from opener.records(batch)

    # --- where to begin ---

    def _start(self, start_us: int) -> Place:
        """The last segment that begins at or before *start_us*."""
        first = self._preamble.place
        if start_us <= 0:
            return first
        entries = self._index()
        for known in (entries, self._scan()[0] if entries else []):
            position = bisect.bisect_right(known, start_us, key=_entry_time)
            if position == 0:
                return first
            if (place := self._check(known[position - 1])) is not None:
                return place
        return first

    def _index(self) -> list[IndexEntry]:
        checkpoint = Checkpoint.parse(self._seal.body) if self._seal else None
        if checkpoint is None:
            return self._scan()[0]
        walk = Walk(self._file, Place(0, checkpoint.index_offset, b""))
        frame = walk.any_frame()
        if frame is None or frame.header.type != FrameType.INDEX:
            return self._scan()[0]
        try:
            return parse_index(frame.body)
        except ValueError:
            return self._scan()[0]

    def _check(self, entry: IndexEntry) -> Place | None:
        """The place that *entry* names, if a segment that we can open begins there."""
        frame = Walk(self._file, Place(0, entry.offset, entry.chain)).any_frame()
        if frame is None or frame.header.type != FrameType.MAIN:
            return None
        if not frame.header.has(Flag.SEGMENT) or not self._cipher.opens(FrameType.MAIN):
            return None
        if self._cipher.open(frame.header, frame.head, entry.chain, frame.body) is None:
            return None
        return Place(frame.header.seq, entry.offset, entry.chain)

    def _scan(self) -> tuple[list[IndexEntry], int]:
        """Segment starts and the last moment, by walking the whole file once."""
        if self._scanned is None:
            walk = Walk(self._file, self._preamble.place)
            entries = [
                IndexEntry(frame.header.t_us, frame.place.offset, frame.place.chain)
                for frame in walk
                if frame.header.type == FrameType.MAIN and frame.header.has(Flag.SEGMENT)
            ]
            self._scanned = (entries, walk.last_us)
        return self._scanned


def _entry_time(entry: IndexEntry) -> int:
    return entry.t_us


def _read_seal(file: LogicalFile) -> Frame | None:
    if file.size < SEAL_SIZE:
        return None
    frame = Walk(file, Place(0, file.size - SEAL_SIZE, b"")).any_frame()
    if frame is None or frame.header.type != FrameType.CHECKPOINT:
        return None
    return frame if frame.header.has(Flag.SEAL) else None


def _find_key(path: Path, spool: Path | None) -> Path:
    beside = path.with_suffix(KEY_SUFFIX)
    if not beside.exists():
        for tail in tails(spool, path.stem):
            if tail.offset == 0:
                return tail.key_file
    return beside
