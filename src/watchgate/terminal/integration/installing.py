"""Sets the hooks in a shell at its first prompt, over the terminal, without a file and without a trace.

The shell shows its prompt as ever. When it has been quiet for a while, a line is typed to it that asks
which shell it is and takes the hooks; all that it prints from there on is swallowed, up to the prompt
behind them, which is the one that the operator sees already. Octets that the operator types meanwhile
have to wait.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from watchgate.terminal.integration.mark_kinds import (
    Introduced,
    Line,
    Listening,
    Prompt,
    Ready,
    Unwilling,
)
from watchgate.terminal.integration.marks import Marked
from watchgate.terminal.integration.scripts import hooks_for, probe, typed
from watchgate.terminal.integration.verdicts import WAIT_S, answer

QUIET_US = 80_000
"""Without output for so long, what looks like a prompt is one."""

SETTLED_US = 30_000
"""Without output for so long, the prompt behind the hooks is drawn."""

PROMPT_WITHIN_US = 10_000_000
INTRODUCED_WITHIN_US = 2_000_000
READY_WITHIN_US = 5_000_000
GONE_WITHIN_US = 1_000_000
"""How long each step may take, four round trips added."""

_TAIL = 1024

_ENDS = "$#%>❯➜»›λ▶⟩→"
_ESCAPES = re.compile(
    rb"\x1b\[[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]|\x1b[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)"
    rb"|\x1b[()][0-9A-Za-z]|\x1b[=>78]|[\x00-\x08\x0e-\x1a]"
)


class _At(Enum):
    PROMPT = auto()
    """The first prompt is waited for."""
    INTRODUCTION = auto()
    HOOKS = auto()
    """The hooks are typed; they say so."""
    SETTLING = auto()
    """They are set; the prompt behind them is drawn."""
    LEAVING = auto()
    """They cannot be set; what the attempt prints is swallowed."""
    DONE = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done next."""

    type: bytes = b""
    """Octets for the target."""
    show: bytes = b""
    """Octets for the operator."""
    installed: Ready | None = None
    failed: str | None = None
    """Why it came to nothing; the terminal is as it was."""
    others: tuple[Marked, ...] = ()
    """Marks of other shells, in their order."""


def looks_ready(tail: bytes) -> bool:
    """Whether the last octets of a terminal's output end in a prompt."""
    pasting = tail.rfind(b"\x1b[?2004h")
    if pasting >= 0 and tail.find(b"\x1b[?2004l", pasting) < 0 and b"\n" not in tail[pasting:]:
        return True
    line = _ESCAPES.sub(b"", tail).rpartition(b"\n")[2].rstrip(b"\r ")
    shown = line.rpartition(b"\r")[2].decode("utf-8", "replace").rstrip()
    return bool(shown) and shown[-1] in _ENDS


class Installer:
    """One attempt in one shell.

    *nonce* must be trusted by the filter that cuts the output into pieces. A *nested* shell has been started
    from one with hooks. The hooks may be set a second time in the same shell, with the same nonce.
    """

    def __init__(
        self,
        nonce: bytes,
        *,
        nested: bool,
        rtt_us: int,
        level: int = 0,
        looks_ready: Callable[[bytes], bool] = looks_ready,
        old: bool = False,
        wait_s: int = WAIT_S,
    ) -> None:
        self._nonce = nonce
        self._nested = nested
        self._level = level
        self._rtt_us = max(0, rtt_us)
        self._looks_ready = looks_ready
        self._old = old
        self._wait_s = wait_s
        self._at = _At.PROMPT
        self._tail = b""
        self._since_us: int | None = None
        self._printed_us: int | None = None
        self._ready: Ready | None = None
        self._failure = ""
        self._rest = b""

    @property
    def typing(self) -> bool:
        """Whether the shell is being talked to, so that the operator's keys have to wait."""
        return self._at not in (_At.PROMPT, _At.DONE)

    @property
    def due(self) -> int | None:
        """When `expire` is to be called."""
        match self._at:
            case _At.DONE:
                return None
            case _At.PROMPT:
                return self._prompt_due()
            case _At.SETTLING | _At.LEAVING:
                bound = self._bound(GONE_WITHIN_US)
                return bound if self._printed_us is None else min(bound, self._quiet_at())
            case _At.INTRODUCTION:
                return self._bound(INTRODUCED_WITHIN_US)
            case _At.HOOKS:
                return self._bound(READY_WITHIN_US)

    def begin(self, t_us: int) -> bytes:
        """Take what stands on the terminal for a prompt; gives what is to be typed."""
        self._go(_At.INTRODUCTION, t_us)
        return probe(self._nonce)

    def printed(self, t_us: int, pieces: Sequence[bytes | Marked]) -> Step:
        """What the target printed."""
        self._since_us = t_us if self._since_us is None else self._since_us
        show, others, typing = bytearray(), list[Marked](), b""
        for piece in pieces:
            if isinstance(piece, bytes):
                self._printed_us = t_us
                if self._at in (_At.PROMPT, _At.DONE):
                    show += piece
                    self._tail = (self._tail + piece)[-_TAIL:]
            elif piece.level == self._level:
                typing += self._heard(t_us, piece)
            else:
                others.append(piece)
        return Step(type=typing, show=bytes(show), others=tuple(others))

    def expire(self, t_us: int) -> Step:
        """Time has passed: `due` is reached."""
        if self.due is None or t_us < self.due:
            return Step()
        match self._at:
            case _At.PROMPT:
                return self._prompt_expired(t_us)
            case _At.SETTLING:
                self._at = _At.DONE
                return Step(installed=self._ready)
            case _At.LEAVING:
                self._at = _At.DONE
                return Step(failed=self._failure)
            case _At.INTRODUCTION:
                # Something may wait for a line: an empty one lets it go on.
                return Step(type=self._leave(t_us, "what reads the terminal does not answer"))
            case _:
                return Step(type=self._leave(t_us, "the shell did not take the hooks"))

    def _go(self, at: _At, t_us: int) -> None:
        self._at, self._since_us = at, t_us
        self._printed_us = None

    def _bound(self, within_us: int) -> int:
        return (self._since_us or 0) + within_us + 4 * self._rtt_us

    def _quiet_at(self) -> int:
        assert self._printed_us is not None
        wait = SETTLED_US if self._at is _At.SETTLING else QUIET_US + 2 * self._rtt_us
        return self._printed_us + wait

    def _prompt_due(self) -> int | None:
        if self._printed_us is None or self._since_us is None:
            return None
        if self._looks_ready(self._tail):
            return self._printed_us + QUIET_US
        return self._bound(PROMPT_WITHIN_US)

    def _prompt_expired(self, t_us: int) -> Step:
        if self._looks_ready(self._tail):
            return Step(type=self.begin(t_us))
        self._at = _At.DONE
        return Step(failed="no prompt was seen")

    def _heard(self, t_us: int, marked: Marked) -> bytes:
        """A mark of this shell; gives what is to be typed."""
        match marked.mark:
            case Introduced() if self._at is _At.INTRODUCTION:
                return self._introduced(t_us, marked.mark)
            case Line() as line if self.typing and self._own(line):
                return answer(self._nonce, permitted=True)
            case Listening() if self._at is _At.HOOKS:
                rest, self._rest = self._rest, b""
                return rest
            case Ready() if self._at is _At.HOOKS:
                self._ready = marked.mark
            case Prompt(continuation=False) if self._at is _At.HOOKS and self._ready is not None:
                self._go(_At.SETTLING, t_us)
                self._printed_us = t_us
            case Unwilling(why) if self._at is _At.HOOKS:
                self._leave(t_us, f"the shell cannot take the hooks: {why}")
            case _:
                pass
        return b""

    def _own(self, line: Line) -> bool:
        """Whether the shell, which has hooks already, asks about the line that is typed here."""
        return line.unreadable is not None or self._nonce.decode("ascii") in line.text

    def _introduced(self, t_us: int, introduced: Introduced) -> bytes:
        name = hooks_for(introduced, old=self._old)
        if name is None:
            return self._leave(t_us, "there are no hooks for this shell")
        self._go(_At.HOOKS, t_us)
        take, self._rest = typed(name, self._nonce, self._wait_s)
        return take

    def _leave(self, t_us: int, why: str) -> bytes:
        """Give up; gives the empty line that a shell may wait for behind the probe."""
        self._failure = why
        self._go(_At.LEAVING, t_us)
        return b"\r"
