"""A forwarded connection's back-pressure and its end, with channels that do nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from watchgate.clock import ManualClock
from watchgate.protocols.ssh.bounds import Choked
from watchgate.protocols.ssh.effects import Side
from watchgate.protocols.ssh.forwarding import Forward
from watchgate.session.events import Event, ForwardClosed, ForwardNoted, ForwardOpened
from watchgate.session.ports import Recorder


class Notes:
    """A recorder that keeps events."""

    lost = None

    def __init__(self) -> None:
        self.events: list[Event] = []

    def event(self, event: Event) -> int:
        self.events.append(event)
        return len(self.events)


class Connection:
    """A connection whose transport can be full."""

    def __init__(self) -> None:
        self.watchers: list[Choked] = []

    def watch_flow(self, watcher: Choked) -> Callable[[], None]:
        self.watchers.append(watcher)
        return lambda: self.watchers.remove(watcher)


class Channel:
    """A channel that notes what it is told."""

    _send_state = "open"

    def __init__(self) -> None:
        self.connection = Connection()
        self.reading = True
        self.written = b""
        self.is_closed = False

    def get_connection(self) -> Connection:
        return self.connection

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.is_closed = True
        self._send_state = "closed"


class Joined:
    """A forward with both ends there."""

    def __init__(self, managed: bool = False) -> None:
        self.notes = Notes()
        recorder = cast(Recorder, self.notes)
        self.forward = Forward(7, "local", "db:22", "here:1", managed, recorder, ManualClock())
        self.channels = {side: Channel() for side in Side}

    def join(self, *sides: Side) -> None:
        for side in sides or tuple(Side):
            self.forward.end(side).connection_made(cast(Any, self.channels[side]))


def test_an_end_is_read_again_only_when_window_and_transport_have_room() -> None:
    async def run() -> list[bool]:
        made = Joined()
        made.join()
        client, target = made.forward.end(Side.CLIENT), made.channels[Side.TARGET]
        (watcher,) = made.channels[Side.CLIENT].connection.watchers
        seen = [target.reading]
        for step in (watcher.choke, client.pause_writing, client.resume_writing, watcher.release):
            step()
            seen.append(target.reading)
        return seen

    assert asyncio.run(run()) == [True, False, False, False, True]


def test_an_end_that_comes_late_is_not_read_while_the_other_is_full() -> None:
    async def run() -> list[bool]:
        made = Joined()
        made.join(Side.TARGET)
        made.forward.end(Side.TARGET).pause_writing()
        made.join(Side.CLIENT)
        client = made.channels[Side.CLIENT]
        before = client.reading
        made.forward.end(Side.TARGET).resume_writing()
        return [before, client.reading]

    assert asyncio.run(run()) == [False, True]


def test_what_a_target_says_before_its_client_is_there_is_kept_and_no_more_is_read() -> None:
    async def run() -> tuple[bool, bool, bytes]:
        made = Joined()
        made.join(Side.TARGET)
        made.forward.heard(Side.TARGET, b"220 hello\r\n")
        before = made.channels[Side.TARGET].reading
        made.join(Side.CLIENT)
        return before, made.channels[Side.TARGET].reading, made.channels[Side.CLIENT].written

    assert asyncio.run(run()) == (False, True, b"220 hello\r\n")


def test_an_aborted_forwarding_is_over_at_once_and_counts_no_more() -> None:
    async def run() -> Joined:
        made = Joined()
        made.join()
        made.forward.heard(Side.CLIENT, b"before")
        made.forward.abort()
        made.forward.heard(Side.CLIENT, b"after")
        made.forward.closed(Side.CLIENT)
        return made

    made = asyncio.run(run())

    assert made.notes.events == [
        ForwardOpened(7, "local", "db:22", "here:1"),
        ForwardClosed(7, 6, 0),
    ]
    assert made.channels[Side.TARGET].written == b"before"
    assert all(channel.is_closed for channel in made.channels.values())
    assert made.forward.done.is_set()


@pytest.mark.parametrize("side", list(Side))
def test_a_managed_target_hears_nothing_of_ssh_however_it_is_cut(side: Side) -> None:
    async def run() -> Joined:
        made = Joined(managed=True)
        made.join()
        for octet in b"SSH-2.0-x\r\n":
            made.forward.heard(side, bytes([octet]))
        return made

    made = asyncio.run(run())

    assert [channel.written for channel in made.channels.values()] == [b"", b""]
    assert made.notes.events[1:] == [
        ForwardNoted(7, "ssh", "db:22", refused=True),
        ForwardClosed(7, 0, 0),
    ]


def test_what_a_managed_target_may_hear_comes_whole() -> None:
    async def run() -> Joined:
        made = Joined(managed=True)
        made.join()
        for octet in b"SSL? no":
            made.forward.heard(Side.CLIENT, bytes([octet]))
        return made

    made = asyncio.run(run())

    assert made.channels[Side.TARGET].written == b"SSL? no"
