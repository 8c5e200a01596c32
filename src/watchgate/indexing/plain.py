"""The output of a program without a terminal as text to be found: its beginning and its end.

What such a program prints is often data (a dump, an archive). So the first and the last 200 kB are read,
lines that are no text are left out, and a line says how much was not read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from watchgate.session.ports import RecordKind
from watchgate.terminal.lines import Lines

READ = 200_000
"""Octets that are read of the beginning, and of the end."""
PIECE = 4096
"""Characters after which a document ends."""
SPAN_US = 5_000_000
"""A line that was printed so long after the first one of a document begins another."""
_ESCAPE = "\\x"

Line = tuple[int, str]
"""When it was printed, and its text."""
Chunk = tuple[int, RecordKind, bytes]


class PlainOutput:
    """Reads the output and the errors of one channel, in their order."""

    __slots__ = (
        "_end",
        "_end_octets",
        "_first_us",
        "_left",
        "_lines",
        "_missed",
        "_piece",
        "_size",
    )

    def __init__(self) -> None:
        self._left = READ
        self._end: deque[Chunk] = deque()
        self._end_octets = 0
        self._missed = 0
        self._lines = {RecordKind.OUTPUT: Lines(), RecordKind.ERROR: Lines()}
        self._piece: list[str] = []
        self._size = 0
        self._first_us = 0

    def feed(self, t_us: int, kind: RecordKind, data: bytes) -> Iterator[Line]:
        """The pieces of text that *data* completes, each with the time of its first line."""
        head = data[: self._left]
        self._left -= len(head)
        yield from self._read(t_us, kind, head)
        if rest := data[len(head) :]:
            if not self._end:
                # What follows is read only in the end, and is old then.
                yield from self._cut()
            self._keep((t_us, kind, rest))

    @property
    def due_us(self) -> int | None:
        """Until when to `rest` at least, for it to find anything."""
        return self._first_us + SPAN_US + 1 if self._piece else None

    def rest(self, t_us: int) -> Iterator[Line]:
        """Nothing comes that is older than *t_us*: the piece that is complete by that."""
        if t_us - self._first_us > SPAN_US:
            yield from self._cut()

    def close(self, t_us: int) -> Iterator[Line]:
        """What is left, when the channel ends."""
        if self._missed:
            since_us = self._end[0][0]
            yield from self._flush(since_us)
            yield from self._put(since_us, f"[... {_size(self._missed)} not read ...]")
            self._lines = {kind: Lines() for kind in self._lines}
        for at_us, kind, data in self._end:
            yield from self._read(at_us, kind, data)
        self._end.clear()
        yield from self._flush(t_us)
        yield from self._cut()

    def _keep(self, chunk: Chunk) -> None:
        self._end.append(chunk)
        self._end_octets += len(chunk[2])
        while self._end_octets > READ:
            at_us, kind, oldest = self._end.popleft()
            drop = min(len(oldest), self._end_octets - READ)
            self._missed += drop
            self._end_octets -= drop
            if drop < len(oldest):
                self._end.appendleft((at_us, kind, oldest[drop:]))

    def _read(self, t_us: int, kind: RecordKind, data: bytes) -> Iterator[Line]:
        # Some programs end what they print with NUL (find -print0).
        for line in self._lines[kind].feed(data.replace(b"\0", b"\n")):
            yield from self._put(t_us, line)

    def _flush(self, t_us: int) -> Iterator[Line]:
        for lines in self._lines.values():
            for line in lines.finish():
                yield from self._put(t_us, line)

    def _put(self, t_us: int, line: str) -> Iterator[Line]:
        if not line or not _is_text(line):
            return
        if self._size + len(line) > PIECE or t_us - self._first_us > SPAN_US:
            yield from self._cut()
        if not self._piece:
            self._first_us = t_us
        self._piece.append(line)
        self._size += len(line) + 1

    def _cut(self) -> Iterator[Line]:
        if self._piece:
            yield self._first_us, "\n".join(self._piece)
        self._piece = []
        self._size = 0


def _is_text(line: str) -> bool:
    """Whether less than a third of a line are octets that had to be written as escapes."""
    return line.count(_ESCAPE) * len(_ESCAPE + "00") * 3 <= len(line)


def _size(octets: int) -> str:
    """As the notes in the text of terminals have it."""
    return f"{octets / 1e6:.1f} MB" if octets >= 100_000 else f"{octets / 1e3:.1f} kB"
