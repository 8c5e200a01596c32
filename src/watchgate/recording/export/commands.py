"""The commands of a session as a table: CSV (RFC 4180) for spreadsheets, JSON lines for programs.

All channels are in it. A command is exact when the client asked for it in so many words or the shell told it,
inferred when it was read off the screen. What the rules said of it is the last that they said. Unlike the other formats this one holds all that it writes: the
commands, not what they printed.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from watchgate.clock import iso
from watchgate.recording.contents import Contents, FoundCommand
from watchgate.recording.export.sentences import shown
from watchgate.recording.export.source import Channel, Description
from watchgate.recording.records import RecordLike, envelope
from watchgate.session.events import CommandFinished
from watchgate.session.ports import RecordKind
from watchgate.terminal.screens import open_screen

FIELDS = (
    *("time", "offset_s", "channel", "command", "program", "source", "confidence"),
    *("exit_status", "exit_signal", "duration_s", "verdict", "severity", "rules"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(slots=True)
class _Row:
    found: FoundCommand
    ended: CommandFinished | None = None


def write_csv(
    records: Iterable[RecordLike],
    about: Description,
    channel: Channel,
    files: tuple[BinaryIO, ...],
    with_input: bool = True,
) -> None:
    """Write every command as a row of CSV, below a row of names."""
    (out,) = files
    _csv_row(out, FIELDS)
    for row in _rows(records):
        values = _values(row, about)
        _csv_row(out, [_cell(values[name]) for name in FIELDS])


def write_json_lines(
    records: Iterable[RecordLike],
    about: Description,
    channel: Channel,
    files: tuple[BinaryIO, ...],
    with_input: bool = True,
) -> None:
    """Write every command as an object in a line of its own."""
    (out,) = files
    for row in _rows(records):
        out.write(json.dumps(_values(row, about), separators=(",", ":")).encode() + b"\n")


def _rows(records: Iterable[RecordLike]) -> list[_Row]:
    """All commands in the order of time: one read off a screen may be known late."""
    contents = Contents(open_screen, screens=False)
    rows: list[_Row] = []
    asked: dict[int, _Row] = {}
    for record in records:
        for found in contents.add(record):
            if isinstance(found, FoundCommand):
                _take(found, rows, asked)
        if record.kind is RecordKind.EVENT:
            event = envelope(record).event
            if isinstance(event, CommandFinished) and event.command_seq in asked:
                asked[event.command_seq].ended = event
    for found in contents.finish():
        if isinstance(found, FoundCommand):
            _take(found, rows, asked)
    return sorted(rows, key=_time)


def _take(found: FoundCommand, rows: list[_Row], asked: dict[int, _Row]) -> None:
    """A row for a command; one that was decided again has its row already."""
    known = None if found.seq is None else asked.get(found.seq)
    if known is not None:
        known.found = found
        return
    rows.append(_Row(found))
    if found.seq is not None:
        asked[found.seq] = rows[-1]


def _time(row: _Row) -> int:
    return row.found.t_us


def _values(row: _Row, about: Description) -> dict[str, object]:
    found, ended = row.found, row.ended
    return {
        "time": iso(found.at_us or about.started_at_us + found.t_us),
        "offset_s": round(found.t_us / 1e6, 3),
        "channel": found.channel,
        "command": shown(found.text),
        "program": found.program,
        "source": found.source,
        "confidence": found.confidence,
        "exit_status": ended.exit_status if ended else None,
        "exit_signal": ended.exit_signal if ended else None,
        "duration_s": round(ended.duration_us / 1e6, 3) if ended else None,
        "verdict": found.verdict,
        "severity": found.severity,
        "rules": list(found.rules),
    }


def _cell(value: object) -> str:
    """A value for a spreadsheet, which must not take it for a formula."""
    text = " ".join(value) if isinstance(value, list) else "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str | list) and text.startswith(_FORMULA) else text


def _csv_row(out: BinaryIO, values: Iterable[str]) -> None:
    line = io.StringIO()
    csv.writer(line).writerow(values)
    out.write(line.getvalue().encode())
