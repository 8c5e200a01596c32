"""Everything that can happen, as a closed family of frozen events.

An event is past tense, `noun.verb`. Its class docstring is the reference text: the page
docs/reference/events.md is generated from this module. A field is never renamed; a changed shape is
*v* + 1; an old reader skips kinds and fields that it does not know.

Text that came over a wire may not be UTF-8: `text()` keeps every octet (as lone surrogates), and the
JSON form escapes all that is not ASCII, so nothing is lost and nothing breaks a line.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, TypeVar

from watchgate.clock import iso


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    kind: ClassVar[str] = ""
    v: ClassVar[int] = 1

    def data(self) -> dict[str, Any]:
        """The fields as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class UnknownEvent(Event):
    """An event of a kind that this version does not know; kept as it was read."""

    name: str
    version: int
    values: dict[str, Any]

    def data(self) -> dict[str, Any]:
        return self.values


KINDS: dict[str, type[Event]] = {}
E = TypeVar("E", bound=type[Event])


def kind(name: str, v: int = 1) -> Callable[[E], E]:
    """Class decorator: registers an event under its wire name and version."""

    def register(cls: E) -> E:
        cls.kind = name
        cls.v = v
        KINDS[name] = cls
        return cls

    return register


def text(octets: bytes) -> str:
    """Octets off the wire as text that keeps every octet; `octets()` is its inverse."""
    return octets.decode("utf-8", "surrogateescape")


def octets(value: str) -> bytes:
    """The octets that `text()` was given."""
    return value.encode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event with its time and place: wall time in microseconds, session id, gapless number."""

    at: int
    session: str
    seq: int
    event: Event

    def to_json(self) -> str:
        """One line of ASCII JSON."""
        event = self.event
        known = not isinstance(event, UnknownEvent)
        return json.dumps(
            {
                "at": iso(self.at),
                "at_us": self.at,
                "session": self.session,
                "seq": self.seq,
                "kind": event.kind if known else event.name,  # type: ignore[attr-defined]
                "v": event.v if known else event.version,  # type: ignore[attr-defined]
                "data": event.data(),
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, line: str | bytes) -> Envelope:
        """The inverse of `to_json`; raises ValueError for what is not an envelope."""
        raw = json.loads(line)
        try:
            return cls(
                at=int(raw["at_us"]),
                session=str(raw["session"]),
                seq=int(raw["seq"]),
                event=revive(str(raw["kind"]), int(raw["v"]), dict(raw["data"])),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an event: {error}") from error


def revive(name: str, version: int, values: dict[str, Any]) -> Event:
    """The event of that kind; an unknown kind, a newer version or missing fields give `UnknownEvent`."""
    cls = KINDS.get(name)
    if cls is None or version > cls.v:
        return UnknownEvent(name, version, values)
    known = {f.name for f in fields(cls)}
    try:
        return cls(**{key: value for key, value in values.items() if key in known})
    except TypeError:
        return UnknownEvent(name, version, values)


# --- the session -------------------------------------------------------------------------------


@kind("session.claimed")
@dataclass(frozen=True, slots=True)
class SessionClaimed(Event):
    """A client said who it is and what it wants; nothing of it is proven yet."""

    protocol: str
    operator: str
    account: str | None
    target: str | None
    client: str
    gateway: str
    via: str
    client_version: str = ""


@kind("session.authorized")
@dataclass(frozen=True, slots=True)
class SessionAuthorized(Event):
    """A grant permits this operator this account on this target, now."""

    operator: str
    account: str
    target: str
    grant: str
    capabilities: list[str]


@kind("session.refused")
@dataclass(frozen=True, slots=True)
class SessionRefused(Event):
    """No session: no grant, outside its hours, from a foreign network, too many, or not recordable."""

    operator: str
    account: str | None
    target: str | None
    code: str
    reason: str
    client: str = ""


@kind("policy.frozen")
@dataclass(frozen=True, slots=True)
class PolicyFrozen(Event):
    """The settings and capabilities that hold until the session ends, and their SHA-256."""

    digest: str
    policy: dict[str, Any]


@kind("session.opened")
@dataclass(frozen=True, slots=True)
class SessionOpened(Event):
    """The recording is open; the target has not been reached yet."""

    recording: str
    operator: str
    account: str
    target: str
    protocol: str
    client: str
    grant: str
    version: str


@kind("session.closed")
@dataclass(frozen=True, slots=True)
class SessionClosed(Event):
    """The session ended, why, and what it moved in octets."""

    reason: str
    detail: str
    by: str | None
    input_octets: int
    output_octets: int


# --- the operator ------------------------------------------------------------------------------


@kind("operator.authenticated")
@dataclass(frozen=True, slots=True)
class OperatorAuthenticated(Event):
    """The operator proved who he is, by these methods; a key is named by its fingerprint."""

    operator: str
    methods: list[str]
    key: str | None = None


@kind("operator.refused")
@dataclass(frozen=True, slots=True)
class OperatorRefused(Event):
    """A login failed; the reason is for the auditor, the client heard none."""

    operator: str
    client: str
    reason: str
    attempts: int = 1


# --- the target --------------------------------------------------------------------------------


@kind("target.reached")
@dataclass(frozen=True, slots=True)
class TargetReached(Event):
    """The gateway logged in to the target; *key_id* is what the target's own log shows of us."""

    target: str
    address: str
    gateway: str
    account: str
    credential: str
    host_key: str
    key_id: str | None = None
    server_version: str = ""


@kind("target.failed")
@dataclass(frozen=True, slots=True)
class TargetFailed(Event):
    """The target could not be reached or refused us."""

    target: str
    address: str
    code: str
    reason: str


@kind("target.trusted")
@dataclass(frozen=True, slots=True)
class TargetTrusted(Event):
    """A target's host key was seen for the first time and pinned (trust on first use)."""

    target: str
    host_key: str


# --- channels ----------------------------------------------------------------------------------


@kind("channel.opened")
@dataclass(frozen=True, slots=True)
class ChannelOpened(Event):
    """A stream inside the session began: `shell`, `exec`, `subsystem`, with a terminal or without."""

    channel: int
    what: str
    terminal: str | None = None
    columns: int = 0
    rows: int = 0
    told: bool = False
    """Its commands are decided as they are given, and each has an event; else they are read afterwards."""


@kind("channel.refused")
@dataclass(frozen=True, slots=True)
class ChannelRefused(Event):
    """Something that the client asked for inside the session was refused, and why."""

    what: str
    reason: str
    channel: int | None = None


@kind("channel.closed")
@dataclass(frozen=True, slots=True)
class ChannelClosed(Event):
    """A stream ended, with its exit status or signal where the target told one."""

    channel: int
    exit_status: int | None
    exit_signal: str | None
    input_octets: int
    output_octets: int


@kind("channel.signaled")
@dataclass(frozen=True, slots=True)
class ChannelSignaled(Event):
    """The client sent a signal or a break to its program."""

    channel: int
    signal: str


@kind("environment.passed")
@dataclass(frozen=True, slots=True)
class EnvironmentPassed(Event):
    """Environment variables that went to the target, and the names of those that the allow list held back."""

    channel: int
    passed: dict[str, str]
    withheld: list[str]


@kind("command.requested")
@dataclass(frozen=True, slots=True)
class CommandRequested(Event):
    """A command that is about to run, unless what was decided of it says no.

    *confidence* is `exact` or `inferred`; *source* says how it is known: `exec`, `stdin`, `integration`,
    `screen`, `keys`, `gateway`. *place* is `shell`, or what else takes the line (`program`, `escape`,
    `device`, `transfer`), with the *program*'s name.
    """

    channel: int
    command: str
    source: str = "exec"
    confidence: str = "exact"
    place: str = "shell"
    program: str | None = None
    cwd: str | None = None


@kind("command.finished")
@dataclass(frozen=True, slots=True)
class CommandFinished(Event):
    """A requested command ended; *command_seq* is the number of its `command.requested`."""

    channel: int
    command_seq: int
    exit_status: int | None
    exit_signal: str | None
    duration_us: int
    cwd: str | None = None


@kind("command.decided")
@dataclass(frozen=True, slots=True)
class CommandDecided(Event):
    """What the rules said of a command, recorded before it could run.

    *outcome* is `allow`, `block`, `interrupt`, `force` (refused: not on the list of the force rules) or
    `approve` (it waits). *normalized* are its simple commands as the rules saw them, *opaque* why parts of
    it cannot be read. *rules* matched; *shadows* would have. *points* are added to the session's, which are
    then *session_points*, a risk of *risk* in 100. *policy* is the digest of what was frozen at the start.
    """

    channel: int
    command_seq: int
    command: str
    normalized: list[str]
    opaque: list[str]
    outcome: str
    rules: list[str]
    shadows: list[str]
    severity: str | None
    points: int
    session_points: int
    risk: int
    confidence: str
    source: str
    policy: str
    message: str = ""
    tries_left: int | None = None
    """How often the rule that interrupts may still be met; 0 ended the session."""
    approval: str | None = None
    """The id of the approval under which it runs."""


@kind("rules.frozen")
@dataclass(frozen=True, slots=True)
class RulesFrozen(Event):
    """The rules that hold in this session, word by word; long lists come in several of these."""

    digest: str
    rules: list[dict[str, Any]]


@kind("input.dropped")
@dataclass(frozen=True, slots=True)
class InputDropped(Event):
    """What was typed or pasted behind a line that was not permitted did not reach the target."""

    channel: int
    lines: int
    octets: int
    reason: str


@kind("integration.set")
@dataclass(frozen=True, slots=True)
class IntegrationSet(Event):
    """A shell was asked to tell each command before it runs it, and does; *depth* counts shells in shells."""

    channel: int
    shell: str
    version: str
    depth: int = 0


@kind("integration.missing")
@dataclass(frozen=True, slots=True)
class IntegrationMissing(Event):
    """A shell does not tell its commands; they are read off the screen, or the shell is refused."""

    channel: int
    reason: str
    refused: bool = False


@kind("integration.tampered")
@dataclass(frozen=True, slots=True)
class IntegrationTampered(Event):
    """A shell that told its commands ceased to, or something else spoke in its name; *severity* says how bad."""

    channel: int
    what: str
    severity: str
    ended: bool = False


@kind("reader.failed")
@dataclass(frozen=True, slots=True)
class ReaderFailed(Event):
    """The gateway lost the picture of a terminal; until it has it again, lines there cannot be read."""

    channel: int
    reason: str


@kind("secret.injected")
@dataclass(frozen=True, slots=True)
class SecretInjected(Event):
    """The gateway answered the password prompt of an elevation from the vault; nobody saw the password."""

    channel: int
    program: str
    account: str
    command_seq: int | None
    prompt: str
    proof: str
    """How the prompt was known to be the elevation's own: `integration` or `pattern`."""


@kind("secret.withheld")
@dataclass(frozen=True, slots=True)
class SecretWithheld(Event):
    """A password prompt was not answered: it was not the elevation's own, or the last answer was wrong."""

    channel: int
    program: str
    reason: str


@kind("secret.rejected")
@dataclass(frozen=True, slots=True)
class SecretRejected(Event):
    """The password from the vault was wrong; no other prompt of this session is answered."""

    channel: int
    program: str
    account: str


@kind("approval.asked")
@dataclass(frozen=True, slots=True)
class ApprovalAsked(Event):
    """A command waits until somebody else approves it."""

    approval: str
    operator: str
    account: str
    target: str
    command: str
    normalized: list[str]
    rules: list[str]
    channel: int
    expires_at_us: int | None = None


@kind("approval.answered")
@dataclass(frozen=True, slots=True)
class ApprovalAnswered(Event):
    """Somebody approved or refused a command, with a reason; *until_us* says for how long it may be repeated."""

    approval: str
    operator: str
    by: str
    approved: bool
    reason: str
    command: str
    until_us: int | None = None


@kind("approval.closed")
@dataclass(frozen=True, slots=True)
class ApprovalClosed(Event):
    """Nobody answered in time, or the operator withdrew the command."""

    approval: str
    operator: str
    why: str
    command: str


@kind("operator.locked")
@dataclass(frozen=True, slots=True)
class OperatorLocked(Event):
    """An operator's account was locked: his sessions end, and new ones are refused until it is released."""

    operator: str
    by: str
    reason: str
    rule: str | None = None


@kind("operator.unlocked")
@dataclass(frozen=True, slots=True)
class OperatorUnlocked(Event):
    """An operator's account was released."""

    operator: str
    by: str
    reason: str


@kind("input.redacted")
@dataclass(frozen=True, slots=True)
class InputRedacted(Event):
    """Something was typed that the terminal did not echo (a password): neither it nor its length is kept."""

    channel: int


# --- transfers and forwards --------------------------------------------------------------------


@kind("file.moved")
@dataclass(frozen=True, slots=True)
class FileMoved(Event):
    """A file's octets passed: direction `upload` or `download`, with the SHA-256 of what passed.

    *complete* is false when the transfer broke off or did not cover the file from its start; *digest*
    is then None or that of the part that passed in order.
    """

    channel: int
    protocol: str
    direction: str
    path: str
    size: int
    digest: str | None
    complete: bool
    note: str = ""


@kind("file.changed")
@dataclass(frozen=True, slots=True)
class FileChanged(Event):
    """A file or directory was changed without moving octets: removed, renamed, made, linked, truncated,
    copied, its mode or owner set. *to* is the new name, what a link points at, the mode (`0644`), the
    owner (`uid:gid`) or the size.
    """

    channel: int
    protocol: str
    operation: str
    path: str
    to: str | None
    succeeded: bool


@kind("transfer.unreadable")
@dataclass(frozen=True, slots=True)
class TransferUnreadable(Event):
    """A stream claimed to be a file transfer and was not; from here on it is recorded octet by octet."""

    channel: int
    protocol: str
    direction: str
    reason: str


@kind("forward.opened")
@dataclass(frozen=True, slots=True)
class ForwardOpened(Event):
    """A forwarded connection was opened: `local` (-L, -D, ProxyJump) or `remote` (-R)."""

    forward: int
    direction: str
    destination: str
    origin: str


@kind("forward.noted")
@dataclass(frozen=True, slots=True)
class ForwardNoted(Event):
    """The first octets of a forwarded stream told what it carries: `ssh`, `rdp` or `tls`."""

    forward: int
    carries: str
    destination: str
    refused: bool


@kind("forward.refused")
@dataclass(frozen=True, slots=True)
class ForwardRefused(Event):
    """A forwarding was asked for and refused, and why."""

    direction: str
    destination: str
    reason: str


@kind("forward.closed")
@dataclass(frozen=True, slots=True)
class ForwardClosed(Event):
    """A forwarded connection ended, with the octets that passed each way."""

    forward: int
    sent_octets: int
    received_octets: int


@kind("forward.listening")
@dataclass(frozen=True, slots=True)
class ForwardListening(Event):
    """The target listens for a remote forwarding (-R) of this session."""

    address: str


# --- control and recording ---------------------------------------------------------------------


@kind("control.terminated")
@dataclass(frozen=True, slots=True)
class ControlTerminated(Event):
    """An admin ended the session, with the reason that he gave."""

    by: str
    reason: str


@kind("recording.gap")
@dataclass(frozen=True, slots=True)
class RecordingGap(Event):
    """Evidence is missing here: so many octets over so many microseconds, and why."""

    octets: int
    duration_us: int
    reason: str


@kind("recording.degraded")
@dataclass(frozen=True, slots=True)
class RecordingDegraded(Event):
    """The recording left its store and goes on by the target's failure policy: `spool` or `open`."""

    policy: str
    reason: str


# --- the gateway's journal: what happens outside sessions ----------------------------------------


@kind("gateway.started")
@dataclass(frozen=True, slots=True)
class GatewayStarted(Event):
    """The gateway began to serve."""

    version: str
    listeners: list[str]


@kind("gateway.stopped")
@dataclass(frozen=True, slots=True)
class GatewayStopped(Event):
    """The gateway stopped in order."""

    reason: str


@kind("settings.changed")
@dataclass(frozen=True, slots=True)
class SettingsChanged(Event):
    """An administrator added, changed or removed something: an operator, a target, a grant, a key."""

    actor: str
    action: str
    subject: str
    detail: dict[str, Any]


@kind("recording.accessed")
@dataclass(frozen=True, slots=True)
class RecordingAccessed(Event):
    """Somebody replayed, exported or decrypted a recording."""

    actor: str
    recording: str
    what: str


@kind("recording.recovered")
@dataclass(frozen=True, slots=True)
class RecordingRecovered(Event):
    """The start-up sweep sealed a recording that a crash had left open, and what was torn off."""

    recording: str
    torn_octets: int
    last_at_us: int


# --- finding, telling, reporting -----------------------------------------------------------------


@kind("index.searched")
@dataclass(frozen=True, slots=True)
class IndexSearched(Event):
    """Somebody searched what was done in sessions: for what, within which filters, and how many he saw."""

    actor: str
    text: str
    mode: str
    filters: dict[str, Any]
    hits: int
    partial: bool


@kind("index.stopped")
@dataclass(frozen=True, slots=True)
class IndexStopped(Event):
    """The index worker died, or a recording could not be indexed; recording goes on, searching lags."""

    reason: str
    recording: str | None = None


@kind("sink.failed")
@dataclass(frozen=True, slots=True)
class SinkFailed(Event):
    """Events do not get through to a SIEM; they wait, and are sent when it answers again."""

    sink: str
    reason: str
    waiting: int


@kind("sink.recovered")
@dataclass(frozen=True, slots=True)
class SinkRecovered(Event):
    """A SIEM that failed takes events again."""

    sink: str
    duration_us: int
    waiting: int


@kind("sink.dropped")
@dataclass(frozen=True, slots=True)
class SinkDropped(Event):
    """A SIEM failed for so long that the oldest events had to go: it will never be sent these.

    The journal and the recordings have them.
    """

    sink: str
    events: int
    first_at_us: int
    last_at_us: int


@kind("sink.tested")
@dataclass(frozen=True, slots=True)
class SinkTested(Event):
    """An administrator sent a SIEM one example of each event."""

    actor: str
    sink: str
    events: int


@kind("configuration.applied")
@dataclass(frozen=True, slots=True)
class ConfigurationApplied(Event):
    """Operators, targets and grants were brought to what files say; each change has an entry of its own."""

    actor: str
    owner: str
    directory: str
    digest: str
    added: int
    changed: int
    removed: int


@kind("coverage.imported")
@dataclass(frozen=True, slots=True)
class CoverageImported(Event):
    """A target's own log of logins was read."""

    actor: str
    target: str | None
    lines: int
    logins: int
    bypassed: int


@kind("coverage.bypassed")
@dataclass(frozen=True, slots=True)
class CoverageBypassed(Event):
    """A target's own log shows a login that did not come through the gateway, and why it is thought so."""

    target: str
    account: str
    source: str
    method: str
    at_us: int
    fingerprint: str | None = None
    key_id: str | None = None
    reason: str = ""


@kind("report.written")
@dataclass(frozen=True, slots=True)
class ReportWritten(Event):
    """Somebody had a report made of what an operator did, or of what was done on a target."""

    actor: str
    about: str
    subject: str
    from_us: int
    until_us: int
    format: str
