"""Recordings as other tools' formats.

`FORMATS` is the table of them. An exporter streams: it holds one record at a time, whatever the size of
the recording.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from watchgate.errors import NotFound
from watchgate.recording.export import asciicast, commands, html, text, ttyrec, typescript
from watchgate.recording.export.source import Channel, Description, Source, channels, pick
from watchgate.recording.records import RecordLike

__all__ = [
    "FORMATS",
    "Channel",
    "Description",
    "Exporter",
    "RecordLike",
    "Source",
    "channels",
    "exporter",
    "pick",
]


class Write(Protocol):
    """Writes the records of one channel into the files of one format."""

    def __call__(
        self,
        records: Iterable[RecordLike],
        about: Description,
        channel: Channel,
        files: tuple[BinaryIO, ...],
        with_input: bool = True,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Exporter:
    """A format that a recording can be exported to."""

    name: str
    extensions: tuple[str, ...]
    """One for each file that the format consists of; the first is the main one."""
    description: str
    write: Write

    @property
    def extension(self) -> str:
        """That of the main file."""
        return self.extensions[0]

    def export(
        self,
        source: Source,
        about: Description,
        files: tuple[BinaryIO, ...],
        *,
        channel: int | None = None,
        with_input: bool = True,
    ) -> Channel:
        """Write *source* into *files*, one for each extension; returns the channel that it was.

        Without *channel* it is the first with a terminal, else the first. Raises NotFound when there is no
        such channel, and RecordingUnreadable.
        """
        chosen = pick(source(), channel)
        self.write(source(), about, chosen, files, with_input)
        return chosen


FORMATS: dict[str, Exporter] = {
    exporter.name: exporter
    for exporter in (
        Exporter(
            "asciicast2",
            (".cast",),
            "asciinema's format of 2017, that every asciinema and its web player play.",
            asciicast.write_v2,
        ),
        Exporter(
            "asciicast3",
            (".cast",),
            "asciinema's format from version 3 on: relative times, and the exit status.",
            asciicast.write_v3,
        ),
        Exporter(
            "typescript",
            (".typescript", ".timing"),
            "The output octet for octet and its timing, for scriptreplay: two files.",
            typescript.write_classic,
        ),
        Exporter(
            "typescript-streams",
            (".typescript", ".timing", ".input"),
            "As typescript, with the input, resizes and the exit status, for scriptreplay from util-linux 2.35 on: three files.",
            typescript.write_streams,
        ),
        Exporter(
            "ttyrec",
            (".ttyrec",),
            "The output octet for octet, for ttyplay and its kin.",
            ttyrec.write,
        ),
        Exporter(
            "text",
            (".txt",),
            "A transcript to read, search and print: each line with its time, commands and events between them.",
            text.write,
        ),
        Exporter(
            "html",
            (".html",),
            "One page that plays the session in a browser, offline, with its commands and a search.",
            html.write,
        ),
        Exporter(
            "commands",
            (".csv",),
            "Every command with its time and how it ended, as CSV for spreadsheets.",
            commands.write_csv,
        ),
        Exporter(
            "commands-json",
            (".jsonl",),
            "The same as JSON lines, for programs.",
            commands.write_json_lines,
        ),
    )
}


def exporter(name: str) -> Exporter:
    """The exporter of that name; raises NotFound with the names that there are."""
    try:
        return FORMATS[name]
    except KeyError:
        raise NotFound(
            f"there is no export format {name!r}; choose one of {', '.join(FORMATS)}",
            code="recording.format",
        ) from None
