"""A script's capture under the rules of judged.py, and a relay's part in it, for tests."""

from __future__ import annotations

from dataclasses import dataclass, field

from judged import RULE_SET, Memory, ground, policy

from watchgate.policy.ruleset import RuleSet
from watchgate.protocols.ssh.capture import StreamCapture
from watchgate.protocols.ssh.effects import (
    Commit,
    Effect,
    EndSession,
    Eof,
    LockOperator,
    Note,
    NoteCommand,
    Record,
    Resume,
    Say,
    Seek,
    Send,
    Side,
)
from watchgate.protocols.ssh.script import ScriptCapture
from watchgate.protocols.ssh.stdin_claim import Reads, StdinClaim
from watchgate.session.deciding import Decision
from watchgate.session.events import Event, InputRedacted
from watchgate.session.model import TargetSettings
from watchgate.session.ports import ApprovalAnswer, RecordKind

COMMANDS = StdinClaim(Reads.COMMANDS, "bash")


@dataclass
class Script:
    """One shell that is given a script; `hold` keeps verdicts from being written until `write`."""

    claim: StdinClaim = COMMANDS
    rules: RuleSet = RULE_SET
    settings: TargetSettings = field(default_factory=TargetSettings)
    hold: bool = False

    def __post_init__(self) -> None:
        self.memory = Memory()
        held = policy(self.rules, self.settings)
        self.judge = ground(held, memory=self.memory).judge
        stream = StreamCapture(self.settings.record_input)
        self.capture = ScriptCapture(1, self.judge, self.claim, stream)
        self.decisions: list[Decision] = []
        self.said: list[str] = []
        self.events: list[Event] = []
        self.trail: list[str] = []
        self.target = b""
        self.recorded = b""
        self.commits = 0
        self.is_over = False
        self._waiting: list[Effect] = []
        self._sought: list[Seek] = []

    def send(self, data: bytes) -> Script:
        self.perform(self.capture.sent(data))
        return self

    def end(self) -> Script:
        self.perform(self.capture.ended())
        return self

    def close(self) -> Script:
        for effect in [*self.judge.withdraw(), *self.capture.closed()]:
            self._perform_one(effect)
        return self

    def answer(self, *, approved: bool) -> Script:
        """Somebody answers what was asked last."""
        seek = self._sought[-1]
        answer = ApprovalAnswer("a1", approved, "carol", "well")
        self.perform(self.judge.approved(seek.ticket, answer))
        return self

    def write(self) -> None:
        """What waits for the recording goes on."""
        waiting, self._waiting = self._waiting, []
        for effect in waiting:
            self._perform_one(effect)

    def perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            if self.hold and (self._waiting or isinstance(effect, Commit)):
                self._waiting.append(effect)
            else:
                self._perform_one(effect)

    def _perform_one(self, effect: Effect) -> None:
        match effect:
            case NoteCommand(decision):
                self.decisions.append(decision)
                self.judge.recorded(len(self.decisions))
                self.trail.append(f"decided {decision.command.text}")
            case Commit():
                self.commits += 1
            case Resume(ticket):
                self.perform(self.judge.resumed(ticket))
            case Seek(ticket):
                self._sought.append(effect)
                self.perform(self.judge.asked(ticket, "a1", "carol"))
            case Record(RecordKind.INPUT, data):
                self.recorded += data
            case Send(Side.TARGET, data):
                self.target += data
                self.trail.append(f"sent {data!r}")
            case Note(event):
                self.events.append(event)
            case Say(text):
                self.said.append(text)
            case Eof(Side.TARGET):
                self.is_over = True
            case EndSession() | LockOperator():
                self.trail.append(type(effect).__name__)
            case _:
                self.trail.append(type(effect).__name__)

    @property
    def exit_status(self) -> bytes | None:
        return self.capture.exit_status

    def texts(self) -> list[str]:
        """The commands that were decided."""
        return [decision.command.text for decision in self.decisions]

    def redacted(self) -> int:
        """How often something was kept out of the recording."""
        return sum(isinstance(event, InputRedacted) for event in self.events)
