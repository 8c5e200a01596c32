"""What an exporter reads: records as they come, of one channel, and what is known beforehand.

A recording may be larger than memory, so it is read as a stream, twice at most: once to find a channel
(and only as far as needed), once to write it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from watchgate.errors import NotFound, RecordingUnreadable
from watchgate.recording.records import RecordLike, envelope
from watchgate.session.events import (
    ChannelClosed,
    ChannelOpened,
    CommandRequested,
)
from watchgate.session.ports import RecordKind

_LONE_NEWLINE = re.compile(rb"(?<!\r)\n")


Source: TypeAlias = Callable[[], Iterable[RecordLike]]
"""Opens a recording at its first record, as often as it is called."""


@dataclass(frozen=True, slots=True)
class Description:
    """What an export says of the session as a whole."""

    title: str
    started_at_us: int
    """When the recording began: wall microseconds."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What else a page for readers should say of it, in this order."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of a recording, as its events tell."""

    number: int
    what: str
    opened_us: int
    """When it was opened, in microseconds from the start of the recording."""
    terminal: str | None = None
    columns: int = 80
    rows: int = 24
    command: str | None = None
    closed_us: int | None = None
    exit_status: int | None = None
    exit_signal: str | None = None


def channels(records: Iterable[RecordLike]) -> list[Channel]:
    """All channels of a recording in the order of their opening; reads it to the end."""
    found: dict[int, Channel] = {}
    for record in records:
        _note(found, record)
    return list(found.values())


def pick(records: Iterable[RecordLike], number: int | None = None) -> Channel:
    """The channel *number*; without one the first that has a terminal, else the first of all.

    Reads no further than it must. Raises NotFound.
    """
    found: dict[int, Channel] = {}
    chosen: int | None = None
    for record in records:
        try:
            opened = _note(found, record)
        except RecordingUnreadable:
            continue  # whether that matters is for whoever reads on
        if chosen is None and opened is not None and _is_wanted(opened, number):
            chosen = opened.number
        # The request for a command follows the opening; the first octet says that there is none.
        if chosen is not None and (found[chosen].command or record.channel == chosen):
            return found[chosen]
    if chosen is not None:
        return found[chosen]
    if number is None and found:
        return next(iter(found.values()))
    raise NotFound(
        f"the recording has no channel {number}; it has {', '.join(map(str, found)) or 'none'}"
        if number is not None
        else "the recording has no channel: nothing was opened in this session",
        code="recording.channel",
    )


def _is_wanted(channel: Channel, number: int | None) -> bool:
    return channel.terminal is not None if number is None else channel.number == number


def of_channel(records: Iterable[RecordLike], channel: Channel) -> Iterator[RecordLike]:
    """The octets and resizes of *channel*, and every event of the session."""
    for record in records:
        if record.kind is RecordKind.EVENT or record.channel == channel.number:
            yield record


class OnTerminal:
    """The output of a channel as a terminal showed it.

    A program with a terminal has its carriage returns from there; that of a program without one got them
    on the operator's side.
    """

    def __init__(self, channel: Channel) -> None:
        self._as_it_is = channel.terminal is not None
        self._returned = False

    def __call__(self, data: bytes) -> bytes:
        if self._as_it_is or not data:
            return data
        returned, self._returned = self._returned, data.endswith(b"\r")
        if returned and data.startswith(b"\n"):
            return data[:1] + _LONE_NEWLINE.sub(b"\r\n", data[1:])
        return _LONE_NEWLINE.sub(b"\r\n", data)


def _note(found: dict[int, Channel], record: RecordLike) -> Channel | None:
    """Take what *record* tells of its channel; returns the channel when it was opened by it."""
    if record.kind is not RecordKind.EVENT:
        if record.channel in found:
            return None
        # Octets without an opening: the evidence before them is missing, what is left can be shown.
        found[record.channel] = Channel(record.channel, "unknown", record.t_us)
        return found[record.channel]
    match envelope(record).event:
        case ChannelOpened() as event:
            channel = Channel(
                event.channel,
                event.what,
                record.t_us,
                event.terminal,
                event.columns or 80,
                event.rows or 24,
            )
            found[event.channel] = channel
            return channel
        case CommandRequested(channel=number, command=command) if number in found:
            if found[number].command is None:
                found[number] = replace(found[number], command=command)
        case ChannelClosed() as event if event.channel in found:
            found[event.channel] = replace(
                found[event.channel],
                closed_us=record.t_us,
                exit_status=event.exit_status,
                exit_signal=event.exit_signal,
            )
        case _:
            pass
    return None
