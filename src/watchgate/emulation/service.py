"""The emulating process: keeps the screens that the gateway opens, and answers what they show."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from watchgate.emulation.wire import Frame, Frames, Op, Picture, numbers, pack_styled, read_numbers
from watchgate.terminal.screen import Anchor, Screen

_READ = 256 * 1024


@dataclass(slots=True)
class _Seen:
    screen: Screen
    anchors: dict[int, Anchor] = field(default_factory=dict)


class Service:
    """Serves one gateway at *stream* until it is gone."""

    def __init__(self, stream: socket.socket, open_screen: Callable[[int, int], Screen]) -> None:
        self._stream = stream
        self._open_screen = open_screen
        self._seen: dict[int, _Seen] = {}
        self._questions = 0

    def serve(self) -> None:
        """Say that it is there, and answer until the other end is closed."""
        self._answer(b"")
        frames = Frames()
        while octets := self._stream.recv(_READ):
            for frame in frames.feed(octets):
                self._take(frame)

    def _take(self, frame: Frame) -> None:
        if frame.op is Op.OPEN:
            columns, rows = read_numbers(frame.payload)
            self._seen[frame.screen] = _Seen(self._open_screen(columns, rows))
            return
        if frame.op is Op.CLOSE:
            self._seen.pop(frame.screen, None)
            return
        one = self._seen[frame.screen]
        match frame.op:
            case Op.FEED:
                one.screen.feed(frame.payload)
            case Op.RESIZE:
                one.screen.resize(*read_numbers(frame.payload))
            case Op.ANCHOR:
                (number,) = read_numbers(frame.payload)
                one.anchors[number] = one.screen.anchor()
            case Op.RELEASE:
                for number in read_numbers(frame.payload):
                    one.anchors.pop(number, None)
            case Op.LOOK:
                self._answer(_picture(one).packed())
            case Op.FAINT:
                self._answer(numbers(one.screen.dim(*read_numbers(frame.payload))))
            case Op.STYLED:
                self._answer(pack_styled(one.screen.styled()))
            case _:
                raise ValueError(f"not for this process: {frame.op!r}")

    def _answer(self, payload: bytes) -> None:
        self._stream.sendall(Frame(Op.ANSWER, self._questions, payload).packed())
        self._questions += 1


def _picture(one: _Seen) -> Picture:
    screen = one.screen
    return Picture(
        screen.columns,
        screen.rows,
        screen.cursor,
        screen.alternate,
        tuple(screen.lines()),
        {number: anchor.place() for number, anchor in one.anchors.items()},
    )
