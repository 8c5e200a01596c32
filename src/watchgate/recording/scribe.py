"""The threads that write: one scribe for all recordings of a process, and one beside it that syncs.

The scribe gives every recording a turn each interval, and at once when it is called: somebody waits in
`commit`, or much has piled up. It only writes into the page cache. Waiting for disks (fdatasync, syncfs,
closing, copying home from the spool) is done by the thread aside, so that a slow disk under one
session's bulk does not hold up another session's commit.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

from watchgate.clock import Clock
from watchgate.recording.evidencefile import EvidenceFile
from watchgate.recording.limits import Limits
from watchgate.recording.pen import Mode, Pen
from watchgate.recording.reserve import sync_file_system
from watchgate.recording.spool import Budget, Tail, bring_home

log = logging.getLogger(__name__)

Target = tuple[Pen, EvidenceFile]

_SYNC_ALL_FROM = 32
"""With more files than this to sync, one syncfs is cheaper (measured: 1,000 files 44 ms against 6)."""


class Aside:
    """One thread that does what may wait for a disk, in order."""

    def __init__(self) -> None:
        # Unbounded by type, bounded by use: one sync at a time, one finish per recording.
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work."""
        self._thread = threading.Thread(target=self._work, name="recording-sync", daemon=True)
        self._thread.start()

    def put(self, job: Callable[[], None]) -> None:
        """Do *job* after all that was put before; at once when no thread runs."""
        if self._thread is None:
            job()
        else:
            self._jobs.put(job)

    def stop(self, timeout: float) -> bool:
        """Finish all jobs; false when they did not end in time."""
        if self._thread is None:
            return True
        self._jobs.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:
                log.exception("a job of the recording-sync thread failed")


class Scribe:
    """Gives the pens their turns."""

    def __init__(self, clock: Clock, limits: Limits, root: Path, budget: Budget) -> None:
        self.aside = Aside()
        self._clock = clock
        self._limits = limits
        self._root = root
        self._budget = budget
        self._pens: dict[str, Pen] = {}
        self._calls: deque[Pen] = deque()
        self._arrivals: deque[Pen] = deque()
        self._failures: deque[tuple[Pen, EvidenceFile, OSError]] = deque()
        self._stranded: deque[tuple[Path, Tail]] = deque()
        self._tried_us = clock.monotonic_us()
        self._syncing = False
        self._called = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    @property
    def open_recordings(self) -> int:
        """How many recordings are being written."""
        return len(self._pens) + len(self._arrivals)

    def start(self) -> None:
        """Begin to write."""
        self.aside.start()
        self._thread = threading.Thread(target=self._write, name="recording-scribe", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> bool:
        """Write and sync all that waits and end both threads; false when a disk did not answer.

        Recordings that were not sealed stay open for the next sweep.
        """
        self._stopping = True
        self._called.set()
        if self._thread is not None:
            self._thread.join(timeout)
            if self._thread.is_alive():
                return False
        return self.aside.stop(timeout)

    def attach(self, pen: Pen) -> None:
        """A new recording; from any thread."""
        self._arrivals.append(pen)
        pen.recorder.hurry = lambda: self._call(pen)
        if pen.recorder.queue:
            self._call(pen)

    def strand(self, primary: Path, tail: Tail) -> None:
        """A finished recording is still in the spool; try again later."""
        self._stranded.append((primary, tail))

    def turn(self) -> None:
        """One turn for every recording that has something to write or that is due, then a sync."""
        self._admit()
        now = self._clock.monotonic_us()
        for pen in list(self._pens.values()):
            if pen.recorder.queue or now >= pen.due_us:
                self._safely(pen, partial(pen.turn, now))
        self._sync()
        if self._stranded and now - self._tried_us >= self._limits.home_every * 1_000_000:
            self._tried_us = now
            self.aside.put(self._bring_home)

    def answer(self) -> None:
        """Write the recordings that called."""
        self._admit()
        while self._calls:
            pen = self._calls.popleft()
            self._safely(pen, pen.write)

    def _write(self) -> None:
        interval = self._limits.interval
        next_turn = self._monotonic() + interval
        while not self._stopping:
            self._called.wait(max(next_turn - self._monotonic(), 0))
            self._called.clear()
            self.answer()
            if self._monotonic() >= next_turn:
                self.turn()
                next_turn = self._monotonic() + interval
        self.turn()

    def _monotonic(self) -> float:
        return self._clock.monotonic_us() / 1_000_000

    def _call(self, pen: Pen) -> None:
        if not pen.urgent:
            pen.urgent = True
            self._calls.append(pen)
            self._called.set()

    def _admit(self) -> None:
        while self._arrivals:
            pen = self._arrivals.popleft()
            self._pens[pen.recorder.recording] = pen
        while self._failures:
            failed, file, error = self._failures.popleft()
            self._safely(failed, partial(failed.sync_failed, file, error))

    def _safely(self, pen: Pen, act: Callable[[], None]) -> None:
        """One broken recording never keeps the others from being written."""
        try:
            act()
        except Exception as error:
            log.exception("recording %s broke", pen.recorder.recording)
            pen.give_up(f"{self._root}: an internal error ({type(error).__name__}), see the log")
        if pen.mode is Mode.SEALED:
            self._pens.pop(pen.recorder.recording, None)

    def _sync(self) -> None:
        if self._syncing:
            return
        targets = [(pen, file) for pen in self._pens.values() for file in pen.sync_targets()]
        if targets:
            self._syncing = True
            self.aside.put(lambda: self._make_durable(targets))

    def _make_durable(self, targets: list[Target]) -> None:
        try:
            for device in _by_device(targets).values():
                if len(device) <= _SYNC_ALL_FROM or not _sync_together(device):
                    self._sync_each(device)
        finally:
            self._syncing = False

    def _sync_each(self, targets: list[Target]) -> None:
        for pen, file in targets:
            try:
                if not file.closed:
                    file.sync()
            except OSError as error:
                self._failures.append((pen, file, error))

    def _bring_home(self) -> None:
        for _ in range(len(self._stranded)):
            primary, tail = self._stranded.popleft()
            try:
                size = tail.path.stat().st_size
                bring_home(self._root, primary, tail)
                self._budget.give(size)
            except OSError:
                self._stranded.append((primary, tail))


def _by_device(targets: list[Target]) -> dict[int, list[Target]]:
    """The files by the file system that they are on."""
    devices: dict[int, list[Target]] = {}
    for pen, file in targets:
        if not file.closed:
            devices.setdefault(os.fstat(file.descriptor).st_dev, []).append((pen, file))
    return devices


def _sync_together(targets: list[Target]) -> bool:
    """One syncfs; where it fails each file is asked by itself, so that each error has its recording."""
    try:
        sync_file_system(targets[0][1].descriptor)
    except OSError:
        return False
    return True
