"""What a client asks of the gateway's shell before and beside its lines: a terminal, variables, sizes."""

from __future__ import annotations

from fnmatch import fnmatchcase

from watchgate.errors import PeerProtocolError
from watchgate.protocols.ssh import wire
from watchgate.protocols.ssh.dialogue import ENVIRONMENT_LIMIT, REFUSED_REQUESTS
from watchgate.protocols.ssh.effects import Answer, Effect, Note, Record, Side, Tell
from watchgate.protocols.ssh.gatewayshell.window import Window
from watchgate.session.events import (
    ChannelOpened,
    ChannelRefused,
    ChannelSignaled,
    EnvironmentPassed,
    Event,
    text,
)
from watchgate.session.model import Policy
from watchgate.session.ports import RecordKind


class Requests:
    """What one channel's client has asked for."""

    def __init__(self, number: int, policy: Policy) -> None:
        self._number = number
        self._policy = policy
        self.window: Window | None = None
        self._environment: dict[str, bytes] = {}
        self._passed: dict[str, str] = {}
        self._withheld: list[str] = []

    def take(self, kind: str, payload: bytes, *, running: bool) -> list[Effect]:
        """Answer a request; *running*: a program is there to hear of it."""
        try:
            return self._take(kind, payload, running=running)
        except PeerProtocolError as error:
            return [self._refused(f"request {kind[:64]}", str(error)), Answer(False)]

    def opened(self) -> list[Event]:
        """The events with which the shell begins."""
        window = self.window
        opened = ChannelOpened(
            channel=self._number,
            what="shell",
            terminal=window.term if window else None,
            columns=window.columns if window else 0,
            rows=window.rows if window else 0,
            told=True,
        )
        if not self._passed and not self._withheld:
            return [opened]
        return [opened, EnvironmentPassed(self._number, self._passed, self._withheld)]

    def for_program(self, *, terminal: bool) -> tuple[tuple[str, bytes], ...]:
        """What a program is given: the terminal, and the variables that may pass."""
        variables = tuple(("env", payload) for payload in self._environment.values())
        if self.window is None or not terminal:
            return variables
        return (("pty-req", self.window.payload()), *variables)

    def _take(self, kind: str, payload: bytes, *, running: bool) -> list[Effect]:
        match kind:
            case "pty-req" if self.window is None:
                self.window = Window.read(payload)
                return [Answer(True)]
            case "window-change" if self.window is not None:
                self.window = self.window.resized(payload)
                size = b"%dx%d" % (self.window.columns, self.window.rows)
                told: list[Effect] = [Tell(Side.TARGET, kind, payload)] if running else []
                return [Record(RecordKind.RESIZE, size), *told, Answer(True)]
            case "env":
                return [Answer(self._variable(payload))]
            case "signal" if running:
                name = wire.one_string(payload, wire.TERM_LIMIT).decode("ascii", "replace")
                noted = Note(ChannelSignaled(self._number, name))
                return [noted, Tell(Side.TARGET, kind, payload), Answer(True)]
            case _ if kind in REFUSED_REQUESTS:
                return [self._refused(*REFUSED_REQUESTS[kind]), Answer(False)]
            case _:
                refused = self._refused(f"request {kind[:64]}", "not in the gateway's shell")
                return [refused, Answer(False)]

    def _variable(self, payload: bytes) -> bool:
        octets, value = wire.env(payload)
        name = text(octets)
        allowed = any(fnmatchcase(name, rule) for rule in self._policy.settings.environment)
        if not allowed or len(self._environment) >= ENVIRONMENT_LIMIT:
            if len(self._withheld) < ENVIRONMENT_LIMIT:
                self._withheld.append(name)
            return False
        self._environment[name] = payload
        self._passed[name] = text(value)
        return True

    def _refused(self, what: str, reason: str) -> Note:
        return Note(ChannelRefused(what=what, reason=reason, channel=self._number))
