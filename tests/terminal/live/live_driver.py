"""A person at a real shell whose Enter is held until the line is read: the live reader at work.

It plays interactions (tests/terminal/data/interactions.jsonl; bench/reading_drive.py says what their steps are) on a
pseudo-terminal. With *blocking*, a line in which `touch` or `rm` is given something with HIT in its name is
cleared instead of run, and so is one that cannot be read.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.reading_drive import ROWS, Pace, Seat, happened, shell_of

from watchgate.policy.commands import Place
from watchgate.session.model import Device as Kind
from watchgate.terminal.keys import Key, Keys
from watchgate.terminal.live.lineread import LineRead
from watchgate.terminal.live.profiles import Device, profile
from watchgate.terminal.live.reader import LiveReader
from watchgate.terminal.live.strokes import strokes
from watchgate.terminal.screens import open_screen

_DOCUMENT = re.compile(r"<<-?\s*(['\"]?)([\w.-]+)\1([^\n]*)\n.*?(?:\n\s*\2(?=\n|\Z)|\Z)", re.DOTALL)
_CUT = re.compile(r"\|\||&&|[;|&\n(){}]")
_WORDS_BEFORE = frozenset(
    ("do", "then", "else", "sudo", "time", "!", "builtin", "command", "noglob", "exec", "env")
)


def is_dangerous(text: str) -> bool:
    """Whether one of the simple commands in *text* is `touch` or `rm` of a name that holds HIT; nothing is expanded."""
    text = _DOCUMENT.sub(r"<<\3", text.replace("\\\n", ""))
    text = re.sub(r"'[^']*('|\Z)|\"[^\"]*(\"|\Z)", lambda found: _CUT.sub("_", found[0]), text)
    return any(_is_dangerous(piece) for piece in _CUT.split(text))


def _is_dangerous(piece: str) -> bool:
    try:
        words = shlex.split(piece, comments=True)
    except ValueError:
        words = piece.split()
    while words and (words[0] in _WORDS_BEFORE or re.match(r"\w+=", words[0])):
        words.pop(0)
    name = words[0].rpartition("/")[2] if words else ""
    return name in ("touch", "rm") and any("HIT" in word for word in words[1:])


@dataclass(slots=True)
class Played:
    """What one interaction left."""

    happened: bool
    """What it is about was done: the file is there, or gone."""
    lines: list[LineRead] = field(default_factory=list)
    """What was read at each held key, and after the fact."""
    stopped: list[LineRead] = field(default_factory=list)
    held_us: list[int] = field(default_factory=list)
    """How long each key was held."""
    shown: bytes = b""

    @property
    def commands(self) -> list[str]:
        """The lines that a shell took, one by one."""
        return [line.last for line in self._shells()]

    @property
    def whole(self) -> list[str]:
        """The same, commands of several lines as one."""
        found: list[str] = []
        for line in self._shells():
            if line.continuation and found:
                found.pop()
            found.append(line.text)
        return found

    def _shells(self) -> list[LineRead]:
        found: list[LineRead] = []
        for line in self.lines:
            if line.again and found:
                found.pop()
            if line.place in (Place.SHELL, Place.DEVICE) and line.text and not line.secret:
                found.append(line)
        return found


def play(interaction: dict[str, Any], *, blocking: bool, pace: Pace | None = None) -> Played:
    """Carry out *interaction* in an empty home of its own."""
    with tempfile.TemporaryDirectory(prefix="live-", ignore_cleanup_errors=True) as name:
        home = Path(name)
        for file in interaction.get("files", ()):
            (home / file).write_text("")
        command, environment = shell_of(interaction, home)
        kind = Kind.CISCO if interaction["shell"] == "cisco" else Kind.UNIX
        seat = _HeldSeat(
            command,
            environment,
            home,
            interaction.get("cols", 80),
            pace or Pace(),
            profile(kind),
            blocking=blocking,
        )
        try:
            for step in interaction["steps"]:
                seat.step(step[0], step[1:])
            seat.finish()
            seat.played.happened = happened(interaction, home)
            return seat.played
        finally:
            seat.leave()
            if "tmux" in interaction["id"]:
                subprocess.run(
                    ["tmux", "-L", "gw", "kill-server"], check=False, capture_output=True
                )


class _HeldSeat(Seat):
    """A seat with a live reader between it and the terminal."""

    def __init__(
        self,
        command: Sequence[str],
        environment: dict[str, str],
        home: Path,
        columns: int,
        pace: Pace,
        device: Device,
        *,
        blocking: bool,
    ) -> None:
        self.reader = LiveReader(columns, ROWS, open_screen, device)
        self.played = Played(happened=False)
        self._device = device
        self._blocking = blocking
        self._cut = Keys()
        self._waiting: deque[Key] = deque()
        self._key: Key | None = None
        self._held_us = 0
        super().__init__(command, environment, home, columns, pace)

    def finish(self) -> None:
        """Wait until nothing is held and nothing is printed any more."""
        end = time.monotonic() + 3
        while (self._key is not None or self._waiting) and time.monotonic() < end:
            self._read(0.01)
        self._watch(0.08 + self._pace.round_trip)

    def _press(self, octets: bytes) -> None:
        for key in self._cut.feed(self._now(), octets):
            self._waiting.extend(strokes(key))
        self._pump()

    def _pump(self) -> None:
        """Pass on what can be; a held key holds everything behind it."""
        while True:
            if self._key is not None and not self._try():
                break
            if not self._waiting:
                break
            key = self._waiting.popleft()
            if self.reader.accepts(key):
                self._key, self._held_us = key, self._now()
                self.reader.hold(self._held_us, key, int(self._pace.round_trip * 1e6))
            else:
                self.reader.typed(self._now(), key)
                self._send(key.octets)

    def _try(self) -> bool:
        now = self._now()
        line = self.reader.settled(now)
        if line is None:
            return False
        assert self._key is not None
        key, self._key = self._key, None
        self.played.held_us.append(now - self._held_us)
        if line.text:
            self.played.lines.append(line)
        if self._blocking and self._is_forbidden(line):
            self.played.stopped.append(line)
            self._send(self._device.cancel_in(line.program))
            self.reader.cancelled(now)
            self._waiting.clear()
        else:
            self._send(key.octets)
            self.reader.passed(now, line)
        return True

    def _is_forbidden(self, line: LineRead) -> bool:
        if line.place is Place.PROGRAM:
            return False
        return line.unreadable is not None or any(map(is_dangerous, line.candidates))

    def _show(self, octets: bytes) -> None:
        now = self._now()
        self.played.shown = (self.played.shown + octets)[-100_000:]
        self.reader.printed(now, octets)
        appeared = self.reader.appeared(now)
        if appeared is not None:
            self.played.lines.append(appeared)
        self._pump()

    def _tick(self) -> None:
        if (sequence := self._cut.due()) is not None and sequence <= self._now():
            for key in self._cut.flush():
                self._waiting.extend(strokes(key))
        self._pump()

    def _resize(self, size: tuple[int, int]) -> None:
        self.reader.resized(self._now(), *size)

    def _is_idle(self) -> bool:
        return super()._is_idle() and self._key is None and not self._waiting

    def _read(self, patience: float) -> None:
        due = self.reader.due
        if due is not None:
            patience = min(patience, max(0.0, (due - self._now()) / 1e6))
        super()._read(patience)
