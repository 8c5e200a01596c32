"""The gateway's shell under a list of rules, and its engine's part in it, for tests."""

from __future__ import annotations

from collections.abc import Sequence

from watchgate.clock import ManualClock
from watchgate.policy.loading import load_text
from watchgate.policy.readings import readings
from watchgate.policy.rules import Rule
from watchgate.policy.ruleset import RuleSet
from watchgate.protocols.ssh import wire
from watchgate.protocols.ssh.effects import (
    Answer,
    Commit,
    Eof,
    Note,
    NoteCommand,
    Record,
    Resume,
    Say,
    Seek,
    Send,
    Shut,
    Side,
    Tell,
)
from watchgate.protocols.ssh.gatewayshell.dialogue import ShellDialogue, ShellEffect
from watchgate.protocols.ssh.gatewayshell.programs import Launch
from watchgate.protocols.ssh.gatewayshell.seat import Seat
from watchgate.protocols.ssh.judging import Judge
from watchgate.session.deciding import Decider, Decision
from watchgate.session.events import CommandRequested, Event
from watchgate.session.model import (
    Account,
    Address,
    Capability,
    CredentialKind,
    Grant,
    Operator,
    Policy,
    Route,
    Target,
    TargetSettings,
)
from watchgate.session.ports import ApprovalAnswer, RecordKind

RULES = """
version: 1
rules:
  looking:
    description: Looking around.
    action: force
    match: {program: [ls, cat, echo, vim, systemctl]}
  no-shadow:
    description: Passwords stay where they are.
    action: block
    match: {any: [{program: cat, args: "*shadow"}, {program: cd, args: "/secret*"}]}
  four-eyes:
    description: Somebody else has to agree.
    action: approve
    match: {program: systemctl}
  once:
    description: Once is enough.
    action: interrupt
    match: {program: mkfs}
  editors:
    description: Editors, though a shell can be started from them.
    action: force
    match: {opaque: [escape]}
"""
LISTED = RuleSet(load_text(RULES, examples=False))
WINDOW = (80).to_bytes(4, "big") + (24).to_bytes(4, "big") + b"\0" * 8
TERMINAL = wire.string(b"xterm") + WINDOW + wire.string(b"\0")
DUMB = wire.string(b"dumb") + WINDOW + wire.string(b"\0")


class Memory:
    """Nobody met a rule before, and nothing is approved."""

    def count(self, operator: str, rule: Rule, at_us: int) -> int:
        return 1

    def take(self, operator: str, key: tuple[str, ...], at_us: int) -> str | None:
        return None


class Stage:
    """One shell, and what came of what it was told."""

    def __init__(
        self,
        terminal: bytes | None = TERMINAL,
        rules: RuleSet = LISTED,
        capabilities: frozenset[Capability] = frozenset(Capability),
    ) -> None:
        self.clock = ManualClock()
        policy = Policy(capabilities, TargetSettings(), rules=rules)
        target = Target("t1", "web1", "ssh", Address("10.0.0.5", 22))
        account = Account("a1", "root", "web1", CredentialKind.PASSWORD)
        route = Route(Operator("o1", "alice"), target, account, Grant("g1"))
        decider = Decider("alice", policy, self.clock, readings, Memory(), Memory())
        self.judge = Judge(decider, "s1", route)
        seat = Seat(1, route, policy, self.judge, readings, self.clock)
        self.dialogue = ShellDialogue(seat)
        self.launched: list[Launch] = []
        self.events: list[Event] = []
        self.decisions: list[Decision] = []
        self.answers: list[bool] = []
        self.shown = b""
        self.said: list[str] = []
        self.given = b""
        self.trail: list[str] = []
        self.sought: list[Seek] = []
        self.recorded: dict[RecordKind, bytes] = dict.fromkeys(RecordKind, b"")
        self.exit_status: int | None = None
        if terminal is not None:
            self.request("pty-req", terminal)

    def request(self, kind: str, payload: bytes = b"") -> None:
        self.perform(self.dialogue.requested(kind, payload))

    def start(self, home: str = "/root") -> Stage:
        """The client asks for the shell; the target says where programs begin."""
        self.request("shell")
        if self.launched:
            self.run(f"{home}\n".encode())
        return self

    def type(self, data: bytes) -> Stage:
        self.perform(self.dialogue.typed(data))
        return self

    def run(self, output: bytes = b"", status: int = 0, errors: bytes = b"") -> Stage:
        """What was launched last starts, prints and ends."""
        self.perform(self.dialogue.started())
        self.perform(self.dialogue.printed(output, None) if output else [])
        self.perform(self.dialogue.printed(errors, 1) if errors else [])
        return self.finish(status)

    def finish(self, status: int = 0) -> Stage:
        self.dialogue.told("exit-status", status.to_bytes(4, "big"))
        self.perform(self.dialogue.finished())
        return self

    def answer(self, *, approved: bool) -> Stage:
        answer = ApprovalAnswer("a1", approved, "carol", "well")
        self.perform(self.dialogue.approved(self.sought[-1].ticket, answer))
        return self

    def perform(self, effects: Sequence[ShellEffect]) -> None:
        for effect in effects:
            self._perform(effect)

    def _perform(self, effect: ShellEffect) -> None:
        match effect:
            case Launch():
                self.launched.append(effect)
                self.trail.append("launch")
            case NoteCommand(decision):
                self.decisions.append(decision)
                self.dialogue.command_recorded(len(self.decisions))
                self.trail.append("verdict")
            case Commit():
                self.trail.append("commit")
            case Resume(ticket):
                self.perform(self.dialogue.resumed(ticket))
            case Seek(ticket):
                self.sought.append(effect)
                self.perform(self.dialogue.asked(ticket, "a1", "carol"))
            case Note(event):
                self.events.append(event)
                if isinstance(event, CommandRequested):
                    self.dialogue.command_recorded(100)
            case Record(kind, data):
                self.recorded[kind] += data
            case Send(Side.CLIENT, data):
                self.shown += data
            case Send(Side.TARGET, data):
                self.given += data
            case Tell(Side.CLIENT, "exit-status", payload):
                self.exit_status = int.from_bytes(payload, "big")
            case Answer(accepted):
                self.answers.append(accepted)
            case Say(text):
                self.said.append(text)
            case Eof(side) | Shut(side):
                self.trail.append(f"{type(effect).__name__} {side.name}")
            case _:
                self.trail.append(type(effect).__name__)

    def commands(self) -> list[str]:
        """What was run on the target, the gateway's own questions left out."""
        return [launch.command.decode() for launch in self.launched if launch.requests]

    def screen(self) -> str:
        """What was shown since the last call, without what moves the cursor."""
        shown, self.shown = self.shown, b""
        text = shown.decode()
        for mark in ("\x1b[?2004h", "\x1b[?2004l"):
            text = text.replace(mark, "")
        return text
