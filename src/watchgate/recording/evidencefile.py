"""The file of one recording while it is written: whole batches or nothing, a reserve, a lock."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import uuid
from datetime import UTC, datetime
from pathlib import Path

from watchgate.recording.auditors import sync_directory
from watchgate.recording.format import SUFFIX
from watchgate.recording.reserve import Reserve

NEW_SUFFIX = ".new"
OPEN_DIRECTORY = "open"
"""Links to the recordings being written, so that a sweep need not look at all that there are."""


class EvidenceFile:
    """Octets of a recording from the logical offset *base* on, appended."""

    __slots__ = ("_reserve", "base", "descriptor", "end", "path")

    def __init__(self, path: Path, descriptor: int, base: int = 0, end: int | None = None) -> None:
        self.path = path
        self.descriptor = descriptor
        self.base = base
        self.end = base if end is None else end
        self._reserve = Reserve(descriptor, self.end - base)

    @property
    def closed(self) -> bool:
        """Whether the file was closed."""
        return self.descriptor < 0

    def append(self, octets: bytes, *, closing: bool = False) -> None:
        """Write all of *octets* or, raising OSError, nothing; *closing* may use the reserve."""
        position = self.end - self.base
        if not closing:
            self._reserve.cover(position + len(octets))
        written = 0
        try:
            view = memoryview(octets)
            while written < len(view):
                written += os.pwrite(self.descriptor, view[written:], position + written)
        except OSError:
            if written:
                self.cut(self.end)
            raise
        self.end += len(octets)

    def cut(self, end: int) -> None:
        """Drop everything from the logical offset *end* on."""
        with contextlib.suppress(OSError):
            os.ftruncate(self.descriptor, end - self.base)
            self._reserve.forget(end - self.base)
            self._reserve.cover(end - self.base)
        self.end = end

    def sync(self) -> None:
        """Make what was written durable; raises OSError."""
        os.fdatasync(self.descriptor)

    def finish(self) -> None:
        """Make the file durable, give the reserve back and close; raises OSError."""
        if self.closed:
            return
        try:
            os.fdatasync(self.descriptor)
            os.ftruncate(self.descriptor, self.end - self.base)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the file and its lock."""
        if not self.closed:
            os.close(self.descriptor)
            self.descriptor = -1


def create(path: Path, octets: bytes, base: int = 0) -> EvidenceFile:
    """A new locked file that begins with *octets*, durable; raises OSError.

    It gets its name only when it is whole, so no reader or sweep meets half a header.
    """
    fresh = path.with_name(path.name + NEW_SUFFIX)
    file = EvidenceFile(path, _create_locked(fresh), base)
    try:
        file.append(octets)
        os.fsync(file.descriptor)
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        fresh.rename(path)
        sync_directory(path.parent)
    except OSError:
        os.close(file.descriptor)
        fresh.unlink(missing_ok=True)
        raise
    return file


def lock(descriptor: int, *, shared: bool = False) -> bool:
    """Take the lock that a writer holds; false when somebody else has it."""
    how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def recording_path(root: Path, recording: str, started_at_us: int) -> Path:
    """Where a recording lies: by the UTC day on which it began."""
    day = datetime.fromtimestamp(started_at_us // 1_000_000, UTC)
    return root / f"{day:%Y}" / f"{day:%m}" / f"{day:%d}" / (str(uuid.UUID(recording)) + SUFFIX)


def make_directory(path: Path, root: Path) -> None:
    """Create *path* below *root*, each level 0700 and durable; raises OSError."""
    if path.is_dir():
        return
    if path != root:
        make_directory(path.parent, root)
        path.mkdir(mode=0o700, exist_ok=True)
        sync_directory(path.parent)
    else:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)


def mark_open(root: Path, path: Path) -> None:
    """Remember durably that *path* is being written; raises OSError."""
    marks = root / OPEN_DIRECTORY
    make_directory(marks, root)
    link = marks / path.stem
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.relpath(path, marks))
    sync_directory(marks)


def unmark_open(root: Path, recording: str) -> None:
    """The recording is sealed."""
    with contextlib.suppress(OSError):
        (root / OPEN_DIRECTORY / recording).unlink()


def _create_locked(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # A sweep may have met the file before it was locked and put it away.
        if os.fstat(descriptor).st_nlink == 0 or not path.exists():
            raise FileNotFoundError(errno.ENOENT, "a sweep of another process took it", str(path))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def unlock(descriptor: int) -> None:
    """Give the lock back."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
