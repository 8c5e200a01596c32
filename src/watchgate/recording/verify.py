"""Verification with nothing but the gateway's public evidence key: no data key, no catalog, no network.

*intact*: sealed by its own key, every octet is what was written. *incomplete*: what is there is genuine
as far as it is signed, but the end is missing or was sealed by a sweep after a crash. *altered*: it is
not what was written, and where. *live*: it is being written and good so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from watchgate.clock import iso
from watchgate.errors import RecordingUnreadable
from watchgate.recording.format import (
    Checkpoint,
    Flag,
    FrameType,
    RecordingHeader,
    checkpoint_message,
    header_message,
    parse_note,
)
from watchgate.recording.keys import EvidencePublicKey, signer, verifies
from watchgate.recording.scan import Frame, LogicalFile, Preamble, Walk, read_preamble

_NOTES = 1000
"""Most notes kept of one recording."""


class State(StrEnum):
    """What verification finds."""

    INTACT = "intact"
    INCOMPLETE = "incomplete"
    ALTERED = "altered"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Verification:
    """What is known of one recording without opening it."""

    path: Path
    state: State
    detail: str
    """One sentence for people."""
    recording: str | None = None
    session: str | None = None
    frames: int = 0
    """Whole frames, in order and undamaged."""
    octets: int = 0
    """Octets up to the end of the last of them."""
    torn_octets: int = 0
    signed_frames: int = 0
    """How many of the frames a valid signature covers; those after it only the data key can vouch for."""
    at_offset: int | None = None
    """Where the file stops being what was written: altered there, or missing from there on."""
    at_us: int | None = None
    """The moment in the session there."""
    sealed_by: str | None = None
    """`recording`, or `evidence` when a sweep closed it."""
    sealed_at_us: int | None = None
    notes: tuple[dict[str, Any], ...] = ()
    """What the recording says in clear: gaps, clock jumps, a crash."""


def verify(
    path: Path,
    evidence: EvidencePublicKey | Sequence[EvidencePublicKey],
    spool: Path | None = None,
) -> Verification:
    """Examine the recording at *path*; raises RecordingUnreadable when the file cannot be read at all.

    *evidence* is the gateway's public key, or several where it was changed over time.
    """
    keys = [evidence] if isinstance(evidence, EvidencePublicKey) else list(evidence)
    with LogicalFile(path, spool) as file:
        try:
            preamble = read_preamble(file)
        except RecordingUnreadable as error:
            if file.size == 0 and not file.live:
                return Verification(path, State.ALTERED, f"{path} is empty", at_offset=0)
            return Verification(path, State.ALTERED, str(error), at_offset=0)
        return _Examination(file, preamble, keys).run()


@dataclass(slots=True)
class _Examination:
    """One pass over one file."""

    file: LogicalFile
    preamble: Preamble
    keys: Sequence[EvidencePublicKey]
    frames: int = 0
    signed: int = 0
    wall_us: int | None = None
    notes: list[dict[str, Any]] = field(default_factory=list)
    seal: Frame | None = None

    @property
    def header(self) -> RecordingHeader:
        return self.preamble.header

    def run(self) -> Verification:
        walk = Walk(self.file, self.preamble.place)
        if problem := self._header_problem():
            return self._altered(problem, 0, 0)
        for frame in walk:
            if problem := self._frame_problem(frame):
                return self._altered(problem, frame.place.offset, frame.header.t_us)
            self.frames += 1
        if walk.damage:
            return self._altered(walk.damage, walk.place.offset, walk.last_us)
        if self.seal is None:
            return self._unsealed(walk)
        return self._sealed(walk, self.seal)

    def _header_problem(self) -> str:
        name = self.file.path.stem
        if _is_uuid(name) and name != self.header.recording:
            return f"the file is named after another recording; this is {self.header.recording}"
        message = header_message(self.preamble.prefix)
        if signer(self.keys, self.preamble.signature, message) is not None:
            return ""
        given = ", ".join(key.fingerprint for key in self.keys) or "none"
        return (
            f"the header is not signed by the evidence key given ({given}); it names"
            f" {self.header.evidence_key}: it was changed, or it comes from another gateway"
        )

    def _frame_problem(self, frame: Frame) -> str:
        if frame.header.type == FrameType.NOTE and len(self.notes) < _NOTES:
            self.notes.append(parse_note(frame.body))
        if frame.header.type != FrameType.CHECKPOINT:
            return ""
        checkpoint = Checkpoint.parse(frame.body)
        if checkpoint is None or checkpoint.chain != frame.place.chain:
            return (
                "the digest signed here is of other octets: something before it was changed,"
                f" after frame {self.signed - 1}"
            )
        if not self._signed_by_right_key(frame, checkpoint):
            return "the signature here is not by the key that must sign"
        self.signed, self.wall_us = self.frames + 1, checkpoint.wall_us
        if frame.header.has(Flag.SEAL):
            self.seal = frame
        return ""

    def _signed_by_right_key(self, frame: Frame, checkpoint: Checkpoint) -> bool:
        message = checkpoint_message(
            self.header.identity,
            frame.header,
            checkpoint.wall_us,
            checkpoint.index_offset,
            frame.place.chain,
        )
        if frame.header.has(Flag.RECOVERED):
            return signer(self.keys, checkpoint.signature, message) is not None
        return verifies(self.header.public_key, checkpoint.signature, message)

    # --- verdicts ---

    def _altered(self, problem: str, offset: int, t_us: int) -> Verification:
        where = f"altered at octet {offset} ({_seconds(t_us)} into the session): {problem}"
        return self._verdict(State.ALTERED, where, octets=offset, at_offset=offset, at_us=t_us)

    def _unsealed(self, walk: Walk) -> Verification:
        place, t_us = walk.place, walk.last_us
        unsigned = self.frames - self.signed
        if self.file.live:
            detail = f"being written; {self.frames} frames so far, up to {_seconds(t_us)}"
            return self._verdict(State.LIVE, detail, octets=place.offset, torn_octets=walk.torn)
        detail = (
            f"not sealed: {self.frames} whole frames up to {_seconds(t_us)} into the session, the last"
            f" {unsigned} not signed yet; {walk.torn} octets of an unfinished frame follow"
        )
        return self._verdict(
            State.INCOMPLETE,
            detail,
            octets=place.offset,
            torn_octets=walk.torn,
            at_offset=place.offset,
            at_us=t_us,
        )

    def _sealed(self, walk: Walk, seal: Frame) -> Verification:
        at = iso(self.wall_us or 0)
        recovered = seal.header.has(Flag.RECOVERED)
        if recovered:
            state, torn = State.INCOMPLETE, self._recovered_torn()
            detail = f"the gateway stopped without sealing it; a sweep did at {at}, {torn} octets were torn"
        else:
            state, torn = State.INTACT, 0
            detail = f"sealed {at}, {self.frames} frames over {_seconds(seal.header.t_us)}"
        detail += self._gaps()
        return self._verdict(
            state,
            detail,
            octets=walk.place.offset,
            torn_octets=torn,
            at_us=seal.header.t_us if recovered else None,
            sealed_by="evidence" if recovered else "recording",
            sealed_at_us=self.wall_us,
        )

    def _recovered_torn(self) -> int:
        notes = [note for note in self.notes if note.get("note") == "recovered"]
        torn = notes[-1].get("torn_octets") if notes else 0
        return torn if isinstance(torn, int) else 0

    def _gaps(self) -> str:
        gaps = [note for note in self.notes if note.get("note") == "gap"]
        words = [f"{note.get('octets')} octets are missing ({note.get('reason')})" for note in gaps]
        words += [
            f"it ended because evidence could not be written ({note.get('reason')})"
            for note in self.notes
            if note.get("note") == "lost"
        ]
        return "".join(f"; {text}" for text in words)

    def _verdict(self, state: State, detail: str, **found: Any) -> Verification:
        return Verification(
            path=self.file.path,
            state=state,
            detail=detail,
            recording=self.header.recording,
            session=self.header.session,
            frames=self.frames,
            signed_frames=self.signed,
            notes=tuple(self.notes),
            **found,
        )


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _seconds(t_us: int) -> str:
    return f"{t_us / 1_000_000:.1f} s"
