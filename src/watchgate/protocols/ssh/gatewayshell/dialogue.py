"""The gateway's own shell on one channel: keys in, effects out. No IO.

The operator edits his line here. A line whose commands are all listed, and all readable, runs on the target in
a channel of its own; anything else is refused, so that no shell on the target ever sees free text. The
directory is kept here too: `cd` asks the target for it, and every line is run in it.
"""

from __future__ import annotations

from watchgate.policy.commands import KnownCommand, Source
from watchgate.policy.verdicts import Outcome
from watchgate.protocols.ssh import wire
from watchgate.protocols.ssh.effects import (
    Answer,
    Commit,
    Effect,
    EndSession,
    Eof,
    Flow,
    LockOperator,
    Note,
    NoteCommand,
    Record,
    Say,
    Send,
    Shut,
    Side,
    Tell,
)
from watchgate.protocols.ssh.gatewayshell import strict
from watchgate.protocols.ssh.gatewayshell.composing import Composing, Wants, is_empty
from watchgate.protocols.ssh.gatewayshell.editor import CLEAR, Editor
from watchgate.protocols.ssh.gatewayshell.evidence import Evidence
from watchgate.protocols.ssh.gatewayshell.given import Did, Given
from watchgate.protocols.ssh.gatewayshell.own_commands import Change, Leave, Show, own_command
from watchgate.protocols.ssh.gatewayshell.programs import Launch, Program, Purpose
from watchgate.protocols.ssh.gatewayshell.reader import Reader
from watchgate.protocols.ssh.gatewayshell.requests import Requests
from watchgate.protocols.ssh.gatewayshell.seat import Phase, Seat
from watchgate.protocols.ssh.gatewayshell.whereabouts import Whereabouts
from watchgate.session.deciding import Decision
from watchgate.session.events import (
    ChannelClosed,
    ChannelRefused,
    CommandFinished,
    CommandRequested,
    InputDropped,
    octets,
)
from watchgate.session.model import Capability, Ending, EndReason
from watchgate.session.ports import ApprovalAnswer, RecordKind

ShellEffect = Effect | Launch

GREETING = "only listed commands run here; `help` shows them"
TOO_LONG = "this line is too long to be run"
MORE = "> "
"""The prompt where a command is not complete yet."""
LIMIT = 64 * 1024
"""Octets that may be typed ahead before the client is no longer read."""


class ShellDialogue:
    """The decisions for one channel with the gateway's shell."""

    def __init__(self, seat: Seat) -> None:
        self.number = seat.number
        self._seat = seat
        self._judge = seat.judge
        self._requests = Requests(seat.number, seat.policy)
        self._phase = Phase.BEFORE
        self._lines: Editor | Reader = Reader()
        self._composing = Composing()
        self._evidence = self._new_evidence(terminal=False)
        self._where = Whereabouts()
        self._verdict: tuple[Decision, int] | None = None
        self._program: Program | None = None
        self._seq: int | None = None
        self._status = 0
        self._has_terminal = False
        self._client_ended = False
        self._is_closed = False

    def _new_evidence(self, *, terminal: bool) -> Evidence:
        record = self._seat.policy.settings.record_input
        return Evidence(self.number, self._seat.clock, record_input=record, terminal=terminal)

    def _now(self) -> int:
        return self._seat.clock.monotonic_us()

    # --- what the client asks ------------------------------------------------------------------

    def requested(self, kind: str, payload: bytes) -> list[ShellEffect]:
        """A channel request of the client's; one Answer follows."""
        if kind == "shell" and self._phase is Phase.BEFORE:
            return self._begin()
        running = self._program is not None and self._program.takes_input
        effects: list[ShellEffect] = [*self._requests.take(kind, payload, running=running)]
        if kind == "window-change" and self._requests.window is not None:
            self._lines.resize(self._requests.window.columns)
        return effects

    def _begin(self) -> list[ShellEffect]:
        window = self._requests.window
        begun: list[ShellEffect] = [Note(event) for event in self._requests.opened()]
        self._phase = Phase.OVER
        if Capability.SHELL not in self._seat.policy.capabilities:
            return [*begun, *self._refuse("your grant does not permit a shell")]
        if not strict.listing(self._seat.policy):
            return [*begun, *self._refuse(strict.NO_LIST)]
        if window is not None:
            self._has_terminal = True
            self._lines = Editor(window.columns, plain=window.plain)
            self._evidence = self._new_evidence(terminal=True)
            begun.append(Record(RecordKind.RESIZE, b"%dx%d" % (window.columns, window.rows)))
        begun += [Commit(), Answer(True), Flow()]
        if window is not None:
            begun += self._evidence.tell(GREETING)
        return [*begun, *self._launch(Purpose.HOME, "pwd -P")]

    def _refuse(self, reason: str) -> list[ShellEffect]:
        refused = ChannelRefused(what="shell", reason=reason, channel=self.number)
        return [Note(refused), Answer(True), *self._end(reason)]

    @property
    def full(self) -> bool:
        """So much was typed ahead that no more is to be read."""
        return self._lines.waiting >= LIMIT and self._phase is not Phase.OVER

    # --- what the operator types ---------------------------------------------------------------

    def typed(self, data: bytes) -> list[ShellEffect]:
        """Octets of the client's."""
        if self._phase in (Phase.BEFORE, Phase.OVER):
            return []
        effects: list[ShellEffect] = [*self._evidence.typed(data)]
        if self._has_terminal and self._program is not None and self._program.takes_input:
            return [*effects, Send(Side.TARGET, data)]
        if self._has_terminal and self._phase is not Phase.PROMPT and b"\x03" in data:
            effects += self._interrupted()
            data = data.rpartition(b"\x03")[2]
        self._lines.feed(self._now(), data)
        return [*effects, *self._edit()]

    def client_ended(self) -> list[ShellEffect]:
        """The client sends no more."""
        self._client_ended = True
        self._lines.finish()
        if not self._has_terminal:
            return self._edit()
        if self._phase is Phase.PROMPT:
            return self._leave(self._status)
        takes_input = self._program is not None and self._program.takes_input
        return [Eof(Side.TARGET)] if takes_input else []

    def due(self) -> int | None:
        """When `expire` wants to be called, in monotonic microseconds."""
        moments = [self._evidence.due(), self._lines.due()]
        return min((moment for moment in moments if moment is not None), default=None)

    def expire(self) -> list[ShellEffect]:
        """The moment of `due` has come."""
        effects: list[ShellEffect] = [*self._evidence.expire()]
        due = self._lines.due()
        if due is not None and due <= self._now():
            self._lines.expire()
            effects += self._edit()
        return effects

    def _interrupted(self) -> list[Effect]:
        """^C while nothing is there yet that could be interrupted on the target."""
        self._lines.drop()
        if self._program is not None:
            self._program.interrupted = True
        return self._judge.withdraw()

    def _edit(self) -> list[ShellEffect]:
        """Go on with what was typed, up to the next line that has to be waited for."""
        effects: list[ShellEffect] = []
        while self._phase is Phase.PROMPT:
            shown, given = self._lines.step()
            effects += self._evidence.shown(shown)
            if given is None:
                break
            effects += self._take(given)
        return effects

    def _prompt(self) -> list[ShellEffect]:
        """Wait for the next line; `_edit` goes on with what was typed ahead."""
        if self._phase is Phase.OVER:
            return []
        self._phase = Phase.PROMPT
        if self._client_ended and self._has_terminal:
            return self._leave(self._status)
        account, target = self._seat.route.account.name, self._seat.route.target.name
        prompt = MORE if self._composing.begun else self._where.prompt(account, target)
        return [*self._evidence.margin(), *self._evidence.shown(self._lines.begin(prompt))]

    def _take(self, given: Given) -> list[ShellEffect]:
        match given.did:
            case Did.INTERRUPTED:
                self._composing.forget()
                return self._prompt()
            case Did.ENDED if self._composing.begun:
                return [*self._evidence.tell("the command is not complete"), *self._leave(2)]
            case Did.ENDED:
                return self._leave(self._status)
            case Did.ENTERED:
                pass
        command = self._composing.add(given)
        if command is Wants.LESS:
            return [*self._evidence.tell(TOO_LONG), *self._drop(TOO_LONG), *self._prompt()]
        if command is Wants.MORE or is_empty(command):
            return self._prompt()
        self._lines.history.add(command.replace("\n", " "))
        return self._consider(command)

    # --- deciding ------------------------------------------------------------------------------

    def _consider(self, line: str) -> list[ShellEffect]:
        command = KnownCommand(
            self.number, line, Source.GATEWAY, exact=True, context=self._where.context()
        )
        readings = self._seat.read(command)
        match own_command(line, readings):
            case Leave(status):
                return self._leave(self._status if status is None else status)
            case Show(what):
                return [*self._show(what), *self._prompt()]
            case Change(directory) if not self._is_forbidden(command):
                return self._change(command, directory)
            case _:
                pass
        self._phase = Phase.DECIDING
        why = strict.objection(readings)
        if why is not None:
            return self._object(strict.refused(self._judge.decider.decide(command), why))
        return [*self._judge.judge(command, self._decided, self._evidence_of_waiting)]

    def _is_forbidden(self, command: KnownCommand) -> bool:
        """Whether a rule speaks against a `cd`, which need not be listed: it is the gateway's own."""
        return self._judge.decider.foresee(command) not in (Outcome.ALLOW, Outcome.FORCE)

    def _object(self, decision: Decision) -> list[ShellEffect]:
        effects: list[ShellEffect] = [NoteCommand(decision), Commit(), *self._held_up(decision)]
        if decision.lock is not None:
            effects.append(LockOperator(decision.lock))
        if decision.ends is not None:
            effects.append(EndSession(Ending(EndReason.INTERRUPTED, decision.ends)))
        return [*effects, *self._edit()]

    def _evidence_of_waiting(self, whom: str) -> list[Effect]:
        return self._evidence.tell(f"waiting for the approval of {whom}; Ctrl-C withdraws it")

    def _decided(self, decision: Decision, seq: int) -> list[Effect]:
        """A verdict is in the file; `_act` does what follows of it."""
        self._verdict = (decision, seq)
        return []

    def _act(self, effects: list[Effect]) -> list[ShellEffect]:
        """*effects*, and what follows of the verdict that came with them."""
        verdict, self._verdict = self._verdict, None
        if verdict is None or self._phase is Phase.OVER:
            return [*effects]
        decision, seq = verdict
        if decision.runs:
            line = self._where.run(decision.command.text)
            return [*effects, *self._launch(Purpose.OPERATOR, line, seq)]
        return [*self._held_up(decision), *effects, *self._edit()]

    def _held_up(self, decision: Decision) -> list[ShellEffect]:
        self._status = int.from_bytes(wire.NOT_RUN, "big")
        told = self._evidence.tell(decision.message)
        return [*told, *self._drop(decision.message), *self._prompt()]

    def _drop(self, why: str) -> list[Effect]:
        """What was typed behind a line that did not run is not run either."""
        lines, count = self._lines.drop()
        if not count:
            return []
        more = "1 more line was" if lines == 1 else f"{lines} more lines were"
        event = Note(InputDropped(self.number, lines, count, why))
        return [event, *self._evidence.tell(f"{more} not run")]

    # --- the judge's answers -------------------------------------------------------------------

    def command_recorded(self, seq: int) -> None:
        """The number under which the last command was recorded."""
        self._seq = seq
        self._judge.recorded(seq)

    def resumed(self, ticket: int) -> list[ShellEffect]:
        """What had to be written before is in the file."""
        return self._act(self._judge.resumed(ticket))

    def asked(self, ticket: int, approval: str, whom: str) -> list[ShellEffect]:
        """An approval is asked for."""
        return [*self._judge.asked(ticket, approval, whom)]

    def approved(self, ticket: int, answer: ApprovalAnswer) -> list[ShellEffect]:
        """An approval was answered."""
        return [*self._judge.approved(ticket, answer)]

    # --- programs ------------------------------------------------------------------------------

    def _launch(self, purpose: Purpose, line: str, seq: int | None = None) -> list[ShellEffect]:
        self._phase = Phase.RUNNING
        self._program = Program(purpose, seq, self._now())
        for_operator = purpose is Purpose.OPERATOR
        requests = self._requests.for_program(terminal=for_operator)
        return [Launch(octets(line), requests, for_operator and self._has_terminal)]

    def started(self) -> list[ShellEffect]:
        """The target runs what was launched."""
        program = self._program
        if program is None:
            return []
        program.is_started = True
        if not program.takes_input or not self._has_terminal:
            return []
        interrupt: list[ShellEffect] = [Send(Side.TARGET, b"\x03")] if program.interrupted else []
        return [*interrupt, Eof(Side.TARGET)] if self._client_ended else interrupt

    def failed(self, reason: str) -> list[ShellEffect]:
        """The target does not run what was launched."""
        if self._program is None or self._phase is Phase.OVER:
            return []
        self._program.complaint[:] = octets(reason)
        self._program.exit_status = None
        told = self._evidence.tell(reason) if self._program.purpose is Purpose.OPERATOR else []
        return [*told, *self.finished()]

    def printed(self, data: bytes, stream: int | None) -> list[ShellEffect]:
        """Output of the program."""
        if self._program is None:
            return []
        if self._program.purpose is Purpose.OPERATOR:
            return [*self._evidence.shown(data, stream)]
        self._program.collect(data, stream)
        return []

    def told(self, kind: str, payload: bytes) -> None:
        """A request of the program's channel: how it ended."""
        if self._program is not None:
            self._program.told(kind, payload)

    def finished(self) -> list[ShellEffect]:
        """The program's channel is closed."""
        program, self._program = self._program, None
        if program is None or self._phase is Phase.OVER:
            return []
        effects: list[ShellEffect] = [*self._note_end(program)]
        match program.purpose:
            case Purpose.HOME:
                self._where.begin(bytes(program.collected))
            case Purpose.DIRECTORY:
                effects += self._changed(program)
            case Purpose.OPERATOR:
                self._status = program.status
        return [*effects, *self._prompt(), *self._edit()]

    def _note_end(self, program: Program) -> list[Effect]:
        if program.seq is None:
            return []
        took = self._now() - program.began_us
        status, signal = program.exit_status, program.exit_signal
        where = self._where.directory
        return [Note(CommandFinished(self.number, program.seq, status, signal, took, where))]

    # --- the shell's own commands --------------------------------------------------------------

    def _change(self, command: KnownCommand, directory: str | None) -> list[ShellEffect]:
        """`cd`: recorded like a command, and asked of the target."""
        where = self._where.directory
        noted = CommandRequested(self.number, command.text, source=str(command.source), cwd=where)
        launched = self._launch(Purpose.DIRECTORY, self._where.question(directory))
        return [Note(noted), Commit(), *launched]

    def _changed(self, program: Program) -> list[Effect]:
        self._status = 0 if program.exit_status == 0 else 1
        if self._status == 0 and self._where.go(bytes(program.collected)):
            return []
        complaint = bytes(program.complaint).decode("utf-8", "replace").strip().splitlines()
        return self._evidence.tell(complaint[-1] if complaint else "cd: no such directory")

    def _show(self, what: str) -> list[Effect]:
        """`help`, `history`, `pwd`, `clear`."""
        match what:
            case "help":
                return self._evidence.lines(strict.help_lines(self._seat.policy))
            case "history":
                kept = enumerate(self._lines.history.lines, 1)
                return self._evidence.lines(f"{number:>5}  {line}" for number, line in kept)
            case "pwd":
                where = self._where.directory
                return self._evidence.lines([where or "the target did not say where this is"])
            case _:
                return self._evidence.shown(CLEAR.encode() if self._has_terminal else b"")

    # --- the end -------------------------------------------------------------------------------

    def dismissed(self, reason: str) -> list[ShellEffect]:
        """The session is ended from outside, or the target's connection is lost."""
        return self._end(reason) if self._phase is not Phase.OVER else []

    def closed(self) -> list[ShellEffect]:
        """The client's channel is closed, or has to be now."""
        if self._is_closed:
            return []
        self._is_closed = True
        begun, self._phase = self._phase is not Phase.BEFORE, Phase.OVER
        effects: list[ShellEffect] = [*self._judge.withdraw(), *self._evidence.closed()]
        if self._program is not None:
            effects += [*self._note_end(self._program), Shut(Side.TARGET)]
        if begun:
            sent, received = self._evidence.sent, self._evidence.received
            effects.append(Note(ChannelClosed(self.number, self._status, None, sent, received)))
        return effects

    def _leave(self, status: int) -> list[ShellEffect]:
        self._phase, self._status = Phase.OVER, status
        told = Tell(Side.CLIENT, "exit-status", status.to_bytes(4, "big"))
        return [told, Shut(Side.CLIENT), Shut(Side.TARGET)]

    def _end(self, reason: str) -> list[ShellEffect]:
        return [Say(reason), *self._leave(int.from_bytes(wire.NO_SESSION, "big"))]
