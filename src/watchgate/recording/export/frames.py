"""A channel of a recording as frames for the player."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence

from watchgate.recording.export.source import Channel, OnTerminal, of_channel
from watchgate.recording.records import RecordLike, envelope
from watchgate.session.events import CommandRequested
from watchgate.session.ports import RecordKind
from watchgate.terminal.lines import safe, safe_octets
from watchgate.terminal.player import Frame


def frames(
    records: Iterable[RecordLike], channel: Channel, typed: Sequence[tuple[int, str]] = ()
) -> Iterator[Frame]:
    """The output and the commands of *channel*; times count from its opening.

    *typed* are commands that no event says, each with its time in the recording, in their order.
    """
    said = (Frame(max(0, t_us - channel.opened_us), command=safe(text)) for t_us, text in typed)
    return heapq.merge(_of_records(records, channel), said, key=_time)


def _time(frame: Frame) -> int:
    return frame.t_us


def _of_records(records: Iterable[RecordLike], channel: Channel) -> Iterator[Frame]:
    on_terminal = OnTerminal(channel)
    for record in of_channel(records, channel):
        t_us = max(0, record.t_us - channel.opened_us)
        if record.kind in (RecordKind.OUTPUT, RecordKind.ERROR):
            yield Frame(t_us, on_terminal(record.data))
        elif record.kind is RecordKind.EVENT:
            event = envelope(record).event
            if isinstance(event, CommandRequested) and event.channel == channel.number:
                command = event.command.encode("utf-8", "surrogateescape")
                yield Frame(t_us, command=safe_octets(command))
