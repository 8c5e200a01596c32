"""A person at a real shell on a pseudo-terminal, with the gate of a session between them.

What is driven is the product's own capture of a terminal (protocols.ssh.gated) and its decider; only the
connection is missing. What `bench.commands` measures.
"""

from __future__ import annotations

import atexit
import math
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.reading_drive import ROWS, Pace, Seat, happened, shell_of
from watchgate.clock import SystemClock
from watchgate.emulation.emulators import Emulators
from watchgate.policy.loading import load_text
from watchgate.policy.readings import readings
from watchgate.policy.rules import Rule
from watchgate.policy.ruleset import RuleSet
from watchgate.protocols.ssh.effects import (
    Effect,
    EndSession,
    FetchSecret,
    Note,
    NoteCommand,
    Resume,
    Send,
    SendSecret,
    Side,
)
from watchgate.protocols.ssh.gated import GatedTerminal
from watchgate.protocols.ssh.ground import Ground
from watchgate.protocols.ssh.judging import Judge
from watchgate.protocols.ssh.wire import Terminal
from watchgate.secret import Secret
from watchgate.session.deciding import Decider, Decision
from watchgate.session.events import Event
from watchgate.session.model import (
    Account,
    Address,
    Capability,
    CredentialKind,
    Device,
    Grant,
    IntegrationPolicy,
    Operator,
    Policy,
    Route,
    Target,
    TargetSettings,
)

WATCH = """
version: 1
rules:
  watched:
    description: Everything is decided, and everything may run.
    action: allow
    match: {program: "*"}
"""

BLOCK = """
version: 1
rules:
  no-hits:
    description: The danger of the interactions, `touch` or `rm` with an argument that holds HIT.
    action: block
    severity: high
    message: not here
    match:
      any:
        - {program: [touch, rm, unlink], args: "*HIT*"}
"""

STRICT = (
    BLOCK
    + """        - {opaque: true}
"""
)

EMULATORS = Emulators()
atexit.register(EMULATORS.stop)
"""As a gateway has one, so these have one: it ends with this process."""


@dataclass(slots=True)
class Driven:
    """What one interaction came to."""

    decisions: list[Decision] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    seen: bytearray = field(default_factory=bytearray)
    """What the operator saw."""
    held_us: list[int] = field(default_factory=list)
    """How long accepting keys were held."""
    danger: bool = False
    """What the interaction is about happened."""


class Nobody:
    """Counts nothing, and has approved nothing."""

    def count(self, operator: str, rule: Rule, at_us: int) -> int:
        return 0

    def take(self, operator: str, key: tuple[str, ...], at_us: int) -> str | None:
        return None


def drive(
    interaction: dict[str, Any], rules: str, *, integration: bool, pace: Pace | None = None
) -> Driven:
    """Carry out *interaction* behind a gate with these *rules*."""
    with tempfile.TemporaryDirectory(prefix="commands-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        for file in interaction.get("files", ()):
            (home / file).write_text("")
        command, environment = shell_of(interaction, home)
        settings = TargetSettings(
            integration=IntegrationPolicy.AUTO if integration else IntegrationPolicy.OFF,
            device=Device.CISCO if interaction["shell"] == "cisco" else Device.UNIX,
        )
        seat = GatedSeat(
            command, environment, home, interaction.get("cols", 80), pace or Pace(), rules, settings
        )
        try:
            for step in interaction["steps"]:
                seat.step(step[0], step[1:])
            seat.taken()
            driven = seat.driven
            driven.danger = happened(interaction, home)
            return driven
        finally:
            seat.leave()


class GatedSeat(Seat):
    """A terminal with somebody in front of it, and a gate between."""

    def __init__(
        self,
        command: Sequence[str],
        environment: dict[str, str],
        home: Path,
        columns: int,
        pace: Pace,
        rules: str,
        settings: TargetSettings,
        *,
        account: str = "root",
        secret: Secret | None = None,
    ) -> None:
        """With a *secret*, the password of *account* is at hand to answer elevations with."""
        super().__init__(command, environment, home, columns, pace)
        self.driven = Driven()
        self._secret = secret
        clock = SystemClock()
        self._clock = clock
        policy = Policy(
            frozenset(Capability),
            settings,
            rules=RuleSet(load_text(rules, "rules.yaml")),
            elevation=None if secret is None else "",
        )
        route = Route(
            Operator("o1", "alice"),
            Target("t1", "web1", "ssh", Address("10.0.0.5", 22), settings=settings),
            Account("a1", account, "web1", CredentialKind.PASSWORD),
            Grant("g1"),
        )
        nobody = Nobody()
        decider = Decider("alice", policy, clock, readings, nobody, nobody)
        EMULATORS.ready()
        self._judge = Judge(decider, "s1", route)
        ground = Ground(
            self._judge, lambda: int(pace.round_trip * 1e6) + 500, os.urandom, EMULATORS.open
        )
        terminal = Terminal(b"xterm-256color", columns, ROWS)
        self._capture = GatedTerminal(1, terminal, None, policy, clock, ground)
        self._seq = 0
        self._accepted_at: float | None = None
        self._perform(self._capture.begun())

    def _press(self, octets: bytes) -> None:
        if octets[-1:] in (b"\r", b"\n"):
            self._accepted_at = time.monotonic()
        self._perform(self._capture.sent(octets))

    def _show(self, octets: bytes) -> None:
        self._perform(self._capture.received(octets))

    def _tick(self) -> None:
        due = self._capture.due()
        now = self._clock.monotonic_us()
        if due is not None and due <= now:
            self._perform(self._capture.expire(now))

    def _until_tick(self) -> float:
        due = self._capture.due()
        return math.inf if due is None else (due - self._clock.monotonic_us()) / 1e6

    def _resize(self, size: tuple[int, int]) -> None:
        self._perform(self._capture.resized(*size))

    def _is_idle(self) -> bool:
        return super()._is_idle() and self._capture.idle

    def _perform(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(Side.TARGET, data, _):
                    if self._accepted_at is not None and data[-1:] in (b"\r", b"\n"):
                        self.driven.held_us.append(
                            int((time.monotonic() - self._accepted_at) * 1e6)
                        )
                        self._accepted_at = None
                    self._send(data)
                case Send(Side.CLIENT, data, _):
                    self.driven.seen += data
                case NoteCommand(decision):
                    self._seq += 1
                    self._judge.recorded(self._seq)
                    self.driven.decisions.append(decision)
                case Note(event):
                    self.driven.events.append(event)
                case Resume(ticket):
                    self._perform(self._judge.resumed(ticket))
                case FetchSecret(ticket, _):
                    self._perform(self._capture.secret(ticket, self._secret))
                case SendSecret(secret):
                    self._send(secret.reveal())
                case EndSession():
                    self.leave()
                case _:
                    pass
