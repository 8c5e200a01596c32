"""What a recording contains for people: its commands, and the text that its terminals showed.

Exact commands are events of the recording. What was typed into a shell is read off the emulated screen,
by a reader for each channel that has a terminal (terminal/reading.py); programs without one give their
output as plain lines. The same records give the same findings, in whatever pieces they come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from watchgate.recording.records import RecordLike, envelope, size
from watchgate.session.events import ChannelClosed, ChannelOpened, CommandRequested, InputRedacted
from watchgate.session.ports import RecordKind
from watchgate.terminal.reading import FOREVER, Command, ScreenText, TerminalReader
from watchgate.terminal.screen import Screen


@dataclass(frozen=True, slots=True)
class FoundCommand:
    """A command."""

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
        self._last_us = 0

    def add(self, record: RecordLike) -> Iterator[Found]:
        """What *record* brings to light; raises RecordingUnreadable."""
        self._last_us = record.t_us
        if record.kind is RecordKind.EVENT:
            yield from self._event(record)
            return
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
        yield from _of_channel(record.channel, found)

    @property
    def due_us(self) -> int | None:
        """Until when to `rest` at least, for it to find anything; None: it would find nothing."""
        waiting = (reader.due_us for reader in self._readers.values())
        return min((due for due in waiting if due is not None), default=None)

    def rest(self, t_us: int) -> Iterator[Found]:
        """No record comes that is older than *t_us*: what is found by that.

        Of each channel the same is found with and without it, in the same order, only earlier.
        """
        for number, reader in self._readers.items():
            yield from _of_channel(number, reader.rest(t_us))

    def finish(self) -> Iterator[Found]:
        """What is left when the recording ends without closing its channels."""
        yield from self.rest(FOREVER)
        for number in list(self._readers):
            yield from self._close(number)

    def _event(self, record: RecordLike) -> Iterator[Found]:
        said = envelope(record)
        match said.event:
            case ChannelOpened(channel=number, terminal=str()) as opened:
                self._readers[number] = TerminalReader(
                    opened.columns or 80,
                    opened.rows or 24,
                    self._open_screen,
                    screens=self._screens,
                )
            case ChannelClosed(channel=number) if number in self._readers:
                yield from self._close(number)
            case InputRedacted(channel=number) if number in self._readers:
                yield from _of_channel(number, self._readers[number].redacted(record.t_us))
            case CommandRequested() as event:
                yield FoundCommand(
                    record.t_us,
                    event.channel,
                    event.command,
                    event.source,
                    event.confidence,
                    said.at,
                    said.seq,
                )
            case _:
                pass

    def _close(self, number: int) -> Iterator[Found]:
        yield from _of_channel(number, self._readers.pop(number).closed(self._last_us))


def _of_channel(number: int, found: Iterable[Command | ScreenText]) -> Iterator[Found]:
    for one in found:
        if isinstance(one, ScreenText):
            yield FoundText(one.t_us, number, one.text)
        else:
            yield FoundCommand(
                one.t_us, number, one.text, one.source, one.confidence, program=one.program
            )
