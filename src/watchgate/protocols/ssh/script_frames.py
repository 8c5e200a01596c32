"""What may stand open in a script: quotes, substitutions, compound commands, here-documents."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """What stands open."""

    CODE = auto()
    """Commands: the script itself, `( … )`, `$( … )`, and what words open: `if`, `{`, `for`."""
    CASE = auto()
    TEST = auto()
    """`[[ … ]]`."""
    WORDS = auto()
    """Parentheses around words: an array, a pattern."""
    SUM = auto()
    """Arithmetic: `(( … ))`."""
    SINGLE = auto()
    ANSI = auto()
    """`$'…'`, and fish's single quotes: a backslash quotes."""
    DOUBLE = auto()
    PARAMETER = auto()
    """`${ … }`."""
    BACKTICK = auto()


BETWEEN_WORDS = frozenset({Kind.CODE, Kind.CASE, Kind.TEST, Kind.WORDS})
"""Where the end of a line is one, and not a character of something quoted."""


@dataclass(slots=True)
class Frame:
    """One thing that stands open."""

    kind: Kind
    closer: str = ""
    """The word or character that ends it."""
    glued: bool = False
    """It is part of a word, which goes on behind it."""
    fresh: bool = True
    """The next word may be one of the shell's own."""
    before: str = ""
    """A word that decides what the next one is: `for` and its `name`, `case` and
    its `subject`, `function`, `coproc`, fish's `else`."""
    patterns: bool = False
    """Of a `case`: a pattern is next, not a command."""
    undone: bool = False
    """Of a `for`: its `do` has not come."""
    quoted: bool = False
    """Of a `${ … }`: it stands within double quotes, where a single one is a quote to some shells only."""


@dataclass(frozen=True, slots=True)
class Document:
    """A here-document whose lines are still to come."""

    end: str
    tabs: bool
    """Leading tabs do not count."""
    literal: bool
    """Its delimiter was quoted, so that a backslash joins no lines."""

    def ends_with(self, line: str) -> bool:
        """Whether *line* is its last one."""
        return (line.lstrip("\t") if self.tabs else line) == self.end

    def joins(self, line: str) -> bool:
        """Whether the end of *line* is quoted, so that the next one is part of it."""
        return not self.literal and (len(line) - len(line.rstrip("\\"))) % 2 == 1
