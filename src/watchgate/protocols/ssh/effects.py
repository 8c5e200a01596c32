"""What a dialogue may ask of its engine: a closed family, performed in the order given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from watchgate.secret import Secret
from watchgate.session.deciding import Decision, Lock
from watchgate.session.events import Event
from watchgate.session.model import Ending
from watchgate.session.ports import ApprovalRequest, RecordKind


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
class NoteCommand:
    """Put a command and its verdict into the recording; the number comes back by `command_recorded`."""

    decision: Decision


@dataclass(frozen=True, slots=True)
class Resume:
    """Call `resumed` when everything before it is done."""

    ticket: int


@dataclass(frozen=True, slots=True)
class Seek:
    """Ask for an approval; `asked` says who was asked, the answer comes back by `approved`."""

    ticket: int
    request: ApprovalRequest


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The operator no longer wants what was asked for."""

    ticket: int


@dataclass(frozen=True, slots=True)
class FetchSecret:
    """Get an account's password from the vault; it comes back by `secret`, or None when there is none."""

    ticket: int
    account: str


@dataclass(frozen=True, slots=True)
class SendSecret:
    """Send what types a password to the target; it is in no recording."""

    secret: Secret


@dataclass(frozen=True, slots=True)
class EndSession:
    """The whole session ends."""

    ending: Ending


@dataclass(frozen=True, slots=True)
class LockOperator:
    """The operator's account is locked."""

    lock: Lock


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


Deciding = Resume | Seek | Withdraw | EndSession
"""What follows from deciding commands."""

Shared = (
    Record
    | Note
    | NoteCommand
    | Commit
    | LockOperator
    | Deciding
    | Send
    | Tell
    | Answer
    | Say
    | Flow
    | Eof
    | Shut
)
"""What every carrier of a channel performs."""

Relayed = Ask | FetchSecret | SendSecret
"""What a relay performs besides."""

Effect = Shared | Relayed
