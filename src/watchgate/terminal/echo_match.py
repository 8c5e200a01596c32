"""Does the output echo what was typed?

The first printable text that a terminal shows after a key must be that key, and must stop there. What
shells do around an echo is known and skipped, and never proves anything:

- escape sequences, colors, the caret form of a control key (`^C`);
- the last characters of the line drawn again after backspaces (zsh, fish), or the whole line after a
  carriage return (readline after a paste);
- the rest of the line behind the cursor, when backspaces lead back over all of it (readline);
- the blank and carriage return that make a terminal wrap at its right margin (readline).

Everything else that is printable is a contradiction: a prompt, a log line, a `*`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from watchgate.terminal.escapes import Token, Tokenizer, TokenKind
from watchgate.terminal.keys import KeyKind

_LONGEST_REDRAW = 1024
"""Octets of a line that are remembered, so that it may be drawn again; also of what may stand behind the cursor."""


@dataclass(slots=True)
class Typed:
    """A key, or a run of keys, on its way to a decision; *line* counts the ends of lines before it."""

    t_us: int
    kind: KeyKind
    octets: bytes
    line: int
    proven: int = 0
    """Octets whose echo was seen."""
    proven_us: int = 0
    frees: bool = False
    """A key was typed after it that may show anything: a completion, a line from the history."""


class EchoMatch:
    """Follows the output of one terminal while an echo is awaited."""

    __slots__ = (
        "_back",
        "_behind",
        "_blanks",
        "_carets",
        "_lead",
        "_line",
        "_line_ended",
        "_output",
        "_redraw",
        "_returned",
        "_t_us",
        "_touches",
        "_wraps",
        "busy",
        "last_line",
        "waiting",
    )

    def __init__(self) -> None:
        self.waiting: deque[Typed] = deque()
        """Texts whose echo has not been seen whole."""
        self.busy = False
        """The output matters; while it is false nobody needs to call `read`."""
        self.last_line = 0
        """The line of the text that was proven last."""
        self._output = Tokenizer()
        self._t_us = 0
        self._line_ended = False
        self._touches = False  # the output stands right behind an echo, nothing in between
        self._line: bytearray | None = (
            bytearray()
        )  # what the line is known to hold before the cursor
        self._redraw: int | None = None  # how much of _line was drawn again
        self._back = 0  # columns that the cursor stands left of where the echo is due
        self._blanks = 0  # blanks just drawn there: they erase, if a backspace follows
        self._behind = 0  # columns shown right behind an echo, to be returned over
        self._returned = 0
        self._wraps = False
        self._carets: deque[bytes] = deque(maxlen=16)
        self._lead = b""  # the start of a caret form

    def expect(self, typed: Typed) -> None:
        """A text was typed: its echo is due."""
        if not self.busy:
            self._back = self._blanks = 0
            self._redraw = None
            self.busy = True
        self._line_ended = False
        self.waiting.append(typed)

    def key(self, kind: KeyKind, octets: bytes) -> None:
        """Another key was typed: what may it show?"""
        if self.busy and kind is KeyKind.END:
            self._carets.extend(_caret(octets[at : at + 1]) for at in range(min(len(octets), 16)))
        elif self.busy and kind is KeyKind.CONTROL and len(octets) <= 8:
            self._carets.append(_caret(octets))
        if kind in (KeyKind.CONTROL, KeyKind.CODED):
            self._line = None
            if self.waiting:
                self.waiting[-1].frees = True
            elif not self._behind:
                self._touches = False
        elif kind is KeyKind.END:
            self._line = None if self.waiting else bytearray()
        elif kind is KeyKind.ERASE:
            self._erase(len(octets))
        self._settle()

    def line_is_done(self) -> bool:
        """All that was typed was shown, and the output went on to a new line."""
        return self._line_ended and not self.busy

    def settled(self) -> bool:
        """What was shown behind the last echo has been explained."""
        return not self._behind and not self._lead

    def let_go(self) -> None:
        """What was proven is decided: text that follows it no longer contradicts it."""
        self._touches = False
        self._settle()

    def forget(self) -> None:
        """Nothing is awaited any more."""
        self.waiting.clear()
        self._touches = self.busy = self._wraps = False
        self._back = self._blanks = self._behind = self._returned = 0
        self._redraw = None
        self._line = bytearray()
        self._carets.clear()
        self._lead = b""

    def read(self, t_us: int, data: bytes) -> int | None:
        """Follow *data*; returns the first line that it contradicts."""
        self._t_us = t_us
        if not self.busy:
            return None
        for token in self._output.feed(data):
            failed = self._token(token)
            if failed is not None:
                return failed
            if not self._settle():
                break  # a flood may follow: nothing is awaited, so it is not even cut
        return None

    def _settle(self) -> bool:
        self.busy = bool(self.waiting) or self._touches or self._behind > 0 or bool(self._lead)
        return self.busy

    def _erase(self, count: int) -> None:
        if self.waiting or self._line is None:
            self._line = None
            return
        for _ in range(min(count, len(self._line))):
            while self._line and self._line.pop() & 0xC0 == 0x80:
                pass

    def _token(self, token: Token) -> int | None:
        kind, octets = token
        if kind is TokenKind.TEXT or kind is TokenKind.BROKEN:
            if self._lead:
                octets, self._lead = self._lead + octets, b""
            return self._text(octets)
        if self._lead:
            return self._contradicted()
        if self._behind:
            return self._returns(kind, octets)
        self._touches = False
        if kind is TokenKind.CONTROL:
            self._control(octets[0])
        elif kind is TokenKind.CSI:
            self._csi(octets)
        return None

    def _contradicted(self) -> int:
        return self.last_line if self._touches or not self.waiting else self.waiting[0].line

    def _text(self, run: bytes) -> int | None:
        position = self._drawn_again(run)
        if position < 0:
            return self._contradicted()
        while position < len(run):
            if self._behind or not self.waiting or self._skips_line():
                return self._stands_behind(run, position)
            item = self.waiting[0]
            length = self._proves(item, run, position)
            if not length:
                return self._stands_behind(run, position)
            position += length
        return None

    def _skips_line(self) -> bool:
        """The next text belongs to a later line, but the output has not left the earlier one."""
        return self._touches and self.waiting[0].line != self.last_line

    def _proves(self, item: Typed, run: bytes, position: int) -> int:
        """How many octets of *run* at *position* are the echo that is due."""
        due = item.octets[item.proven :] if item.proven else item.octets
        if run.startswith(due, position):
            length = len(due)
        elif due.startswith(run[position:]):
            length = len(run) - position
        else:
            length = _common(due, run, position)
        if not length:
            return 0
        item.proven += length
        self.last_line = item.line
        self._touches = True
        self._redraw = None
        if self._line is not None:
            self._line += due[:length]
            if len(self._line) > _LONGEST_REDRAW:
                self._line = None
        if item.proven == len(item.octets):
            item.proven_us = self._t_us
            self.waiting.popleft()
            if item.frees and not self.waiting:
                self._touches = False
        return length

    def _drawn_again(self, run: bytes) -> int:
        """How far *run* only draws again what stood there; -1 when it draws something else."""
        if self._redraw is not None and self._line:
            known = self._line[self._redraw :]
            length = min(len(known), len(run))
            if run[:length] == known[:length]:
                self._redraw = self._redraw + length if length < len(known) else None
                return length
            if self._redraw:
                return -1
        self._redraw = None
        position = 0
        while self._back and position < len(run):
            self._blanks = self._blanks + 1 if run[position] == 0x20 else 0
            position += 1
            while position < len(run) and run[position] & 0xC0 == 0x80:
                position += 1
            self._back -= 1
        return position

    def _stands_behind(self, run: bytes, position: int) -> int | None:
        """Printable text that is not the echo: the caret form of a control, or the rest of the line."""
        for index, caret in enumerate(self._carets):
            if run.startswith(caret, position):
                for _ in range(index + 1):
                    self._carets.popleft()
                self._touches = False
                return self._text(run[position + len(caret) :])
            if caret.startswith(run[position:]):
                self._lead = run[position:]
                return None
        if not self._touches:
            return None if not self.waiting else self._contradicted()
        if self._returned:
            return self._contradicted()
        rest = run[position:]
        self._wraps = rest == b" " and not self._behind
        self._behind += sum(octet & 0xC0 != 0x80 for octet in rest)
        return self._contradicted() if self._behind > _LONGEST_REDRAW else None

    def _returns(self, kind: TokenKind, octets: bytes) -> int | None:
        """After text behind an echo only the way back over it is allowed, or the wrap."""
        if kind is TokenKind.CONTROL and octets == b"\r" and self._wraps and not self._returned:
            self._behind = 0
        elif kind is TokenKind.CONTROL and octets == b"\b":
            self._returned += 1
        elif kind is TokenKind.CSI and octets[-1:] == b"D":
            self._returned += _count(octets)
        elif kind is not TokenKind.CSI or octets[-1:] not in b"mK":
            return self._contradicted()
        if self._returned > self._behind:
            return self._contradicted()
        if self._returned == self._behind:
            self._behind = self._returned = 0
            self._touches = False
        return None

    def _control(self, octet: int) -> None:
        if octet == 0x08:
            if self._blanks:
                self._blanks -= 1
            else:
                self._back += 1
            return
        self._blanks = 0
        if octet == 0x0D:
            self._back = 0
            self._redraw = 0 if self._line else None
            self._line_ended = not self.waiting
        elif octet == 0x0A:
            self._back = 0
            self._redraw = None
            self._line_ended = True

    def _csi(self, octets: bytes) -> None:
        final = octets[-1:]
        if final == b"m":
            return
        self._blanks = 0
        if final == b"D":
            self._back += _count(octets)
        elif final in b"CP":
            self._back = max(0, self._back - _count(octets))
        elif final in b"KHfdGJAB":
            self._back = 0


def _caret(octets: bytes) -> bytes:
    """How a terminal echoes a control: ESC [ A as `^[[A`."""
    return b"".join(
        bytes((0x5E, octet ^ 0x40)) if octet < 0x20 else bytes((octet,)) for octet in octets
    )


def _common(due: bytes, run: bytes, position: int) -> int:
    """The length of the common start of *due* and *run* at *position*."""
    length = 0
    for expected, seen in zip(due, run[position : position + len(due)], strict=False):
        if expected != seen:
            break
        length += 1
    return length


def _count(octets: bytes) -> int:
    """The first parameter of a CSI that moves the cursor; one when there is none."""
    digits = octets[:-1].split(b";")[0]
    return int(digits[:5]) if digits.isdigit() and int(digits[:5]) else 1
