"""The scribe's side of one recording: takes what was put, seals it, writes it, and acts by policy.

A pen is used by the scribe's thread alone. What a failed write means depends on the target's failure
policy: `close` loses the recording, `spool` goes on in the spool, `open` counts what it cannot keep
until writing works again.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from watchgate.recording.backlog import Backlog
from watchgate.recording.desk import (
    Batch,
    Desk,
    gap_note,
    lost,
    of_events,
    take,
)
from watchgate.recording.evidencefile import EvidenceFile, create, make_directory, unmark_open
from watchgate.recording.recorder import LiveRecorder, Mark, nobody
from watchgate.recording.sealer import Sealer
from watchgate.recording.spool import Homecoming, Tail, bring_home
from watchgate.session.events import RecordingDegraded, RecordingGap
from watchgate.session.model import FailurePolicy

log = logging.getLogger(__name__)

_JUMP_US = 1_000_000
_NEVER = 1 << 62


class Mode(Enum):
    """Where evidence goes at present."""

    STORE = "store"
    SPOOL = "spool"
    DROPPING = "dropping"
    LOST = "lost"
    SEALED = "sealed"


_WRITING = (Mode.STORE, Mode.SPOOL)


class Pen:
    """Writes one recording."""

    def __init__(
        self,
        desk: Desk,
        recorder: LiveRecorder,
        sealer: Sealer,
        file: EvidenceFile,
        primary: Path,
        tail: Tail | None = None,
    ) -> None:
        self.recorder = recorder
        self.unsynced = False
        self.urgent = False
        self.due_us = 0
        self._desk = desk
        self._sealer = sealer
        self._file = file
        self._primary = primary
        self._store_file: EvidenceFile | None = None
        """The file in the store, while the recording goes on in the spool."""
        self._left_unsynced = False
        self._tail = tail
        self._mode = Mode.STORE if tail is None else Mode.SPOOL
        self._good = sealer.place
        """What is in the file ends here."""
        self._backlog = Backlog(desk.limits.kept_events)
        self._mark: Mark | None = None
        """Who waits for what is being written."""
        self._signed = sealer.place.seq
        self._signed_us = self._active_us = self._tried_us = desk.clock.monotonic_us()
        self._skew = self._clock_skew()

    @property
    def mode(self) -> Mode:
        """Where evidence goes at present."""
        return self._mode

    @property
    def warm(self) -> bool:
        """Whether a compressor is held."""
        return self._sealer.warm

    # --- a turn of the scribe ---

    def write(self) -> None:
        """Put into the file all that waits."""
        self.urgent = False
        queue = self.recorder.queue
        while queue and self._mode is not Mode.SEALED:
            # A call between two turns may make something due that was not.
            self.due_us = 0
            batch = take(queue)
            self._mark = batch.mark
            if self._mode in _WRITING:
                self._note_jump()
            self._perform(batch)
            self.recorder.written(batch.cost)
            if batch.mark is not None:
                self._at_mark(batch.mark)
                self._mark = None

    def _perform(self, batch: Batch) -> None:
        match self._mode:
            case Mode.STORE | Mode.SPOOL:
                self._write_batch(batch)
            case Mode.DROPPING:
                self.recorder.discarded += batch.octets
                self._backlog.keep(batch)
            case Mode.LOST | Mode.SEALED:
                self._backlog.keep_end(batch)

    def turn(self, now_us: int) -> None:
        """Write, then what falls due: a checkpoint, the compressor, another try, the way home."""
        self.write()
        limits = self._desk.limits
        match self._mode:
            case Mode.STORE | Mode.SPOOL:
                self._checkpoint_if_due(now_us)
                if self._sealer.warm and now_us - self._active_us >= _us(limits.idle_compressor):
                    self._sealer.cool()
                if self._mode is Mode.SPOOL:
                    self._home_if_due(now_us)
            case Mode.DROPPING:
                if now_us - self._tried_us >= _us(limits.retry_every):
                    self._tried_us = now_us
                    self._retry()
            case Mode.LOST | Mode.SEALED:
                pass
        self.due_us = self._next_due()

    def sync_targets(self) -> list[EvidenceFile]:
        """The files to make durable, if anything was written since the last time."""
        if not self.unsynced or self._mode is Mode.SEALED:
            return []
        self.unsynced = False
        if self._left_unsynced and self._store_file is not None:
            self._left_unsynced = False
            return [self._file, self._store_file]
        return [self._file]

    def sync_failed(self, file: EvidenceFile, error: OSError) -> None:
        """What was written may not be durable, and the kernel will not say so again."""
        if self._mode not in _WRITING:
            return
        if file is self._file:
            self._fail(error, b"", Batch())
        elif self._mode is Mode.SPOOL:
            reason = f"{file.path}: {error.strerror}; what was written last may be missing there"
            self._degraded(RecordingDegraded(policy="spool", reason=reason))

    def give_up(self, reason: str) -> None:
        """Something that should not happen did: fail closed, whatever the policy."""
        try:
            if self._mode not in (Mode.LOST, Mode.SEALED):
                self._lose(reason)
        except Exception:
            log.exception("recording %s cannot even be closed", self.recorder.recording)
            self._mode = Mode.LOST
            self.recorder.lose(lost(reason))
        mark, self._mark = self._mark, None
        if mark is not None and mark.seal:
            self._end(mark, whole=False)
        elif mark is not None:
            self.recorder.reached(mark)

    # --- writing ---

    def _write_batch(self, batch: Batch) -> None:
        if not batch.entries:
            return
        self._active_us = self._desk.clock.monotonic_us()
        if self._try(self._frames(batch), batch):
            self._desk.tell(self.recorder.request, batch.envelopes())
        elif self._mode is Mode.LOST:
            self._backlog.keep_end(batch)

    def _frames(self, batch: Batch) -> bytes:
        notes = [
            self._sealer.note(t_us, gap_note(envelope.event))
            for t_us, envelope in batch.events
            if isinstance(envelope.event, RecordingGap)
        ]
        return b"".join([*notes, self._sealer.batch(batch.entries)])

    def _try(self, frames: bytes, batch: Batch) -> bool:
        """Write *frames*, or act by the policy; true when they are in a file."""
        self._announce(batch)
        try:
            if self._mode is Mode.SPOOL:
                self._desk.budget.take(len(frames))
            self._put(frames)
        except OSError as error:
            if not self._fail(error, frames, batch):
                self._desk.withdraw(batch)
                return False
        return True

    def _announce(self, batch: Batch) -> None:
        """All that is sealed is about to be written, so the file will end where the sealer stands."""
        self._desk.announce(self.recorder.request, batch, self._sealer.place.offset)

    def _put(self, frames: bytes, *, closing: bool = False) -> None:
        self._file.append(frames, closing=closing)
        self._good = self._sealer.place
        self.unsynced = True

    def _note_jump(self) -> None:
        skew = self._clock_skew()
        if abs(skew - self._skew) > _JUMP_US:
            note = {"note": "clock", "jump_us": skew - self._skew}
            self._skew = skew
            self._try(self._sealer.note(self.recorder.now_us(), note), Batch())

    def _clock_skew(self) -> int:
        return self._desk.clock.wall_us() - self._desk.clock.monotonic_us()

    def _checkpoint_if_due(self, now_us: int) -> None:
        unsigned = self._sealer.place.seq > self._signed
        if not unsigned or now_us - self._signed_us < _us(self._desk.limits.checkpoint_every):
            return
        frame = self._sealer.checkpoint(self.recorder.now_us(), self._desk.clock.wall_us())
        self._try(frame, Batch())
        self._signed, self._signed_us = self._sealer.place.seq, now_us

    def _next_due(self) -> int:
        limits = self._desk.limits
        due = [_NEVER]
        if self._mode in _WRITING:
            if self._sealer.place.seq > self._signed:
                due.append(self._signed_us + _us(limits.checkpoint_every))
            if self._sealer.warm:
                due.append(self._active_us + _us(limits.idle_compressor))
            if self._store_file is not None:
                due.append(self._tried_us + _us(limits.home_every))
        elif self._mode is Mode.DROPPING:
            due.append(self._tried_us + _us(limits.retry_every))
        return min(due)

    # --- failing ---

    def _fail(self, error: OSError, frames: bytes, batch: Batch) -> bool:
        """Act by the policy; true when *frames* got into a file after all."""
        reason = f"{self._file.path.parent}: {error.strerror or error}"
        policy = self.recorder.request.on_failure
        if policy is FailurePolicy.OPEN:
            self._begin_gap(reason, frames, batch)
            return False
        if policy is FailurePolicy.SPOOL and self._mode is Mode.STORE:
            try:
                self._move_to_spool(frames)
            except OSError as second:
                reason += f"; and {self._desk.spool}: {second.strerror or second}"
            else:
                self._degraded(RecordingDegraded(policy="spool", reason=reason))
                return True
        self._lose(reason)
        return False

    def _degraded(self, event: RecordingDegraded) -> None:
        self.recorder.record(event)
        self._desk.alarm(self.recorder.request, event)

    def _move_to_spool(self, frames: bytes) -> None:
        desk = self._desk
        tail = Tail.at(desk.spool, self.recorder.recording, self._good.offset)
        make_directory(desk.spool, desk.spool)
        desk.budget.take(len(frames))
        try:
            file = create(tail.path, frames, tail.offset)
        except OSError:
            desk.budget.give(len(frames))
            raise
        self._store_file, self._file = self._file, file
        self._left_unsynced, self.unsynced = self.unsynced, True
        self._tail, self._mode = tail, Mode.SPOOL
        self._good = self._sealer.place
        self._tried_us = desk.clock.monotonic_us()

    def _begin_gap(self, reason: str, frames: bytes, batch: Batch) -> None:
        self._backlog.hold(frames, batch)
        self._mode = Mode.DROPPING
        self._tried_us = self._desk.clock.monotonic_us()
        self.recorder.discarded = batch.octets
        self.recorder.degrade(reason)
        self._degraded(RecordingDegraded(policy="open", reason=reason))

    def _lose(self, reason: str) -> None:
        self._sealer.rewind(self._good)
        self._mode = Mode.LOST
        log.error("recording %s is lost: %s", self.recorder.recording, reason)
        self.recorder.lose(lost(reason))
        sealer, t_us, wall_us = self._sealer, self.recorder.now_us(), self._desk.clock.wall_us()
        self._put_closing(
            lambda: (
                sealer.note(t_us, {"note": "lost", "reason": reason})
                + sealer.checkpoint(t_us, wall_us)
            )
        )

    def _put_closing(self, make: Callable[[], bytes]) -> bool:
        """Write into the reserve; false, and said in the log, when not even that works."""
        try:
            self._put(make(), closing=True)
        except OSError as error:
            self._sealer.rewind(self._good)
            log.warning("recording %s: no closing frame: %s", self.recorder.recording, error)
            return False
        return True

    def _retry(self) -> bool:
        """Write what is held back, then what was kept since; true when the recording goes on."""
        if not self._put_backlog():
            return False
        recovered, kept = self._backlog.written()
        self.recorder.discarded -= recovered
        if kept:
            batch = of_events(kept)
            self._backlog.hold(self._frames(batch), batch)
            if not self._put_backlog():
                return False
            self._backlog.written()
        self._mode = Mode.STORE
        self.recorder.resume()
        return True

    def _put_backlog(self) -> bool:
        batch = self._backlog.batch
        self._announce(batch)
        try:
            self._put(self._backlog.frames)
        except OSError:
            self._desk.withdraw(batch)
            return False
        self._desk.tell(self.recorder.request, batch.envelopes())
        return True

    # --- the way home from the spool ---

    def _home_if_due(self, now_us: int) -> None:
        store = self._store_file
        if store is None or now_us - self._tried_us < _us(self._desk.limits.home_every):
            return
        try:
            home = Homecoming(store, self._file).step()
        except OSError:
            self._tried_us = now_us
            return
        if home:
            self._arrive(store)

    def _arrive(self, store: EvidenceFile) -> None:
        """All of the tail is in the store: go on there."""
        away, self._file, self._store_file = self._file, store, None
        self._mode = Mode.STORE
        self._desk.budget.give(away.end - away.base)
        with contextlib.suppress(OSError):
            away.path.unlink()
        # Aside, where it may still be synced: a descriptor is closed on the thread that uses it.
        self._desk.aside(away.close)
        log.info("recording %s is back in its store", self.recorder.recording)

    # --- marks ---

    def _at_mark(self, mark: Mark) -> None:
        if not mark.seal:
            self.recorder.reached(mark)
            return
        self._end(mark, whole=self._write_end())

    def _end(self, mark: Mark, *, whole: bool) -> None:
        self._mode = Mode.SEALED
        self._sealer.cool()
        # The session may keep its recorder; the keys go with this pen.
        self.recorder.hurry = nobody
        self._desk.aside(lambda: self._finish(mark, whole))

    def _write_end(self) -> bool:
        """The last frames; false when the file stays open for the sweep."""
        if self._mode is Mode.DROPPING and not self._retry():
            self._sealer.rewind(self._good)
        if last := self._backlog.last_words():
            self._put_last(of_events(last))
        t_us, wall_us = self.recorder.now_us(), self._desk.clock.wall_us()
        return self._put_closing(lambda: self._sealer.seal(t_us, wall_us))

    def _put_last(self, batch: Batch) -> None:
        frames = self._frames(batch)
        self._announce(batch)
        if self._put_closing(lambda: frames):
            self._desk.tell(self.recorder.request, batch.envelopes())
        else:
            self._desk.withdraw(batch)

    def _finish(self, mark: Mark, whole: bool) -> None:
        """On the thread aside: make durable, close, bring home, tell."""
        recording = self.recorder.recording
        try:
            self._file.finish()
            self._leave_spool()
            if whole:
                unmark_open(self._desk.root, recording)
        except OSError as error:
            log.warning("recording %s waits for the next sweep: %s", recording, error)
        finally:
            if self._store_file is not None:
                self._store_file.close()
            self.recorder.reached(mark)

    def _leave_spool(self) -> None:
        tail = self._tail
        if tail is None or self._file.path != tail.path:
            return
        try:
            bring_home(self._desk.root, self._primary, tail)
        except OSError:
            self._desk.strand(self._primary, tail)
            raise
        self._desk.budget.give(self._file.end - self._file.base)


def _us(seconds: float) -> int:
    return round(seconds * 1_000_000)
