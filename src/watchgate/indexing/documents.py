"""The documents of the index out of the records of one recording.

Pure, and the same in whatever pieces the records come: a recording that is followed while it is being
written gives what `watchgate reindex` reads from it years later; of a command that was decided again there are two
documents with one number, of which the second holds. What counts as a command, and what a
terminal showed, is decided in recording/contents.py, as for the exports.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from watchgate.catalog.search.model import Document, Kind
from watchgate.indexing.plain import PlainOutput
from watchgate.recording.contents import Contents, Found, FoundCommand
from watchgate.recording.records import RecordLike
from watchgate.session.events import ChannelClosed, ChannelOpened, Envelope, Event, PolicyFrozen
from watchgate.session.model import IndexPolicy
from watchgate.session.ports import RecordKind
from watchgate.terminal.screen import Screen

OpenScreen = Callable[[int, int], Screen]

INFERRED = 1 << 40
"""Where the numbers of commands begin that no event says: those of events never come so far."""
ROOM = 1 << 28
"""So many numbers are kept for each channel: a channel's own do not depend on when another's are found."""
MOST_PLAIN = 256
"""Programs without a terminal that are read at once; those beyond are not."""

# Events that matter here, as they stand in a record: most are not worth parsing a second time.
_MATTERS = (b'"policy.frozen"', b'"channel.opened"', b'"channel.closed"')


class DocumentReader:
    """Reads the records of one recording, in their order."""

    def __init__(self, started_at_us: int, open_screen: OpenScreen) -> None:
        self._started_at_us = started_at_us
        self._open_screen = open_screen
        self._policy: IndexPolicy | None = None
        self._contents: Contents | None = None
        self._plain: dict[int, PlainOutput] = {}
        self._with_terminal: set[int] = set()
        self._numbers: Counter[tuple[Kind, int]] = Counter()
        self._last_us = 0

    @property
    def policy(self) -> IndexPolicy:
        """What the target's policy wants indexed; recordings made before there was one: commands."""
        return self._policy or IndexPolicy.COMMANDS

    @property
    def off(self) -> bool:
        """Nothing of this recording is to be indexed."""
        return self._policy is IndexPolicy.OFF

    def take(self, records: Iterable[RecordLike]) -> Iterator[Document]:
        """The documents that *records* complete; raises RecordingUnreadable for a broken event."""
        for record in records:
            self._last_us = record.t_us
            if record.kind is RecordKind.EVENT and any(name in record.data for name in _MATTERS):
                yield from self._event(record.t_us, Envelope.from_json(record.data).event)
            if self.off:
                return
            for found in self._reading().add(record):
                yield self._found(found)
            if record.kind in (RecordKind.OUTPUT, RecordKind.ERROR):
                yield from self._printed(record)

    @property
    def due_us(self) -> int | None:
        """Until when to `rest` at least, for it to find anything; None: it would find nothing."""
        if self._contents is None or self.off:
            return None
        waiting = (self._contents.due_us, *(output.due_us for output in self._plain.values()))
        return min((due for due in waiting if due is not None), default=None)

    def rest(self, t_us: int) -> Iterator[Document]:
        """No record comes that is older than *t_us*: the documents that are complete by that.

        The same documents are found without it, only later.
        """
        if self._contents is None or self.off:
            return
        for found in self._contents.rest(t_us):
            yield self._found(found)
        for channel, output in self._plain.items():
            for at_us, text in output.rest(t_us):
                yield self._text(at_us, channel, text, "output")

    def finish(self) -> Iterator[Document]:
        """What is left when no more records will come."""
        if self._contents is not None and not self.off:
            for found in self._contents.finish():
                yield self._found(found)
        for channel in sorted(self._plain):
            yield from self._closed(channel)

    def _reading(self) -> Contents:
        if self._contents is None:
            screens = self.policy is IndexPolicy.SCREEN
            self._contents = Contents(self._open_screen, screens=screens)
        return self._contents

    def _event(self, t_us: int, event: Event) -> Iterator[Document]:
        match event:
            case PolicyFrozen() if self._policy is None:
                self._policy = _policy(event)
                self._contents = None
            case ChannelOpened(channel=channel, terminal=terminal) if terminal is not None:
                self._with_terminal.add(channel)
            case ChannelClosed(channel=channel):
                self._with_terminal.discard(channel)
                yield from self._closed(channel)
            case _:
                pass

    # --- programs without a terminal ---

    def _printed(self, record: RecordLike) -> Iterator[Document]:
        channel = record.channel
        if self.policy is not IndexPolicy.SCREEN or channel in self._with_terminal:
            return
        output = self._plain.get(channel)
        if output is None:
            if len(self._plain) >= MOST_PLAIN:
                return
            output = self._plain[channel] = PlainOutput()
        for t_us, text in output.feed(record.t_us, record.kind, record.data):
            yield self._text(t_us, channel, text, "output")

    def _closed(self, channel: int) -> Iterator[Document]:
        output = self._plain.pop(channel, None)
        if output is not None:
            for t_us, text in output.close(self._last_us):
                yield self._text(t_us, channel, text, "output")

    # --- documents ---

    def _found(self, found: Found) -> Document:
        if not isinstance(found, FoundCommand):
            return self._text(found.t_us, found.channel, found.text, "screen")
        if found.seq is not None:
            item = found.seq
        else:
            item = INFERRED + self._number(Kind.COMMAND, found.channel)
        return Document(
            kind=Kind.COMMAND,
            item=item,
            at_us=self._wall(found.t_us) if found.at_us is None else found.at_us,
            offset_us=found.t_us,
            channel=found.channel,
            text=found.text,
            source=found.source,
            confidence=found.confidence,
            verdict=found.verdict,
            severity=found.severity,
        )

    def _text(self, t_us: int, channel: int, text: str, source: str) -> Document:
        return Document(
            kind=Kind.SCREEN,
            item=self._number(Kind.SCREEN, channel),
            at_us=self._wall(t_us),
            offset_us=t_us,
            channel=channel,
            text=text,
            source=source,
            confidence="exact" if source == "output" else "inferred",
        )

    def _number(self, kind: Kind, channel: int) -> int:
        """The next number of a channel; of those beyond its room the last one is kept."""
        number = self._numbers[kind, channel]
        self._numbers[kind, channel] = min(number + 1, ROOM - 1)
        return channel * ROOM + number

    def _wall(self, t_us: int) -> int:
        return self._started_at_us + t_us


def _policy(event: PolicyFrozen) -> IndexPolicy:
    """What the frozen policy says; a word of a later version is taken for the most private."""
    said = event.policy.get("index", IndexPolicy.COMMANDS)
    try:
        return IndexPolicy(said)
    except ValueError:
        return IndexPolicy.OFF
