"""The start-up sweep: seals what a crash left open, and names what is missing.

Run it before sessions begin; recordings that another process is writing are locked and left alone. It
holds no data key: it cuts a torn tail, writes a NOTE in clear and a seal by the gateway's evidence key.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from watchgate.clock import Clock
from watchgate.errors import RecordingUnreadable
from watchgate.recording.auditors import sync_directory
from watchgate.recording.evidencefile import (
    NEW_SUFFIX,
    OPEN_DIRECTORY,
    EvidenceFile,
    lock,
    mark_open,
    recording_path,
    unmark_open,
)
from watchgate.recording.format import SUFFIX, Flag, FrameType, IndexEntry
from watchgate.recording.framechain import FrameChain, Index
from watchgate.recording.keys import EvidenceKey
from watchgate.recording.scan import HEADLESS, LogicalFile, Preamble, Walk, read_preamble
from watchgate.recording.spool import Tail, bring_home, tails
from watchgate.session.events import RecordingRecovered

log = logging.getLogger(__name__)

BROKEN_SUFFIX = ".broken"
_STEP = 1024 * 1024


class Outcome(StrEnum):
    """What the sweep did with a recording."""

    SEALED = "sealed"
    HOME = "home"
    """It was sealed; its tail came home from the spool."""
    BROKEN = "broken"
    """Its header never became whole, so nothing was recorded; renamed aside."""
    ALTERED = "altered"
    """It is not what was written; left as it is for somebody to look at."""
    FAILED = "failed"
    """The disk did not permit it; the next sweep tries again."""


@dataclass(frozen=True, slots=True)
class Swept:
    """One recording that the sweep dealt with."""

    path: Path
    outcome: Outcome
    detail: str
    """One sentence for people."""
    recording: str = ""
    session: str = ""
    torn_octets: int = 0
    last_at_us: int = 0
    """The last recorded moment, as wall time in microseconds."""

    def event(self) -> RecordingRecovered:
        """What the journal is told of a recording that was sealed."""
        return RecordingRecovered(self.recording, self.torn_octets, self.last_at_us)


def sweep(
    root: Path, spool: Path, evidence: EvidenceKey, clock: Clock, *, everything: bool = False
) -> list[Swept]:
    """Finish every recording that was left open; what was sealed in order is not looked at.

    With *everything*, each file of the store is looked at, not only those that `root/open` names.
    """
    found = []
    _clear(spool)
    for path in _left_open(root, spool, everything=everything):
        try:
            swept = _finish(path, root, spool, evidence, clock)
        except RecordingUnreadable as error:
            swept = Swept(path, Outcome.ALTERED, str(error))
        except OSError as error:
            swept = Swept(path, Outcome.FAILED, f"{path}: {error.strerror or error}")
        if swept is not None:
            log.warning("sweep: %s %s: %s", swept.path, swept.outcome, swept.detail)
            found.append(swept)
    return found


def _clear(spool: Path) -> None:
    """Remove tails that never became whole: nothing in them was ever acknowledged."""
    for path in spool.glob(f"*{SUFFIX}.tail-*{NEW_SUFFIX}"):
        if not _locked(path):
            path.unlink(missing_ok=True)


def _left_open(root: Path, spool: Path, *, everything: bool) -> list[Path]:
    """Where recordings lie, or should lie, that may need finishing."""
    paths = {_tail_home(root, tail) for tail in tails(spool)}
    marks = root / OPEN_DIRECTORY
    if marks.is_dir():
        paths |= {Path(os.path.normpath(marks / os.readlink(mark))) for mark in _links(marks)}
    if everything:
        paths |= set(root.rglob("*" + SUFFIX))
    return sorted(path for path in paths if path is not None)


def _links(marks: Path) -> list[Path]:
    return [mark for mark in marks.iterdir() if mark.is_symlink()]


def _tail_home(root: Path, tail: Tail) -> Path | None:
    """Where the recording of a tail belongs: a whole one says when it began, another has its mark."""
    mark = root / OPEN_DIRECTORY / tail.recording
    if mark.is_symlink():
        return Path(os.path.normpath(mark.parent / os.readlink(mark)))
    if tail.offset == 0:
        try:
            with LogicalFile(tail.path) as file:
                header = read_preamble(file).header
            return recording_path(root, header.recording, header.started_at_us)
        except RecordingUnreadable as error:
            log.warning("sweep: %s", error)
            return None
    return next(root.rglob(tail.recording + SUFFIX), None)


def _finish(
    path: Path, root: Path, spool: Path, evidence: EvidenceKey, clock: Clock
) -> Swept | None:
    away = tails(spool, path.stem)
    if any(_locked(tail.path) for tail in away) or _locked(path):
        return None
    for tail in away:
        if tail.offset == 0:
            # Named before it is there, so that a crash in between is found by the next sweep.
            mark_open(root, path)
        bring_home(root, path, tail)
    if not path.exists():
        return _put_away_unborn(path, root)
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        if not lock(descriptor):
            return None
        swept = _seal(path, descriptor, evidence, clock)
    finally:
        os.close(descriptor)
    if swept is None and away:
        swept = Swept(
            path, Outcome.HOME, "it was sealed; its tail came home from the spool", path.stem
        )
    if swept is None or swept.outcome is not Outcome.ALTERED:
        unmark_open(root, path.stem)
    return swept


def _locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not lock(descriptor)
    finally:
        os.close(descriptor)


def _put_away_unborn(path: Path, root: Path) -> Swept | None:
    """A mark without a recording: a crash before the session could begin."""
    fresh = path.with_name(path.name + NEW_SUFFIX)
    if _locked(fresh):
        return None
    unmark_open(root, path.stem)
    if not fresh.exists():
        return None
    return _put_away(fresh, path.with_name(path.name + BROKEN_SUFFIX))


def _put_away(path: Path, aside: Path) -> Swept:
    path.rename(aside)
    sync_directory(aside.parent)
    detail = "its header never became whole, nothing was recorded; renamed aside"
    return Swept(aside, Outcome.BROKEN, detail, aside.name.partition(".")[0])


def _seal(path: Path, descriptor: int, evidence: EvidenceKey, clock: Clock) -> Swept | None:
    with LogicalFile(path) as file:
        try:
            preamble = read_preamble(file)
        except RecordingUnreadable as error:
            if error.code != HEADLESS:
                raise
            return _put_away(path, path.with_name(path.name + BROKEN_SUFFIX))
        walk, index = Walk(file, preamble.place), Index()
        for frame in walk:
            if frame.header.type == FrameType.MAIN and frame.header.has(Flag.SEGMENT):
                place = frame.place
                index.add(IndexEntry(frame.header.t_us, place.offset, place.chain))
    if walk.damage:
        raise RecordingUnreadable(f"{path} at octet {walk.place.offset}: {walk.damage}")
    if walk.sealed:
        # Stopped between the seal and the end: what was reserved behind it is given back.
        os.ftruncate(descriptor, walk.place.offset)
        return None
    return _append_seal(path, descriptor, preamble, walk, index, evidence, clock)


def _append_seal(
    path: Path,
    descriptor: int,
    preamble: Preamble,
    walk: Walk,
    index: Index,
    evidence: EvidenceKey,
    clock: Clock,
) -> Swept:
    header, last_us, wall_us = preamble.header, walk.last_us, clock.wall_us()
    last_at_us = header.started_at_us + last_us
    note = {
        "note": "recovered",
        "torn_octets": walk.torn,
        "last_at_us": last_at_us,
        "recovered_at_us": wall_us,
    }
    chain = FrameChain(header.identity, walk.place, index)
    frames = chain.note(last_us, note)
    frames += chain.seal(last_us, wall_us, evidence.sign, Flag.SEAL | Flag.RECOVERED)
    _blank(descriptor, walk.place.offset, walk.torn)
    _append(descriptor, frames, walk.place.offset)
    return Swept(
        path,
        Outcome.SEALED,
        f"sealed after a crash; {walk.torn} octets were torn",
        header.recording,
        header.session,
        walk.torn,
        last_at_us,
    )


def _blank(descriptor: int, begin: int, torn: int) -> None:
    """Fill a torn tail with zeros, which is still a torn tail for a next sweep.

    Cutting it would give away the room that was reserved behind it for the seal.
    """
    for offset in range(begin, begin + torn, _STEP):
        os.pwrite(descriptor, bytes(min(_STEP, begin + torn - offset)), offset)
    if torn:
        os.fsync(descriptor)


def _append(descriptor: int, frames: bytes, begin: int) -> None:
    """Write *frames* where the whole ones end; what was torn is then behind them or gone."""
    file = EvidenceFile(Path(), descriptor, 0, begin)
    file.append(frames, closing=True)
    os.ftruncate(descriptor, file.end)
    os.fsync(descriptor)
