"""From the keys and the picture to the line: which of both tells it, whose line it is, and what else it may be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from watchgate.policy.commands import Place, Source
from watchgate.session.model import Device as Kind
from watchgate.terminal.findings import readable
from watchgate.terminal.live.continuing import Open, goes_on
from watchgate.terminal.live.entry import Entry
from watchgate.terminal.live.front import Front
from watchgate.terminal.live.lineread import NOTHING, LineRead
from watchgate.terminal.live.passing import passed_on
from watchgate.terminal.live.placing import Placed, placed
from watchgate.terminal.live.profiles import Device
from watchgate.terminal.live.recall import Recall
from watchgate.terminal.live.sight import Sight
from watchgate.terminal.prompts import Prompts, continues, looks_like_one

_COMMAND_LINE = re.compile(r"^[:/?!|&]")
_MOST_OTHERS = 8
_SECRET = 4
"""Keys that were not echoed, and where other text was shown instead: fewer are no password but a binding."""


class Interpreter:
    """What one terminal's lines are; it learns prompts and keeps what they may go on with."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.prompts = Prompts()
        self.front = Front()
        self._recall = Recall()
        self._open = ""  # what was passed of a command that goes on
        self._why: Open | None = None
        self._doubtful = False  # whether it still does, keys have made doubtful
        self._prompt = ""  # of the line that was read last

    def agrees(self, sight: Sight, entry: Entry) -> bool:
        """Whether the screen shows what the keys say."""
        current = entry.current
        if not current.strip():
            return False
        if current != entry.text:
            return sight.shows_spread(entry.text)
        if self._behind_known(sight, current):
            return True
        return not entry.dropped and sight.shows(current) is not None

    def line(
        self, sight: Sight | None, entry: Entry, *, alternate: bool, edits: bool | None, began: str
    ) -> LineRead:
        """The line that *entry* is, as far as can be told."""
        where = (
            placed(sight, entry, self.prompts, self.device, began) if sight is not None else None
        )
        prompt = where.prompt if where is not None else ""
        self._prompt = prompt
        program = self._program(prompt, where, alternate=alternate, edits=edits)
        if program is not None:
            return self._of_program(program, sight, where, entry, alternate=alternate)
        read = self._read(sight, where, entry)
        if self.device.kind is not Kind.UNIX:
            return replace(read, place=Place.DEVICE)
        return self._expanded(self._joined(read, prompt, entry))

    def passed(self, line: LineRead, *, maybe_more: bool) -> None:
        """*line* was passed on; *maybe_more*: its Enter came behind an ESC."""
        if line.place in (Place.PROGRAM, Place.ESCAPE) or not line.text:
            return
        self._learn(line)
        if line.place is Place.DEVICE:
            self._recall.add(line.text)
            return
        if line.secret:
            self._open, self._why = "", None
            return
        self._why = goes_on(line.text)
        self._doubtful = False
        if self._why is not None or maybe_more:
            self._open = line.text
            return
        self._open = ""
        self.front.ran(line.text, certain=line.certain or not line.others)
        self._recall.add(line.text)

    def changed(self, sight: Sight, entry: Entry, judged: LineRead, began: str) -> LineRead | None:
        """What *judged* has become, as it stands when its line ended; None: what it was."""
        where = placed(sight, entry, self.prompts, self.device, began)
        if where is None or not where.known or not where.prompt.strip() or "\n" in judged.text:
            return None
        text = readable_lines(where.text)
        if judged.secret and text == judged.text:
            return LineRead(text, Source.SCREEN, last=text)
        if not text or text in judged.candidates or text.endswith("^C") or "\n" in text:
            return None
        return LineRead(text, Source.SCREEN, last=text, others=(judged.text,), again=True)

    def dropped(self) -> None:
        """The line was given up."""
        self._open, self._why = "", None
        self.front.ended()

    def ended_input(self) -> None:
        """^D was typed at the start of a line."""
        self._doubtful = True
        self.front.ended()

    def _learn(self, line: LineRead) -> None:
        prompt = self._prompt
        if line.continuation or not (line.certain or line.source is Source.SCREEN):
            return
        if self._open and continues(prompt):
            return
        if prompt.strip() or not self.prompts:
            self.prompts.learn(prompt)

    def _behind_known(self, sight: Sight, typed: str) -> bool:
        place = self.prompts.behind(sight.text, sight.stops)
        return place is not None and sight.shows_at(place, typed)

    def _program(
        self, prompt: str, where: Placed | None, *, alternate: bool, edits: bool | None
    ) -> str | None:
        if self.device.kind is not Kind.UNIX:
            return None
        known = self.prompts.knows(prompt) and (bool(prompt.strip()) or where is not None)
        looks = looks_like_one(prompt)
        program = self.front.takes(
            prompt, known=known, looks=looks, alternate=alternate, edits=edits
        )
        if program is None and (known or looks) and prompt.strip() and not self.front.multiplexes:
            self.front.returned()
        return program

    # --- what the line is ---

    def _read(self, sight: Sight | None, where: Placed | None, entry: Entry) -> LineRead:
        if entry.exact:
            if not entry.text.strip():
                return self._filled(where)
            return self._typed(sight, where, entry)
        return self._opaque(sight, where, entry)

    def _filled(self, where: Placed | None) -> LineRead:
        """Nothing was typed: the line is what already stands there, behind a prompt that is known."""
        if where is None or not where.known or not where.prompt.strip() or not where.text.strip():
            return NOTHING
        text = readable(where.text).strip()
        return LineRead(text, Source.SCREEN, others=_others(text, where.others), last=text)

    def _typed(self, sight: Sight | None, where: Placed | None, entry: Entry) -> LineRead:
        """A line that the keys tell."""
        text = readable_lines(entry.text)
        last = text
        shown = readable(where.text).strip() if where is not None else ""
        if sight is not None and self.agrees(sight, entry):
            before = self._stood_before(sight, text)
            certain = not entry.dropped and not before
            return LineRead(text, Source.SCREEN, certain=certain, others=before, last=last)
        if not entry.dropped and sight is not None:
            spread = sight.shows_spread(entry.current)
            if spread or sight.shows_end_of(entry.current):
                return LineRead(text, Source.KEYS, certain=spread, last=last)
        others = _others(text, (shown,)) if where is not None and where.known else ()
        if entry.dropped:  # perhaps it was not: an interrupt may be switched off
            others = _others(text, (shown, shown.replace("^C", "")))
        if others and text.endswith(shown):
            # Keys before it went to a program that has ended since, or a prompt was printed in its midst.
            return LineRead(shown, Source.SCREEN, others=(text,), last=shown)
        if entry.echoed(entry.text):
            return LineRead(text, Source.KEYS, others=others, last=last)
        if others and len(text) < _SECRET:
            return LineRead(shown, Source.SCREEN, others=(text,), last=shown)
        return LineRead(text, Source.KEYS, others=others, secret=True, last=last)

    def _stood_before(self, sight: Sight, text: str) -> tuple[str, ...]:
        """The line with what stood behind the prompt already when its first key came, where something did."""
        place = self.prompts.behind(sight.text, sight.stops)
        if place is None or not sight.text[:place].strip():
            return ()
        return _others(text, (readable(sight.behind(place)),))

    def _opaque(self, sight: Sight | None, where: Placed | None, entry: Entry) -> LineRead:
        """A line that only the screen tells."""
        guess = readable_lines(entry.text)
        if sight is None:
            return LineRead(guess, Source.KEYS, unreadable="the screen cannot be read", last=guess)
        if where is None:
            return LineRead(
                guess, Source.KEYS, unreadable="no prompt is to be seen before it", last=guess
            )
        text = readable_lines(where.text)
        if not text and not where.known and where.prompt.strip():
            why = "its prompt is not where it was"
            return LineRead(guess, Source.KEYS, unreadable=why, last=guess)
        if not text and entry.keys.text.strip() and not entry.echoed(entry.keys.text):
            why = "it was typed without an echo, with keys that do not tell it"
            return LineRead(guess, Source.KEYS, secret=True, unreadable=why, last=guess)
        read = LineRead(text, Source.SCREEN, others=_others(text, where.others), last=text)
        hidden = self._hidden(sight, where)
        return self._whole(read, entry) if hidden else read

    def _hidden(self, sight: Sight, where: Placed) -> bool:
        """Whether the row shows only a part of its line."""
        marks = self.device.sideways
        text = where.text.strip()
        if not marks or not text:
            return False
        return text[0] in marks or (sight.full_row and text[-1] in marks + "*")

    def _whole(self, read: LineRead, entry: Entry) -> LineRead:
        """The line of which a part is shown, when it is one that was run before."""
        marks = self.device.sideways
        part = read.text.removesuffix("<").rstrip().lstrip(marks)
        whole = self._recall.begun_before(part) if not entry.moved else None
        if whole is not None and read.text[-1:] not in marks.replace("<", "*"):
            return replace(read, text=whole, last=whole, others=_others(whole, (part,)))
        why = "the row shows only a part of it"
        return replace(read, unreadable=why, others=_others(read.text, (part, *read.others)))

    # --- what it belongs to ---

    def _joined(self, read: LineRead, prompt: str, entry: Entry) -> LineRead:
        """*read*, with the lines that it goes on with."""
        if not self._open:
            return read
        is_new = bool(prompt.strip()) and (
            self.prompts.knows(prompt) or (looks_like_one(prompt) and not continues(prompt))
        )
        if is_new:
            self._open, self._why = "", None
            return read
        whole = f"{self._open}\n{read.text}"
        asks = continues(prompt) or not prompt.strip()
        if self._why is None or not asks:
            return replace(read, others=_others(read.text, (whole, *read.others)))
        others = [f"{self._open}\n{other}" for other in read.others]
        if self._doubtful or entry.dropped:
            others.append(read.text)
        return replace(read, text=whole, continuation=True, others=_others(whole, others))

    def _expanded(self, read: LineRead) -> LineRead:
        """*read*, with what the shell makes of `!!` and its like."""
        if not read.text or self._why is Open.HEREDOC:
            return read
        became, why = self._recall.expanded(read.last if read.continuation else read.text)
        if why is not None and read.unreadable is None:
            read = replace(read, unreadable=why)
        return replace(read, others=_others(read.text, (*read.others, *became)))

    # --- programs ---

    def _of_program(
        self,
        program: str,
        sight: Sight | None,
        where: Placed | None,
        entry: Entry,
        *,
        alternate: bool,
    ) -> LineRead:
        row = sight.text.strip() if sight is not None and sight.bottom else ""
        if alternate:
            read = self._in_full_screen(sight, entry, row)
        else:
            read = self._read(sight, where, entry)
        read = replace(read, place=Place.PROGRAM, program=program)
        lines = [read.text, *read.others]
        if alternate:
            is_body = not row and bool(read.text)  # text that is written into a file
            lines = [row, *([] if is_body else [entry.current])]
            lines = [line for line in lines if _COMMAND_LINE.match(line)]
        found = [text for line in lines for text in passed_on(program, line)]
        if not found:
            return read
        return replace(
            read,
            text=found[0],
            others=_others(found[0], found[1:]),
            place=Place.ESCAPE,
            last=read.text,
        )

    def _in_full_screen(self, sight: Sight | None, entry: Entry, row: str) -> LineRead:
        """A line in a program that draws: its command line at the bottom, or text that is typed into it."""
        typed = readable(entry.current).strip() if entry.exact else ""
        if not entry.touched:
            return NOTHING
        if row and _COMMAND_LINE.match(row) and (not typed or typed.endswith(row)):
            return LineRead(row, Source.SCREEN, last=row)
        if sight is None or not typed:
            return NOTHING
        shown = sight.shows_end_of(entry.current) or sight.shows(entry.current) is not None
        return LineRead(typed, Source.SCREEN, last=typed) if shown else NOTHING


def readable_lines(text: str) -> str:
    """*text*, each of its lines as it is searched."""
    return "\n".join(readable(line).rstrip() for line in text.split("\n")).strip()


def _others(text: str, candidates: Iterable[str]) -> tuple[str, ...]:
    found = dict.fromkeys(c.strip() for c in candidates if c.strip() and c.strip() != text)
    return tuple(found)[:_MOST_OTHERS]
