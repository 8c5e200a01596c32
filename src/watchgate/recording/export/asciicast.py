"""asciicast v2 and v3: JSON lines, for asciinema and its players.

https://docs.asciinema.org/manual/asciicast/v2/ and /v3/. Text there is Unicode, so octets that are no
UTF-8 become U+FFFD; a character that was cut by a chunk is not.
"""

from __future__ import annotations

import codecs
import json
import signal
from collections.abc import Iterable
from typing import Any, BinaryIO

from watchgate.recording.export.source import Channel, Description, OnTerminal, of_channel
from watchgate.recording.records import RecordLike, envelope, size
from watchgate.session.events import ChannelClosed, CommandRequested, Event, octets
from watchgate.session.ports import RecordKind


def write_v2(
    records: Iterable[RecordLike],
    about: Description,
    channel: Channel,
    files: tuple[BinaryIO, ...],
    with_input: bool = True,
) -> None:
    """Write *channel* as asciicast v2: times count from its opening."""
    (out,) = files
    header: dict[str, Any] = {
        "version": 2,
        "width": channel.columns,
        "height": channel.rows,
        **_said(about, channel),
    }
    if channel.terminal:
        header["env"] = {"TERM": clean(channel.terminal)}
    _Cast(out, channel, with_input, relative=False).write(header, records)


def write_v3(
    records: Iterable[RecordLike],
    about: Description,
    channel: Channel,
    files: tuple[BinaryIO, ...],
    with_input: bool = True,
) -> None:
    """Write *channel* as asciicast v3: each time counts from the line before; ends with the exit status."""
    (out,) = files
    term: dict[str, Any] = {"cols": channel.columns, "rows": channel.rows}
    if channel.terminal:
        term["type"] = clean(channel.terminal)
    header = {"version": 3, "term": term, **_said(about, channel)}
    _Cast(out, channel, with_input, relative=True).write(header, records)


def clean(text: str) -> str:
    """Text that may hold octets as lone surrogates, as Unicode that every JSON reader takes."""
    return octets(text).decode("utf-8", "replace")


def _said(about: Description, channel: Channel) -> dict[str, Any]:
    said: dict[str, Any] = {
        "timestamp": (about.started_at_us + channel.opened_us) // 1_000_000,
        "title": clean(about.title),
    }
    if channel.command is not None:
        said["command"] = clean(channel.command)
    return said


class _Cast:
    """Lines of one asciicast."""

    def __init__(self, out: BinaryIO, channel: Channel, with_input: bool, relative: bool) -> None:
        self._out = out
        self._channel = channel
        self._with_input = with_input
        self._relative = relative
        self._last_us = self._seen_us = channel.opened_us
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {code: decoder("replace") for code in "oi"}
        self._on_terminal = OnTerminal(channel)

    def write(self, header: dict[str, Any], records: Iterable[RecordLike]) -> None:
        self._out.write(_json(header))
        for record in of_channel(records, self._channel):
            self._record(record)
        for code, decoder in self._decoders.items():
            self._line(self._seen_us, code, decoder.decode(b"", final=True))

    def _record(self, record: RecordLike) -> None:
        self._seen_us = max(record.t_us, self._seen_us)
        match record.kind:
            case RecordKind.OUTPUT | RecordKind.ERROR:
                self._text(record.t_us, "o", self._on_terminal(record.data))
            case RecordKind.INPUT:
                if self._with_input:
                    self._text(record.t_us, "i", record.data)
            case RecordKind.RESIZE:
                columns, rows = size(record.data)
                self._line(record.t_us, "r", f"{columns}x{rows}")
            case RecordKind.EVENT:
                self._event(record.t_us, envelope(record).event)

    def _event(self, t_us: int, event: Event) -> None:
        number = self._channel.number
        if isinstance(event, CommandRequested) and event.channel == number:
            self._line(t_us, "m", clean(event.command))
        elif isinstance(event, ChannelClosed) and event.channel == number and self._relative:
            self._line(t_us, "x", exit_code(event.exit_status, event.exit_signal))

    def _text(self, t_us: int, code: str, data: bytes) -> None:
        self._line(t_us, code, self._decoders[code].decode(data))

    def _line(self, t_us: int, code: str, text: str) -> None:
        if not text:
            return
        since = self._last_us if self._relative else self._channel.opened_us
        elapsed = max(0, t_us - since)
        self._last_us = max(t_us, self._last_us)
        time = f"{elapsed // 1_000_000}.{elapsed % 1_000_000:06d}"
        self._out.write(f'[{time}, "{code}", '.encode() + _json(text)[:-1] + b"]\n")


def exit_code(status: int | None, name: str | None) -> str:
    """The exit as a shell tells it: 128 and the number of the signal for one that was killed."""
    if status is not None:
        return str(status)
    number = signal.Signals.__members__.get(f"SIG{name}") if name else None
    return str(128 + number) if number is not None else ""


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": ")).encode() + b"\n"
