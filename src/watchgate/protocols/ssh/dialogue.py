"""What one SSH channel says and what is decided of it: plain code, no IO (design: deciding is apart).

The engine reports what it heard (`requested`, `answered`, `heard`, `ended`, `told`, `closed`) and
performs the effects that come back. Nothing is sent that was not recorded before it in the same list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from watchgate.clock import Clock
from watchgate.errors import PeerProtocolError
from watchgate.policy.reading import Reading
from watchgate.protocols.ssh import wire
from watchgate.protocols.ssh.capture import Capture, StreamCapture
from watchgate.protocols.ssh.effects import (
    Answer,
    Ask,
    Commit,
    Effect,
    Eof,
    Flow,
    Note,
    Record,
    Say,
    Send,
    Shut,
    Side,
    Tell,
)
from watchgate.protocols.ssh.ground import Ground
from watchgate.protocols.ssh.programs import Request, capture_of
from watchgate.protocols.ssh.script import scripted
from watchgate.secret import Secret
from watchgate.session.deciding import Decision
from watchgate.session.events import (
    ChannelClosed,
    ChannelOpened,
    ChannelRefused,
    ChannelSignaled,
    CommandFinished,
    CommandRequested,
    EnvironmentPassed,
    text,
)
from watchgate.session.model import Capability, Policy
from watchgate.session.ports import ApprovalAnswer, RecordKind

ENVIRONMENT_LIMIT = 128
"""Variables of one channel; more are withheld."""

REFUSED_REQUESTS = {
    "auth-agent-req@openssh.com": (
        "agent forwarding",
        "agent forwarding is refused: whoever is root on the target could use your keys",
    ),
    "x11-req": (
        "X11 forwarding",
        "X11 forwarding is refused: programs on the target could read your keyboard and screen",
    ),
}


class ChannelDialogue:
    """The decisions for one session channel, from its first request to its end."""

    def __init__(self, number: int, policy: Policy, clock: Clock, ground: Ground) -> None:
        self.number = number
        self._policy = policy
        self._clock = clock
        self._ground = ground
        self._judge = ground.judge
        self._is_answered = False  # the client was told that its program runs, though it waits
        self._terminal: wire.Terminal | None = None
        self._environment: dict[str, str] = {}
        self._withheld: list[str] = []
        self._notices: list[str] = []
        self._capture: Capture | None = None
        self._starting: Capture | None = None
        self._is_started = False
        self._awaits_seq = False
        self._command_seq: int | None = None
        self._command_at = 0
        self._exit: tuple[int | None, str | None] = (None, None)
        self._octets = {Side.CLIENT: 0, Side.TARGET: 0}
        self._shut: set[Side] = set()
        self._requests: dict[str, Callable[[str, bytes], list[Effect]]] = {
            "pty-req": self._pty,
            "window-change": self._window,
            "env": self._env,
            "shell": self._shell,
            "exec": self._exec,
            "subsystem": self._subsystem,
            "signal": self._signal,
            "break": self._break,
            "eow@openssh.com": self._pass,
        }

    # --- what the client asks ------------------------------------------------------------------

    def requested(self, kind: str, payload: bytes) -> list[Effect]:
        """The client made a channel request; exactly one Answer follows, now or by `answered`."""
        if kind in REFUSED_REQUESTS:
            return self._refuse_quietly(*REFUSED_REQUESTS[kind])
        handler = self._requests.get(kind)
        if handler is None:
            return [Note(self._refused(f"request {kind[:64]}", "unknown request")), Answer(False)]
        try:
            return handler(kind, payload)
        except PeerProtocolError as error:
            return [Note(self._refused(f"request {kind}", str(error))), Answer(False)]

    def answered(self, kind: str, accepted: bool) -> list[Effect]:
        """The target answered what was asked of it."""
        if self._starting is None or kind not in ("shell", "exec", "subsystem"):
            return [Answer(accepted)]
        if not accepted:
            self._starting = None
            reason = f"the target refused the {kind} request"
            if self._is_answered:
                return [Note(self._refused(kind, reason)), *self._end_with(reason)]
            return [Note(self._refused(kind, reason)), Say(reason), Answer(False)]
        self._capture, self._starting = self._starting, None
        says: list[Effect] = [Say(notice) for notice in self._notices if self._terminal]
        answer: list[Effect] = [] if self._is_answered else [Answer(True)]
        return [*says, *answer, Flow(), *self._capture.begun()]

    def unreachable(self, reason: str) -> list[Effect]:
        """The target gave no channel: the program cannot start."""
        return [Note(self._refused("channel", reason)), *self._end_with(reason)]

    def dismissed(self, reason: str) -> list[Effect]:
        """The session is ended from outside: the operator reads why where he works."""
        return self._end_with(reason)

    def bereft(self) -> list[Effect]:
        """The target's connection is lost under a program: its operator would see it just stop."""
        running = self._capture is not None and self._exit == (None, None) and not self._shut
        return [Say("the target closed the connection")] if running else []

    def command_recorded(self, seq: int) -> None:
        """The number under which the last command was recorded."""
        self._judge.recorded(seq)
        if self._awaits_seq:
            self._awaits_seq = False
            self._command_seq = seq
            self._command_at = self._clock.monotonic_us()

    # --- what was decided ----------------------------------------------------------------------

    def resumed(self, ticket: int) -> list[Effect]:
        """What had to be written before is in the file."""
        return self._with_loss(self._judge.resumed(ticket))

    def asked(self, ticket: int, approval: str, whom: str) -> list[Effect]:
        """An approval is asked for; *whom* says who may answer."""
        return self._judge.asked(ticket, approval, whom)

    def approved(self, ticket: int, answer: ApprovalAnswer) -> list[Effect]:
        """An approval was answered."""
        return self._judge.approved(ticket, answer)

    def secret(self, ticket: int, secret: Secret | None) -> list[Effect]:
        """A password was fetched."""
        return self._capture.secret(ticket, secret) if self._capture else []

    @property
    def full(self) -> bool:
        """So much waits for decisions that no more is to be read from the client."""
        return self._capture is not None and self._capture.full

    def _pty(self, kind: str, payload: bytes) -> list[Effect]:
        if self._terminal is not None:
            raise PeerProtocolError("a channel has one terminal")
        self._terminal = wire.pty_req(payload)
        return [Ask(kind, payload)]

    def _window(self, kind: str, payload: bytes) -> list[Effect]:
        columns, rows = wire.window_change(payload)
        size = Record(RecordKind.RESIZE, b"%dx%d" % (columns, rows))
        noticed = self._capture.resized(columns, rows) if self._capture else []
        return [size, Tell(Side.TARGET, kind, payload), Answer(True), *noticed]

    def _env(self, kind: str, payload: bytes) -> list[Effect]:
        octets, value = wire.env(payload)
        name = text(octets)
        allowed = any(fnmatchcase(name, rule) for rule in self._policy.settings.environment)
        if not allowed or len(self._environment) >= ENVIRONMENT_LIMIT:
            if len(self._withheld) < ENVIRONMENT_LIMIT:
                self._withheld.append(name)
            return [Answer(False)]
        self._environment[name] = text(value)
        return [Tell(Side.TARGET, kind, payload), Answer(True)]

    def _shell(self, kind: str, payload: bytes) -> list[Effect]:
        if Capability.SHELL not in self._policy.capabilities:
            return self._refuse("shell", "your grant does not permit a shell")
        return self._start(kind, payload, "shell", None)

    def _exec(self, kind: str, payload: bytes) -> list[Effect]:
        return self._start(kind, payload, "exec", wire.one_string(payload))

    def _subsystem(self, kind: str, payload: bytes) -> list[Effect]:
        name = wire.one_string(payload, wire.NAME_LIMIT)
        if name != b"sftp":
            return self._refuse(
                f"subsystem {text(name)[:64]}", "only the sftp subsystem is permitted"
            )
        return self._start(kind, payload, "subsystem sftp", None)

    def _start(self, kind: str, payload: bytes, what: str, command: bytes | None) -> list[Effect]:
        if self._capture is not None or self._starting is not None or self._is_started:
            raise PeerProtocolError("a channel runs one program")
        asked: list[Effect] = []
        if command is not None and not self._judge.active:
            asked = [Note(CommandRequested(self.number, text(command)))]
            self._awaits_seq = True
        request = Request(self.number, kind, command, self._terminal)
        capture = capture_of(request, self._policy, self._clock, self._ground)
        if isinstance(capture, str):
            return [*asked, *self._refuse(what, capture)]
        self._is_started = True
        self._starting = capture
        go: list[Effect] = [Ask(kind, payload)]
        known = request.known() if self._judge.active else None
        if known is None:
            self._starting = self._reading_stdin(request, capture, None)
            return [*self._opening(what), *asked, Commit(), *go]
        self._awaits_seq = command is not None

        def then(decision: Decision, seq: int) -> list[Effect]:
            if not decision.runs:
                return self._held_up(what, decision)
            self._starting = self._reading_stdin(request, capture, decision.readings)
            return go

        return [*self._opening(what), *self._judge.judge(known, then, self._waiting)]

    def _reading_stdin(
        self, request: Request, capture: Capture, readings: Sequence[Reading] | None
    ) -> Capture:
        """The capture of a program that takes commands from its standard input, where it does."""
        if not self._judge.active or not isinstance(capture, StreamCapture):
            return capture
        device = self._policy.settings.device
        return scripted(request.number, self._judge, readings, device, capture) or capture

    def _held_up(self, what: str, decision: Decision) -> list[Effect]:
        """The rules do not let the program run."""
        self._starting = self._command_seq = None
        answer: list[Effect] = [] if self._is_answered else [Answer(True)]
        refused = Note(self._refused(what, decision.message))
        return [refused, *answer, *self._end_with(decision.message, wire.NOT_RUN)]

    def _waiting(self, whom: str) -> list[Effect]:
        """The program waits for somebody's approval: its operator has to be told meanwhile."""
        self._is_answered = True
        return [Answer(True), Say(f"waiting for the approval of {whom}; Ctrl-C withdraws it")]

    def _opening(self, what: str) -> list[Effect]:
        terminal = self._terminal
        opened = ChannelOpened(
            channel=self.number,
            what=what,
            terminal=text(terminal.name) if terminal else None,
            columns=terminal.columns if terminal else 0,
            rows=terminal.rows if terminal else 0,
            told=self._judge.active,
        )
        effects: list[Effect] = [Note(opened)]
        if terminal:
            size = b"%dx%d" % (terminal.columns, terminal.rows)
            effects.append(Record(RecordKind.RESIZE, size))
        if self._environment or self._withheld:
            passed = EnvironmentPassed(self.number, dict(self._environment), list(self._withheld))
            effects.append(Note(passed))
        return effects

    def _signal(self, kind: str, payload: bytes) -> list[Effect]:
        name = wire.one_string(payload, wire.TERM_LIMIT).decode("ascii", "replace")
        noted = Note(ChannelSignaled(self.number, name))
        return [noted, Tell(Side.TARGET, kind, payload), Answer(True)]

    def _break(self, kind: str, payload: bytes) -> list[Effect]:
        return [Note(ChannelSignaled(self.number, "BREAK")), Ask(kind, payload)]

    def _pass(self, kind: str, payload: bytes) -> list[Effect]:
        return [Tell(Side.TARGET, kind, payload), Answer(True)]

    # --- what both sides say -------------------------------------------------------------------

    def heard(self, side: Side, data: bytes, stream: int | None) -> list[Effect]:
        """A side sent octets."""
        self._octets[side] += len(data)
        if self._capture is None:
            return []
        if side is Side.CLIENT:
            return self._with_loss(self._capture.sent(data))
        if stream is not None:
            return [Record(RecordKind.ERROR, data), Send(Side.CLIENT, data, stream)]
        return self._with_loss(self._capture.received(data))

    def due(self) -> int | None:
        """When `expire` wants to be called, in monotonic microseconds."""
        return self._capture.due() if self._capture else None

    def expire(self) -> list[Effect]:
        """The moment of `due` has come."""
        if self._capture is None:
            return []
        return self._with_loss(self._capture.expire(self._clock.monotonic_us()))

    def ended(self, side: Side) -> list[Effect]:
        """A side said that it sends no more octets."""
        if side is Side.CLIENT and self._capture is not None:
            return self._capture.ended()
        return [Eof(side.other)]

    def told(self, kind: str, payload: bytes) -> list[Effect]:
        """The target made a channel request of its own: how its program ended, flow control."""
        try:
            if kind == "exit-status":
                instead = self._capture.exit_status if self._capture else None
                payload = payload if instead is None else instead
                self._exit = (wire.exit_status(payload), None)
            elif kind == "exit-signal":
                self._exit = (None, wire.exit_signal(payload).name)
            elif kind not in ("xon-xoff", "eow@openssh.com"):
                return []
        except PeerProtocolError:
            return []
        return [Tell(Side.CLIENT, kind, payload)]

    def left(self) -> list[Effect]:
        """The client closed its side; the target still has to tell how its program ended."""
        return [] if self._shut else [Shut(Side.TARGET)]

    def closed(self, side: Side) -> list[Effect]:
        """A side closed the channel; the second time nothing is left to do."""
        first = not self._shut
        self._shut.add(side)
        if not first:
            return []
        return [*self._close(), Shut(side.other)]

    def _close(self) -> list[Effect]:
        effects: list[Effect] = self._judge.withdraw()
        effects += self._capture.closed() if self._capture else []
        status, signal = self._exit
        if self._command_seq is not None:
            took = self._clock.monotonic_us() - self._command_at
            finished = CommandFinished(self.number, self._command_seq, status, signal, took)
            effects.append(Note(finished))
        sent, received = self._octets[Side.CLIENT], self._octets[Side.TARGET]
        effects.append(Note(ChannelClosed(self.number, status, signal, sent, received)))
        return effects

    # --- refusing ------------------------------------------------------------------------------

    def _with_loss(self, effects: list[Effect]) -> list[Effect]:
        """End the channel when it turned out to be what the grant does not permit."""
        capture = self._capture
        if capture is not None and capture.broken:
            return [*effects, *self._end_with(capture.broken)]
        return effects

    def _refused(self, what: str, reason: str) -> ChannelRefused:
        return ChannelRefused(what=what, reason=reason, channel=self.number)

    def _refuse_quietly(self, what: str, notice: str) -> list[Effect]:
        """Refuse what many clients ask for by habit: the operator reads of it in a shell only."""
        self._notices.append(notice)
        return [Note(self._refused(what, notice)), Answer(False)]

    def _refuse(self, what: str, reason: str) -> list[Effect]:
        return [Note(self._refused(what, reason)), Answer(True), *self._end_with(reason)]

    def _end_with(self, reason: str, status: bytes = wire.NO_SESSION) -> list[Effect]:
        """Say why, give an exit status (ssh's own for such things), close both sides."""
        return [
            Say(reason),
            Tell(Side.CLIENT, "exit-status", status),
            Shut(Side.CLIENT),
            Shut(Side.TARGET),
        ]
