"""Reading a terminal's records: the commands that were given in it, and the text that it showed.

The reader is given the records of one terminal in order. It is a pure function of them: the same records give the same
findings however they are cut into calls and whatever the machine does. Octets of one moment are read
together, so a finding may come one record late; `closed` gives what is left.

Some things are decided by time that passes. Each has its moment, counted from the records, and is done at
that moment whether it is known by the next record or by `rest`: so resting brings findings forward and never
changes one.

What it is not: a boundary. Commands are inferred from a picture and from keys; a program may draw a
picture of its own (docs/explanation/terminals.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from watchgate.terminal.findings import Command, Finding, ScreenText
from watchgate.terminal.keyline import KeyLines
from watchgate.terminal.lazy import LazyScreen
from watchgate.terminal.reading_lines import LineWatch, current
from watchgate.terminal.reading_marks import (
    BROKEN_OFF,
    LEAVES,
    PASTE_OFF,
    RESET,
    SWITCH,
    Allowance,
    leaves_alternate,
)
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
_AT_PROMPT_US = 1_000_000
_QUIET_US = 5_000_000
"""When nothing was printed for so long, at a prompt or elsewhere, a text ends."""

FOREVER: Final = 1 << 62
"""For `rest`: nothing will ever happen again."""

_TOGETHER = 64 * 1024
"""Octets of one moment that are read together."""

_AT_ONCE = 4096
"""Octets after which the lines that left the screen are taken: few enough that none is missed."""

_LOOKS = 200
_LOOKS_A_SECOND = 50
"""How often the screen is looked at: nobody ends lines more often; hostile output does."""

_Duty: TypeAlias = Callable[[int], Iterator[Finding]]
"""What is done when its moment, which it is given, has come."""


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
        self._screen = LazyScreen(open_screen(columns, rows))
        self._watch = LineWatch(self._screen)
        self._match = LineMatch()
        self._keys = KeyLines()
        self._text = ShownText(self._screen) if screens else None
        self._looks = Allowance(_LOOKS, _LOOKS_A_SECOND)
        self._glances = Allowance(_LOOKS, _LOOKS_A_SECOND)
        self._switches = Allowance(_LOOKS, _LOOKS_A_SECOND)
        self._pending = bytearray()
        self._pending_us = 0
        self._held = b""  # the beginning of a sequence that may clear the screen
        self._printed_us = 0
        self._moved = True  # printed since the last place was kept
        self._mid_line = False
        self._rest_us: int | None = None  # when the output comes to a rest
        self._asked_us: int | None = None  # of which accepted line was seen that it may go on
        self._drawn_us: int | None = (
            None  # since when a full-screen program shows what is not sampled
        )
        self._is_given = True  # the text so far
        self._skipped = 0
        self._untaken = 0  # octets with line feeds since the lines that left the screen were taken
        self._number = 0  # line feeds so far
        self._alternate = False
        self._just_left = False
        self._left_one = False  # whether the line that was left last was one of the operator's
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
        found = list(self._come_to(t_us))
        if self._moved:
            self._keep_place(t_us)
        self._match.keys_seen = True
        for line in self._keys.feed(t_us, octets):
            found.extend(self._match.typed(line, self._alternate))
        return found

    def redacted(self, t_us: int) -> list[Finding]:
        """Something was typed that was not echoed."""
        found = list(self._come_to(t_us))
        self._match.keys_seen = True
        self._keys.hide(t_us)
        return found

    def resized(self, t_us: int, columns: int, rows: int) -> list[Finding]:
        """The window changed its size."""
        found = list(self._come_to(t_us))
        if self._text is not None:
            found.extend(self._text.resize(t_us, columns, rows))
        else:
            self._screen.resize(columns, rows)
        self._asked_us = None
        self._is_given = False
        self._rest_us = t_us if self._mid_line else None
        return found

    def rest(self, t_us: int) -> list[Finding]:
        """Nothing happened until *t_us*, and what comes will not be older: what is found by that."""
        found: list[Finding] = []
        if t_us > self._pending_us:
            found.extend(self._print_pending())
        found.extend(self._wait_until(t_us))
        return found

    @property
    def due_us(self) -> int | None:
        """Until when to `rest` at least, for it to find anything; None: it would find nothing."""
        coming = self._coming()
        due_us = coming[0] if coming is not None else None
        if self._pending:
            due_us = min(self._pending_us + 1, FOREVER if due_us is None else due_us)
        return due_us

    def closed(self, t_us: int) -> list[Finding]:
        """Nothing more comes: all that is left."""
        found = list(self._come_to(t_us))
        if self._held:
            self._screen.feed_at(t_us, self._held)
        found.extend(self._match.finish(self._is_opaque()))
        if self._text is not None:
            self._text.skipped(self._newly_skipped())
            found.extend(self._text.finish(t_us))
        return found

    # --- time that passes ---

    def _come_to(self, t_us: int) -> Iterator[Finding]:
        """It is *t_us*, and something happens."""
        yield from self._print_pending()
        yield from self._wait_until(t_us)
        self._match.goes_on()

    def _wait_until(self, t_us: int) -> Iterator[Finding]:
        """Everything whose moment comes until *t_us*, in order."""
        while (coming := self._coming()) is not None and coming[0] <= t_us:
            due_us, duty = coming
            yield from duty(due_us)

    def _coming(self) -> tuple[int, _Duty] | None:
        """What is to be done next, and when, if nothing happens before."""
        coming: list[tuple[int, _Duty]] = []
        if self._rest_us is not None:
            coming.append((self._rest_us, self._come_to_rest))
        if (match_us := self._match.due_us) is not None:
            coming.append((match_us, self._settle))
        elif (accepted_us := self._match.shell.accepted_us) not in (None, self._asked_us):
            due_us = min(self._printed_us + _PAUSE_US, accepted_us + _ENDED_US)
            coming.append((due_us, self._end_command))
        if self._text is not None and self._alternate:
            if self._drawn_us is not None:
                coming.append((self._drawn_us + SAMPLE_US, self._sample))
        elif self._text is not None and not self._is_given:
            quiet_us = _AT_PROMPT_US if self._match.at_prompt else _QUIET_US
            coming.append((self._printed_us + quiet_us, self._give_text))
        return min(coming, key=_moment) if coming else None

    def _come_to_rest(self, t_us: int) -> Iterator[Finding]:
        """The output pauses in the midst of a line."""
        self._rest_us = None
        if self._screen.screen.cursor[0]:
            self._keep_place(t_us)
        yield from ()

    def _settle(self, t_us: int) -> Iterator[Finding]:
        """What was typed or left has waited long enough for the other."""
        yield from self._match.settle(t_us, self._is_opaque())

    def _end_command(self, t_us: int) -> Iterator[Finding]:
        """A command that might go on does not, unless it is asked for where its continuation would stand."""
        del t_us
        shell = self._match.shell
        self._asked_us = shell.accepted_us
        if not shell.is_continued_by(self._watch.prompt()):
            yield from shell.flush()

    def _sample(self, t_us: int) -> Iterator[Finding]:
        """What a full-screen program has drawn stood long enough."""
        self._drawn_us = None
        if self._text is not None:
            yield from self._text.sample(t_us, every_us=0)

    def _give_text(self, t_us: int) -> Iterator[Finding]:
        """The terminal is quiet: its text ends here, and at a prompt nothing above it is drawn again."""
        del t_us
        self._is_given = True
        self._untaken = 0
        if self._text is not None:
            self._text.skipped(self._newly_skipped())
            yield from self._text.rest(self._printed_us, standing=self._match.at_prompt)

    # --- output ---

    def _print_pending(self) -> Iterator[Finding]:
        if self._pending:
            piece, self._pending = bytes(self._pending), bytearray()
            yield from self._print(self._pending_us, piece)

    def _print(self, t_us: int, octets: bytes) -> Iterator[Finding]:
        yield from self._wait_until(t_us)
        self._match.goes_on()
        octets, self._held = self._held + octets, b""
        broken_off = BROKEN_OFF.search(octets, max(0, len(octets) - 64))
        if broken_off is not None:
            octets, self._held = octets[: broken_off.start()], broken_off[0]
        start = 0
        if self._just_left and octets.startswith(PASTE_OFF):
            yield from self._match.accepted()
        self._just_left = False
        if self._text is not None and self._alternate and leaves_alternate(octets):
            # Programs tidy up before they leave: what they showed is read before that.
            yield from self._text.sample(
                t_us, every_us=0 if self._switches.take(t_us) else SAMPLE_US
            )
            self._drawn_us = None
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
                self._just_left = self._left_one and start == len(octets)
        self._printed_us = t_us
        self._moved = True
        if self._alternate != self._screen.alternate:  # it was switched where nobody looked
            self._alternate = self._screen.alternate
            if self._text is not None and self._alternate:
                self._text.entered(t_us)
        self._mid_line = not octets.endswith(b"\n") if octets else self._mid_line
        pause_us = _FLOOD_REST_US if self._screen.behind else _REST_US
        self._rest_us = t_us + pause_us if self._mid_line else None
        if not self._alternate:
            self._drawn_us = None
        elif self._drawn_us is None:
            self._drawn_us = t_us
        self._is_given = False
        self._asked_us = None

    def _next_stop(self, t_us: int, octets: bytes, start: int) -> tuple[int, bytes, bytes]:
        """How far the octets can be fed before the screen is looked at.

        What comes there: a switch of the screen, or octets that leave the operator's line.
        """
        switch = SWITCH.search(octets, start)
        end = switch.start() if switch is not None else len(octets)
        flooded = self._screen.behind and t_us - self._printed_us < _FLOOD_REST_US
        if self._watch.begun or (self._match.waits and not flooded):
            leaves = LEAVES.search(octets, start, end)
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
                leaves = sequence.endswith(b"l") or sequence == RESET
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
        accepted = leaves.endswith(PASTE_OFF) and not self._alternate
        prompts = self._match.shell.prompts
        left = self._watch.leave(t_us, self._number, accepted=accepted, prompts=prompts)
        self._left_one = left is not None
        if left is None:
            return
        self._is_new = True
        self._match.at_prompt = False
        yield from self._match.left(left, self._is_opaque())
        if self._text is not None:
            yield from self._text.take_standing(t_us)

    def _keep_place(self, t_us: int) -> None:
        """The output stands still here, at *t_us*: an operator may be asked for a line."""
        if self._watch.full:
            return
        self._mid_line = self._moved = False
        self._rest_us = None
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


def _moment(coming: tuple[int, _Duty]) -> int:
    return coming[0]
