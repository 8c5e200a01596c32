"""The reader of one terminal, while it is used.

It is told what is printed and what is typed. A key that would run a line is held back by the caller and given to
`hold`; when `settled` answers, the line is known as well as it will be, and the caller passes the key on or
clears the line. All other keys are never held. Times are monotonic microseconds.

What it is not: a boundary. It reads a picture (docs/explanation/limits.md); where the shell itself tells its
commands, that is used instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from watchgate.policy.commands import Place, Source
from watchgate.terminal.keys import Key, KeyKind
from watchgate.terminal.live.after import Enters, Judged
from watchgate.terminal.live.entry import Entry
from watchgate.terminal.live.glass import Glass
from watchgate.terminal.live.interpret import Interpreter
from watchgate.terminal.live.lineread import NOTHING, LineRead
from watchgate.terminal.live.pace import Pace
from watchgate.terminal.live.profiles import Device
from watchgate.terminal.live.settling import ECHO_US, LONGEST_RTT_US, UNANSWERED_US, Settling
from watchgate.terminal.live.sight import Sight, right_of_cursor, see
from watchgate.terminal.live.strokes import classic
from watchgate.terminal.prompts import looks_like_one
from watchgate.terminal.reading_lines import current
from watchgate.terminal.reading_marks import PASTE_OFF, Allowance
from watchgate.terminal.screen import Anchor, LiveScreen

_LOOKS_A_HOLD = 64
"""Looks at the screen while one key is held, beside the last one."""
_PIECE = 1024
"""Octets of output that may be a prompt or an echo, behind which a key is going to come."""
_LOOKS = 200
_LOOKS_A_SECOND = 50
_META_ACCEPTS = frozenset((b"\x1ba", b"\x1bA", b"\x1b\r", b"\x1b\n"))
_ENDS_INPUT = b"\x04"


class LiveReader:
    """Reads the lines of one terminal."""

    def __init__(
        self,
        columns: int,
        rows: int,
        open_screen: Callable[[int, int], LiveScreen],
        device: Device,
    ) -> None:
        self._device = device
        self._glass = Glass(columns, rows, open_screen)
        self._interpreter = Interpreter(device)
        self._entry = Entry()
        self._began = ""  # what stood before the cursor when the first key of the line came
        self._settling: Settling | None = None
        self._held: Key | None = None
        self._output_us = -LONGEST_RTT_US
        self._passed_us = 0  # when the last Enter was passed on
        self._previous: list[Anchor] = []  # where the line of that Enter began
        self._edits: bool | None = None  # whether a line editor has the terminal, where they say so
        self._enters = Enters()
        self._appeared: LineRead | None = None
        self._agreed = False  # the screen shows what was typed
        self._agreeing: Sight | None = None  # what it showed then
        self._unseen = True  # something was printed since it was looked at
        self._looks_left = 0
        self._rtt_us = 0
        self.pace = Pace()
        """How quickly it answers keys."""
        self._looks = Allowance(_LOOKS, _LOOKS_A_SECOND)

    # --- what happens ---

    def printed(self, t_us: int, octets: bytes, *, told: bool = False) -> None:
        """The target printed *octets*; *told*: the line that is typed there is known without a look."""
        if not octets:
            return
        if PASTE_OFF[:1] in octets and PASTE_OFF in octets:
            octets = self._editor_ended(t_us, octets)
        elif b"\n" in octets:
            self._enters.line_feed()
        self.pace.printed(t_us, self._rtt_us)
        self._glass.feed(t_us, octets)
        self._entry.output(octets)
        self._output_us, self._unseen = t_us, True
        if len(octets) <= _PIECE and not (told and self._entry.touched):
            self._glass.expect_look()

    def resized(self, t_us: int, columns: int, rows: int) -> None:
        """The window changed its size."""
        self._glass.resize(columns, rows)
        self._output_us, self._unseen = max(self._output_us, t_us), True

    def typed(self, t_us: int, key: Key) -> None:
        """*key* is passed on at once."""
        key = classic(key)
        if key.kind is KeyKind.REPORT:
            return
        self.pace.typed(t_us)
        entry = self._entry
        if entry.wants_stop:
            self._stop(t_us)
        if key.octets == _ENDS_INPUT and not entry.text:
            self._interpreter.ended_input()
        if key.kind is KeyKind.PASTE and not self._glass.bracketed_paste:
            entry.keys.lose()
            return
        entry.take(t_us, key, completing=self._device.completing, helping=self._device.help_keys)
        if key.kind is KeyKind.END and b"\x03" in key.octets:
            self._interpreter.dropped()
            entry.leave_paste()

    def accepts(self, key: Key) -> bool:
        """Whether *key*, a single stroke, would run the line; then it is to be held."""
        key = classic(key)
        entry = self._entry
        octets = key.octets
        if entry.quoted:
            return False
        if self._ends_line(key):
            return not (entry.pasting and entry.paste_seen)
        if octets in _META_ACCEPTS:
            return True
        # What a shell without a line editor has been given so far runs at the second ^D.
        return octets == _ENDS_INPUT and entry.ends_input and self._edits is None

    def quotes(self, key: Key) -> bool:
        """Whether *key* would run the line, had not the one before it made it a character of the line.

        Not everything that reads lines knows such a key (busybox does not): what *key* may run is worth a look.
        """
        return self._entry.quoted and self._ends_line(classic(key))

    def _ends_line(self, key: Key) -> bool:
        is_control = key.kind in (KeyKind.END, KeyKind.CONTROL)
        return is_control and any(octet in self._device.accepting for octet in key.octets)

    def hold(self, t_us: int, key: Key, rtt_us: int) -> None:
        """*key*, which accepts, is held back until `settled` answers."""
        if self._entry.wants_stop:
            self._stop(t_us)
        self._held = classic(key)
        self._agreed, self._unseen, self._looks_left = False, True, _LOOKS_A_HOLD
        self._rtt_us = min(max(0, rtt_us), LONGEST_RTT_US)
        patience_us = self.pace.patience_us
        self._settling = Settling(
            t_us, self._rtt_us, patience_us(ECHO_US), patience_us(UNANSWERED_US)
        )

    @property
    def due(self) -> int | None:
        """When `settled` will answer at the latest, if nothing is printed before; None: no key is held."""
        settling = self._settling
        if settling is None:
            return None
        entry = self._entry
        if entry.pasting:
            return max(entry.last_us, self._output_us) + settling.quiet_us
        if entry.exact and entry.current.strip():
            agreed_us = self._agreed_due(settling)
            if agreed_us is not None:
                return agreed_us
            if not self._glass.alternate:
                return settling.echo_due
        key_us = entry.last_us if entry.touched else self._passed_us
        return settling.rest_due(key_us, self._output_us, completing=entry.completes)

    def settled(self, t_us: int) -> LineRead | None:
        """The line, when it is known as well as it will be; None: not yet."""
        due = self.due
        if due is None or t_us < due:
            return None
        assert self._settling is not None
        if self._entry.pasting and not self._is_run_by_paste():
            self._entry.paste_seen = bool(self._entry.current.strip())
            return NOTHING
        return self._line()

    def passed(self, t_us: int, line: LineRead) -> None:
        """The held key was passed on, and *line* is what it runs."""
        entry, key = self._entry, self._held
        self._settling = self._held = None
        self._passed_us = t_us
        self.pace.passed()
        if entry.pasting and line is NOTHING:
            entry.new_line(t_us)
            return
        escaped = key is not None and key.octets in _META_ACCEPTS
        self._interpreter.passed(line, maybe_more=escaped)
        self._previous = entry.stops
        is_shell = line.place in (Place.SHELL, Place.DEVICE)
        is_seen = line.source is Source.SCREEN or line.secret
        is_plain = is_shell and is_seen and not line.continuation and not escaped
        self._enters.passed(
            Judged(entry, self._began, line, self._glass.anchor() if is_plain else None, is_plain),
            editing=self._glass.bracketed_paste,
            at_shell=is_shell and not line.secret,
        )
        self._begin()

    def kept(self, t_us: int) -> None:
        """The held key was passed on as a character of the line (see `quotes`)."""
        key, self._held, self._settling = self._held, None, None
        if key is not None:
            self.typed(t_us, key)

    def cancelled(self, t_us: int) -> None:
        """The held key was dropped, and what clears the line was sent."""
        self._settling = self._held = None
        self._passed_us = t_us
        self.pace.passed()
        if not self._device.cancel:
            return
        self._interpreter.dropped()
        self._previous = []
        self._begin()

    def started(self, command: str | None) -> None:
        """The shell says which command it runs now; None: it is back at its prompt."""
        self._interpreter.front.told(command)

    def appeared(self, t_us: int) -> LineRead | None:
        """A line that a shell took though no key was held for it (a macro, an editor's text), after the fact."""
        del t_us
        found, self._appeared = self._appeared, None
        return found

    # --- what is seen ---

    @property
    def program(self) -> str | None:
        """The program that was started last and has the terminal, as far as is known."""
        return self._interpreter.front.program

    @property
    def before_cursor(self) -> str:
        """What stands before the cursor on its row; nothing when there is no picture."""
        view = self._glass.look()
        return "" if view is None else current(view.screen)

    @property
    def at_prompt(self) -> bool:
        """Whether the cursor rests behind what looks like a prompt, and nothing is typed there."""
        text = self.before_cursor
        return bool(text.strip()) and (
            self._interpreter.prompts.knows(text)
            or looks_like_one(text)
            or self._device.prompt.match(text) is not None
        )

    @property
    def known(self) -> str | None:
        """The line that is being typed, when its keys tell it for certain and it is all of its command."""
        entry = self._entry
        return entry.text if entry.exact and entry.touched and entry.text.strip() else None

    @property
    def pasting(self) -> bool:
        """Whether a marked paste has begun and not ended."""
        return self._entry.pasting

    @property
    def failures(self) -> int:
        """How often the picture of the terminal was lost."""
        return self._glass.broken

    @property
    def full_screen(self) -> bool:
        """Whether a program draws on the alternate screen."""
        return self._glass.alternate

    # --- inside ---

    def _begin(self) -> None:
        self._entry = Entry()
        self._began = ""
        self._glass.cut = False

    def _agreed_due(self, settling: Settling) -> int | None:
        """When to answer because the screen shows what was typed; None: it does not, so far.

        A look feeds the screen what it was spared: while much is printed there are only so many.
        """
        if not self._agreed and self._unseen and self._looks_left:
            self._unseen = False
            self._looks_left -= 1
            sight = self._agreeing = self._sight()
            self._agreed = sight is not None and self._interpreter.agrees(sight, self._entry)
        return settling.held_us if self._agreed else None

    def _stop(self, t_us: int) -> None:
        entry = self._entry
        if not entry.touched and not entry.stops:
            self._enters.begun(t_us - self._output_us, editing=self._glass.bracketed_paste)
            view = self._glass.look()
            if view is not None:
                entry.right = right_of_cursor(view)
                self._began = current(view.screen)
        entry.stop(self._glass.anchor())

    def _sight(self) -> Sight | None:
        view = self._glass.look()
        return see(view, self._entry.stops, self._entry.right) if view is not None else None

    def _is_run_by_paste(self) -> bool:
        """Whether the text before a pasted new line was echoed: who marks pastes as such shows nothing before their end."""
        sight = self._sight()
        text = self._entry.current
        return bool(text.strip()) and sight is not None and sight.shows_end_of(text)

    def _line(self) -> LineRead:
        entry = self._entry
        is_seen = self._settling is not None and self._agreed and not self._unseen
        sight = self._agreeing if is_seen else self._sight()
        if self._is_pager(sight):
            return NOTHING
        again = self._is_again(sight)
        line = self._interpreter.line(
            sight,
            entry,
            alternate=self._glass.alternate,
            edits=self._edits and self._glass.bracketed_paste,
            began=self._began,
        )
        line = replace(line, again=again, tentative=self._may_choose(sight)) if line.text else line
        if self._glass.cut and not line.certain and line.unreadable is None:
            line = replace(line, unreadable="a part of the screen is lost")
        return line

    def _is_pager(self, sight: Sight | None) -> bool:
        if sight is None or len(self._entry.text) > 1:
            return False
        return self._device.pager.fullmatch(sight.text.rstrip()) is not None

    def _is_again(self, sight: Sight | None) -> bool:
        if sight is None or self._enters.ended or self._glass.alternate:
            return False
        view = self._glass.look()
        places = [place for anchor in self._previous if (place := anchor.place()) is not None]
        return view is not None and any(row == view.row for _, row in places)

    def _may_choose(self, sight: Sight | None) -> bool:
        completed = self._entry.keys.completed
        return completed and sight is not None and any(row.strip() for row in sight.below)

    def _editor_ended(self, t_us: int, octets: bytes) -> bytes:
        """A line editor has ended a line: if no Enter was passed on for it, it was something else that ran it."""
        self._edits = True
        before, _, after = octets.partition(PASTE_OFF)
        judged = self._enters.editor_ended()
        if not (judged.plain if judged is not None else self._entry.touched):
            return octets
        if not self._looks.take(t_us):
            return octets
        line_feed = before.rfind(b"\n")
        shown = before[:line_feed].rstrip(b"\r") if line_feed >= 0 else before
        self._glass.feed(t_us, shown)
        self._entry.output(shown)
        self._appeared = self._unasked() if judged is None else self._changed(judged)
        return before[len(shown) :] + PASTE_OFF + after

    def _unasked(self) -> LineRead | None:
        """The line at the cursor, which no Enter has ended."""
        entry, line = self._entry, self._line()
        if entry.dropped and entry.text:
            # It was ^C that ended the line; what is typed since then is the next one.
            entry.begin_anew()
            self._began = ""
            return None
        self._begin()
        if entry.dropped or line.place is Place.PROGRAM:
            return None
        if not line.text:
            why = "a key ran a line that was not shown"
            return None if entry.exact else LineRead("", unreadable=why)
        self._interpreter.passed(line, maybe_more=False)
        return line

    def _changed(self, judged: Judged) -> LineRead | None:
        """The line that was passed on, when it ended as another: an abbreviation, or a completion that came late.

        Also when it was typed ahead without an echo, and is shown now.
        """
        view = self._glass.look()
        if view is None:
            return None
        entry, line = judged.entry, judged.line
        # A line that was typed ahead begins where nothing of it stood yet.
        sight = see(view, entry.stops, entry.right, left=None if line.secret else judged.place)
        return self._interpreter.changed(sight, entry, line, judged.began)
