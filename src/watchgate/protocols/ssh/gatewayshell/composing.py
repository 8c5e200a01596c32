"""Lines put together until they are a whole command: loops, here-documents, open quotes."""

from __future__ import annotations

from enum import Enum, auto

from watchgate.protocols.ssh.gatewayshell.given import Given
from watchgate.protocols.ssh.script_cutter import LONGEST
from watchgate.protocols.ssh.script_shape import Shape


class Wants(Enum):
    """Why there is no whole command yet."""

    MORE = auto()
    LESS = auto()
    """It is too long to be read, and forgotten."""


class Composing:
    """One command that is being given."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin again."""
        self._lines: list[str] = []
        self._shape = Shape()

    @property
    def begun(self) -> bool:
        """There are lines that are no whole command yet."""
        return bool(self._lines)

    def add(self, given: Given) -> str | Wants:
        """The command that *given* completes."""
        if not given.whole or sum(map(len, self._lines)) + len(given.text) > LONGEST:
            self.forget()
            return Wants.LESS
        self._lines.append(given.text)
        if not self._shape.line(given.text):
            return Wants.MORE
        whole = "\n".join(self._lines)
        self.forget()
        return whole


def is_empty(command: str) -> bool:
    """Nothing would run."""
    bare = command.strip()
    return not bare or (bare.startswith("#") and "\n" not in bare)
