"""Cuts what a shell is given on its standard input into complete commands, each with its octets.

What is cut is bounded: a command that is longer than `LONGEST` comes in parts, and each part says so. An
octet stream that is no text says so too, command by command: shells skip NULs and run what is left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from watchgate.policy.reading import Reason
from watchgate.protocols.ssh.script_shape import Shape
from watchgate.protocols.ssh.script_words import DEVICE, Dialect
from watchgate.session.events import text

LONGEST = 64 * 1024
"""Octets of one command that are read as one."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Octets that are passed on together, or not at all."""

    octets: bytes
    text: str | None
    """The command, without the end of its line; None where there is nothing to decide."""
    opaque: Reason | None = None
    """Why more may stand in it than the text tells."""
    secret: bool = False
    """It may be the password that `sudo -S` reads first."""

    @property
    def lines(self) -> int:
        """How many lines it has; what is not ended counts too."""
        return self.octets.count(b"\n") + (not self.octets.endswith(b"\n"))


class Cutter:
    """Cuts one script."""

    def __init__(self, dialect: Dialect, *, secret: bool = False) -> None:
        """*secret*: the first line may be a password."""
        self._dialect = dialect
        self._secret = secret
        self._shape = Shape(dialect)
        self._lines: list[bytes] = []
        self._octets = 0  # of the lines that are kept for the command they begin
        self._rest = b""
        self._torn = False  # the beginning of the command was too long to be kept
        self._lost = False  # where commands end is not known any more

    @property
    def waiting(self) -> int:
        """Octets that are kept until the command is complete."""
        return self._octets + len(self._rest)

    def feed(self, data: bytes) -> list[Piece]:
        """The commands that *data* completes."""
        *lines, rest = (self._rest + data).split(b"\n")
        pieces: list[Piece] = []
        for line in lines:
            self._line(line, pieces)
        self._rest = self._bounded(rest, pieces)
        return pieces

    def rest(self) -> list[Piece]:
        """What is left when no more comes: a shell takes it as it is."""
        if self._rest:
            self._lines.append(self._rest)
            self._rest = b""
        pieces: list[Piece] = []
        self._take(pieces)
        return pieces

    def _line(self, line: bytes, pieces: list[Piece]) -> None:
        if len(line) > LONGEST:
            line = self._bounded(line, pieces)
        if self._octets + len(line) > LONGEST:
            self._torn = True
            self._take(pieces)
        self._lines.append(line + b"\n")
        self._octets += len(line) + 1
        if self._lost or self._ends(text(line.replace(b"\0", b""))):
            self._take(pieces)
            self._torn = False

    def _ends(self, line: str) -> bool:
        """Whether *line* ends a command, as far as can be told."""
        complete = self._shape.line(line)
        # Should the password be none, what it opens hides where the commands behind it end.
        if self._shape.unsure or (self._secret and not complete):
            self._lost = True
        return complete or self._lost

    def _bounded(self, line: bytes, pieces: list[Piece]) -> bytes:
        """The end of a line that is not too long to be kept."""
        while len(line) > LONGEST:
            self._lost = True
            self._take(pieces)
            self._lines.append(line[:LONGEST])
            line = line[LONGEST:]
            self._take(pieces)
        return line

    def _take(self, pieces: list[Piece]) -> None:
        if not self._lines:
            return
        octets = b"".join(self._lines)
        self._lines.clear()
        self._octets = 0
        piece = self._piece(octets)
        pieces.append(replace(piece, secret=True) if self._secret else piece)
        self._secret = False

    def _piece(self, octets: bytes) -> Piece:
        written = text(octets.replace(b"\0", b"")).removesuffix("\n")
        if self._dialect.lines:
            written = written.rstrip("\r")
        if not octets.isascii() and any("\udc80" <= c <= "\udcff" for c in written):
            return Piece(octets, written, Reason.BINARY)
        if b"\0" in octets:
            return Piece(octets, written, Reason.BINARY)
        if self._torn or self._lost:
            return Piece(octets, written, Reason.DEEP)
        bare = written.lstrip()
        comments = self._dialect is not DEVICE
        nothing = not bare or (comments and bare[0] == "#" and "\n" not in bare)
        return Piece(octets, None if nothing else written)


class Unread:
    """A program of another language takes it all: it is one command, decided when it begins."""

    def __init__(self, program: str, *, secret: bool = False) -> None:
        """*secret*: the first line may be a password."""
        self._program = program
        self._secret = secret
        self._begun = False
        self._held = b""

    def feed(self, data: bytes) -> list[Piece]:
        """*data*, which is not read; the first of it is the command."""
        if not self._secret:
            return [self._piece(data)] if data else []
        line, end, code = (self._held + data).partition(b"\n")
        if not end and len(line) <= LONGEST:
            self._held = line
            return []
        self._secret = False
        return [Piece(line + end, None, secret=True), *self.feed(code)]

    def rest(self) -> list[Piece]:
        """What was held for a password that did not end."""
        held, self._held = self._held, b""
        return [Piece(held, None, secret=True)] if held and self._secret else []

    def _piece(self, data: bytes) -> Piece:
        if self._begun:
            return Piece(data, None)
        self._begun = True
        return Piece(data, f"{self._program} < standard input", Reason.LANGUAGE)
