"""The emulating process itself: what it is told it does, and what it cannot understand ends it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from watchgate.emulation.service import Service
from watchgate.emulation.wire import Frame, Frames, Op, Picture, numbers
from watchgate.terminal.screens import open_screen


@contextmanager
def serving() -> Iterator[tuple[socket.socket, list[BaseException]]]:
    """A service in a thread, and how it failed."""
    ours, theirs = socket.socketpair()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            Service(theirs, open_screen).serve()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            failed.append(error)
        finally:
            theirs.close()

    thread = threading.Thread(target=run)
    thread.start()
    ours.settimeout(10)
    try:
        yield ours, failed
    finally:
        ours.close()
        thread.join(10)


def answers(stream: socket.socket, count: int) -> list[Frame]:
    """So many answers."""
    frames, found = Frames(), list[Frame]()
    while len(found) < count:
        octets = stream.recv(65536)
        if not octets:
            break
        found += frames.feed(octets)
    return found


def send(stream: socket.socket, *frames: Frame) -> None:
    stream.sendall(b"".join(frame.packed() for frame in frames))


def test_screens_are_apart_and_questions_are_answered_in_their_order() -> None:
    with serving() as (stream, failed):
        send(
            stream,
            *(Frame(Op.OPEN, one, numbers(20, 2)) for one in (7, 8)),
            Frame(Op.FEED, 7, b"seven"),
            Frame(Op.ANCHOR, 7, numbers(1)),
            Frame(Op.FEED, 8, b"eight"),
            Frame(Op.RESIZE, 8, numbers(30, 3)),
            Frame(Op.LOOK, 7),
            Frame(Op.LOOK, 8),
            Frame(Op.RELEASE, 7, numbers(1)),
            Frame(Op.LOOK, 7),
        )
        there, *looks = answers(stream, 4)

    first, second, third = (Picture.parse(frame.payload) for frame in looks)
    assert (there.screen, [frame.screen for frame in looks]) == (0, [1, 2, 3])
    assert (first.lines[0].text, first.places) == ("seven", {1: (5, 0)})
    assert (second.lines[0].text, second.columns, second.rows) == ("eight", 30, 3)
    assert third.places == {}
    assert failed == []


@pytest.mark.parametrize(
    "frames",
    [
        (Frame(Op.LOOK, 1),),
        (Frame(Op.OPEN, 1, numbers(80, 24)), Frame(Op.CLOSE, 1), Frame(Op.LOOK, 1)),
        (Frame(Op.OPEN, 1, numbers(80, 24)), Frame(Op.ANSWER, 1)),
        (Frame(Op.OPEN, 1, b"\0\0\0\1"),),
    ],
    ids=["unknown", "closed", "answer", "no-size"],
)
def test_what_no_gateway_says_ends_it(frames: tuple[Frame, ...]) -> None:
    with serving() as (stream, failed):
        answers(stream, 1)
        send(stream, *frames)
        assert answers(stream, 1) == []

    assert len(failed) == 1
