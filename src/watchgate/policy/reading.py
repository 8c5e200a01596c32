"""What a line of shell means, as far as it can be known without running it.

A line is all of its simple commands, wherever they stand: in lists, pipelines, substitutions, loops,
functions, here-documents for a shell, the arguments of `sudo`, `xargs`, `sh -c`. What cannot be read
statically is *opaque*, with its reason: a condition of its own, never an innocent command.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Reason(StrEnum):
    """Why a part of a line cannot be read."""

    COMPUTED = "computed"
    """A variable, a substitution or an arithmetic decides which program runs, or what code a shell is given."""
    PATTERN = "pattern"
    """A glob stands where the program's name should."""
    SCRIPT = "script"
    """A file of commands is run or sourced; what stands in it is not known."""
    PIPED = "piped"
    """A shell reads what another program prints."""
    LANGUAGE = "language"
    """Code in another language: `python -c`, `perl -e`, `awk`, SQL in an argument."""
    INTERPRETER = "interpreter"
    """An interactive shell or interpreter is started."""
    ESCAPE = "escape"
    """A program from which a shell can be started: an editor, a pager, a debugger."""
    ELSEWHERE = "elsewhere"
    """It goes on in another session: ssh, tmux, screen, at a socket."""
    LATER = "later"
    """It runs later: at, cron, a trap, a key binding, a timer."""
    ENVIRONMENT = "environment"
    """It sets what changes the meaning of other commands: PATH, LD_PRELOAD, PS0, IFS, a hook."""
    WRITABLE = "writable"
    """A program in a place where anybody may write: /tmp, /dev/shm, the working directory."""
    OPTION = "option"
    """An option of the program runs another program, and which one is not known."""
    DEEP = "deep"
    """Nested deeper, or longer, than is read."""
    UNPARSED = "unparsed"
    """It does not parse."""
    UNREADABLE = "unreadable"
    """The gateway could not read the line off the terminal."""
    BINARY = "binary"
    """Octets that are no text."""


@dataclass(frozen=True, slots=True)
class Word:
    """One argument."""

    text: str
    """Its value with quoting undone, as far as it is known; a part that is not known stands as it was written."""
    raw: str
    known: bool = True
    """Whether *text* is all of its value."""
    pattern: bool = False
    """It holds a glob, so it may stand for several; *text* has the glob with other characters quoted by `\\`."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where a command reads from or writes to."""

    operator: str
    """`>`, `>>`, `<`, `>|`, `<>`, `&>`, `<<`, `<<<`."""
    path: str | None
    """Absolute where the directory is known; None when it cannot be known."""
    raw: str


@dataclass(frozen=True, slots=True)
class SimpleCommand:
    """One program with its arguments, everything around it taken away."""

    program: str
    """Its name without a directory."""
    path: str | None
    """As it was written when it holds a `/`; None when the shell looks for it."""
    words: tuple[Word, ...]
    """All arguments, the program's name left out, flags included."""
    flags: frozenset[str]
    """Flags by one name each for programs that are known (`recursive`, `force` for `rm -rf`), else as
    they were written (`-x`, `--long`); of `--name=value` the name."""
    operands: tuple[Word, ...]
    """The arguments that are no flags and no values of flags."""
    values: Mapping[str, tuple[str, ...]]
    """Values of flags that take one, by the flag's name."""
    paths: tuple[str, ...]
    """Operands and values that may be paths, absolute and lexically resolved; a glob stays one (`/etc/*`).
    A relative one whose directory is not known begins with `?/`."""
    redirects: tuple[Redirect, ...]
    wrappers: tuple[str, ...]
    """What it was taken out of, outermost first: `sudo`, `xargs`, `find`, `sh`."""
    user: str | None
    """As whom it runs, when a wrapper says so (`root` for sudo); None: as the session's account."""
    text: str
    """It in one normal form: name, flags in their order, operands, each quoted only where it must be."""
    raw: str
    """The part of the line that it is."""
    builtin: bool = False
    """A builtin of the shell."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """A part of a line that cannot be read."""

    reason: Reason
    text: str
    """The part."""
    program: str = ""
    """The program that makes it so, where one does."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A line, read."""

    line: str
    commands: tuple[SimpleCommand, ...] = ()
    opaque: tuple[Opaque, ...] = ()
    raw: tuple[str, ...] = ()
    """Texts to which a regex is put too when the line does not parse: the line itself."""

    @property
    def normalized(self) -> tuple[str, ...]:
        """The normal form of each simple command."""
        return tuple(command.text for command in self.commands)


@dataclass(frozen=True, slots=True)
class ShellContext:
    """What is known of the shell that would run a line."""

    dialect: str = "bash"
    """`bash`, `zsh`, `fish`, `sh`; of others the grammar is that of bash."""
    cwd: str | None = None
    home: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    """Values that are known for sure."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    functions: frozenset[str] = frozenset()
    """Names that are functions in that shell: what they do is not known."""


NOTHING_KNOWN = ShellContext()
