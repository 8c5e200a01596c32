"""Where recordings are opened: a directory, a spool beside it, and the threads that write.

root/2026/11/21/<recording>.wgr    the evidence
root/2026/11/21/<recording>.key    its data key, for the auditors
root/open/<recording>              a link, while it is being written
spool/<recording>.wgr.tail-<n>     what the store could not take
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from watchgate import __version__
from watchgate.clock import Clock
from watchgate.errors import ConfigurationError
from watchgate.recording.auditors import parse_recipient, sync_directory, wrap
from watchgate.recording.compression import Compressors
from watchgate.recording.desk import Desk, Handover, OnAlarm, OnEvents, Unannounced, lost
from watchgate.recording.evidencefile import (
    EvidenceFile,
    create,
    make_directory,
    mark_open,
    recording_path,
    unmark_open,
)
from watchgate.recording.format import KEY_SUFFIX, RecordingHeader, header_message, header_prefix
from watchgate.recording.keys import EvidenceKey, write_new
from watchgate.recording.limits import Limits
from watchgate.recording.pen import Pen
from watchgate.recording.recorder import LiveRecorder
from watchgate.recording.scribe import Scribe
from watchgate.recording.sealer import Sealer
from watchgate.recording.spool import Budget, Tail
from watchgate.recording.tracks import TrackCipher, TrackKeys
from watchgate.recording.unrecorded import Unrecorded
from watchgate.secret import Secret
from watchgate.session.events import RecordingDegraded
from watchgate.session.model import FailurePolicy
from watchgate.session.ports import Recorder, RecordingRequest

log = logging.getLogger(__name__)

OnOpen = Callable[[RecordingRequest, Path, TrackKeys], None]
"""Hears of a recording that is begun: what it is, where it will lie, and what opens it."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """What a new recording consists of before it has a file."""

    header: RecordingHeader
    preamble: bytes
    signing: Ed25519PrivateKey
    keys: TrackKeys
    key_file: bytes


class RecordingStore:
    """Implements `session.ports.Recordings`.

    *on_events* and *on_alarm* are called on the scribe's thread: the first with each recording's events
    after they are in its file and in their order, the second when evidence is degraded or missing.
    *on_open* is called on the thread that opens a recording, once its header is durable; like the others
    it must not block. *handover* hears of events before they are in the file.
    """

    def __init__(
        self,
        root: Path,
        spool: Path,
        *,
        evidence: EvidenceKey,
        recipients: Sequence[str],
        clock: Clock,
        node: str,
        random: Callable[[int], bytes] = secrets.token_bytes,
        limits: Limits | None = None,
        on_events: OnEvents | None = None,
        on_alarm: OnAlarm | None = None,
        on_open: OnOpen | None = None,
        handover: Handover | None = None,
    ) -> None:
        if not recipients:
            raise ConfigurationError("no auditor is configured: nobody could read a recording")
        self._root = root
        self._spool = spool
        self._evidence = evidence
        self._recipients = [parse_recipient(text) for text in recipients]
        self._clock = clock
        self._random = random
        self._node = node
        self._limits = limits or Limits()
        self._on_open = on_open or _unheard
        budget = Budget(self._limits.spool)
        self.scribe = Scribe(clock, self._limits, root, budget)
        self._desk = Desk(
            root=root,
            spool=spool,
            clock=clock,
            limits=self._limits,
            budget=budget,
            compressors=Compressors(),
            on_events=on_events or _unheard,
            on_alarm=on_alarm or _unheard,
            aside=self.scribe.aside.put,
            strand=self.scribe.strand,
            handover=handover or Unannounced(),
        )

    def start(self) -> None:
        """Begin to write; recordings can be opened before, they wait."""
        self.scribe.start()

    def stop(self, timeout: float = 10.0) -> bool:
        """Write all that waits and end the threads; false when a disk did not answer in time."""
        return self.scribe.stop(timeout)

    async def open(self, request: RecordingRequest) -> Recorder:
        """A fresh recording, header and key durable; raises RecordingLost by the failure policy."""
        recorder = LiveRecorder(request, self._clock, self._limits)
        try:
            pen, spooled = await asyncio.to_thread(self._begin, request, recorder)
        except OSError as error:
            reason = f"{self._root}: {error.strerror or error}"
            if request.on_failure is FailurePolicy.OPEN:
                return Unrecorded(request, reason, self._desk)
            raise lost(reason) from error
        if spooled is not None:
            degraded = RecordingDegraded(policy="spool", reason=spooled)
            recorder.event(degraded)
            self._desk.aside(lambda: self._desk.alarm(request, degraded))
        self.scribe.attach(pen)
        return recorder

    def _begin(self, request: RecordingRequest, recorder: LiveRecorder) -> tuple[Pen, str | None]:
        """The pen, and why it begins in the spool if it does."""
        fresh = self._fresh(request)
        primary = recording_path(self._root, request.recording, request.started_at_us)
        tail: Tail | None = None
        spooled: str | None = None
        try:
            file = self._create_stored(primary, fresh)
        except OSError as error:
            if request.on_failure is not FailurePolicy.SPOOL:
                raise
            tail = Tail.at(self._spool, request.recording, 0)
            file = self._create_spooled(tail, fresh, error)
            spooled = f"{self._root}: {error.strerror or error}"
        self._tell(request, primary, fresh.keys)
        return Pen(self._desk, recorder, self._sealer(fresh), file, primary, tail), spooled

    def _tell(self, request: RecordingRequest, path: Path, keys: TrackKeys) -> None:
        try:
            self._on_open(request, path, keys)
        except Exception:
            log.exception("nobody will follow recording %s", request.recording)

    def _create_stored(self, path: Path, fresh: Fresh) -> EvidenceFile:
        make_directory(path.parent, self._root)
        status = os.statvfs(self._root)
        if status.f_bavail * status.f_frsize < self._limits.minimum_free:
            raise OSError(
                errno.ENOSPC,
                f"less than {self._limits.minimum_free} octets are free, the least for a new recording",
            )
        mark_open(self._root, path)
        try:
            return self._create_pair(path, path.with_suffix(KEY_SUFFIX), fresh)
        except OSError:
            unmark_open(self._root, path.stem)
            raise

    def _create_spooled(self, tail: Tail, fresh: Fresh, cause: OSError) -> EvidenceFile:
        try:
            make_directory(self._spool, self._spool)
            self._desk.budget.take(len(fresh.preamble))
            return self._create_pair(tail.path, tail.key_file, fresh)
        except OSError as error:
            reasons = f"{cause.strerror or cause}; and {self._spool}: {error.strerror or error}"
            raise OSError(error.errno, reasons) from error

    def _create_pair(self, path: Path, key_path: Path, fresh: Fresh) -> EvidenceFile:
        """The key first: evidence whose key is not durable could never be read."""
        try:
            write_new(key_path, fresh.key_file, 0o600)
        except ConfigurationError as error:
            raise OSError(errno.EIO, str(error)) from error
        try:
            sync_directory(key_path.parent)
            return create(path, fresh.preamble)
        except OSError:
            with contextlib.suppress(OSError):
                key_path.unlink()
            raise

    def _fresh(self, request: RecordingRequest) -> Fresh:
        signing = Ed25519PrivateKey.from_private_bytes(self._random(32))
        header = RecordingHeader(
            recording=request.recording,
            session=request.session,
            node=self._node,
            protocol=request.protocol,
            operator=request.operator,
            account=request.account,
            target=request.target,
            client=request.client,
            grant=request.grant,
            started_at_us=request.started_at_us,
            policy_digest=request.policy_digest,
            on_failure=str(request.on_failure),
            version=__version__,
            public_key=signing.public_key().public_bytes_raw(),
            evidence_key=self._evidence.public.fingerprint,
        )
        prefix = header_prefix(header)
        data_key = Secret(self._random(32))
        return Fresh(
            header=header,
            preamble=prefix + self._evidence.sign(header_message(prefix)),
            signing=signing,
            keys=TrackKeys.derive(data_key, header.identity),
            key_file=wrap(request.recording, data_key, self._recipients),
        )

    def _sealer(self, fresh: Fresh) -> Sealer:
        cipher = TrackCipher(fresh.keys)
        return Sealer(
            fresh.header,
            fresh.preamble,
            cipher,
            fresh.signing,
            self._desk.compressors,
            self._limits,
        )


def _unheard(*_: object) -> None:
    """Nobody listens."""
