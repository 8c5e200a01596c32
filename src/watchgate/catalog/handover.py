"""Events on their way from the recordings into the catalog, where a crash cannot lose them.

The gateway cannot read its own recordings, so what it had not yet put into the catalog when it died would
be lost for lists and SIEMs. The thread that writes recordings therefore writes each batch of events here
just before it goes into its recording; the feed applies it, and notes in the same transaction up to which
line it has come. What is behind that line after a crash is applied at the next start.

Lines are `CRC-32 JSON`, numbered without gaps, in segments named by their first number. They are in the
page cache at once (a killed process loses none) and on the disk half a second later (a power cut loses
what the recordings may lose too). Nothing here ever waits for a disk or fails a recording: what cannot be
written is counted and said, and `watchgate reindex` brings it back for the catalog.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from watchgate.errors import ConfigurationError
from watchgate.session.events import Envelope
from watchgate.session.model import FailurePolicy
from watchgate.session.ports import RecordingRequest

log = logging.getLogger(__name__)

LIMIT = 256 << 20
SEGMENT = 1 << 20
LONGEST_SEGMENT = 64 << 20
"""A segment is closed after the line that passes its size; larger ones are not ours to read."""
_SUFFIX = ".log"
_CRC = 8
_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Handed:
    """One batch of a session's events."""

    number: int
    request: RecordingRequest
    end: int
    """Where the recording ends when they are in it."""
    envelopes: tuple[Envelope, ...]


@dataclass(slots=True)
class _Segment:
    path: Path
    first: int
    size: int = 0


class Handover:
    """The log of one gateway; implements `recording.desk.Handover`.

    `announce`, `withdraw` and `told` are for the one thread that writes recordings, the rest for the feed's.
    """

    def __init__(self, directory: Path, *, limit: int = LIMIT, segment: int = SEGMENT) -> None:
        self._directory = directory
        self._limit = limit
        self._segment = segment
        self._lock = threading.Lock()
        """Held for moments only, never while a disk is waited for."""
        self._segments: list[_Segment] = []
        self._descriptor = -1
        self._before = 0
        """Where the newest line begins in its segment."""
        self._unsynced: set[Path] = set()
        self._heads: dict[str, bytes] = {}
        self.last = 0
        """The number of the newest line."""
        self.kept = True
        """Whether what was announced last is in the log."""
        self.missed = 0
        """How many batches the log could not take since the start."""

    # --- at the start ----------------------------------------------------------------------------

    def open(self, applied: int) -> None:
        """Look at what a former process left; numbers go on behind it and behind *applied*."""
        try:
            self._directory.mkdir(mode=0o700, exist_ok=True)
            paths = sorted(self._directory.glob(f"*{_SUFFIX}"))
            self._segments = [_Segment(p, int(p.stem), p.stat().st_size) for p in paths]
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"{self._directory} cannot be used for events on their way into the catalog: {error}; "
                "it must be a directory of the user that serves, with nothing else in it",
                code="handover.unusable",
            ) from error
        self.last = max([applied, *(segment.first - 1 for segment in self._segments)])
        for handed in self.behind(self.last):
            self.last = handed.number

    # --- on the thread that writes recordings ------------------------------------------------------

    def announce(self, request: RecordingRequest, events: Sequence[bytes], end: int) -> None:
        """Write a line; never raises OSError."""
        number = self.last + 1
        body = b'{"number":%d,"end":%d,"request":%b,"events":[%b]}' % (
            number,
            end,
            self._head(request),
            b",".join(events),
        )
        try:
            with self._lock:
                self._write(number, b"%08x %b\n" % (zlib.crc32(body), body))
        except OSError as error:
            self._miss(error.strerror or str(error))

    def withdraw(self) -> None:
        """Take the last line back."""
        if not self.kept:
            return
        with self._lock, contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, self._before)
            self._segments[-1].size = self._before
            self.last -= 1

    def _head(self, request: RecordingRequest) -> bytes:
        """What every line of a recording begins with, made once."""
        if (head := self._heads.get(request.recording)) is None:
            if len(self._heads) >= _REMEMBERED:
                self._heads.clear()
            head = json.dumps(asdict(request), separators=(",", ":")).encode()
            self._heads[request.recording] = head
        return head

    def _write(self, number: int, line: bytes) -> None:
        if self.size + len(line) > self._limit:
            raise OSError(0, f"more than {self._limit >> 20} MiB wait for the catalog")
        if self._descriptor < 0 or self._segments[-1].size >= self._segment:
            self._begin(number)
        segment = self._segments[-1]
        written = os.write(self._descriptor, line)
        if written < len(line):
            os.ftruncate(self._descriptor, segment.size)
            raise OSError(0, "its disk is full")
        self._before = segment.size
        segment.size += written
        self._unsynced.add(segment.path)
        self.last, self.kept = number, True

    def _begin(self, first: int) -> None:
        path = self._directory / f"{first:020}{_SUFFIX}"
        # A segment of that name holds nothing but a torn line: it is begun again.
        self._segments = [segment for segment in self._segments if segment.path != path]
        # Appending, so that a line never lands behind a hole after others were taken away.
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = descriptor
        self._segments.append(_Segment(path, first))
        self._unsynced.add(self._directory)

    def _miss(self, why: str) -> None:
        self.missed += 1
        if self.kept:
            log.warning(
                "%s: events are not kept on their way into the catalog: %s; make room. Sessions and "
                "recordings go on; if the gateway is killed meanwhile, run `watchgate reindex`",
                self._directory,
                why,
            )
        self.kept = False

    # --- on the feed's thread ----------------------------------------------------------------------

    @property
    def size(self) -> int:
        """How many octets wait."""
        return sum(segment.size for segment in self._segments)

    def behind(self, number: int, until: int | None = None) -> Iterator[Handed]:
        """The batches behind line *number*, in order; torn and damaged lines are said and left out."""
        with self._lock:
            segments = list(self._segments)
        for position, segment in enumerate(segments):
            following = segments[position + 1].first if position + 1 < len(segments) else None
            if following is not None and following <= number + 1:
                continue
            for handed in _read(segment.path):
                if handed.number > number and (until is None or handed.number <= until):
                    yield handed

    def release(self, number: int) -> None:
        """All up to *number* is in the catalog: forget it, also on the disk."""
        with self._lock:
            done = []
            while len(self._segments) > 1 and self._segments[1].first <= number + 1:
                done.append(self._segments.pop(0))
            if number >= self.last and self._descriptor >= 0:
                self._empty()
        for segment in done:
            with contextlib.suppress(OSError):
                segment.path.unlink()

    def _empty(self) -> None:
        """Nothing waits: what the segment says of sessions must not outlive them here."""
        if self._segments[-1].size:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
                self._segments[-1].size = 0

    def sync(self) -> None:
        """Make what was written durable, if something was since the last time."""
        with self._lock:
            paths, self._unsynced = self._unsynced, set()
        for path in paths:
            try:
                _sync(path)
            except FileNotFoundError:
                continue  # its lines are in the catalog by now
            except OSError as error:
                log.warning("%s cannot be made durable: %s", path, error.strerror)

    def close(self, applied: int) -> None:
        """Stop; what *applied* says is in the catalog goes."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self.release(applied)
        if applied >= self.last:
            for segment in self._segments:
                segment.path.unlink(missing_ok=True)
            self._segments.clear()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- reading ---------------------------------------------------------------------------------------


def _read(path: Path) -> Iterator[Handed]:
    try:
        if path.stat().st_size > LONGEST_SEGMENT:
            raise OSError(0, "it is longer than a segment can be")
        octets = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        log.warning("%s cannot be read: %s; run `watchgate reindex`", path, error.strerror)
        return
    *lines, torn = octets.split(b"\n")
    if torn:
        log.warning("%s ends within a line, as a crash leaves it", path)
    for number, line in enumerate(lines, 1):
        handed = _parse(line)
        if handed is None:
            log.warning("%s: line %d is damaged; run `watchgate reindex`", path, number)
        else:
            yield handed


def _parse(line: bytes) -> Handed | None:
    body = line[_CRC + 1 :]
    if line[: _CRC + 1] != b"%08x " % zlib.crc32(body):
        return None
    try:
        raw = json.loads(body)
        envelopes = tuple(Envelope.from_json(json.dumps(event)) for event in raw["events"])
        return Handed(int(raw["number"]), _request(raw["request"]), int(raw["end"]), envelopes)
    except (KeyError, TypeError, ValueError):
        return None


def _request(raw: dict[str, object]) -> RecordingRequest:
    """The request of a line; one that another version wrote with other fields raises TypeError."""
    known = {field.name: raw[field.name] for field in fields(RecordingRequest)}
    policy = FailurePolicy(str(known.pop("on_failure")))
    return RecordingRequest(on_failure=policy, **known)  # type: ignore[arg-type]
