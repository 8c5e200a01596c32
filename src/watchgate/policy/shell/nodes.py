"""The parts of a parsed line: words with their quoting, and commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """Characters that stand for themselves; globs, braces and a tilde are alive where they are not quoted."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Parameter:
    """`$x`, `${x}`, `${x:-word}`, `${x[1]}`."""

    name: str
    quoted: bool
    raw: str
    index: str | None = None
    operator: str = ""
    """`:-`, `#`, `/`, `:`, `!` (indirect), `length` …; empty for the plain value."""
    operands: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Substitution:
    """`$(…)`, backticks; in fish `(…)`."""

    body: Script
    quoted: bool
    raw: str


@dataclass(frozen=True, slots=True)
class Process:
    """`<(…)` and `>(…)`."""

    body: Script
    raw: str
    written: bool
    """`>(…)`: the command reads what is written there."""


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`$((…))`: a number that is not computed, but what it runs is read."""

    parts: tuple[Part, ...]
    raw: str


Part: TypeAlias = Literal | Parameter | Substitution | Process | Arithmetic


@dataclass(frozen=True, slots=True)
class Word:
    """One word, before it is expanded."""

    parts: tuple[Part, ...]
    raw: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """`x=…`, `x+=…`, `x[…]=…`, `x=(…)`."""

    name: str
    values: tuple[Word, ...]
    array: bool
    append: bool
    index: Word | None
    raw: str


class Document:
    """A here-document: its body stands behind the line, so it is known only then."""

    __slots__ = ("body", "delimiter", "literal", "tabs")

    def __init__(self, delimiter: str, *, literal: bool, tabs: bool) -> None:
        self.delimiter = delimiter
        self.literal = literal
        """Its delimiter was quoted, so nothing in it expands."""
        self.tabs = tabs
        """`<<-`: tabs before its lines are taken away."""
        self.body: Word | None = None


@dataclass(frozen=True, slots=True)
class Redirection:
    """`> file`, `2>&1`, `<<EOF`."""

    operator: str
    descriptor: str
    target: Word
    raw: str
    document: Document | None = None


@dataclass(frozen=True, slots=True)
class Simple:
    """Assignments, words, redirections."""

    assignments: tuple[Assignment, ...]
    words: tuple[Word, ...]
    redirections: tuple[Redirection, ...]
    raw: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands joined by `|`."""

    stages: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """Commands joined by `&&` and `||`."""

    first: Command
    rest: tuple[tuple[str, Command], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """`{ …; }` or `( … )`."""

    body: Script
    subshell: bool


@dataclass(frozen=True, slots=True)
class If:
    """Each condition with what follows it; the last one's condition is None for `else`."""

    branches: tuple[tuple[Script | None, Script], ...]


@dataclass(frozen=True, slots=True)
class While:
    """`while`, `until`, and the `for ((…))` of C."""

    condition: Script
    body: Script


@dataclass(frozen=True, slots=True)
class For:
    """`for` and `select`; without words it goes over the positional parameters."""

    name: str
    words: tuple[Word, ...] | None
    body: Script


@dataclass(frozen=True, slots=True)
class Case:
    """`case`."""

    subject: Word
    items: tuple[tuple[tuple[Word, ...], Script], ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A definition."""

    name: str
    body: Command


@dataclass(frozen=True, slots=True)
class Condition:
    """`[[ … ]]` and `((…))`: they run nothing but the substitutions inside."""

    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Redirected:
    """A compound command with redirections behind it."""

    body: Command
    redirections: tuple[Redirection, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """Commands in their order; with each, whether it runs in the background."""

    items: tuple[tuple[Command, bool], ...]


Command: TypeAlias = (
    Simple | Pipeline | Chain | Group | If | While | For | Case | Function | Condition | Redirected
)

NOTHING = Script(())
