"""A gated terminal with somebody in front of it; what the shell behind it prints is written by the tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from judged import ground, policy

from watchgate.clock import ManualClock
from watchgate.protocols.ssh.effects import (
    Effect,
    FetchSecret,
    Note,
    NoteCommand,
    Record,
    Resume,
    Seek,
    Send,
    SendSecret,
    Side,
)
from watchgate.protocols.ssh.gated import GatedTerminal
from watchgate.protocols.ssh.wire import Terminal
from watchgate.secret import Secret
from watchgate.session.events import Event
from watchgate.session.model import Policy
from watchgate.session.ports import RecordKind

NONCE = b"00" * 8
PROMPT = b"\x1b[?2004hops@web1:~$ "
OFF = b"\x1b[?2004l\r\r\n"

EventT = TypeVar("EventT")


def mark(kind: bytes, words: bytes = b"", nonce: bytes = NONCE) -> bytes:
    """A mark as hooks print it."""
    return b"\x1b]7717;" + nonce + b";" + kind + b";q;" + words + b"\a"


class GatedSeat:
    """Performs what a gated terminal wants, and remembers it in order."""

    def __init__(
        self, held: Policy | None = None, *, login: str = "ops", command: str | None = None
    ) -> None:
        self.clock = ManualClock()
        under = held or policy()
        self.ground = ground(under, self.clock, login=login)
        terminal = Terminal(b"xterm", 80, 24)
        self.capture = GatedTerminal(3, terminal, command, under, self.clock, self.ground)
        self.done: list[Effect] = []
        self.seen = bytearray()
        self.sent = bytearray()
        self.recorded: dict[RecordKind, bytearray] = {kind: bytearray() for kind in RecordKind}
        self.events: list[Event] = []
        self.commands: list[NoteCommand] = []
        self.perform(self.capture.begun())

    # --- what happens ------------------------------------------------------------------------

    def types(self, octets: bytes) -> None:
        self.perform(self.capture.sent(octets))

    def prints(self, *octets: bytes) -> None:
        for piece in octets:
            self.perform(self.capture.received(piece))

    def waits(self, seconds: float) -> None:
        """Time passes, and what is due in it happens."""
        end_us = self.clock.monotonic_us() + round(seconds * 1e6)
        for _ in range(10_000):
            due_us = self.capture.due()
            if due_us is None or due_us > end_us:
                break
            self._pass(due_us)
            self.perform(self.capture.expire(self.clock.monotonic_us()))
        else:
            raise AssertionError("something is due for ever")
        self._pass(end_us)

    def hooked(self) -> GatedSeat:
        """The shell shows its first prompt and takes its hooks."""
        self.prints(b"Welcome\r\n" + PROMPT)
        self.waits(0.2)
        self.prints(mark(b"V", b" v5.2 v v"))
        self.prints(mark(b"R", b" bash 5.2"), mark(b"D", b" s=0 d=/"), PROMPT, mark(b"B"))
        self.waits(0.2)
        self.sent.clear()
        return self

    def tells(self, line: bytes, facts: bytes = b"") -> None:
        """The shell's hook asks about a line that was typed and accepted."""
        self.types(line + b"\r")
        self.prints(line + OFF, mark(b"L", b" $'t=" + line + b"' d=/home/ops" + facts))

    def perform(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            self.done.append(effect)
            match effect:
                case Send(Side.TARGET, data):
                    self.sent += data
                case Send(Side.CLIENT, data):
                    self.seen += data
                case Record(kind, data):
                    self.recorded[kind] += data
                case Note(event):
                    self.events.append(event)
                case NoteCommand():
                    self.commands.append(effect)
                    self.ground.judge.recorded(len(self.commands))
                case Resume(ticket):
                    self.perform(self.ground.judge.resumed(ticket))
                case _:
                    pass

    def gives(self, ticket: int, secret: bytes | None) -> None:
        """The vault's answer."""
        given = None if secret is None else Secret(secret)
        self.perform(self.capture.secret(ticket, given))

    # --- what came of it ---------------------------------------------------------------------

    def all(self, kind: type[EventT]) -> list[EventT]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def fetched(self) -> list[FetchSecret]:
        return [effect for effect in self.done if isinstance(effect, FetchSecret)]

    @property
    def typed_secrets(self) -> list[SendSecret]:
        return [effect for effect in self.done if isinstance(effect, SendSecret)]

    @property
    def sought(self) -> list[Seek]:
        return [effect for effect in self.done if isinstance(effect, Seek)]

    def _pass(self, until_us: int) -> None:
        self.clock.advance(max(0, until_us - self.clock.monotonic_us()) / 1e6)


def answer(permitted: bool, token: bytes = b"") -> bytes:
    """What a hook reads as its verdict."""
    said = b"A" if permitted else b"B"
    return b" : 7717." + NONCE + b"." + said + (b"." + token if token else b"") + b"\n"
