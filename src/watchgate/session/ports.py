"""What a session needs from the rest of Watchgate, as narrow protocols.

The spine is written against these; `app.py` supplies the real ones, tests supply small ones.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from watchgate.clock import Clock
from watchgate.errors import RecordingLost
from watchgate.session.events import Event
from watchgate.session.model import (
    Claim,
    Credential,
    Ending,
    FailurePolicy,
    Operator,
    Route,
)


class RecordKind(IntEnum):
    """What a record of a recording holds; the numbers are those on disk."""

    OUTPUT = 1
    INPUT = 2
    ERROR = 3
    RESIZE = 4
    EVENT = 5


@dataclass(frozen=True, slots=True)
class RecordingRequest:
    """What a recording says of itself in clear, so that it can be found without a key."""

    recording: str
    session: str
    protocol: str
    operator: str
    account: str
    target: str
    client: str
    grant: str
    started_at_us: int
    policy_digest: str
    on_failure: FailurePolicy


class Recorder(Protocol):
    """The evidence of one session, being written.

    `octets` and `event` return at once: they put into memory, and a thread seals, writes and syncs at
    least twice a second. They raise nothing; once the recording is lost for good, *lost* says why.
    """

    @property
    def recording(self) -> str:
        """The recording's id."""

    @property
    def congested(self) -> bool:
        """More is waiting than the bound allows: the caller must stop reading until `relieved`."""

    @property
    def lost(self) -> RecordingLost | None:
        """Why no further evidence can be written, when the failure policy is to close."""

    def octets(self, kind: RecordKind, channel: int, data: bytes) -> None:
        """Record *data*; for RESIZE it is `b"80x24"`."""

    def event(self, event: Event) -> int:
        """Record *event* now and return its number in the session, which is gapless."""

    async def relieved(self) -> None:
        """Wait until `congested` is false."""

    async def commit(self) -> None:
        """Wait until all that was recorded before is in the file (it survives a crash of the gateway).

        Raises RecordingLost when it cannot be, under the failure policy `close`; under `spool` and
        `open` it returns.
        """

    async def failed(self) -> RecordingLost:
        """Wait until the recording is lost under the failure policy `close`; may never return."""

    async def seal(self, ending: Ending) -> None:
        """Write what is left, the final digest and the signature, and close the file.

        Never raises: what could not be written is said in the log and found by the next sweep.
        """


class Recordings(Protocol):
    """Where recordings are opened."""

    async def open(self, request: RecordingRequest) -> Recorder:
        """A fresh recording, its header and key already durable; raises RecordingLost."""


class Vault(Protocol):
    """Credentials at rest."""

    async def credential(self, route: Route) -> Credential:
        """The secret for a login on *route*; raises ConfigurationError when it cannot be read."""


class Authorizer(Protocol):
    """Decides whether there is a grant, now."""

    async def authorize(self, operator: Operator, claim: Claim) -> Route:
        """The route that a grant permits; raises Refused with what the operator may know."""

    def admit(self, route: Route, session: str) -> AbstractAsyncContextManager[None]:
        """Hold a place under the grant's session limit; entering raises Refused when there is none."""


class Journal(Protocol):
    """The gateway's own hash-chained log of what happens outside recordings."""

    async def note(self, event: Event, session: str = "") -> None:
        """Write *event* durably."""


@dataclass(frozen=True, slots=True)
class Services:
    """All that `run_session` is given."""

    clock: Clock
    random: Callable[[int], bytes]
    authorizer: Authorizer
    recordings: Recordings
    vault: Vault
    journal: Journal
    version: str
