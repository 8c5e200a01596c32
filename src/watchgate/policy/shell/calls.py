"""One simple command on its way: its arguments, what feeds it, what stands around it."""

from __future__ import annotations

from typing import NamedTuple

from watchgate.policy.reading import Redirect
from watchgate.policy.shell.fields import Field
from watchgate.policy.shell.scope import Scope


class Input(NamedTuple):
    """What a command reads from its standard input."""

    given: bool = False
    """It is not the session's own."""
    text: str | None = None
    """What it reads, where that is known."""
    path: str | None = None
    """The file that it is."""
    partly: bool = False
    """Parts of the text are not known, and stand in it as they were written."""

    @property
    def certain(self) -> str | None:
        """The text, where all of it is known."""
        return None if self.partly else self.text


TERMINAL = Input()
UNKNOWN = Input(given=True)


class Around(NamedTuple):
    """Where a command stands."""

    wrappers: tuple[str, ...] = ()
    user: str | None = None
    input: Input = TERMINAL
    depth: int = 0
    stack: tuple[str, ...] = ()
    """Aliases and functions that are being read, so that none is read inside itself."""

    def within(self, wrapper: str, user: str | None = None) -> Around:
        """One wrapper deeper."""
        return self._replace(wrappers=(*self.wrappers, wrapper), user=user or self.user)


class Call(NamedTuple):
    """A program and its arguments, expanded."""

    program: Field
    name: str
    """The program's name without a directory."""
    arguments: list[Field]
    redirects: tuple[Redirect, ...]
    scope: Scope
    """The shell's."""
    child: Scope
    """With the assignments that stand before the command."""
    around: Around
    raw: str
