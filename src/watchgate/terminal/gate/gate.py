"""The gate of one terminal: no line reaches a shell's end of line before its verdict is known.

Where a shell tells its commands (terminal.integration) it asks by itself, whatever key accepted the line, and
waits; the gate answers. Elsewhere (a shell that cannot tell, a program, a network device) the accepting key is
held until the line can be read off the screen (terminal.live), within a bound. Either way nothing typed later
overtakes what waits. Keys that end no line are never held, output never is.

Plain code: octets and moments in, acts out. Times are monotonic microseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from watchgate.policy.commands import Place
from watchgate.policy.verdicts import Outcome
from watchgate.terminal.gate import asked
from watchgate.terminal.gate.acts import (
    Act,
    Ask,
    AskedLine,
    Back,
    Dropped,
    Finished,
    Hooked,
    Prompted,
    Tampering,
    ToOperator,
    ToTarget,
    Unhooked,
    Withdrawn,
)
from watchgate.terminal.gate.approach import Approach
from watchgate.terminal.gate.levels import Level, Levels
from watchgate.terminal.gate.phases import (
    AHEAD_US,
    FORGED_US,
    HELD_US,
    LEAST_MARK_US,
    MARK_US,
    RENEW_US,
    SOON_US,
    Phase,
)
from watchgate.terminal.gate.standing import Standing
from watchgate.terminal.gate.unsaid import Unsaid
from watchgate.terminal.gate.waiting import WaitingKeys
from watchgate.terminal.integration.installing import Installer, Step
from watchgate.terminal.integration.mark_kinds import (
    Asked,
    Foreign,
    Introduced,
    Line,
    Listening,
    Mark,
    Prompt,
    Ready,
    Taken,
    Tampered,
    TypedAhead,
    Unwilling,
)
from watchgate.terminal.integration.marks import Marked, MarkFilter
from watchgate.terminal.integration.verdicts import accept_prefix, answer, echoed, renewal
from watchgate.terminal.keys import Key, KeyKind
from watchgate.terminal.live.lineread import NOTHING, LineRead
from watchgate.terminal.live.profiles import Device
from watchgate.terminal.live.reader import LiveReader
from watchgate.terminal.programs import takes_keys

UNQUOTE = b"\x05\x05\x15"
"""Clears a line though the first of these keys becomes a character of it; ^C would not end a quote everywhere."""

MOST_RENEWED = 3
"""How often the hooks of one shell are set anew after they were lost."""


class Gate:
    """The gate of one terminal."""

    def __init__(
        self,
        reader: LiveReader,
        device: Device,
        *,
        integrate: bool,
        nonce: Callable[[], bytes],
        rtt_us: Callable[[], int],
        foresee: Callable[[AskedLine], Outcome],
        started: str | None,
        t_us: int,
    ) -> None:
        """*foresee* says, without any consequence, what would become of a line; *started* is the command
        that the terminal was opened for, None for a login shell."""
        self._reader = reader
        self._device = device
        self._nonce = nonce
        self._rtt_us = rtt_us
        self._foresee = foresee
        self._keys = WaitingKeys()
        self._filter = MarkFilter()
        self._levels = Levels()
        self._installer: Installer | None = None
        self._installing_nonce = b""
        self._numbers = 0
        self._approach = Approach(reader, integrate=integrate, started=started, t_us=t_us)
        self._phase = Phase.OPENING if integrate and started is None else Phase.OPEN
        self._printed_us = t_us
        self._until_us: int | None = None  # when MARKING and TAKING are given up
        self._held: Key | None = None
        self._line: LineRead | None = None
        self._asking: tuple[int, Level | None, AskedLine] | None = None
        self._permitted: tuple[int, AskedLine] | None = None  # what a shell was last permitted
        self._ran_us = t_us  # when a shell was last let run something
        self._ahead = b""
        # Whether what the shell gives back now stood behind a line that was not permitted.
        self._denied = False
        self._approving = False
        self._renew_us: int | None = None  # when a shell is told to go on waiting
        self._standing = Standing(reader)
        self._unsaid = Unsaid()
        self._forged_us: int | None = None  # when a mark was last said to be nobody's
        if started is not None:
            reader.started(started)

    # --- what happens ------------------------------------------------------------------------

    def typed(self, t_us: int, octets: bytes) -> list[Act]:
        """The operator typed."""
        self._keys.typed(t_us, octets)
        if self._asking is not None and self._approving and self._keys.interrupted():
            return [Withdrawn(self._asking[0])]
        return self._pump(t_us)

    def printed(self, t_us: int, octets: bytes) -> list[Act]:
        """The target printed."""
        self._printed_us = t_us
        pieces = self._filter.feed(octets)
        if self._installer is not None:
            return [*self._step(t_us, self._installer.printed(t_us, pieces)), *self._pump(t_us)]
        acts: list[Act] = []
        for piece in pieces:
            if isinstance(piece, bytes):
                acts += self._show(t_us, piece)
            else:
                acts += self._marked(t_us, piece)
        return [*acts, *self._settle(t_us), *self._pump(t_us)]

    def resized(self, t_us: int, columns: int, rows: int) -> None:
        """The window changed its size."""
        self._reader.resized(t_us, columns, rows)

    @property
    def idle(self) -> bool:
        """No key and no verdict waits."""
        return not self._keys and self._phase is Phase.OPEN

    @property
    def full(self) -> bool:
        """So much waits that no more is to be typed."""
        return self._keys.full

    @property
    def due(self) -> int | None:
        """When `expire` has something to do."""
        dues = [
            self._keys.due,
            self._until_us,
            self._renew_us,
            self._standing.due,
            self._approach.due(self._phase),
        ]
        if self._filter.holds:
            dues.append(self._printed_us + HELD_US)
        if self._phase is Phase.SETTLING:
            dues.append(self._reader.due)
        if self._installer is not None:
            dues.append(self._installer.due)
        return min((due for due in dues if due is not None), default=None)

    def expire(self, t_us: int) -> list[Act]:
        """The moment of `due` has come."""
        self._keys.expire(t_us)
        acts = self._renew(t_us)
        if self._filter.holds and t_us >= self._printed_us + HELD_US and self._installer is None:
            acts += self._show(t_us, self._filter.flush())
        if self._installer is not None:
            acts += self._step(t_us, self._installer.expire(t_us))
        elif (quiet := self._approach.due(self._phase)) is not None and t_us >= quiet:
            acts += self._rested(t_us)
        if self._until_us is not None and t_us >= self._until_us:
            self._until_us = None
            self._phase = Phase.OPEN
            if self._unsaid and (front := self._levels.front) is not None:
                front.at_prompt = False  # whatever it does, the next line is looked at
        if self._standing.overdue(t_us):
            acts += self._miss()
        acts += [*self._settle(t_us), *self._pump(t_us)]
        dropped = self._keys.dropped(t_us)
        return [*acts, Dropped(*dropped)] if dropped is not None else acts

    # --- the verdict -------------------------------------------------------------------------

    def approving(self, t_us: int) -> None:
        """The line that is asked about waits for a person: ^C withdraws it."""
        self._approving = True
        if self._asking is not None and self._asking[1] is not None:
            self._renew_us = t_us + RENEW_US

    def _renew(self, t_us: int) -> list[Act]:
        """The shell whose line waits for a person is told to go on waiting."""
        level = self._asking[1] if self._asking is not None else None
        if self._renew_us is None or t_us < self._renew_us or level is None:
            return []
        self._renew_us = t_us + RENEW_US
        octets = renewal(level.nonce)
        self._filter.expect_echo(echoed(octets))
        return [ToTarget(octets, typed=False)]

    def verdict(
        self,
        t_us: int,
        number: int,
        *,
        permitted: bool,
        say: bytes = b"",
        token: bytes | None = None,
    ) -> list[Act]:
        """What was decided; *say* is shown to the operator before the prompt comes back.

        With a *token* the command's own password prompt says it (see `Prompted`).
        """
        if self._asking is None or self._asking[0] != number:
            return []
        _, level, line = self._asking
        self._asking = None
        self._approving = False
        self._renew_us = None
        if level is not None:
            acts = self._answer(
                t_us, level, number, line, permitted=permitted, say=say, token=token
            )
        elif line.late:
            acts = [] if permitted else [ToOperator(b"\r\n" + say), ToTarget(b"\x03", typed=False)]
            self._phase = Phase.OPEN
        elif permitted:
            acts = self._pass_held(t_us, line)
        else:
            acts = self._cancel_held(t_us, say)
        return [*acts, *self._pump(t_us)]

    def _answer(
        self,
        t_us: int,
        level: Level,
        number: int,
        line: AskedLine,
        *,
        permitted: bool,
        say: bytes = b"",
        token: bytes | None = None,
    ) -> list[Act]:
        octets = answer(level.nonce, permitted=permitted, token=token)
        self._filter.expect_echo(echoed(octets))
        self._phase = Phase.TAKING
        self._until_us = t_us + MARK_US + 4 * self._rtt_us()
        acts: list[Act] = []
        if permitted:
            self._permitted = (number, line)
            self._ran_us = t_us
            level.at_prompt = False
            level.running, level.ran = number, line.text
            self._reader.started(line.text)
            self._approach.started(line.text)
        else:
            self._denied = True
            # fish asks while the line still stands; the other shells have left it.
            acts.append(ToOperator(b"\r\n" + say if level.shell == "fish" else say))
            self._keys.drop()
        return [*acts, ToTarget(octets, typed=False)]

    def _pass_held(self, t_us: int, line: AskedLine) -> list[Act]:
        held, read = self._held, self._line
        self._held = self._line = None
        self._phase = Phase.OPEN
        if held is None or read is None:
            return []
        self._reader.passed(t_us, read)
        if line.place in (Place.SHELL, Place.DEVICE):
            self._approach.started(line.text)
            if (top := self._levels.top) is not None and top.doubted:
                self._unsaid.accepted(line.text)
        return [ToTarget(held.octets, runs=True)]

    def _keep_held(self, t_us: int, held: Key) -> list[Act]:
        """A key that is no Enter, as far as the one before it is understood."""
        self._held = self._line = None
        self._phase = Phase.OPEN
        self._reader.kept(t_us)
        return [ToTarget(held.octets, runs=True)]

    def _cancel_held(self, t_us: int, say: bytes) -> list[Act]:
        program = self._line.program if self._line is not None else None
        cancel = self._device.cancel_in(program)
        if cancel and self._held is not None and self._reader.quotes(self._held):
            cancel = UNQUOTE + cancel
        self._held = self._line = None
        self._phase = Phase.OPEN
        self._reader.cancelled(t_us)
        self._keys.drop()
        if cancel[-1:] == b"\x03":
            self._filter.expect_echo(b"^C")
        cleared: list[Act] = [ToTarget(cancel, typed=False)] if cancel else []
        return [ToOperator(b"\r\n" + say), *cleared]

    # --- keys --------------------------------------------------------------------------------

    def _pump(self, t_us: int) -> list[Act]:
        acts: list[Act] = []
        while self._keys and self._phase is Phase.OPEN:
            acts += self._press(t_us, self._keys.next())
        return acts

    def _press(self, t_us: int, key: Key) -> list[Act]:
        self._standing.look()  # what the key is echoed to would hide it
        self._approach.pressed(key)
        if b"\x03" in key.octets:
            self._unsaid.told()
        quoted = self._reader.quotes(key) and not self._shell_tells
        if key.kind is KeyKind.REPORT or not (quoted or self._reader.accepts(key)):
            self._reader.typed(t_us, key)
            return [ToTarget(key.octets)]
        if self._may_be_ahead and t_us < self._ran_us + SOON_US + self._rtt_us():
            self._keys.again(key.octets)
            self._phase = Phase.MARKING
            self._until_us = self._ran_us + SOON_US + self._rtt_us()
            return []
        self._held = key
        self._reader.hold(t_us, key, self._rtt_us())
        level = self._levels.front
        if level is not None and self._reader.pasting:
            # Within a marked paste it is a new line; should the shell take it for Enter, it asks by itself.
            self._reader.passed(t_us, NOTHING)
            return [ToTarget(key.octets)]
        if level is not None:
            return self._accept(t_us, key, level)
        self._phase = Phase.SETTLING
        return self._settle(t_us)

    @property
    def _may_be_ahead(self) -> bool:
        """Whether a line that ends now may be typed ahead for a shell whose command is over at once."""
        top = self._levels.top
        runs = self._shell_tells and top is not None and not top.at_prompt
        return runs and not takes_keys(self._reader.program) and not self._reader.full_screen

    def _accept(self, t_us: int, key: Key, level: Level) -> list[Act]:
        """A line is accepted in a shell that will ask."""
        self._unsaid.accepted(self._reader.known)
        self._reader.passed(t_us, NOTHING)
        self._held = None
        self._phase = Phase.MARKING
        patience_us = self._reader.pace.patience_us(MARK_US, LEAST_MARK_US)
        self._until_us = t_us + patience_us + 4 * self._rtt_us()
        prefix = accept_prefix(level.shell)
        before: list[Act] = [ToTarget(prefix, typed=False)] if prefix else []
        return [*before, ToTarget(key.octets)]

    def _settle(self, t_us: int) -> list[Act]:
        if self._phase is not Phase.SETTLING:
            return []
        read = self._reader.settled(t_us)
        if read is None:
            return []
        self._line = read
        line = asked.read_off(read, len(self._levels) + self._approach.inside)
        if self._held is not None and self._reader.quotes(self._held):
            if self._foresee(line).rank <= Outcome.APPROVE.rank:
                return self._keep_held(t_us, self._held)
            return self._ask(line, None)
        missed = self._miss() if line.place is Place.SHELL else []
        if missed:
            return [*missed, *self._ask(line, None)]
        if self._tells_itself(line):
            return self._pass_held(t_us, replace(line, place=Place.PROGRAM))
        is_empty = not read.text.strip() and not read.others and read.unreadable is None
        if is_empty or (read.secret and self._foresee(line) is Outcome.ALLOW):
            return self._pass_held(t_us, replace(line, place=Place.PROGRAM))
        return self._ask(line, None)

    @property
    def _shell_tells(self) -> bool:
        """The innermost shell tells its commands, as far as is known."""
        top = self._levels.top
        return top is not None and top.tells and not self._approach.inside

    def _tells_itself(self, line: AskedLine) -> bool:
        """Whether the line is typed ahead for a shell that will ask about it, and nothing speaks against it."""
        return (
            self._shell_tells
            and line.place is Place.SHELL
            and self._standing.prompt is None
            and self._foresee(replace(line, unreadable=None)).rank <= Outcome.APPROVE.rank
        )

    def _ask(self, line: AskedLine, level: Level | None) -> list[Act]:
        self._numbers += 1
        self._phase = Phase.ASKING
        self._until_us = None
        self._asking = (self._numbers, level, line)
        return [Ask(self._numbers, line)]

    # --- output ------------------------------------------------------------------------------

    def _show(self, t_us: int, octets: bytes) -> list[Act]:
        self._reader.printed(t_us, octets, told=self._levels.front is not None)
        self._approach.printed(t_us, octets)
        self._standing.printed(t_us, octets, runs=self._runs_unmarked)
        late = self._reader.appeared(t_us)
        shown: list[Act] = [ToOperator(octets)]
        if late is None or self._phase is not Phase.OPEN or self._shell_tells:
            return shown
        return [*shown, *self._ask(asked.seen_late(late), None)]

    @property
    def _runs_unmarked(self) -> bool:
        """Whether a shell that tells its commands has said nothing of a prompt since it was let run something."""
        top = self._levels.top
        runs = top is not None and not top.at_prompt and top.tells
        return runs and not self._approach.armed and self._phase is Phase.OPEN

    def _miss(self) -> list[Act]:
        """Whether a prompt that stands without its mark is that of a shell which should have told of it."""
        top = self._levels.top
        prompt = self._standing.prompt
        if prompt is None or top is None or not top.shows(prompt):
            return []
        return self._lose("a prompt came back without a word of the shell's")

    def _marked(self, t_us: int, marked: Marked) -> list[Act]:
        number = marked.level if marked.level < len(self._levels) else None
        mark: Mark = marked.mark
        match mark:
            case Foreign():
                return self._forged(t_us)
            case _ if number is None:
                return []
            case Prompt():
                return self._prompted(number, mark)
            case Line():
                return self._told(t_us, number, mark)
            case Taken():
                return self._taken(t_us)
            case TypedAhead(octets):
                self._ahead += octets
            case Tampered(what):
                return self._lose(what)
            case Asked(token):
                return [Prompted(token)]
            case Ready() | Introduced() | Listening() | Unwilling():
                pass
        return []

    def _prompted(self, number: int, mark: Prompt) -> list[Act]:
        top = self._levels.at(number)
        stripped = top.running is not None and mark.status is None and not mark.continuation
        ended = self._levels.return_to(number)
        self._filter.leave(number)
        acts: list[Act] = [Finished(one, mark.status, mark.cwd) for one in ended]
        self._standing.forget()
        self._approach.returned()
        level = self._levels.top
        assert level is not None
        if not mark.continuation:
            level.prompts.learn(self._reader.before_cursor)
            self._reader.started(None)
            acts.append(Back(mark.status))
        if self._phase is Phase.ASKING and self._asking is not None and self._asking[1] is not None:
            acts.append(Withdrawn(self._asking[0]))  # it gave up, and runs nothing
            self._asking = None
            self._approving = False
            self._renew_us = None
            self._phase = Phase.OPEN
        if self._phase in (Phase.MARKING, Phase.TAKING):
            self._phase = Phase.OPEN
            self._until_us = None
            self._give_back()
        self._denied = False
        if stripped:
            acts += self._lose("the hooks of its prompt were taken away")
        elif mark.status is not None:
            level.lost = False
        text = self._unsaid.prompted(continuation=mark.continuation)
        return acts if text is None else [*acts, *self._came_back(level, number, text)]

    def _came_back(self, level: Level, number: int, text: str) -> list[Act]:
        """A line was accepted, and its shell is at a prompt again without having asked."""
        if level.doubted:
            return self._lose("its lines run without a word of the shell's")
        line = asked.unsaid(text, level.shell, number)
        if self._foresee(line).rank <= Outcome.APPROVE.rank:
            return []
        level.doubted = True
        said = Tampering("a line came back without a word of the shell's", "medium", lost=False)
        return [said, *(self._ask(line, None) if self._phase is Phase.OPEN else [])]

    def _told(self, t_us: int, number: int, mark: Line) -> list[Act]:
        """The shell is about to run a line, and waits."""
        self._levels.return_to(number)
        self._filter.leave(number)
        level = self._levels.top
        assert level is not None
        level.believed()
        self._unsaid.told()
        self._standing.forget()
        self._held = self._line = None
        if self._asking is not None:  # it asks anew: what was asked before is over
            self._asking = None
        line = asked.told(mark, level.shell, number)
        if mark.again and self._permitted is not None:
            number_then, then = self._permitted
            if (then.text, then.others) == (line.text, line.others):
                return self._answer(t_us, level, number_then, then, permitted=True)
        return self._ask(line, level)

    def _taken(self, t_us: int) -> list[Act]:
        self._give_back()
        if self._phase is Phase.TAKING:
            # What was typed ahead is mostly meant for the prompt, which is there at once after most commands.
            waits = self._keys or self._denied
            self._phase = Phase.MARKING if waits else Phase.OPEN
            self._until_us = t_us + AHEAD_US + 2 * self._rtt_us() if waits else None
        return []

    def _give_back(self) -> None:
        """What the shell had already read comes before what waits."""
        ahead, self._ahead = self._ahead, b""
        if ahead and self._denied:
            self._keys.lose(ahead)
        elif ahead:
            self._keys.again(ahead)

    def _forged(self, t_us: int) -> list[Act]:
        """A mark with a nonce that is nobody's: a file that is shown, or the hooks of another gateway."""
        if self._forged_us is not None and t_us < self._forged_us + FORGED_US:
            return []
        self._forged_us = t_us
        return [Tampering("a mark that is not the shell's own", "medium", lost=False)]

    def _lose(self, what: str) -> list[Act]:
        top = self._levels.top
        self._standing.forget()
        if top is None or top.lost:
            return []
        top.lost = True
        if top.renewed < MOST_RENEWED:
            # A file that was sourced may have done it: the shell is asked once more.
            top.renewed += 1
            self._approach.armed = True
        return [Tampering(what, "high", lost=True)]

    # --- asking a shell to tell its commands ---------------------------------------------------

    @property
    def _lost(self) -> Level | None:
        """The innermost shell, when it told its commands and no longer does."""
        top = self._levels.top
        return top if top is not None and top.lost and not self._approach.inside else None

    def _rested(self, t_us: int) -> list[Act]:
        if not self._approach.at_prompt:
            self._phase = Phase.OPEN  # no prompt that anybody knows: it may be learned later
            return [Unhooked("no prompt was seen", len(self._levels))]
        self._approach.armed = False
        if self._reader.full_screen:
            self._phase = Phase.OPEN  # it would be asked for nothing, and keys would wait for it
            return [
                Unhooked("a full-screen program shows it, and passes no marks", len(self._levels))
            ]
        self._phase = Phase.INSTALLING
        lost = self._lost
        number = len(self._levels) - (lost is not None)
        if lost is None:
            self._installing_nonce = self._nonce()
            self._filter.trust(self._installing_nonce)
        else:
            self._installing_nonce = lost.nonce
        self._installer = Installer(
            self._installing_nonce, nested=number > 0, rtt_us=self._rtt_us(), level=number
        )
        return [ToTarget(self._installer.begin(t_us), typed=False)]

    def _step(self, t_us: int, step: Step) -> list[Act]:
        acts: list[Act] = []
        for marked in step.others:
            acts += self._marked(t_us, marked)
        if step.show:
            acts += self._show(t_us, step.show)
        if step.type:
            acts.append(ToTarget(step.type, typed=False))
        if step.installed is not None:
            ready = step.installed
            level = self._lost
            if level is None:
                level = Level(self._installing_nonce, ready.shell)
                self._levels.push(level)
            level.believed()
            level.at_prompt, level.running = True, None
            level.prompts.learn(self._reader.before_cursor)
            self._installer = None
            self._phase = Phase.OPEN
            self._reader.started(None)
            acts.append(Hooked(ready.shell, ready.version, len(self._levels) - 1))
        elif step.failed is not None:
            self._installer = None
            self._phase = Phase.OPEN
            if self._lost is None:
                self._filter.leave(len(self._levels) - 1)
            acts.append(Unhooked(step.failed, len(self._levels)))
        return acts
