"""What everybody who reads records needs: their shape, and what events and sizes stand in them."""

from __future__ import annotations

from typing import Protocol

from watchgate.errors import RecordingUnreadable
from watchgate.session.events import Envelope
from watchgate.session.ports import RecordKind


class RecordLike(Protocol):
    """A record of a recording: *t_us* counts microseconds from its start."""

    @property
    def t_us(self) -> int: ...
    @property
    def kind(self) -> RecordKind: ...
    @property
    def channel(self) -> int: ...
    @property
    def data(self) -> bytes: ...


def envelope(record: RecordLike) -> Envelope:
    """The event that an EVENT record holds; raises RecordingUnreadable."""
    try:
        return Envelope.from_json(record.data)
    except ValueError as error:
        raise RecordingUnreadable(
            f"the event at {record.t_us / 1e6:.6f} s cannot be read ({error}); "
            "run `watchgate session verify` on this recording",
            code="recording.event",
        ) from error


def size(data: bytes) -> tuple[int, int]:
    """Columns and rows of a RESIZE record; raises RecordingUnreadable."""
    columns, _, rows = data[:32].partition(b"x")
    if not (columns.isdigit() and rows.isdigit()):
        raise RecordingUnreadable(
            f"{data[:32]!r} is no terminal size; run `watchgate session verify` on this recording",
            code="recording.resize",
        )
    return int(columns), int(rows)
