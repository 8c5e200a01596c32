"""scp's own protocol on the wire (`scp -O`), as OpenSSH speaks it; it has no other specification.

The *source* sends lines and file data: `T` times, `C` a file, `D` a directory and `E` its end, and
after each file's data one octet that says whether reading it went well. The *sink* answers each of
these, and the start, with one octet: 0, or 1 (a warning) or 2 (fatal) with a line of text. A source
may send such a warning at any time between files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from watchgate.transfers.manifest import UnreadableError

MAX_LINE = 8192
"""A control line or a message: a name of 4,096 octets and what stands before it."""

MAX_NAME = 4096


@dataclass(frozen=True, slots=True)
class Times:
    """`T`: the times of the file or directory that comes next."""


@dataclass(frozen=True, slots=True)
class File:
    """`C`: a file of *size* octets comes."""

    name: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Directory:
    """`D`: what comes is inside this directory, until its end."""

    name: bytes


@dataclass(frozen=True, slots=True)
class DirectoryEnd:
    """`E`: the directory entered last is complete."""


@dataclass(frozen=True, slots=True)
class Answer:
    """0, 1 or 2 of either side: all is well, a warning, the end; with words unless all is well."""

    code: int
    words: bytes = b""


Line = Times | File | Directory | DirectoryEnd | Answer

_ENTRY = re.compile(rb"([CD])[0-7]{4,7} ([0-9]{1,19}) (.+)\Z", re.DOTALL)
_TIMES = re.compile(rb"T-?[0-9]{1,19} [0-9]{1,6} -?[0-9]{1,19} [0-9]{1,6}\Z")


def line(octets: bytes) -> Line:
    """What a whole line of a source (without its newline) says; raises UnreadableError."""
    if octets[:1] in (b"\1", b"\2"):
        return Answer(octets[0], octets[1:])
    if octets == b"E":
        return DirectoryEnd()
    if _TIMES.match(octets):
        return Times()
    entry = _ENTRY.match(octets)
    if entry is None:
        raise UnreadableError("a line that is none of scp")
    kind, size, name = entry.groups()
    if len(name) > MAX_NAME or b"/" in name or b"\0" in name:
        raise UnreadableError("a name that no file can have")
    return File(name, int(size)) if kind == b"C" else Directory(name)


class Scanner:
    """Cuts one direction into lines and spans of file data.

    A source's scanner begins with a line; after a `File` its reader calls `expect_data`. A sink's only
    ever has answers.
    """

    __slots__ = ("_at", "_begins", "_left", "_line", "_sink", "_view")

    def __init__(self, *, sink: bool) -> None:
        self._sink = sink
        self._begins = b"\0\1\2" if sink else b"CDET\1\2"
        self._line = bytearray()
        self._left = 0
        self._view = memoryview(b"")
        self._at = 0

    @property
    def unread(self) -> bytes:
        """When reading stopped: the line that was begun or last given, and all that follows."""
        return bytes(self._line) + bytes(self._view[self._at :])

    def expect_data(self, size: int) -> None:
        """The next *size* octets are file data, and one octet comes after them."""
        self._left = size
        self._begins = b"\0\1\2"

    def expect_line(self) -> None:
        """The file data that was expected does not come."""
        self._left = 0
        self._begins = b"CDET\1\2"

    def feed(self, data: bytes) -> Iterator[Line | memoryview]:
        """The lines and the spans of file data in *data*; raises UnreadableError."""
        view = self._view = memoryview(data)
        self._at = 0
        while self._at < len(view):
            if self._left:
                span = view[self._at : self._at + self._left]
                self._left -= len(span)
                self._at += len(span)
                yield span
            elif (found := self._gather(data)) is not None:
                yield found
                self._line.clear()

    def _gather(self, data: bytes) -> Line | None:
        """Take up to the end of the line, which for a 0 is at once; it is cleared once it was heard."""
        if not self._line and data[self._at] not in self._begins:
            raise UnreadableError(f"an octet {data[self._at]:#04x} where scp has none")
        if not self._line and data[self._at] == 0:
            self._line.append(0)
            self._at += 1
            self._begun()
            return Answer(0)
        end = data.find(b"\n", self._at)
        stop = end + 1 if end >= 0 else len(data)
        if len(self._line) + stop - self._at > MAX_LINE:
            raise UnreadableError("a line without an end")
        self._line += data[self._at : stop]
        self._at = stop
        if end < 0:
            return None
        self._begun()
        return line(bytes(self._line[:-1]))

    def _begun(self) -> None:
        """What comes next may begin as between files again."""
        if not self._sink:
            self._begins = b"CDET\1\2"
