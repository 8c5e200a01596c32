"""A shell that is given its commands on standard input, without a terminal: `ssh host bash -s < script`.

Every command is decided before it is sent, strictly in order, while those behind it wait here. After one
that is not permitted nothing more is sent: the shell is told that its input has ended, finishes what it was
doing, and the client is told `NOT_RUN` as the exit status, whatever the target's is: a script that was
not run to its end has not succeeded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from watchgate.policy.commands import KnownCommand, Place, Source
from watchgate.policy.reading import Reading, Reason
from watchgate.policy.verdicts import Outcome
from watchgate.protocols.ssh import wire
from watchgate.protocols.ssh.capture import StreamCapture
from watchgate.protocols.ssh.effects import Effect, Eof, Note, Say, Send, Side
from watchgate.protocols.ssh.judging import Judge
from watchgate.protocols.ssh.judging_many import MOST, Given, judge_all
from watchgate.protocols.ssh.script_context import ScriptContext
from watchgate.protocols.ssh.script_cutter import LONGEST, Cutter, Piece, Unread
from watchgate.protocols.ssh.script_words import DEVICE
from watchgate.protocols.ssh.stdin_claim import Reads, StdinClaim, claims_stdin
from watchgate.secret import Secret
from watchgate.session.deciding import Decision
from watchgate.session.events import InputDropped, InputRedacted
from watchgate.session.model import Device

HIDDEN = "(a line that sudo may take for its password)"
CLOSED = "the channel was closed before it was decided"


class ScriptCapture:
    """The evidence, and the gate, of one shell that reads a script."""

    broken: str | None = None

    def __init__(self, number: int, judge: Judge, claim: StdinClaim, stream: StreamCapture) -> None:
        """*stream* records and passes what may pass."""
        self._number = number
        self._judge = judge
        self._claim = claim
        self._stream = stream
        self._cutter = (
            Unread(claim.program, secret=claim.secret)
            if claim.reads is Reads.CODE
            else Cutter(claim.dialect, secret=claim.secret)
        )
        self._context = ScriptContext(claim.dialect.name)
        self._given = Given(self._known, self._context.learn)
        self._pieces: deque[Piece] = deque()
        self._octets = 0  # of all pieces
        self._deciding = 0  # commands at the front whose verdict is being written
        self._ready: list[bytes] = []
        self._stopped = ""  # why nothing more is sent
        self._dropped = [0, 0]
        self._has_ended = False
        self.exit_status: bytes | None = None
        """What the client is told in place of the target's exit status."""

    @property
    def full(self) -> bool:
        return not self._stopped and self._octets >= LONGEST

    def begun(self) -> list[Effect]:
        return []

    def resized(self, columns: int, rows: int) -> list[Effect]:
        return []

    def secret(self, ticket: int, secret: Secret | None) -> list[Effect]:
        return []

    def due(self) -> int | None:
        return None

    def expire(self, now_us: int) -> list[Effect]:
        return []

    def sent(self, data: bytes) -> list[Effect]:
        if self._stopped:
            self._drop(data)
            return []
        self._add(self._cutter.feed(data))
        return self._go_on()

    def received(self, data: bytes) -> list[Effect]:
        return self._stream.received(data)

    def ended(self) -> list[Effect]:
        if self._stopped:
            return []
        self._has_ended = True
        self._add(self._cutter.rest())
        return self._go_on()

    def closed(self) -> list[Effect]:
        if not self._stopped:
            self._stopped = CLOSED
            self._add(self._cutter.rest())
            self._drop_pieces()
        return self._tell_dropped()

    # --- what waits ----------------------------------------------------------------------------

    def _add(self, pieces: list[Piece]) -> None:
        self._pieces.extend(pieces)
        self._octets += sum(len(piece.octets) for piece in pieces)

    def _take(self) -> Piece:
        piece = self._pieces.popleft()
        self._octets -= len(piece.octets)
        return piece

    def _go_on(self) -> list[Effect]:
        """Send what needs no verdict, decide what is next, or say that the input is over."""
        if self._deciding:
            return []
        effects = self._pass_undecided()
        commands = list(islice((one for one in self._pieces if one.text is not None), MOST))
        if commands:
            self._deciding, judged = judge_all(
                self._judge, commands, self._given, self._decided, self._waiting
            )
            effects += judged
        elif self._has_ended:
            effects.append(Eof(Side.TARGET))
        return effects

    def _pass_undecided(self) -> list[Effect]:
        """Send what needs no verdict: comments, data, and what may be a password and is no command."""
        effects: list[Effect] = []
        while self._pieces:
            piece = self._pieces[0]
            if piece.secret and (piece.text is None or self._foreseen(piece) is Outcome.ALLOW):
                octets = self._take().octets
                effects += [*self._flush(), Note(InputRedacted(self._number))]
                effects.append(Send(Side.TARGET, octets))
            elif piece.text is None:
                self._ready.append(self._take().octets)
            else:
                break
        return [*effects, *self._flush()]

    def _flush(self) -> list[Effect]:
        data = b"".join(self._ready)
        self._ready.clear()
        return self._stream.sent(data) if data else []

    # --- deciding ------------------------------------------------------------------------------

    def _foreseen(self, piece: Piece) -> Outcome:
        return self._judge.decider.foresee(self._open(piece))

    def _known(self, piece: Piece) -> KnownCommand:
        known = self._open(piece)
        if piece.secret and self._foreseen(piece) is Outcome.FORCE:
            # No rule knows it as a command. It does not run, and it may be a password: nobody reads it.
            return replace(known, text=HIDDEN, unreadable="it may be a password", opaque=None)
        return known

    def _open(self, piece: Piece) -> KnownCommand:
        opaque = piece.opaque
        if self._context.overflowed and opaque is None:
            opaque = Reason.DEEP
        return KnownCommand(
            self._number,
            piece.text or "",
            Source.STDIN,
            exact=self._context.exact,
            place=Place.DEVICE if self._claim.dialect is DEVICE else Place.SHELL,
            program=self._claim.program if self._claim.reads is Reads.CODE else None,
            opaque=opaque,
            context=self._context.shell,
        )

    def _waiting(self, whom: str) -> list[Effect]:
        return [*self._flush(), Say(f"waiting for the approval of {whom}; Ctrl-C withdraws it")]

    def _decided(self, decision: Decision, seq: int) -> list[Effect]:
        """The verdict of the first command that had none is in the file."""
        if self._stopped:
            return []
        self._deciding -= 1
        while self._pieces[0].text is None:
            self._ready.append(self._take().octets)
        piece = self._take()
        if not decision.runs:
            return self._stop(decision)
        self._ready.append(piece.octets)
        if decision.approval is not None:
            self._context.learn(decision)
        return [] if self._deciding else self._go_on()

    def _stop(self, decision: Decision) -> list[Effect]:
        self._stopped = decision.message
        self.exit_status = wire.NOT_RUN
        effects = self._flush()
        if not self._has_ended:
            self._add(self._cutter.rest())
        self._drop_pieces()
        effects.append(Say(decision.message))
        lines, octets = self._dropped
        if octets:
            effects.append(Say(f"{lines} more lines ({octets} octets) were not run"))
        return [*effects, *self._tell_dropped(), Eof(Side.TARGET)]

    def _drop_pieces(self) -> None:
        while self._pieces:
            self._drop(self._take().octets)

    def _drop(self, data: bytes) -> None:
        self._dropped[0] += data.count(b"\n") + (not data.endswith(b"\n"))
        self._dropped[1] += len(data)

    def _tell_dropped(self) -> list[Effect]:
        lines, octets = self._dropped
        self._dropped = [0, 0]
        return [Note(InputDropped(self._number, lines, octets, self._stopped))] if octets else []


def scripted(
    number: int,
    judge: Judge,
    readings: Sequence[Reading] | None,
    device: Device,
    stream: StreamCapture,
) -> ScriptCapture | None:
    """The capture of a program without a terminal that reads commands or code; None where it reads data.

    *readings* are those of its line, None for a login shell; *stream* is the capture that it else has.
    """
    claim = claims_stdin(readings, device)
    return None if claim.reads is Reads.DATA else ScriptCapture(number, judge, claim, stream)
