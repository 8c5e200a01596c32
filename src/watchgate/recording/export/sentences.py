"""An event as one line of a transcript."""

from __future__ import annotations

import json

from watchgate.session.events import (
    ChannelClosed,
    ChannelOpened,
    CommandFinished,
    CommandRequested,
    Event,
    FileChanged,
    FileMoved,
    InputRedacted,
    RecordingGap,
    UnknownEvent,
    octets,
)
from watchgate.terminal.lines import safe, safe_octets


def sentence(event: Event) -> str:
    """What happened, safe to print; an event without words of its own is shown by its fields."""
    try:
        return safe(_words(event))
    except (AttributeError, TypeError, ValueError):
        # An event is read back with whatever values stand in it: text where a number belongs.
        return safe(_by_fields(event))


def _words(event: Event) -> str:
    match event:
        case CommandRequested():
            return f"command: {shown(event.command)}"
        case CommandFinished():
            took = f"after {event.duration_us / 1e6:.3f} s"
            return f"command ended {took}{_exit(event.exit_status, event.exit_signal)}"
        case ChannelOpened():
            return f"channel {event.channel} opened: {shown(event.what)}{_terminal(event)}"
        case ChannelClosed():
            return f"channel {event.channel} closed{_exit(event.exit_status, event.exit_signal)}"
        case FileMoved():
            return _file_moved(event)
        case FileChanged():
            to = f" to {shown(event.to)}" if event.to is not None else ""
            failed = "" if event.succeeded else " (failed)"
            return f"file: {shown(event.operation)} {shown(event.path)}{to}{failed}"
        case InputRedacted():
            return "input that the terminal did not echo (redacted)"
        case RecordingGap():
            gap = f"{event.octets} octets, {event.duration_us / 1e6:.3f} s"
            return f"GAP: evidence is missing here ({gap}): {shown(event.reason)}"
        case _:
            return _by_fields(event)


def _file_moved(event: FileMoved) -> str:
    digest = f", SHA-256 {event.digest}" if event.digest else ""
    broken = "" if event.complete else ", incomplete"
    note = f", {shown(event.note)}" if event.note else ""
    moved = f"{shown(event.direction)} {shown(event.path)}"
    return f"file: {moved} ({event.size} octets{digest}{broken}{note})"


def _terminal(event: ChannelOpened) -> str:
    if event.terminal is None:
        return ", no terminal"
    return f", terminal {shown(event.terminal)} {event.columns}x{event.rows}"


def _exit(status: int | None, name: str | None) -> str:
    if name is not None:
        return f", killed by signal {shown(name)}"
    return "" if status is None else f", exit status {status}"


def _by_fields(event: Event) -> str:
    name = event.name if isinstance(event, UnknownEvent) else event.kind
    said = ((key, value) for key, value in event.data().items() if value is not None)
    values = (f"{shown(key)}={shown(_said(value))}" for key, value in said)
    return " ".join((shown(name), *values))


def _said(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def shown(text: str) -> str:
    """Text off a wire, safe to print."""
    return safe_octets(octets(text))
