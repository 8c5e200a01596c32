"""What was typed, laid beside what the screen showed: which line was accepted, and how it read.

Of a recording the keys come late: what was echoed is known only afterwards, up to `LATE_US` (terminal/echo.py), and
a key that needs no echo at once. The lines that the terminal left come on time. So each typed line waits for the
line that fits it, and each line on the screen for the keys; what nothing fits is settled when the wait is over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from watchgate.terminal.echo import WINDOW_US
from watchgate.terminal.findings import Command
from watchgate.terminal.keyline import Ending, TypedLine
from watchgate.terminal.prompts import (
    LONGEST,
    end_of_prompt,
    looks_like_one,
    program_of,
    searches,
)
from watchgate.terminal.reading_lines import LeftLine
from watchgate.terminal.reading_shell import Accepted, ShellLines

LATE_US = WINDOW_US + 200_000
"""How long after a line was left its keys may still come."""

_PATIENCE_US = 1_000_000
"""How long a typed line waits for the screen."""

_ANSWER_US = 250_000
"""How long an Enter may stay without any effect on the screen."""

_RESTS = 8
_UNMATCHED = 256
_WAITING = 256


class LineMatch:
    """Matches one terminal's typed lines with those that it left."""

    def __init__(self) -> None:
        self.shell = ShellLines()
        self.keys_seen = False
        """Something was typed in this terminal, so that the keys are recorded."""
        self.at_prompt = False
        """The output rests, as far as was looked, behind a shell's prompt."""
        self._left: deque[LeftLine] = deque()
        self._typed: deque[tuple[TypedLine, bool]] = deque()
        self._ended: Ending | None = None
        self._answer_us: int | None = (
            None  # when an Enter that showed nothing until then never will
        )
        self._rests: deque[tuple[int, str]] = deque(maxlen=_RESTS)
        self._sighted: dict[str, int] = {}
        self._telling: set[str] = set()  # prompts of editors that say when they have ended a line

    @property
    def idle(self) -> bool:
        """Nothing waits."""
        return not self._left and not self._typed

    @property
    def waits(self) -> bool:
        """A line was typed that the screen has not shown yet."""
        return bool(self._typed)

    @property
    def due_us(self) -> int | None:
        """When `settle` has something to decide, if nothing happens before."""
        if self._typed:
            due = self._typed[0][0].t_us + _PATIENCE_US + 1
            return due if self._answer_us is None else min(due, self._answer_us)
        return self._left[0].t_us + LATE_US + _PATIENCE_US + 1 if self._left else None

    def goes_on(self) -> None:
        """Something is printed or typed."""
        self._answer_us = None

    def typed(self, line: TypedLine, alternate: bool) -> Iterator[Command]:
        """A line was typed; *alternate*: while a full-screen program had the screen."""
        self._typed.append((line, alternate))
        yield from self._pair()
        while len(self._typed) > _WAITING:
            yield from self._give_up()

    def left(self, line: LeftLine, opaque: bool) -> Iterator[Command]:
        """The terminal left *line*."""
        if line.alternate and self._place(line) is None:
            return  # a program is drawing
        self._left.append(line)
        yield from self._pair()
        while len(self._left) > _UNMATCHED:
            yield from self._unclaimed(self._left.popleft(), opaque)

    def came_back(self) -> None:
        """The line that was left last was not: the output went back to it."""
        if self._left and not self._left[-1].accepted:
            self._left.pop()

    def accepted(self) -> Iterator[Command]:
        """The line editor has ended the line that was left last."""
        if self._left:
            self._left[-1] = replace(self._left[-1], accepted=True)
            yield from self._pair()

    def is_drawn_again(self, line: str) -> LeftLine | None:
        """The output rests behind *line*, the first time since a line was left: that one, when it is the same."""
        last = self._left[-1] if self._left else None
        if last is None or last.accepted or not last.typed_over:
            return None
        # Network devices print help at a question mark, and draw the line again without it.
        if not line.startswith(last.text.rstrip().removesuffix("?").rstrip()):
            return None
        return self._left.pop()  # a list of completions, or help, came between

    def shows(self, t_us: int, line: str) -> None:
        """The output rests behind *line*."""
        self._rests.append((t_us, line))
        self._see_prompt()
        if not self.at_prompt and end_of_prompt(line) != len(line):
            return
        # A prompt with nothing behind it: the Enter of before has had its effect, and showed nothing.
        self._answer(t_us)

    def _answer(self, t_us: int) -> None:
        """Let go of the Enters without an effect; a younger one has until its time is over."""
        self._answer_us = None
        while self._typed and not self._typed[0][0].exact:
            answer_us = self._typed[0][0].t_us + _ANSWER_US
            if answer_us > t_us:
                self._answer_us = answer_us
                return
            self._typed.popleft()

    def _see_prompt(self) -> None:
        """Whether the output has rested behind a prompt since the last command was accepted."""
        known = self.shell.prompts
        self.at_prompt = any(
            line.strip() and known.behind(line, (len(line),)) == len(line)
            for _, line in self._rests
        )
        if self.at_prompt:
            self.shell.returned()

    def settle(self, t_us: int, opaque: bool) -> Iterator[Command]:
        """It is *t_us*; *opaque*: the line being typed now has keys whose effect only the screen tells."""
        if self._answer_us is not None and self._answer_us <= t_us:
            self._answer(t_us)
        while self._typed and self._typed[0][0].t_us + _PATIENCE_US < t_us:
            yield from self._give_up()
            yield from self._pair()
        while self._left and self._left[0].t_us + LATE_US + _PATIENCE_US < t_us:
            if self._typed:
                return
            yield from self._unclaimed(self._left.popleft(), opaque)

    def finish(self, opaque: bool) -> Iterator[Command]:
        """Nothing more comes."""
        while self._typed:
            yield from self._give_up()
            yield from self._pair()
        while self._left:
            yield from self._unclaimed(self._left.popleft(), opaque)
        yield from self.shell.flush()

    def _pair(self) -> Iterator[Command]:
        while self._typed:
            typed, alternate = self._typed[0]
            at = self._fitting(typed, alternate)
            if at is None:
                return
            self._typed.popleft()
            for _ in range(at):
                yield from self._unclaimed(self._left.popleft(), opaque=False)
            yield from self._take(typed, self._left.popleft())

    def _fitting(self, typed: TypedLine, alternate: bool) -> int | None:
        """The first line on the screen that *typed* can have become."""
        for at, left in enumerate(self._left):
            if alternate and not left.alternate and left.t_us > typed.t_us:
                continue  # a full-screen program took it
            if left.t_us + LATE_US + _PATIENCE_US >= typed.t_us and self._fits(typed, left):
                return at
        return None

    def _fits(self, typed: TypedLine, left: LeftLine) -> bool:
        if typed.ending is Ending.DROPPED:
            return left.text.rstrip().endswith("^C")
        if typed.exact and typed.text.strip():
            return _begins_with(left, typed.text) is not None
        if typed.exact:
            place = self.shell.prompts.behind(left.text, left.stops)
            return not left.behind(left.stops[0] if place is None else place)
        place = self._opaque_place(typed, left)
        # Where the line editor says when it has ended a line, others were left for other reasons.
        return place is not None and (left.accepted or left.text[:place] not in self._telling)

    def _opaque_place(self, typed: TypedLine, left: LeftLine) -> int | None:
        """Where the command begins in a line that the keys do not tell."""
        place = self.shell.prompts.behind(left.text, left.stops)
        if place is not None:
            return place
        if typed.text.strip() and not typed.redacted:
            for stop in left.stops:
                if left.text.startswith(typed.text, stop):
                    return stop
        if searches(left.text):
            return None
        likely = self._likely_prompt(left)
        if likely is not None:
            return likely
        # An Enter that came at once, before the line was left; or nothing is known of the session's prompts.
        prompt = left.text[: left.stops[0]]
        if left.alternate or not _may_be_prompt(prompt):
            return None
        # Without a prompt, and without keys that tell, any line that a program printed would do.
        if not prompt.strip() and (self.shell.prompts or typed.redacted):
            return None
        if self.shell.prompts and left.t_us < typed.t_us:
            return None
        return len(prompt)

    def _take(self, typed: TypedLine, left: LeftLine) -> Iterator[Command]:
        if typed.ending is Ending.DROPPED:
            yield from self._dropped(left)
            return
        place = None
        if typed.exact and typed.text.strip():
            place = _begins_with(left, typed.text)
        elif not typed.exact:
            place = self._opaque_place(typed, left)
        if place is None:
            place = self.shell.prompts.behind(left.text, left.stops)
        if place is None:
            place = left.stops[0]
        if left.accepted and place <= LONGEST and len(self._telling) < _UNMATCHED:
            self._telling.add(left.text[:place])
        text = typed.text if typed.exact else left.behind(place)
        yield from self._accept(typed.ending, _shown(left, place, text))

    def _give_up(self) -> Iterator[Command]:
        """The first typed line has waited long enough."""
        typed, alternate = self._typed.popleft()
        latest = self._typed[0][0].t_us if self._typed else typed.t_us + _PATIENCE_US
        near = []
        while self._left and self._left[0].t_us <= latest:
            near.append(self._left.popleft())
        if typed.ending is Ending.DROPPED:
            yield from self._dropped()
        elif not typed.exact or typed.ending is Ending.PERHAPS:
            self._ended = typed.ending
        elif len(near) == 1 and (line := self._instead(typed.text, near[0])) is not None:
            yield from self._accept(typed.ending, line)
        elif typed.text.strip():
            line = Accepted(typed.t_us, typed.text, None, "keys", alternate=alternate)
            yield from self._accept(typed.ending, line)

    def _instead(self, text: str, left: LeftLine) -> Accepted | None:
        """The line that the screen shows for certain where the keys say *text*.

        It is an abbreviation that was expanded, or a key that prints help; not a line that scrolled sideways, or wrapped.
        """
        place = self.shell.prompts.behind(left.text, left.stops)
        if place is None or left.rows > 1 or not left.text[:place].strip():
            return None
        shown = left.behind(place)
        scrolled = shown[:1] in ("$", "<") or shown[-1:] in ("$", ">")
        return _shown(left, place, shown) if shown and not scrolled else None

    def _accept(self, ending: Ending, line: Accepted) -> Iterator[Command]:
        joins = self._ended is Ending.PASTED
        may_join = self._ended is Ending.ESCAPED
        self._ended = ending
        yield from self.shell.accept(replace(line, joins=joins, may_join=may_join))
        while self._rests and self._rests[0][0] <= line.t_us:
            self._rests.popleft()
        self._see_prompt()

    def _dropped(self, left: LeftLine | None = None) -> Iterator[Command]:
        self._ended = Ending.DROPPED
        if left is None:
            yield from self.shell.drop(None, None)
        else:
            yield from self.shell.drop(left.text[: left.stops[0]], left.follows)

    def _unclaimed(self, left: LeftLine, opaque: bool) -> Iterator[Command]:
        """A line that the terminal left and nobody ended with Enter: a macro, or keys that are not recorded."""
        if self.keys_seen and not opaque and not left.accepted:
            return
        place = self._place(left)
        text = left.behind(place) if place is not None else ""
        if place is None or text.endswith("^C"):
            return
        yield from self.shell.accept(_shown(left, place, text))

    def _place(self, left: LeftLine) -> int | None:
        """Where the prompt ends, as far as the screen tells."""
        place = self.shell.prompts.behind(left.text, left.stops)
        return self._likely_prompt(left) if place is None else place

    def _likely_prompt(self, left: LeftLine) -> int | None:
        """Where the prompt ends, when nothing that was typed tells."""
        end = end_of_prompt(left.text)
        if end is not None:
            return end
        indent = len(left.text) - len(left.text.lstrip())
        for stop in left.stops[:2]:
            prompt = left.text[: min(stop, indent) or stop]
            if looks_like_one(prompt) or program_of(prompt, None):
                return stop
            if self.shell.is_continued_by(prompt):
                return len(prompt)
            if prompt.strip() and self._was_sighted(prompt):
                return stop
        first = left.stops[0]
        return first if left.accepted and _may_be_prompt(left.text[:first]) else None

    def _was_sighted(self, prompt: str) -> bool:
        """Whether the output has rested behind *prompt* before."""
        if len(prompt) <= LONGEST and len(self._sighted) < _UNMATCHED:
            self._sighted[prompt] = self._sighted.get(prompt, 0) + 1
        return self._sighted.get(prompt, 0) > 1 and prompt.endswith(" ")


def _may_be_prompt(text: str) -> bool:
    """Whether *text* does not end in the middle of a word, as what noise interrupted does."""
    return not text.strip() or not text[-1].isalnum()


def _shown(left: LeftLine, place: int, text: str) -> Accepted:
    return Accepted(
        left.t_us, text, left.text[:place], "screen", left.number, left.follows, left.alternate
    )


def _begins_with(left: LeftLine, text: str) -> int | None:
    """Where *text* stands in the line when the line ends with it."""
    wanted = text.strip()
    shown = left.text.rstrip()
    for stop in left.stops:
        if left.text[stop:].strip() == wanted or left.behind(stop) == wanted:
            return stop
    if shown.endswith(wanted):
        return len(shown) - len(wanted)
    return None
