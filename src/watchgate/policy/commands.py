"""A command as it reaches the rules: its text, how it is known, and where it was given."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from watchgate.policy.reading import NOTHING_KNOWN, Reason, ShellContext

HIDDEN = "(not echoed)"
"""What is written for a line that the terminal did not echo."""


class Source(StrEnum):
    """How a command is known."""

    EXEC = "exec"
    """An exec request."""
    STDIN = "stdin"
    """A line of a script that a shell is given on its standard input."""
    INTEGRATION = "integration"
    """The shell asked before it ran it."""
    SCREEN = "screen"
    """Read off the screen."""
    KEYS = "keys"
    """Told from what was typed."""
    GATEWAY = "gateway"
    """Typed into the gateway's own line editor."""


class Place(StrEnum):
    """What takes the line."""

    SHELL = "shell"
    PROGRAM = "program"
    """A program that the shell started: a REPL, a pager, an editor."""
    ESCAPE = "escape"
    """A shell line given to a program that passes it on: `:!`, `!`, `\\!`."""
    DEVICE = "device"
    """The command line of a network device."""
    TRANSFER = "transfer"
    """A file transfer's own command: `scp -t`, `rsync --server`, the sftp subsystem."""


@dataclass(frozen=True, slots=True, repr=False)
class KnownCommand:
    """One command that waits for its verdict."""

    channel: int
    text: str
    source: Source
    exact: bool
    place: Place = Place.SHELL
    program: str | None = None
    """The program that takes it, when that is not the shell."""
    others: tuple[str, ...] = ()
    """What else it may be: all are decided, the strictest verdict holds."""
    unreadable: str | None = None
    """Why the line could not be read, when it could not."""
    opaque: Reason | None = None
    """Why more stands in it than its text tells; where a *program* takes it, the text is not read at all."""
    hidden: bool = False
    """It was typed without an echo, so it may be a password: it is decided and written nowhere."""
    context: ShellContext = field(default=NOTHING_KNOWN)

    @property
    def shown(self) -> str:
        """Its text, as it may be written down."""
        return HIDDEN if self.hidden else self.text

    def __repr__(self) -> str:
        return f"KnownCommand({self.channel}, {self.shown!r}, {self.source}, {self.place})"
