"""What a recording contains for people: its commands, and the text that its terminals showed.

Exact commands are events of the recording, and so are those of a channel whose commands were decided as they
were given. What was typed into any other shell is read off the emulated screen, by a reader for each channel
that has a terminal (terminal/reading.py); programs without one give their output as plain lines. The same
records give the same findings, in whatever pieces they come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from watchgate.recording.records import RecordLike, envelope, size
from watchgate.session.events import (
    ChannelClosed,
    ChannelOpened,
    CommandDecided,
    CommandRequested,
    Envelope,
    InputRedacted,
)
from watchgate.session.ports import RecordKind
from watchgate.terminal.reading import FOREVER, Command, ScreenText, TerminalReader
from watchgate.terminal.screen import Screen

VERDICT_US = 1_000_000
"""A command whose verdict has not come after so long is found without it: there may be no rules."""

MOST_UNDECIDED = 1024
"""So many commands of a session may be decided later, or again; of the oldest the verdict is not found."""


@dataclass(frozen=True, slots=True)
class FoundCommand:
    """A command.

    One that waited for an approval is found again when it was decided again, with the same *seq*.
    """

    t_us: int
    channel: int
    text: str
    source: str
    confidence: str
    at_us: int | None = None
    """Wall time and number of the event that said it; None when it was read off a screen."""
    seq: int | None = None
    program: str | None = None
    """The program into which it was typed, when that is known and no shell."""
    place: str = "shell"
    """What took the line (policy.commands.Place)."""
    verdict: str | None = None
    """What the rules said of it; None: nothing decided it."""
    severity: str | None = None
    """The highest of the rules that matched."""
    rules: tuple[str, ...] = ()
    """Those that matched, shadows left out."""


@dataclass(frozen=True, slots=True)
class FoundText:
    """Lines that a terminal showed."""

    t_us: int
    channel: int
    text: str


Found: TypeAlias = FoundCommand | FoundText


class Contents:
    """Reads the records of one session, in their order."""

    def __init__(self, open_screen: Callable[[int, int], Screen], *, screens: bool) -> None:
        """Without *screens* only commands are found."""
        self._open_screen = open_screen
        self._screens = screens
        self._readers: dict[int, TerminalReader] = {}
        self._told: set[int] = set()
        """Channels whose commands are all events."""
        self._asked: FoundCommand | None = None
        """A command that was just requested: its verdict is the next record."""
        self._undecided: dict[int, FoundCommand] = {}
        """Commands that may yet be decided, by number."""
        self._last_us = 0

    def add(self, record: RecordLike) -> Iterator[Found]:
        """What *record* brings to light; raises RecordingUnreadable."""
        self._last_us = record.t_us
        if record.kind is RecordKind.EVENT:
            yield from self._event(record)
            return
        yield from self._settled()
        reader = self._readers.get(record.channel)
        if reader is None:
            return
        match record.kind:
            case RecordKind.OUTPUT | RecordKind.ERROR:
                found = reader.output(record.t_us, record.data)
            case RecordKind.INPUT:
                found = reader.typed(record.t_us, record.data)
            case _:
                found = reader.resized(record.t_us, *size(record.data))
        yield from self._of_channel(record.channel, found)

    @property
    def due_us(self) -> int | None:
        """Until when to `rest` at least, for it to find anything; None: it would find nothing."""
        waiting = [reader.due_us for reader in self._readers.values()]
        if self._asked is not None:
            waiting.append(self._asked.t_us + VERDICT_US)
        return min((due for due in waiting if due is not None), default=None)

    def rest(self, t_us: int) -> Iterator[Found]:
        """No record comes that is older than *t_us*: what is found by that.

        Of each channel the same is found with and without it, in the same order, only earlier; a command
        whose verdict comes late is found twice.
        """
        if self._asked is not None and self._asked.t_us + VERDICT_US <= t_us:
            yield from self._settled()
        for number, reader in self._readers.items():
            yield from self._of_channel(number, reader.rest(t_us))

    def finish(self) -> Iterator[Found]:
        """What is left when the recording ends without closing its channels."""
        yield from self._settled()
        yield from self.rest(FOREVER)
        for number in list(self._readers):
            yield from self._close(number)

    def _event(self, record: RecordLike) -> Iterator[Found]:
        said = envelope(record)
        if isinstance(said.event, CommandDecided):
            yield from self._decided(said.event)
            return
        yield from self._settled()
        match said.event:
            case ChannelOpened():
                self._opened(said.event)
            case ChannelClosed(channel=number) if number in self._readers:
                yield from self._close(number)
            case InputRedacted(channel=number) if number in self._readers:
                yield from self._of_channel(number, self._readers[number].redacted(record.t_us))
            case CommandRequested() as event:
                self._asked = _requested(record.t_us, said, event)
            case _:
                pass

    def _opened(self, opened: ChannelOpened) -> None:
        """Begin to read a channel, unless its commands are told and its screens are not wanted."""
        if opened.told:
            self._told.add(opened.channel)
        if opened.terminal is None or (opened.told and not self._screens):
            return
        self._readers[opened.channel] = TerminalReader(
            opened.columns or 80, opened.rows or 24, self._open_screen, screens=self._screens
        )

    # --- verdicts ---

    def _decided(self, event: CommandDecided) -> Iterator[Found]:
        """The command with its verdict; one that waits for an approval will be decided again."""
        asked = self._asked
        if asked is not None and asked.seq == event.command_seq:
            self._asked = None
        else:
            yield from self._settled()
            asked = self._undecided.pop(event.command_seq, None)
        if asked is None:
            return
        if event.outcome == "approve":
            self._keep(asked)
        # An event is read back with whatever values stand in it.
        yield replace(
            asked,
            verdict=str(event.outcome),
            severity=None if event.severity is None else str(event.severity),
            rules=_words(event.rules),
        )

    def _settled(self) -> Iterator[Found]:
        """The command that was just requested, whose verdict did not follow."""
        asked, self._asked = self._asked, None
        if asked is not None:
            self._keep(asked)
            yield asked

    def _keep(self, asked: FoundCommand) -> None:
        assert asked.seq is not None
        self._undecided[asked.seq] = asked
        if len(self._undecided) > MOST_UNDECIDED:
            del self._undecided[next(iter(self._undecided))]

    # --- terminals ---

    def _close(self, number: int) -> Iterator[Found]:
        yield from self._of_channel(number, self._readers.pop(number).closed(self._last_us))

    def _of_channel(self, number: int, found: Iterable[Command | ScreenText]) -> Iterator[Found]:
        for one in found:
            if isinstance(one, ScreenText):
                yield FoundText(one.t_us, number, one.text)
            elif number not in self._told:
                yield FoundCommand(
                    one.t_us, number, one.text, one.source, one.confidence, program=one.program
                )


def _words(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _requested(t_us: int, said: Envelope, event: CommandRequested) -> FoundCommand:
    return FoundCommand(
        t_us,
        event.channel,
        event.command,
        event.source,
        event.confidence,
        said.at,
        said.seq,
        event.program,
        event.place,
    )
