"""typescript and timing, for scriptreplay of util-linux; octet for octet.

The classic form is two files, output and timing, that every scriptreplay plays. The form with streams
(util-linux 2.35, `script --log-timing`) adds the input, changes of size and the exit status.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from watchgate.clock import iso
from watchgate.recording.export.asciicast import clean, exit_code
from watchgate.recording.export.source import Channel, Description, of_channel
from watchgate.recording.records import RecordLike, envelope, size
from watchgate.session.events import ChannelClosed
from watchgate.session.ports import RecordKind


def write_classic(
    records: Iterable[RecordLike],
    about: Description,
    channel: Channel,
    files: tuple[BinaryIO, ...],
    with_input: bool = True,
) -> None:
    """Write the output and its timing; the classic form has no place for input."""
    script, timing = files
    script.write(_first_line(about, channel))
    last_us = channel.opened_us
    for record in of_channel(records, channel):
        if record.kind in (RecordKind.OUTPUT, RecordKind.ERROR) and record.data:
            timing.write(f"{_seconds(record.t_us - last_us)} {len(record.data)}\n".encode())
            script.write(record.data)
            last_us = max(last_us, record.t_us)


def write_streams(
    records: Iterable[RecordLike],
    about: Description,
    channel: Channel,
    files: tuple[BinaryIO, ...],
    with_input: bool = True,
) -> None:
    """Write the output, the timing of all streams, and the input."""
    script, timing, typed = files
    first_line = _first_line(about, channel)
    script.write(first_line)
    typed.write(first_line)
    timing.write(_headers(about, channel))
    last_us = channel.opened_us
    for record in of_channel(records, channel):
        delay = _seconds(record.t_us - last_us)
        line = ""
        match record.kind:
            case RecordKind.OUTPUT | RecordKind.ERROR if record.data:
                script.write(record.data)
                line = f"O {delay} {len(record.data)}\n"
            case RecordKind.INPUT if with_input and record.data:
                typed.write(record.data)
                line = f"I {delay} {len(record.data)}\n"
            case RecordKind.RESIZE:
                columns, rows = size(record.data)
                line = f"S {delay} SIGWINCH ROWS={rows} COLS={columns}\n"
            case RecordKind.EVENT:
                timing.write(_ending(record, channel))
            case _:
                pass
        if line:
            timing.write(line.encode())
            last_us = max(last_us, record.t_us)


def _first_line(about: Description, channel: Channel) -> bytes:
    """The line that scriptreplay passes over."""
    title = one_line(clean(about.title))
    began = iso(about.started_at_us + channel.opened_us)
    return f'Script started on {began} [COMMAND="{title}" COLUMNS="{channel.columns}" LINES="{channel.rows}"]\n'.encode()


def _headers(about: Description, channel: Channel) -> bytes:
    entries = {
        "START_TIME": iso(about.started_at_us + channel.opened_us),
        "TERM": one_line(channel.terminal or ""),
        "COLUMNS": str(channel.columns),
        "LINES": str(channel.rows),
        "COMMAND": one_line(clean(channel.command or about.title)),
    }
    return "".join(f"H 0.000000 {name} {text}\n" for name, text in entries.items() if text).encode()


def _ending(record: RecordLike, channel: Channel) -> bytes:
    event = envelope(record).event
    if not isinstance(event, ChannelClosed) or event.channel != channel.number:
        return b""
    lines = f"H 0.000000 DURATION {_seconds(record.t_us - channel.opened_us)}\n"
    code = exit_code(event.exit_status, event.exit_signal)
    return (lines + (f"H 0.000000 EXIT_CODE {code}\n" if code else "")).encode()


def one_line(text: str) -> str:
    """*text* without what would end its line or its quotes."""
    return "".join(c if c.isprintable() and c != '"' else "?" for c in text)


def _seconds(microseconds: int) -> str:
    elapsed = max(0, microseconds)
    return f"{elapsed // 1_000_000}.{elapsed % 1_000_000:06d}"
