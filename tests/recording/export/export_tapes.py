"""Small recordings, made of records that look as those of the reader do."""

from __future__ import annotations

import os
import pty
import tty
from dataclasses import dataclass
from io import BytesIO

from watchgate.recording.export import FORMATS, Description
from watchgate.session.events import ChannelClosed, ChannelOpened, CommandRequested, Envelope, Event
from watchgate.session.ports import RecordKind

STARTED = 1_795_253_400_250_000  # 2026-11-21T09:30:00.25Z


@dataclass(frozen=True, slots=True)
class Made:
    """A record made by hand."""

    t_us: int
    kind: RecordKind
    channel: int
    data: bytes


class Tape:
    """Makes records; times in milliseconds."""

    def __init__(self) -> None:
        self.records: list[Made] = []

    def __call__(self) -> list[Made]:
        return self.records

    def out(self, at: int, data: bytes, channel: int = 1) -> Tape:
        return self._add(at, RecordKind.OUTPUT, channel, data)

    def err(self, at: int, data: bytes, channel: int = 1) -> Tape:
        return self._add(at, RecordKind.ERROR, channel, data)

    def typed(self, at: int, data: bytes, channel: int = 1) -> Tape:
        return self._add(at, RecordKind.INPUT, channel, data)

    def resized(self, at: int, data: bytes, channel: int = 1) -> Tape:
        return self._add(at, RecordKind.RESIZE, channel, data)

    def event(self, at: int, event: Event) -> Tape:
        envelope = Envelope(STARTED + at * 1000, "s", len(self.records), event)
        return self._add(at, RecordKind.EVENT, 0, envelope.to_json().encode())

    def shell(self, at: int, channel: int = 1) -> Tape:
        return self.event(at, ChannelOpened(channel, "shell", "xterm-256color", 100, 30))

    def exec(self, at: int, command: str, channel: int = 1) -> Tape:
        self.event(at, ChannelOpened(channel, "exec"))
        return self.event(at, CommandRequested(channel, command))

    def closed(
        self, at: int, status: int | None = 0, name: str | None = None, channel: int = 1
    ) -> Tape:
        return self.event(at, ChannelClosed(channel, status, name, 0, 0))

    def _add(self, at: int, kind: RecordKind, channel: int, data: bytes) -> Tape:
        self.records.append(Made(at * 1000, kind, channel, data))
        return self


ABOUT = Description("alice as root on web1", STARTED)


def exported(
    name: str, tape: Tape, channel: int | None = None, with_input: bool = True
) -> tuple[bytes, ...]:
    """The files of *tape* in the format *name*."""
    exporter = FORMATS[name]
    files = tuple(BytesIO() for _ in exporter.extensions)
    exporter.export(tape, ABOUT, files, channel=channel, with_input=with_input)
    return tuple(file.getvalue() for file in files)


def with_terminal(argv: list[str]) -> bytes:
    """What a program writes on a terminal of its own; it must end well."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(argv[0], argv)  # noqa: S606 - no shell is meant here
    tty.setraw(terminal)
    output = b""
    while chunk := _read(terminal):
        output += chunk
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, output
    return output


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
