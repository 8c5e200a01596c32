"""A transcript for people: one line of text for each line of the session, with its time.

    2026-11-21T09:30:00Z  * channel 0 opened: shell, terminal xterm 80x24
    2026-11-21T09:30:04Z  | root@web1:~# ls
    2026-11-21T09:30:04Z  < ls\\r

The sign says where a line comes from, and nothing that a program prints can forge it: `|` output,
`!` output on stderr, `<` input, `*` events. The time is that of the line's end. This is what a reader saw, not the octets:
for those there are the other formats.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from watchgate.clock import iso
from watchgate.errors import RecordingUnreadable
from watchgate.recording.export.asciicast import clean
from watchgate.recording.export.sentences import sentence
from watchgate.recording.export.source import Channel, Description, of_channel
from watchgate.recording.records import RecordLike, envelope, size
from watchgate.session.ports import RecordKind
from watchgate.terminal.lines import LONGEST_LINE, Lines, safe, safe_octets


def write(
    records: Iterable[RecordLike],
    about: Description,
    channel: Channel,
    files: tuple[BinaryIO, ...],
    with_input: bool = True,
) -> None:
    """Write the transcript of *channel*, with every event of the session."""
    (out,) = files
    out.write(f"{safe(clean(about.title))}\n".encode())
    transcript = _Transcript(out, about, channel, with_input)
    for record in of_channel(records, channel):
        transcript.add(record)
    transcript.finish()


class _Transcript:
    def __init__(
        self, out: BinaryIO, about: Description, channel: Channel, with_input: bool
    ) -> None:
        self._out = out
        self._start_us = about.started_at_us
        self._with_input = with_input
        self._last_us = channel.opened_us
        self._output = Lines(channel.columns if channel.terminal is not None else 0)
        self._error = Lines()
        self._typed = bytearray()

    def add(self, record: RecordLike) -> None:
        self._last_us = record.t_us
        match record.kind:
            case RecordKind.OUTPUT:
                for line in self._output.feed(record.data):
                    self._line("|", line)
            case RecordKind.ERROR:
                for line in self._error.feed(record.data):
                    self._line("!", line)
            case RecordKind.INPUT:
                if self._with_input:
                    self._input(record.data)
            case RecordKind.RESIZE:
                columns, rows = size(record.data)
                self._output.columns = columns
                self._line("*", f"terminal resized to {columns}x{rows}")
            case RecordKind.EVENT:
                self._event(record)

    def finish(self) -> None:
        for line in self._output.finish():
            self._line("|", line)
        for line in self._error.finish():
            self._line("!", line)
        if self._typed:
            self._line("<", safe_octets(bytes(self._typed)))

    def _event(self, record: RecordLike) -> None:
        try:
            said = sentence(envelope(record).event)
        except RecordingUnreadable:
            # A transcript shows what there is to see; `verify` is where damage is judged.
            said = f"an event that cannot be read: {safe_octets(record.data[:LONGEST_LINE])}"
        self._line("*", said)

    def _input(self, data: bytes) -> None:
        for piece in data.splitlines(keepends=True):
            for start in range(0, len(piece), LONGEST_LINE):
                self._typed += piece[start : start + LONGEST_LINE]
                if self._typed[-1] in b"\r\n" or len(self._typed) >= LONGEST_LINE:
                    ended = bytes(self._typed).rstrip(b"\n")
                    self._typed.clear()
                    self._line("<", safe_octets(ended).replace("\\x0d", "\\r"))

    def _line(self, sign: str, text: str) -> None:
        at = iso(self._start_us + self._last_us)
        self._out.write(f"{at[:19]}Z  {sign} {text}\n".encode())
