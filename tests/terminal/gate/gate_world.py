"""A gate, a pretended shell behind it, and a clock that the tests move."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self, TypeVar

from pretended_shell import PretendedShell

from watchgate.policy.verdicts import Outcome
from watchgate.session.model import Device as Kind
from watchgate.terminal.gate.acts import (
    Act,
    Ask,
    AskedLine,
    Dropped,
    ToOperator,
    ToTarget,
)
from watchgate.terminal.gate.gate import Gate
from watchgate.terminal.live.profiles import profile
from watchgate.terminal.live.reader import LiveReader
from watchgate.terminal.screens import open_screen

MS = 1000
NONCES = tuple(b"%016x" % number for number in range(1, 64))
FORGED = b"f" * 16
BLOCKED = b"watchgate: blocked by rule no-hits\r\n"

ActT = TypeVar("ActT")


def dangerous(line: AskedLine) -> bool:
    """What may not run here: anything that names a HIT, and what cannot be read."""
    return line.unreadable is not None or any("HIT" in text for text in (line.text, *line.others))


@dataclass
class World:
    """Somebody types, a shell answers, and time passes only when it is said."""

    shell: PretendedShell = field(default_factory=PretendedShell)
    integrate: bool = True
    rtt_us: int = 0
    kind: Kind = Kind.UNIX
    started: str | None = None
    piece: int = 0
    """So many octets arrive at once; 0: all."""
    held: bool = False
    """Verdicts are given by `answer` alone."""
    dead: bool = False
    """The shell takes nothing and says nothing."""
    columns: int = 80
    t_us: int = 1_000_000
    acts: list[Act] = field(default_factory=list)
    seen: bytearray = field(default_factory=bytearray)
    sent: bytearray = field(default_factory=bytearray)
    """The operator's own octets that went on to the target."""
    asks: list[Ask] = field(default_factory=list)

    def __post_init__(self) -> None:
        nonces = iter(NONCES)
        self.reader = LiveReader(self.columns, 24, open_screen, profile(self.kind))
        self.gate = Gate(
            self.reader,
            profile(self.kind),
            integrate=self.integrate,
            nonce=lambda: next(nonces),
            rtt_us=lambda: self.rtt_us,
            foresee=lambda line: Outcome.BLOCK if dangerous(line) else Outcome.ALLOW,
            started=self.started,
            t_us=self.t_us,
        )
        self._under_way: list[tuple[int, bytes]] = []

    # --- what happens ------------------------------------------------------------------------

    def begins(self) -> Self:
        """The shell shows its first prompt, and is asked to tell its commands."""
        self.prints(self.shell.begins())
        self.waits(2000 + self.rtt_us // MS * 8)
        return self

    def types(self, octets: bytes) -> None:
        """The operator types it all at once."""
        self._perform(self.gate.typed(self.t_us, octets))

    def keys(self, octets: bytes, *, between_ms: int = 20) -> None:
        """The operator types one octet after the other."""
        for at in range(len(octets)):
            self.types(octets[at : at + 1])
            self.waits(between_ms)

    def line(self, text: str) -> None:
        """The operator types a line and Enter, and waits until it is done."""
        self.keys(text.encode() + b"\r")
        self.waits(500)

    def prints(self, octets: bytes) -> None:
        """The target prints, in pieces."""
        size = self.piece or max(1, len(octets))
        for at in range(0, len(octets), size):
            self._perform(self.gate.printed(self.t_us, octets[at : at + size]))

    def arrives(self, octets: bytes) -> None:
        """The target prints in one go, whatever the pieces."""
        self._perform(self.gate.printed(self.t_us, octets))

    def waits(self, ms: int) -> None:
        """Time passes, and what is due in it happens."""
        end = self.t_us + ms * MS
        for _ in range(100_000):
            dues = [due for due in (self.gate.due, self._arrival()) if due is not None]
            due = min(dues, default=end + 1)
            if due > end:
                break
            self.t_us = max(self.t_us, due)
            if self._arrival() is not None and self._arrival() == due:
                self.prints(self._under_way.pop(0)[1])
            else:
                self._perform(self.gate.expire(self.t_us))
        else:
            raise AssertionError("the gate is due for ever")
        self.t_us = end

    def answer(self, permitted: bool, *, number: int | None = None, say: bytes = BLOCKED) -> None:
        """The verdict on the newest line."""
        number = self.asks[-1].number if number is None else number
        self._perform(
            self.gate.verdict(self.t_us, number, permitted=permitted, say=b"" if permitted else say)
        )

    # --- what came of it ---------------------------------------------------------------------

    def all(self, kind: type[ActT]) -> list[ActT]:
        """The acts of that kind."""
        return [act for act in self.acts if isinstance(act, kind)]

    @property
    def asked(self) -> list[str]:
        """The lines that were asked about."""
        return [ask.line.text for ask in self.asks]

    @property
    def dropped(self) -> tuple[int, int]:
        """Lines and octets that were dropped."""
        lost = self.all(Dropped)
        return sum(one.lines for one in lost), sum(one.octets for one in lost)

    # --- inside ------------------------------------------------------------------------------

    def _arrival(self) -> int | None:
        return self._under_way[0][0] if self._under_way else None

    def _perform(self, acts: list[Act]) -> None:
        for act in acts:
            self.acts.append(act)
            match act:
                case ToTarget(octets, typed):
                    if typed:
                        self.sent += octets
                    self._reach(octets)
                case ToOperator(octets):
                    self.seen += octets
                case Ask():
                    self.asks.append(act)
                    if not self.held:
                        self.answer(not dangerous(act.line), number=act.number)
                case _:
                    pass

    def _reach(self, octets: bytes) -> None:
        if self.dead:
            return
        printed = self.shell.takes(octets)
        if printed:
            # An answer is never there in the same call: it takes a round trip, and half a millisecond.
            self._under_way.append((self.t_us + self.rtt_us + 500, printed))
