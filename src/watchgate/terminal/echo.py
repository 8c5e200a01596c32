"""The echo proof: what was typed and not shown is a secret.

A terminal echoes what is typed, but for passwords. So typed text is kept in clear only once its echo
was seen in the output; anything else is redacted, with its length hidden. The rule leans to one side: an
input that was echoed and is redacted all the same costs nothing, because the output shows it; an octet of
a password in clear cannot be taken back.

- A line is decided as a whole as far as it is undecided: one key without an echo redacts all keys of its
  line that are still held, and all that follow, its editing keys too (they would tell the length).
- Text that was proven is held until `WINDOW_US` after it was typed, or until its line ended in the output: an echo
  that turns out to be the beginning of something else was none.
- Controls, function keys and the terminal's own reports need no proof.

Pure and incremental: octets and times in, decisions out. What it admits: output that repeats, to the
octet and within the window, exactly what is being typed is an echo, whoever wrote it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

from watchgate.terminal.echo_match import EchoMatch, Typed
from watchgate.terminal.keys import Key, KeyKind, Keys

WINDOW_US = 600_000
"""An echo that comes later than this is none; every key is decided by then."""

HELD_LIMIT = 64 * 1024
"""Octets that may be undecided, with `_ITEM_COST` for each run of keys."""

_ITEM_COST = 64
_LONGEST_TEXT = 8 * 1024
_JITTER_US = 150_000


@dataclass(frozen=True, slots=True)
class InClear:
    """Keys that were echoed, or that tell nothing; typed at *t_us*."""

    t_us: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class Redacted:
    """Something typed from *t_us* on that was not echoed."""

    t_us: int


Decision: TypeAlias = InClear | Redacted


class EchoProof:
    """Decides the input of one channel that has a terminal.

    Times are monotonic microseconds. Decisions come in the order of typing. Call `expire` when `due` says.
    """

    __slots__ = (
        "_clear",
        "_clear_us",
        "_decided",
        "_held",
        "_keys",
        "_line",
        "_match",
        "_queue",
        "_redacting",
        "_withholding",
    )

    def __init__(self) -> None:
        self._keys = Keys()
        self._match = EchoMatch()
        self._queue: deque[Typed] = deque()
        self._held = 0
        self._line = 0
        self._withholding = False  # the current line has a key without an echo
        self._redacting = False  # the last decision was Redacted
        self._decided: list[Decision] = []
        self._clear: list[bytes] = []
        self._clear_us = 0

    def typed(self, t_us: int, data: bytes) -> list[Decision]:
        """Keys of the operator, before they are passed on."""
        self._lapse(t_us)
        if len(data) == 1 and 0x20 <= data[0] != 0x7F and self._keys.due() is None:
            self._take(t_us, Key(KeyKind.TEXT, data))
        else:
            for key in self._keys.feed(t_us, data):
                self._take(t_us, key)
        return self._decisions()

    def shown(self, t_us: int, data: bytes) -> list[Decision]:
        """Output of the target."""
        match = self._match
        if not match.busy:
            return []
        self._lapse(t_us)
        failed = match.read(t_us, data)
        if failed is not None:
            self._redact_from(failed)
        elif match.line_is_done() and self._ends_with_line():
            self._release_all()
        return self._decisions()

    def due(self) -> int | None:
        """When `expire` has something to decide."""
        sequence = self._keys.due()
        if not self._queue:
            return sequence
        oldest = self._queue[0].t_us + WINDOW_US
        return oldest if sequence is None else min(oldest, sequence)

    def expire(self, t_us: int) -> list[Decision]:
        """Decide what is due at *t_us*."""
        self._lapse(t_us)
        sequence = self._keys.due()
        if sequence is not None and sequence <= t_us:
            for key in self._keys.flush():
                self._take(t_us, key)
        return self._decisions()

    def close(self, t_us: int) -> list[Decision]:
        """Decide all that is left: what is not proven now never will be."""
        for key in self._keys.flush():
            self._take(t_us, key)
        if self._match.waiting or not self._match.settled():
            waiting = self._match.waiting
            line = waiting[0].line if self._match.settled() else self._match.last_line
            self._redact_from(line)
        self._release_all()
        return self._decisions()

    def _take(self, t_us: int, key: Key) -> None:
        kind, octets = key
        if self._withholding and kind is not KeyKind.END and kind is not KeyKind.REPORT:
            return
        if kind is KeyKind.TEXT and len(octets) > _LONGEST_TEXT:
            for start in range(0, len(octets), _LONGEST_TEXT):
                self._take(t_us, Key(kind, octets[start : start + _LONGEST_TEXT]))
            return
        item = Typed(t_us, kind, octets, self._line)
        if kind is KeyKind.TEXT:
            self._match.expect(item)
        else:
            self._match.key(kind, octets)
        if self._queue or kind is KeyKind.TEXT:
            self._queue.append(item)
            self._held += len(octets) + _ITEM_COST
        else:
            self._pass(item)
        if kind is KeyKind.END:
            self._line += 1
            self._withholding = False
        if self._held > HELD_LIMIT:
            self._make_room()

    def _make_room(self) -> None:
        while self._held > HELD_LIMIT:
            head = self._queue[0]
            if head.kind is KeyKind.TEXT and head.proven < len(head.octets):
                self._redact_from(head.line)
            else:
                self._release()

    def _lapse(self, t_us: int) -> None:
        """Decide the keys whose window is over."""
        while self._queue and self._queue[0].t_us + WINDOW_US <= t_us:
            head = self._queue[0]
            if head.kind is KeyKind.TEXT and not self._holds_good(head, t_us):
                self._redact_from(head.line)
            else:
                self._release()

    def _holds_good(self, head: Typed, t_us: int) -> bool:
        """*head* was echoed, and so was what followed it, within about the same time.

        The second half is for a chance hit: noise that began like the secret did not go on like it.
        """
        if head.proven < len(head.octets):
            return False
        if not self._match.settled() and self._match.last_line == head.line:
            return False
        waiting = self._match.waiting
        if not waiting or waiting[0].line != head.line:
            return True
        return t_us - waiting[0].t_us <= head.proven_us - head.t_us + _JITTER_US

    def _ends_with_line(self) -> bool:
        return bool(self._queue) and self._queue[-1].kind is KeyKind.END

    def _release(self) -> None:
        item = self._queue.popleft()
        self._held -= len(item.octets) + _ITEM_COST
        self._pass(item)
        if not self._queue and not self._match.waiting:
            self._match.let_go()

    def _release_all(self) -> None:
        while self._queue:
            self._release()

    def _redact_from(self, line: int) -> None:
        """Decide everything: what was typed before *line* in clear, the rest redacted, line by line."""
        withheld = -1
        for item in self._queue:
            if item.line < line or item.kind in (KeyKind.END, KeyKind.REPORT):
                self._pass(item)
            elif item.line != withheld:
                withheld = item.line
                self._hide(item.t_us)
        self._queue.clear()
        self._held = 0
        self._match.forget()
        self._withholding = self._withholding or withheld == self._line

    def _pass(self, item: Typed) -> None:
        if item.kind is KeyKind.CODED:
            self._hide(item.t_us)
            return
        if self._clear and self._clear_us != item.t_us:
            self._gather()
        self._clear_us = item.t_us
        self._clear.append(item.octets)
        self._redacting = False

    def _hide(self, t_us: int) -> None:
        if not self._redacting:
            self._gather()
            self._decided.append(Redacted(t_us))
            self._redacting = True

    def _gather(self) -> None:
        """What was typed at one moment is one decision."""
        if self._clear:
            octets = self._clear[0] if len(self._clear) == 1 else b"".join(self._clear)
            self._decided.append(InClear(self._clear_us, octets))
            self._clear.clear()

    def _decisions(self) -> list[Decision]:
        if self._clear:
            self._gather()
        if not self._decided:
            return []
        decided, self._decided = self._decided, []
        return decided
