"""What a session needs from the rest of Watchgate, as narrow protocols.

The spine is written against these; `app.py` supplies the real ones, tests supply small ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Protocol

from watchgate.clock import Clock
from watchgate.errors import RecordingLost
from watchgate.policy.rules import Rule
from watchgate.policy.ruleset import RuleSet
from watchgate.secret import Secret
from watchgate.session.deciding import Approved, Read
from watchgate.session.events import Event, OperatorRefused
from watchgate.session.model import (
    Address,
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


class Step(Enum):
    """What one proof of an operator came to."""

    ACCEPTED = "accepted"
    """The login is complete."""
    PARTIAL = "partial"
    """This was right; `Attempt.open_methods` says what must follow."""
    REFUSED = "refused"


class Attempt(Protocol):
    """One connection's try to prove who its operator is; methods are called one after the other."""

    @property
    def operator(self) -> Operator | None:
        """Who it is, once a step was ACCEPTED."""

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that were right so far."""

    @property
    def key(self) -> str | None:
        """The fingerprint of the key that proved it, where one did."""

    def open_methods(self) -> frozenset[str]:
        """What may come next: `publickey`, `password`, `totp`."""

    async def knows_key(self, public_key: bytes) -> bool:
        """Whether this key (wire form) would count now; proves and changes nothing."""

    async def public_key(self, public_key: bytes) -> Step:
        """The client has proven that it holds this key."""

    async def certificate(
        self, key_id: str, principals: Sequence[str], authority: bytes, public_key: bytes
    ) -> Step:
        """The client has proven a certificate whose signature and time were checked."""

    async def password(self, password: Secret) -> Step:
        """The client sent a password."""

    async def totp(self, code: str) -> Step:
        """The client sent a one-time code."""

    def refused(self) -> OperatorRefused:
        """The event of an attempt that came to nothing."""


class Authenticator(Protocol):
    """Where attempts begin."""

    async def begin(self, name: str, source: Address) -> Attempt:
        """A fresh attempt in that name, which need not be anybody's."""

    def trusts_authority(self, public_key: bytes) -> bool:
        """Whether certificates signed by this key (wire form) are trusted."""

    def source_may_connect(self, source: Address) -> bool:
        """Count a connection; False when its network makes too many."""


class Vault(Protocol):
    """Credentials at rest."""

    async def credential(self, route: Route) -> Credential:
        """The secret for a login on *route*; raises ConfigurationError when it cannot be read."""

    async def password(self, route: Route, account: str) -> Secret:
        """The password of *account* on the route's target, to answer an elevation with.

        Raises ConfigurationError when there is none.
        """


class Authorizer(Protocol):
    """Decides whether there is a grant, now."""

    async def authorize(self, operator: Operator, claim: Claim) -> Route:
        """The route that a grant permits; raises Refused with what the operator may know."""

    def admit(self, route: Route, session: str) -> AbstractAsyncContextManager[None]:
        """Hold a place under the grant's session limit; entering raises Refused when there is none."""


class Rules(Protocol):
    """Where the audited-command rules are kept."""

    async def current(self) -> RuleSet:
        """All rules that hold now; raises ConfigurationError when they cannot be read (then: no session)."""


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """A command that waits for somebody else's word."""

    session: str
    route: Route
    channel: int
    command: str
    normalized: tuple[str, ...]
    key: tuple[str, ...]
    """The exact parsed form, to which the answer is bound."""
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApprovalAnswer:
    """What became of it."""

    approval: str
    approved: bool
    by: str
    reason: str = ""


class Approvals(Protocol):
    """Asks for approvals, and knows those that were given."""

    async def seek(
        self, request: ApprovalRequest, asked: Callable[[str, tuple[str, ...]], None]
    ) -> ApprovalAnswer:
        """Ask, and wait until somebody answers or the time is over; cancelling it withdraws the request.

        *asked* is told the approval's id and who may answer, once it is asked.
        """

    def of(self, route: Route) -> Approved:
        """Those that were given for commands of this operator, as this account on this target."""


class Locks(Protocol):
    """Locks operators' accounts."""

    def count(self, operator: str, rule: Rule, at_us: int) -> int:
        """Count a repetition (see session.deciding.Repetitions)."""

    async def warm(self, operator: str, rules: Sequence[Rule]) -> None:
        """Know how often *operator* met those of *rules* that lock accounts, before this session."""

    def held(self, operator: str) -> Ending | None:
        """How a session of *operator* ends that was being opened while he was locked; None: it goes on.

        To be asked once the session is in the register, from where on a lock finds it.
        """

    async def lock(self, operator: str, rule: str | None, reason: str, session: str) -> None:
        """Lock the account in the name of a rule: durable first, then his sessions end."""


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
    rules: Rules
    approvals: Approvals
    locks: Locks
    read: Read
    """Gives all that a command may mean (policy.readings)."""
