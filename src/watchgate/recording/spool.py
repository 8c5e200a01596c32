"""Where recordings go on while their store cannot be written.

A *tail* `<recording>.wgr.tail-<offset>` in the spool directory continues its recording octet for octet
from *offset* on: the recording cut there, with the tail behind it, is the whole file. A tail from
offset 0 is a recording that the store has never seen; its key file lies beside it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path

from watchgate.recording.auditors import sync_directory
from watchgate.recording.evidencefile import NEW_SUFFIX, EvidenceFile, make_directory
from watchgate.recording.format import KEY_SUFFIX

_TAIL = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.wgr\.tail-(\d{1,19})\Z")
_STEP = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Tail:
    """One file in the spool."""

    path: Path
    recording: str
    offset: int

    @classmethod
    def at(cls, spool: Path, recording: str, offset: int) -> Tail:
        """The tail of *recording* that begins at *offset*."""
        return cls(spool / f"{recording}.wgr.tail-{offset}", recording, offset)

    @classmethod
    def parse(cls, path: Path) -> Tail | None:
        """The tail that *path* is by its name."""
        match = _TAIL.match(path.name)
        return cls(path, match[1], int(match[2])) if match else None

    @property
    def key_file(self) -> Path:
        """The key of a recording that is wholly in the spool."""
        return self.path.with_name(self.recording + KEY_SUFFIX)


def tails(spool: Path | None, recording: str | None = None) -> list[Tail]:
    """What lies in the spool, of one *recording* or of all, by offset."""
    try:
        names = sorted(os.scandir(spool), key=lambda entry: entry.name) if spool else []
    except FileNotFoundError:
        return []
    found = [tail for entry in names if (tail := Tail.parse(Path(entry.path)))]
    return sorted(
        (tail for tail in found if recording in (None, tail.recording)),
        key=lambda tail: (tail.recording, tail.offset),
    )


class Budget:
    """How much the recordings of this process may keep in the spool together."""

    __slots__ = ("_left", "_limit", "_lock")

    def __init__(self, octets: int) -> None:
        self._limit = self._left = octets
        self._lock = threading.Lock()

    def take(self, octets: int) -> None:
        """Use *octets*; raises OSError (EDQUOT) when they are not left."""
        with self._lock:
            if octets > self._left:
                raise OSError(errno.EDQUOT, "the spool holds as much as its limit allows")
            self._left -= octets

    def give(self, octets: int) -> None:
        """They are free again."""
        with self._lock:
            # Closing frames were written without asking, so more may come back than was taken.
            self._left = min(self._left + octets, self._limit)


class Homecoming:
    """Copies the tail of a recording that is still being written back, a step at a time."""

    __slots__ = ("_primary", "_tail")

    def __init__(self, primary: EvidenceFile, tail: EvidenceFile) -> None:
        self._primary = primary
        self._tail = tail

    def step(self) -> bool:
        """Copy some and compare it; true when all is home and durable. Raises OSError."""
        primary, tail = self._primary, self._tail
        chunk = os.pread(tail.descriptor, _STEP, primary.end - tail.base)
        begin = primary.end - primary.base
        primary.append(chunk)
        if os.pread(primary.descriptor, len(chunk), begin) != chunk:
            raise OSError(errno.EIO, "the store gives back other octets than were written")
        if primary.end < tail.end:
            return False
        primary.sync()
        return True


def bring_home(root: Path, primary: Path, tail: Tail) -> None:
    """Append *tail* to its recording, compare, and remove it; raises OSError and can be repeated."""
    if tail.offset == 0:
        _bring_whole(root, primary, tail)
    else:
        with open(primary, "r+b") as home, open(tail.path, "rb") as away:
            _splice(home.fileno(), away.fileno(), tail.offset)
    tail.path.unlink()
    if tail.offset == 0:
        tail.key_file.unlink(missing_ok=True)
    sync_directory(tail.path.parent)


def _bring_whole(root: Path, primary: Path, tail: Tail) -> None:
    make_directory(primary.parent, root)
    _copy(tail.key_file, primary.with_suffix(KEY_SUFFIX))
    if primary.exists() and primary.stat().st_size >= tail.path.stat().st_size:
        return
    _copy(tail.path, primary)


def _copy(source: Path, target: Path) -> None:
    """Copy a file durably under a temporary name first; an absent source was copied before."""
    if target.exists() and not source.exists():
        return
    fresh = target.with_name(target.name + NEW_SUFFIX)
    try:
        with open(source, "rb") as away, open(fresh, "wb") as home:
            os.fchmod(home.fileno(), 0o600)
            shutil.copyfileobj(away, home, _STEP)
            home.flush()
            os.fsync(home.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise
    fresh.replace(target)
    sync_directory(target.parent)


def _splice(home: int, away: int, offset: int) -> None:
    size, extra = os.fstat(home).st_size, os.fstat(away).st_size
    if size < offset:
        raise OSError(errno.EIO, f"the recording ends at {size}, before its tail begins")
    if size < offset + extra:
        os.ftruncate(home, offset)
        _pump(away, home, offset, extra)
    elif not _same(away, home, offset, extra):
        raise OSError(errno.EIO, "the recording and its tail differ where they overlap")
    os.fsync(home)
    if not _same(away, home, offset, extra):
        raise OSError(errno.EIO, "the store gives back other octets than were written")


def _pump(away: int, home: int, offset: int, extra: int) -> None:
    position = 0
    while position < extra:
        view = memoryview(os.pread(away, _STEP, position))
        if not view:
            raise OSError(errno.EIO, "the tail became shorter while it was copied")
        while view:
            written = os.pwrite(home, view, offset + position)
            position += written
            view = view[written:]


def _same(away: int, home: int, offset: int, extra: int) -> bool:
    for position in range(0, extra, _STEP):
        size = min(_STEP, extra - position)
        if os.pread(away, size, position) != os.pread(home, size, offset + position):
            return False
    return True
