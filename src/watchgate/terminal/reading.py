"""Reading a terminal's records: the commands that were given in it, and the text that it showed.

The reader is given the records of one terminal in order. It is a pure function of them: the same records give the same
findings however they are cut into calls and whatever the machine does. Octets of one moment are read
together, so a finding may come one record late; `closed` gives what is left.

What it is not: a boundary. Commands are inferred from a picture and from keys; a program may draw a
picture of its own (docs/explanation/terminals.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from watchgate.terminal.findings import Command, Finding, ScreenText
from watchgate.terminal.keyline import KeyLines
from watchgate.terminal.lazy import LazyScreen
from watchgate.terminal.reading_lines import LineWatch, current
from watchgate.terminal.reading_match import LineMatch
from watchgate.terminal.reading_text import CLEARED_US, SAMPLE_US, ShownText
from watchgate.terminal.screen import Screen

__all__ = ["Command", "Finding", "ScreenText", "TerminalReader"]

_REST_US = 3_000
"""Output that pauses for so long has come to a rest."""

_FLOOD_REST_US = 100_000
"""The same while more is printed than is read."""

_PAUSE_US = 300_000
"""When nothing was printed for so long, what stands behind an accepted line is a prompt."""
_ENDED_US = 1_000_000
"""And when a line was accepted so long ago, it was not continued if nothing asks for more."""

_TOGETHER = 64 * 1024
"""Octets of one moment that are read together."""

_AT_ONCE = 4096
"""Octets after which the lines that left the screen are taken: few enough that none is missed."""

_LOOKS = 200
_LOOKS_A_SECOND = 50
"""How often the screen is looked at: nobody ends lines more often; hostile output does."""

_SWITCH = re.compile(
    rb"\x1b\[\?[0-9;]{0,16}(?:1049|1047|47)(?:;[0-9;]{0,16})?[hl]"
    rb"|\x1b\[[23]J|\x1bc|\x1b\[(?:1;1)?H\x1b\[0?J"
)
_RESET = b"\x1bc"
_BROKEN_OFF = re.compile(rb"\x1b(?:\[(?:[?0-9;]{0,40}|(?:1;1)?H(?:\x1b(?:\[0?)?)?)?)?\Z")
_PASTE_OFF = b"\x1b[?2004l"
"""Bracketed paste is switched off by a line editor (readline, zle, fish) when it has ended a line."""
_LEAVES = re.compile(rb"\r*\n(?:\x1b\[\?2004l)?|\x1b\[\?2004l")


class TerminalReader:
    """Reads one terminal; give it a terminal's records, and take what each call finds.

    *screens* False reads only commands.
    """

    def __init__(
        self,
        columns: int,
        rows: int,
        open_screen: Callable[[int, int], Screen],
        *,
        screens: bool,
    ) -> None:
        self._screen = _Fed(open_screen(columns, rows))
        self._watch = LineWatch(self._screen)
        self._match = LineMatch()
        self._keys = KeyLines()
        self._text = ShownText(self._screen) if screens else None
        self._looks = _Allowance(_LOOKS, _LOOKS_A_SECOND)
        self._glances = _Allowance(_LOOKS, _LOOKS_A_SECOND)
        self._switches = _Allowance(_LOOKS, _LOOKS_A_SECOND)
        self._pending = bytearray()
        self._pending_us = 0
        self._held = b""  # the beginning of a sequence that may clear the screen
        self._printed_us = 0
        self._moved = True  # printed since the last place was kept
        self._mid_line = False
        self._skipped = 0
        self._untaken = 0  # octets with line feeds since the lines that left the screen were taken
        self._number = 0  # line feeds so far
        self._alternate = False
        self._just_left = False
        self._is_new = False  # the output has not rested since a line was left

    def output(self, t_us: int, octets: bytes) -> list[Finding]:
        """The terminal printed *octets*."""
        found: list[Finding] = []
        if not octets:
            return found
        if self._pending and t_us != self._pending_us:
            found.extend(self._print_pending())
        self._pending_us = t_us
        self._pending += octets
        while len(self._pending) >= _TOGETHER:
            piece = bytes(self._pending[:_TOGETHER])
            del self._pending[:_TOGETHER]
            found.extend(self._print(t_us, piece))
        return found

    def typed(self, t_us: int, octets: bytes) -> list[Finding]:
        """Keys that were echoed, or tell nothing, became known at *t_us*."""
        if not octets:
            return []
        found = list(self._print_pending())
        found.extend(self._settle(t_us))
        self._rest(t_us, typed=True)
        self._match.keys_seen = True
        for line in self._keys.feed(t_us, octets):
            found.extend(self._match.typed(line, self._alternate))
        return found

    def redacted(self, t_us: int) -> list[Finding]:
        """Something was typed that was not echoed."""
        found = list(self._print_pending())
        found.extend(self._settle(t_us))
        self._match.keys_seen = True
        self._keys.hide(t_us)
        return found

    def resized(self, t_us: int, columns: int, rows: int) -> list[Finding]:
        """The window changed its size."""
        found = list(self._print_pending())
        self._rest(t_us)
        if self._text is not None:
            found.extend(self._text.resize(t_us, columns, rows))
        else:
            self._screen.resize(columns, rows)
        return found

    def closed(self, t_us: int) -> list[Finding]:
        """Nothing more comes: all that is left."""
        found = list(self._print_pending())
        if self._held:
            self._screen.feed_at(t_us, self._held)
        found.extend(self._match.finish(self._is_opaque()))
        if self._text is not None:
            self._text.skipped(self._newly_skipped())
            found.extend(self._text.finish(t_us))
        return found

    def _print_pending(self) -> Iterator[Finding]:
        if self._pending:
            piece, self._pending = bytes(self._pending), bytearray()
            yield from self._print(self._pending_us, piece)

    def _print(self, t_us: int, octets: bytes) -> Iterator[Finding]:
        yield from self._settle(t_us)
        self._rest(t_us)
        octets, self._held = self._held + octets, b""
        broken_off = _BROKEN_OFF.search(octets, max(0, len(octets) - 64))
        if broken_off is not None:
            octets, self._held = octets[: broken_off.start()], broken_off[0]
        start = 0
        if self._just_left and octets.startswith(_PASTE_OFF):
            yield from self._match.accepted()
        self._just_left = False
        if self._text is not None and self._alternate and _leaves_alternate(octets):
            # Programs tidy up before they leave: what they showed is read before that.
            yield from self._text.sample(
                t_us, every_us=0 if self._switches.take(t_us) else SAMPLE_US
            )
        while start < len(octets):
            stop, switch, leaves = self._next_stop(t_us, octets, start)
            if stop > start:
                yield from self._feed(t_us, octets[start:stop])
            start = stop
            if switch:
                yield from self._switch(t_us, switch)
                start += len(switch)
            elif leaves:
                yield from self._leave(t_us, leaves)
                yield from self._feed(t_us, leaves)
                start += len(leaves)
                self._just_left = start == len(octets)
        self._printed_us = t_us
        self._moved = True
        if self._alternate != self._screen.alternate:  # it was switched where nobody looked
            self._alternate = self._screen.alternate
            if self._text is not None and self._alternate:
                self._text.entered(t_us)
        self._mid_line = not octets.endswith(b"\n") if octets else self._mid_line

    def _next_stop(self, t_us: int, octets: bytes, start: int) -> tuple[int, bytes, bytes]:
        """How far the octets can be fed before the screen is looked at.

        What comes there: a switch of the screen, or octets that leave the operator's line.
        """
        switch = _SWITCH.search(octets, start)
        end = switch.start() if switch is not None else len(octets)
        flooded = self._screen.behind and t_us - self._printed_us < _FLOOD_REST_US
        if self._watch.begun or (self._match.waits and not flooded):
            leaves = _LEAVES.search(octets, start, end)
            if leaves is not None and self._looks.take(t_us):
                return leaves.start(), b"", leaves[0]
        if switch is not None and not flooded and self._switches.take(t_us):
            return end, switch[0], b""
        return len(octets), b"", b""

    def _feed(self, t_us: int, octets: bytes) -> Iterator[Finding]:
        text = self._text
        if text is None:
            self._number += octets.count(b"\n")
            self._screen.feed_at(t_us, octets)
            return
        start = 0
        while start < len(octets):
            piece = octets[start : start + _AT_ONCE]
            line_feeds = piece.count(b"\n")
            self._number += line_feeds
            self._untaken += len(piece) if line_feeds else 0
            self._screen.feed_at(t_us, piece)
            if not self._alternate:
                text.printed(t_us, line_feeds)
            text.skipped(self._newly_skipped())
            if self._untaken >= _AT_ONCE and not self._alternate and not self._screen.behind:
                self._untaken = 0
                yield from text.take_scrolled(t_us)
            start += len(piece)

    def _newly_skipped(self) -> int:
        before, self._skipped = self._skipped, self._screen.skipped
        return self._skipped - before

    def _switch(self, t_us: int, sequence: bytes) -> Iterator[Finding]:
        """The screen is cleared, or a full-screen program comes or goes."""
        clears = sequence[-1:] not in b"hl"
        was_alternate = self._alternate
        if self._text is not None:
            if was_alternate:
                leaves = sequence.endswith(b"l") or sequence == _RESET
                yield from self._text.sample(t_us, every_us=0 if leaves else CLEARED_US)
            else:
                yield from self._text.take_standing(t_us, all_rows=clears)
        self._screen.feed_at(t_us, sequence)
        self._watch.forget()
        self._alternate = self._screen.screen.alternate
        if self._text is not None:
            if clears and not self._alternate:
                self._text.cleared()
            elif self._alternate and not was_alternate:
                self._text.entered(t_us)

    def _leave(self, t_us: int, leaves: bytes) -> Iterator[Finding]:
        """The output is about to go on to the next line: how the operator's line stands."""
        accepted = leaves.endswith(_PASTE_OFF) and not self._alternate
        prompts = self._match.shell.prompts
        left = self._watch.leave(t_us, self._number, accepted=accepted, prompts=prompts)
        if left is None:
            return
        self._is_new = True
        self._match.at_prompt = False
        yield from self._match.left(left, self._is_opaque())
        if self._text is not None:
            yield from self._text.take_standing(t_us)

    def _rest(self, t_us: int, *, typed: bool = False) -> None:
        """Keep the place where the output rested, when it did."""
        pause = _FLOOD_REST_US if self._screen.behind else _REST_US
        rested = self._mid_line and t_us - self._printed_us >= pause
        if not (rested or (typed and self._moved)) or self._watch.full:
            return
        if not typed and not self._screen.screen.cursor[0]:
            return
        self._mid_line = self._moved = False
        if self._watch.rest():
            self._match.came_back()
        elif (not self._match.at_prompt or self._match.waits) and self._glances.take(t_us):
            self._glance(t_us)
        self._is_new = False

    def _glance(self, t_us: int) -> None:
        """What the output rests behind: a prompt, or a line that it has left and drawn again."""
        line = current(self._screen.screen)
        again = self._match.is_drawn_again(line) if self._is_new else None
        if again is not None:
            self._watch.drawn_again(again)
        self._match.shows(t_us, line)

    def _is_opaque(self) -> bool:
        line = self._keys.line
        return line.touched and not line.exact and not line.completed

    def _settle(self, t_us: int) -> Iterator[Finding]:
        """Decide what has waited long enough at *t_us*."""
        if not self._match.idle:
            yield from self._match.settle(t_us, self._is_opaque())
        else:
            is_quiet = t_us - self._printed_us >= _PAUSE_US
            accepted_us = self._match.shell.accepted_us
            if accepted_us is not None and (is_quiet or t_us - accepted_us >= _ENDED_US):
                yield from self._end_command()
        if self._text is not None and self._alternate:
            yield from self._text.sample(t_us)

    def _end_command(self) -> Iterator[Finding]:
        """A command that might go on does not, unless it is asked for where its continuation would stand."""
        shell = self._match.shell
        if not shell.is_continued_by(self._watch.prompt()):
            yield from shell.flush()


def _leaves_alternate(octets: bytes) -> bool:
    return any(found[0][-1:] == b"l" for found in _SWITCH.finditer(octets, 0, _TOGETHER))


class _Fed(LazyScreen):
    """A lazy screen that says when it is not up to date."""

    @property
    def behind(self) -> bool:
        """Octets wait that are fed only when somebody looks."""
        return self._behind


class _Allowance:
    """So many at once, and so many more with each second of recorded time."""

    def __init__(self, most: int, a_second: int) -> None:
        self._most = most * 1_000_000
        self._a_second = a_second
        self._left = self._most
        self._t_us = 0

    def take(self, t_us: int) -> bool:
        """One more, at *t_us*; False when there is none left."""
        passed = max(0, t_us - self._t_us)
        self._t_us = t_us
        self._left = min(self._most, self._left + passed * self._a_second)
        if self._left < 1_000_000:
            return False
        self._left -= 1_000_000
        return True
