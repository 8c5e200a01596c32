"""Playing a recording in a terminal: what each key and each moment bring about.

Pure: times and keys in, effects out; `playback` performs them. Where the play is, and what is written to get
there, is the tape's subject. Long ways are gone in pieces, so that the player holds little and answers its
keys meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from watchgate.terminal.keyframes import Keyframes
from watchgate.terminal.keys import KeyKind, Keys
from watchgate.terminal.search import CommandSearch, Search, TextSearch
from watchgate.terminal.tape import Frame, Tape
from watchgate.terminal.timeline import Timeline, moment, parse_moment

__all__ = ["HELP", "Effect", "Frame", "PlayOptions", "Player", "Quit", "Show", "Status"]

SEEK_US = 5_000_000
HELP = "space pause  . step  [ ] speed  ← → 5 s  g go to  n N command  / search  q quit"

_PIECE = 256 * 1024
_FRAMES_A_PIECE = 4096
_LONGEST_ANSWER = 200


@dataclass(frozen=True, slots=True)
class Show:
    """Write to the terminal."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Status:
    """Draw a status line over the last row; an empty one takes it away."""

    text: str


@dataclass(frozen=True, slots=True)
class Quit:
    """The play is over."""


Effect: TypeAlias = Show | Status | Quit


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """How a recording is played."""

    speed: float = 1.0
    idle_us: int | None = None
    """Longer pauses are cut to this."""
    at_us: int = 0
    at_command: int | None = None
    """Begin with this command, counted from one."""
    duration_us: int | None = None
    origin_us: int = 0
    """When the recording's first moment was, as the reader counts: times are shown and asked for from there."""
    raw: bool = False
    """Pass every octet on, those that make a terminal answer too."""


class Player:
    """One play of one recording."""

    def __init__(self, source: Callable[[], Iterator[Frame]], options: PlayOptions) -> None:
        self._source = source
        self._options = options
        self._timeline = Timeline(options.speed, options.idle_us)
        self._keys = Keys()
        self._effects: list[Effect] = []
        self._tape = Tape(source, raw=options.raw)
        self._until_us: int | None = None  # going fast up to this moment
        self._until_index: int | None = None  # or up to this frame
        self._search: Search | None = None
        self._asking = ""  # `g` or `/`, while the answer is typed
        self._answer = ""
        self._needle = ""
        self._covered = False
        self.in_vain: str | None = None
        """What the last search said that found nothing; for a play that has no status line."""

    def emulate(self, keyframes: Keyframes) -> None:
        """Paint what is far away instead of writing all that leads there; before the start."""
        self._tape.emulate(keyframes)

    def resized(self, columns: int, rows: int) -> None:
        """The terminal has another size."""
        self._tape.resized(columns, rows)

    def start(self, now: int) -> list[Effect]:
        """Begin to play."""
        self._tape.open()
        self._timeline.resume(now)
        self._await(now)
        if self._options.at_command is not None:
            self._find(CommandSearch(self._source(), 0, max(1, self._options.at_command)))
        elif self._options.at_us > 0:
            self._go(until_us=self._options.at_us)
        return self._performed()

    def due(self) -> int | None:
        """When `tick` has something to do; 0 is at once, None is not before a key."""
        if self._search is not None or self._hurries():
            return 0
        if self._tape.next is None:
            return 0 if self._timeline.playing else None
        return self._timeline.due()

    def tick(self, now: int) -> list[Effect]:
        """Show what is due at *now*, or go on with what takes longer."""
        if self._search is not None:
            self._search_on(now)
        elif self._hurries():
            self._hurry(now)
        elif self._timeline.playing:
            self._play(now)
        return self._performed()

    def typed(self, now: int, data: bytes) -> list[Effect]:
        """Keys of the reader."""
        for kind, octets in self._keys.feed(now, data):
            self._handle(now, kind, octets)
        return self._performed()

    def waits_for_key(self) -> int | None:
        """When a key that may be the start of a sequence is taken as it is; see `settle_keys`."""
        return self._keys.due()

    def settle_keys(self, now: int) -> list[Effect]:
        """The rest of a sequence did not come: an ESC was the key."""
        for kind, octets in self._keys.flush():
            self._handle(now, kind, octets)
        return self._performed()

    def _handle(self, now: int, kind: KeyKind, octets: bytes) -> None:
        if octets[:1] in (b"\x03", b"\x04"):
            self._effects.append(Quit())
        elif self._asking:
            self._answer_key(now, kind, octets)
        elif kind is KeyKind.TEXT:
            self._letters(now, octets.decode("utf-8", "replace"))
        elif octets in (b"\x1b[C", b"\x1bOC"):
            self._seek(now, self._heading(now) + SEEK_US)
        elif octets in (b"\x1b[D", b"\x1bOD"):
            self._seek(now, self._heading(now) - SEEK_US)

    def _letters(self, now: int, text: str) -> None:
        for place, letter in enumerate(text):
            self._letter(now, letter)
            if self._asking:
                # What came with the question is the start of its answer.
                self._answer_key(now, KeyKind.TEXT, text[place + 1 :].encode())
                return

    def _letter(self, now: int, letter: str) -> None:
        match letter:
            case "q":
                self._effects.append(Quit())
            case " ":
                self._pause(now) if self._timeline.playing else self._resume(now)
            case ".":
                self._step(now)
            case ">" | "]":
                self._set_speed(now, 2.0)
            case "<" | "[":
                self._set_speed(now, 0.5)
            case "g" | "/":
                self._pause(now)
                self._asking = letter
                self._status(now)
            case "n":
                self._find(CommandSearch(self._source(), self._tape.index, 1))
            case "N":
                self._previous_command(now)
            case "?":
                self._pause(now)
                self._say(HELP)
            case _:
                pass

    def _answer_key(self, now: int, kind: KeyKind, octets: bytes) -> None:
        if kind is KeyKind.TEXT:
            self._answer += octets.decode("utf-8", "replace")
            self._answer = self._answer[:_LONGEST_ANSWER]
        elif kind is KeyKind.ERASE and self._answer:
            self._answer = self._answer[: -len(octets)]
        else:
            asked, answer = self._asking, self._answer
            self._asking = self._answer = ""
            if kind is KeyKind.END:
                self._answered(now, asked, answer)
                return
        self._status(now)

    def _answered(self, now: int, asked: str, answer: str) -> None:
        if asked == "/":
            self._needle = answer or self._needle
            if self._needle:
                self._find(TextSearch(self._source(), self._tape.index, self._needle))
            return
        target = parse_moment(answer)
        if target is None:
            self._say(f"{answer!r} is no moment; write seconds or 1:23")
        else:
            self._seek(now, target - self._options.origin_us)

    def _pause(self, now: int) -> None:
        self._timeline.pause(now)
        self._status(now)

    def _resume(self, now: int) -> None:
        self._timeline.resume(now)
        self._uncover()

    def _step(self, now: int) -> None:
        if self._timeline.playing:
            self._pause(now)
        elif not self._hurries() and self._tape.next is not None:
            self._uncover()
            self._go(until_index=self._tape.index)

    def _set_speed(self, now: int, factor: float) -> None:
        self._timeline.set_speed(now, self._timeline.speed * factor)
        if not self._timeline.playing:
            self._status(now)

    def _seek(self, now: int, t_us: int) -> None:
        if t_us < self._tape.shown_us or t_us < self._timeline.position(now):
            self._rewind(until_us=max(0, t_us))
        else:
            self._uncover()
        self._go(until_us=max(0, t_us))

    def _heading(self, now: int) -> int:
        """Where the reader is, or will be when the way that he is on is gone."""
        return self._timeline.position(now) if self._until_us is None else self._until_us

    def _previous_command(self, now: int) -> None:
        """Back to the command before; one that was only just passed does not count."""
        before = [index for index in self._tape.commands if index < self._tape.index - 1]
        if not before:
            self._pause(now)
            self._say("there is no command before this")
            return
        self._rewind(until_index=before[-1])
        self._go(until_index=before[-1])

    def _find(self, search: Search) -> None:
        self._search = search

    def _search_on(self, now: int) -> None:
        search = self._search
        if search is None or not search.go_on(_FRAMES_A_PIECE, _PIECE):
            return
        self._search = None
        if search.found is None:
            self.in_vain = search.in_vain
            self._pause(now)
            self._say(search.in_vain)
            return
        if search.pauses:
            self._timeline.pause(now)
        self._uncover()
        self._go(until_index=search.found)

    def _go(self, *, until_us: int | None = None, until_index: int | None = None) -> None:
        self._until_us = until_us
        self._until_index = until_index
        self._tape.hasten()

    def _hurries(self) -> bool:
        return self._until_us is not None or self._until_index is not None

    def _hurry(self, now: int) -> None:
        """Go on to where the reader wants to be, as fast as the terminal takes it."""
        room = _PIECE
        while self._tape.next is not None and room > 0:
            if self._until_index is not None:
                if self._tape.index > self._until_index:
                    break
            elif self._until_us is not None and self._tape.next.t_us > self._until_us:
                break
            room -= len(self._tape.next.output) + 64
            self._show()
        else:
            if self._tape.next is not None:
                return
        self._arrived(now)

    def _arrived(self, now: int) -> None:
        position = self._tape.shown_us
        if self._until_us is not None and self._tape.next is not None:
            position = self._until_us
        self._until_us = self._until_index = None
        self._write(self._tape.arrive())
        self._timeline.jump(now, position)
        self._await(now)
        if self._tape.next is None:
            self._pause(now)
        elif not self._timeline.playing:
            self._status(now)

    def _play(self, now: int) -> None:
        room = _PIECE
        while self._tape.next is not None and room > 0:
            due = self._timeline.due()
            if due is None or due > now:
                return
            room -= len(self._tape.next.output) + 64
            self._timeline.arrive(now)
            self._show()
            self._await(now)
        if self._tape.next is None:
            self._effects.append(Quit())

    def _rewind(self, *, until_us: int | None = None, until_index: int | None = None) -> None:
        self._covered = False
        self._write(self._tape.back(until_us=until_us, until_index=until_index))

    def _show(self) -> None:
        self._write(self._tape.advance())

    def _write(self, octets: bytes) -> None:
        if octets:
            self._effects.append(Show(octets))

    def _await(self, now: int) -> None:
        if self._tape.next is not None:
            self._timeline.await_record(now, self._tape.next.t_us)

    def _status(self, now: int) -> None:
        if self._asking:
            self._say(("go to: " if self._asking == "g" else "/") + self._answer)
            return
        origin, total = self._options.origin_us, self._options.duration_us
        position = moment(origin + self._timeline.position(now))
        parts = ["end" if self._tape.next is None else "paused"]
        parts.append(position if total is None else f"{position} / {moment(origin + total)}")
        parts.append(f"{self._timeline.speed:g}x")
        if self._tape.command:
            parts.append(f"command {len(self._tape.commands)}: {self._tape.command}")
        parts.append("? help")
        self._say("  ".join(parts))

    def _say(self, text: str) -> None:
        self._covered = True
        self._effects.append(Status(text))

    def _uncover(self) -> None:
        """Take the status line away, and draw again what it covered where that is soon done."""
        if not self._covered:
            return
        self._covered = False
        self._effects.append(Status(""))
        self._write(self._tape.redrawn())

    def _performed(self) -> list[Effect]:
        """The effects so far, neighboring octets as one."""
        effects, self._effects = self._effects, []
        result: list[Effect] = []
        run: list[bytes] = []
        for effect in effects:
            if isinstance(effect, Show):
                run.append(effect.octets)
                continue
            if run:
                result.append(Show(b"".join(run)))
                run = []
            result.append(effect)
        if run:
            result.append(Show(b"".join(run)))
        return result
