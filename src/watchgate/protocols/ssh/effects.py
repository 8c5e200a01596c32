"""What a dialogue may ask of its engine: a closed family, performed in the order given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from watchgate.session.events import Event
from watchgate.session.ports import RecordKind


class Side(Enum):
    """The two connections that end in the gateway."""

    CLIENT = "client"
    TARGET = "target"

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.TARGET if self is Side.CLIENT else Side.CLIENT


@dataclass(frozen=True, slots=True)
class Record:
    """Put octets into the recording."""

    kind: RecordKind
    data: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """Put an event into the recording."""

    event: Event


@dataclass(frozen=True, slots=True)
class Commit:
    """Go on only when all that was recorded is in the file."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send octets; *stream* is None, or 1 for standard error (RFC 4254 §5.2)."""

    side: Side
    data: bytes
    stream: int | None = None


@dataclass(frozen=True, slots=True)
class Tell:
    """Send a channel request that wants no answer."""

    side: Side
    kind: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Ask:
    """Send a channel request to the target; its answer comes back by `answered`."""

    kind: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer the client's request."""

    accepted: bool


@dataclass(frozen=True, slots=True)
class Say:
    """Show the operator a line on standard error, as the gateway's own."""

    text: str


@dataclass(frozen=True, slots=True)
class Flow:
    """The program runs: both sides may be read."""


@dataclass(frozen=True, slots=True)
class Eof:
    """Say that no more octets come."""

    side: Side


@dataclass(frozen=True, slots=True)
class Shut:
    """Close the channel on a side, after what waits there has been sent."""

    side: Side


Effect = Record | Note | Commit | Send | Tell | Ask | Answer | Say | Flow | Eof | Shut
