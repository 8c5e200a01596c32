"""RELP, the Reliable Event Logging Protocol: octets and messages, without input or output.

A frame is `TXNR SP COMMAND SP DATALEN [SP DATA] LF`. The client opens with its offers, numbers each
message, and the server answers each number with `rsp` and a status; `serverclose` comes unasked as number 0.
Specification: the document "RELP - The Reliable Event Logging Protocol" that comes with librelp.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from watchgate.errors import PeerProtocolError

LAST_NUMBER = 999_999_999
LONGEST_ANSWER = 64 * 1024
"""Octets of an answer's data; real ones are short."""
LONGEST_HEADER = 9 + 1 + 32 + 1 + 9

OFFERS = b"relp_version=0\nrelp_software=watchgate\ncommands=syslog"

_HEADER = re.compile(rb"(\d{1,9}) ([A-Za-z]{1,32}) (\d{1,9})(?=[ \n])")
_STATUS = re.compile(rb"(\d{3})(?: |\n|$)")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of either side."""

    number: int
    command: str
    data: bytes = b""

    def to_octets(self) -> bytes:
        """The frame as it is sent."""
        space = b" " if self.data else b""
        return b"%d %b %d%b%b\n" % (
            self.number,
            self.command.encode("ascii"),
            len(self.data),
            space,
            self.data,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's `rsp` to the frame of that number; 200 means that it has it."""

    number: int
    status: int
    text: str

    @property
    def accepted(self) -> bool:
        """Whether the server took what it answers."""
        return self.status == 200


class Client:
    """The client's side of one connection: numbers what is sent, knows what is not answered yet."""

    __slots__ = ("_buffer", "_number", "_waiting")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._number = 0
        self._waiting: dict[int, str] = {}

    @property
    def outstanding(self) -> int:
        """How many frames are not answered yet."""
        return len(self._waiting)

    def open(self) -> Frame:
        """The first frame: what we speak."""
        return self._next("open", OFFERS)

    def syslog(self, message: bytes) -> Frame:
        """A frame with one message."""
        return self._next("syslog", message)

    def close(self) -> Frame:
        """The last frame."""
        return self._next("close", b"")

    def _next(self, command: str, data: bytes) -> Frame:
        self._number = self._number % LAST_NUMBER + 1
        self._waiting[self._number] = command
        return Frame(self._number, command, data)

    def receive(self, octets: bytes) -> list[Answer]:
        """The answers in *octets* and what came before; raises PeerProtocolError for what is not RELP."""
        self._buffer += octets
        answers: list[Answer] = []
        while (frame := self._frame()) is not None:
            if frame.number == 0 and frame.command == "serverclose":
                raise PeerProtocolError("it closes the RELP session")
            if frame.command != "rsp":
                raise PeerProtocolError(
                    f"it sent the RELP command {frame.command!r} instead of an answer"
                )
            answers.append(self._answer(frame))
        return answers

    def _frame(self) -> Frame | None:
        """The next whole frame, taken off the buffer."""
        match = _HEADER.match(self._buffer)
        if match is None:
            # A header that is not there after its longest length never comes.
            if len(self._buffer) > LONGEST_HEADER or b"\n" in self._buffer:
                raise PeerProtocolError(f"it does not speak RELP: {bytes(self._buffer[:40])!r}")
            return None
        length = int(match[3])
        if length > LONGEST_ANSWER:
            raise PeerProtocolError(f"it announced an answer of {length} octets")
        start = match.end() + (1 if length else 0)
        if len(self._buffer) <= start + length:
            return None
        separator = self._buffer[match.end() : start]
        data = bytes(self._buffer[start : start + length])
        end = start + length
        if (length and separator != b" ") or self._buffer[end : end + 1] != b"\n":
            raise PeerProtocolError(f"it does not speak RELP: {bytes(self._buffer[:40])!r}")
        frame = Frame(int(match[1]), match[2].decode("ascii"), data)
        del self._buffer[: end + 1]
        return frame

    def _answer(self, frame: Frame) -> Answer:
        if self._waiting.pop(frame.number, None) is None:
            raise PeerProtocolError(
                f"it answered the RELP frame {frame.number}, which waits for no answer"
            )
        match = _STATUS.match(frame.data)
        if match is None:
            raise PeerProtocolError(f"its answer has no status: {frame.data[:40]!r}")
        text = frame.data[match.end() :].split(b"\n", 1)[0]
        return Answer(frame.number, int(match[1]), text.decode("utf-8", "replace"))
