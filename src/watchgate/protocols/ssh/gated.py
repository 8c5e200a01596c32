"""A terminal whose commands are decided before they run: its gate, its evidence, and its elevations.

Every octet that the operator sees or types passes the recorder first, as in a terminal without rules; what the
gateway and a shell say to each other is in neither the operator's view nor the recording.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchgate.clock import Clock
from watchgate.policy.commands import KnownCommand, Source
from watchgate.policy.reading import ShellContext
from watchgate.policy.verdicts import Outcome
from watchgate.protocols.ssh.capture import Plain, TerminalCapture
from watchgate.protocols.ssh.effects import Effect, Note, Send, Side
from watchgate.protocols.ssh.elevating import Elevating
from watchgate.protocols.ssh.ground import Ground
from watchgate.protocols.ssh.said import line as said
from watchgate.protocols.ssh.wire import Terminal
from watchgate.secret import Secret
from watchgate.session.deciding import Decision
from watchgate.session.events import (
    CommandFinished,
    Event,
    InputDropped,
    IntegrationMissing,
    IntegrationSet,
    IntegrationTampered,
    ReaderFailed,
)
from watchgate.session.model import Device, IntegrationPolicy, Policy, Tampering
from watchgate.terminal.gate import acts
from watchgate.terminal.gate.gate import Gate
from watchgate.terminal.live.profiles import profile
from watchgate.terminal.live.reader import LiveReader

NONCE_OCTETS = 8

MOST_RUNNING = 256
"""Commands whose end is waited for; of more only the newest."""


@dataclass(frozen=True, slots=True)
class _Running:
    seq: int
    since_us: int


class GatedTerminal(Plain):
    """One terminal behind its gate."""

    def __init__(
        self,
        number: int,
        terminal: Terminal,
        command: str | None,
        policy: Policy,
        clock: Clock,
        ground: Ground,
    ) -> None:
        """*command* is what the terminal is opened for; None is a login shell."""
        settings = policy.settings
        self._number = number
        self._policy = policy
        self._clock = clock
        self._judge = ground.judge
        self._evidence = TerminalCapture(number, settings.record_input, clock)
        self._elevating = Elevating(number, policy, ground.judge)
        self._running: dict[int, _Running] = {}
        self._last: _Running | None = None  # what runs in a shell that does not tell its ends
        device = profile(settings.device)
        self._reader = LiveReader(terminal.columns, terminal.rows, ground.open_screen, device)
        self._failures = 0
        self._gate = Gate(
            self._reader,
            device,
            integrate=settings.device is Device.UNIX
            and settings.integration is not IntegrationPolicy.OFF,
            nonce=lambda: ground.random(NONCE_OCTETS).hex().encode(),
            rtt_us=ground.rtt_us,
            foresee=self._foresee,
            started=command,
            t_us=clock.monotonic_us(),
        )
        self.broken: str | None = None

    # --- what both sides say -------------------------------------------------------------------

    def sent(self, data: bytes) -> list[Effect]:
        return self._perform(self._gate.typed(self._clock.monotonic_us(), data))

    def received(self, data: bytes) -> list[Effect]:
        now_us = self._clock.monotonic_us()
        shown = self._elevating.scrubbed(now_us, data)
        effects = self._perform(self._gate.printed(now_us, shown)) if shown else []
        if self._reader.failures != self._failures:
            self._failures = self._reader.failures
            reason = "the terminal's picture was lost and is being made anew"
            effects.append(Note(ReaderFailed(self._number, reason)))
        return effects

    def resized(self, columns: int, rows: int) -> list[Effect]:
        self._gate.resized(self._clock.monotonic_us(), columns, rows)
        return []

    def due(self) -> int | None:
        dues = (self._evidence.due(), self._gate.due, self._elevating.due)
        return min((due for due in dues if due is not None), default=None)

    def expire(self, now_us: int) -> list[Effect]:
        effects = self._evidence.expire(now_us)
        rest = self._elevating.rest(now_us)
        if rest:
            effects += self._perform(self._gate.printed(now_us, rest))
        effects += self._elevating.expire(now_us)
        return [*effects, *self._perform(self._gate.expire(now_us))]

    def closed(self) -> list[Effect]:
        return self._evidence.closed()

    def secret(self, ticket: int, secret: Secret | None) -> list[Effect]:
        return self._elevating.fetched(self._clock.monotonic_us(), ticket, secret)

    @property
    def full(self) -> bool:
        return self._gate.full

    @property
    def idle(self) -> bool:
        """No key and no verdict waits."""
        return self._gate.idle

    # --- what the gate asks for ----------------------------------------------------------------

    def _perform(self, wanted: Sequence[acts.Act]) -> list[Effect]:
        effects: list[Effect] = []
        for act in wanted:
            effects += self._act(act)
        return effects

    def _act(self, act: acts.Act) -> list[Effect]:
        match act:
            case acts.ToTarget(octets, typed, runs):
                if not typed:
                    return [Send(Side.TARGET, octets)]
                if not runs:
                    self._elevating.typed(self._clock.monotonic_us())
                return self._evidence.sent(octets)
            case acts.ToOperator(octets):
                asked = self._elevating.printed(self._clock.monotonic_us(), octets)
                return [*self._evidence.received(octets), *asked]
            case acts.Ask(number, line):
                return self._ask(number, line)
            case acts.Finished(number, status, cwd):
                return self._finished(self._running.pop(number, None), status, cwd)
            case acts.Withdrawn():
                return self._judge.withdraw()
            case acts.Prompted(token, user):
                return self._elevating.prompted(self._clock.monotonic_us(), token, user)
            case acts.Back(status):
                return self._elevating.finished(self._clock.monotonic_us(), status)
            case _:
                return self._noted(act)

    def _noted(self, act: acts.Act) -> list[Effect]:
        event: Event
        match act:
            case acts.Hooked(shell, version, depth):
                event = IntegrationSet(self._number, shell, version, depth)
            case acts.Unhooked(reason, _):
                required = self._policy.settings.integration is IntegrationPolicy.REQUIRED
                event = IntegrationMissing(self._number, reason, required)
                if required:
                    self.broken = f"this shell cannot tell its commands, and this target requires it: {reason}"
            case acts.Tampering(what, severity, lost):
                ends = lost and self._ends_when_lost
                event = IntegrationTampered(self._number, what, severity, ends)
                if ends:
                    self.broken = f"this shell no longer tells its commands: {what}"
            case acts.Dropped(lines, octets):
                event = InputDropped(self._number, lines, octets, "typed behind a blocked line")
                count = "1 more line" if lines == 1 else f"{lines} more lines"
                notice = said(f"{count} of what was pasted behind it did not run either")
                return [Note(event), *(self._evidence.received(notice) if lines else [])]
            case _:
                raise AssertionError(f"not an act that is only noted: {act}")
        return [Note(event)]

    @property
    def _ends_when_lost(self) -> bool:
        settings = self._policy.settings
        return (
            settings.integration is IntegrationPolicy.REQUIRED
            or settings.on_tampering is Tampering.END
        )

    def _finished(
        self, running: _Running | None, status: int | None, cwd: str | None
    ) -> list[Effect]:
        if running is None:
            return []
        took_us = self._clock.monotonic_us() - running.since_us
        return [Note(CommandFinished(self._number, running.seq, status, None, took_us, cwd))]

    # --- deciding ------------------------------------------------------------------------------

    def _foresee(self, line: acts.AskedLine) -> Outcome:
        return self._judge.decider.foresee(self._known(line))

    def _known(self, line: acts.AskedLine) -> KnownCommand:
        return KnownCommand(
            channel=self._number,
            text=line.text,
            source=line.source,
            exact=line.exact,
            place=line.place,
            program=line.program,
            others=line.others,
            unreadable=line.unreadable,
            hidden=line.hidden,
            context=ShellContext(
                dialect=line.shell,
                cwd=line.cwd,
                variables=line.variables,
                aliases=line.aliases,
                functions=line.functions,
            ),
        )

    def _ask(self, number: int, line: acts.AskedLine) -> list[Effect]:
        def then(decision: Decision, seq: int) -> list[Effect]:
            return self._answered(number, line, decision, seq)

        def waiting(whom: str) -> list[Effect]:
            self._gate.approving(self._clock.monotonic_us())
            text = said(f"waiting for the approval of {whom}; Ctrl-C withdraws it")
            behind = b"" if line.source is Source.INTEGRATION else b"\r\n"
            return self._evidence.received(behind + text)

        return self._judge.judge(self._known(line), then, waiting)

    def _answered(
        self, number: int, line: acts.AskedLine, decision: Decision, seq: int
    ) -> list[Effect]:
        now_us = self._clock.monotonic_us()
        token = None
        if decision.runs:
            if len(self._running) >= MOST_RUNNING:
                del self._running[next(iter(self._running))]
            self._running[number] = _Running(seq, now_us)
            token = self._elevating.started(now_us, line, decision.readings, seq)
        say = said(decision.message) if decision.message else b""
        return self._perform(
            self._gate.verdict(now_us, number, permitted=decision.runs, say=say, token=token)
        )
