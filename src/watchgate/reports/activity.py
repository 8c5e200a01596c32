"""What a report says, before it has a form: sessions with what was done in them, and what was refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum

from watchgate.catalog.queries import SessionRow


class About(StrEnum):
    """Whom or what a report is about."""

    OPERATOR = "operator"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for."""

    about: About
    subject: str
    """The operator's or the target's name."""
    from_us: int
    until_us: int
    matching: str = ""
    """Only what holds this text, in letters of either case."""


class What(StrEnum):
    """What an action is."""

    COMMAND = "command"
    FILE = "file"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True)
class Action:
    """Something that was done in a session."""

    at_us: int
    offset_us: int
    """From the start of the recording."""
    what: What
    how: str
    """`exec`, `screen`; `scp upload`, `sftp remove`; `local`, `remote`."""
    text: str
    """The command; the path, with the new one; the destination."""
    outcome: str
    inferred: bool = False
    """It was read off the screen or the keys; the shell did not tell it."""
    size: int | None = None
    digest: str | None = None
    """SHA-256 of what was moved."""
    verdict: str | None = None
    """What the rules said of a command; None: nothing decided it."""
    severity: str | None = None
    """The highest of the rules that it met."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Where a session's evidence lies, and what verification says of it."""

    path: str
    """Below the directory of recordings."""
    digest: str | None
    """SHA-256 of the file; None of one that is missing or still written."""
    state: str
    """`intact`, `incomplete`, `altered`, `live`; `missing`; `unverified` without the public key."""
    detail: str


UNPROVEN = Proof("", None, "unverified", "it was not looked at")


@dataclass(frozen=True, slots=True)
class Work:
    """A session, and what was done in it in the time that is asked for."""

    session: SessionRow
    grant: str
    """By which grant, as people write it."""
    actions: tuple[Action, ...]
    left_out: int = 0
    """Actions that do not hold the text that was asked for."""
    gap: str = ""
    """Why there may be more commands than these."""
    proof: Proof = UNPROVEN

    @property
    def lasted_us(self) -> int:
        """How long it took, or has taken as far as is known."""
        return (self.session.ended_at_us or self.session.last_at_us) - self.session.started_at_us


@dataclass(frozen=True, slots=True)
class Refusal:
    """A session or a login that was refused."""

    at_us: int
    operator: str
    where: str
    """`account@target`, as far as the client had said."""
    client: str
    reason: str
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Totals:
    """The report in numbers."""

    sessions: int
    lasted_us: int
    commands: int
    inferred: int
    held_up: int
    """Commands that the rules did not let run."""
    high_risk: int
    """Commands that met a rule of high severity, those that ran too."""
    uploads: int
    uploaded: int
    """Octets."""
    downloads: int
    downloaded: int
    changes: int
    """Files and directories removed, renamed, made, …"""
    forwards: int
    refused: int
    proofs: dict[str, int]
    """Recordings by what verification says of them."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What a report says."""

    question: Question
    zone: tzinfo
    sessions: tuple[Work, ...]
    """The oldest first."""
    refusals: tuple[Refusal, ...]
    more_refused: int = 0
    """Attempts that were refused and are not listed, because there were too many."""

    @property
    def totals(self) -> Totals:
        """The sums of all that is shown."""
        actions = [action for work in self.sessions for action in work.actions]
        commands = [one for one in actions if one.what is What.COMMAND]
        files = [one for one in actions if one.what is What.FILE]
        uploads = [one for one in files if one.how.endswith(" upload")]
        downloads = [one for one in files if one.how.endswith(" download")]
        states = [work.proof.state for work in self.sessions]
        return Totals(
            sessions=len(self.sessions),
            lasted_us=sum(work.lasted_us for work in self.sessions),
            commands=len(commands),
            inferred=sum(one.inferred for one in commands),
            held_up=sum(one.verdict not in (None, "allow") for one in commands),
            high_risk=sum(one.severity == "high" for one in commands),
            uploads=len(uploads),
            uploaded=sum(one.size or 0 for one in uploads),
            downloads=len(downloads),
            downloaded=sum(one.size or 0 for one in downloads),
            changes=len(files) - len(uploads) - len(downloads),
            forwards=sum(one.what is What.FORWARD for one in actions),
            refused=sum(one.attempts for one in self.refusals) + self.more_refused,
            proofs={state: states.count(state) for state in sorted(set(states))},
        )
