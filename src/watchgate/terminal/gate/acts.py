"""What a gate asks of whoever has the channel: a closed family, done in the order given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from watchgate.policy.commands import Place, Source


@dataclass(frozen=True, slots=True)
class ToTarget:
    """Send octets to the target; *typed*: they are the operator's own."""

    octets: bytes
    typed: bool = True
    runs: bool = False
    """They run the line that was just decided."""


@dataclass(frozen=True, slots=True)
class ToOperator:
    """Show octets to the operator."""

    octets: bytes


@dataclass(frozen=True, slots=True, repr=False)
class AskedLine:
    """A line that waits for its verdict."""

    text: str
    source: Source
    exact: bool
    place: Place = Place.SHELL
    program: str | None = None
    others: tuple[str, ...] = ()
    unreadable: str | None = None
    certain: bool = False
    """What was typed and what is shown agree, and nothing else is possible as far as both tell."""
    depth: int = 0
    """How many shells that tell their commands are around the one that takes it."""
    hidden: bool = False
    """It was typed without an echo: it is decided, and written nowhere."""
    late: bool = False
    """It was seen only after the shell had taken it."""
    shell: str = "bash"
    cwd: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    functions: frozenset[str] = frozenset()
    resolved: Mapping[str, str] = field(default_factory=dict)
    """Which file the shell runs for a name."""

    def __repr__(self) -> str:
        shown = "***" if self.hidden else repr(self.text)
        return f"AskedLine({shown}, {self.source}, {self.place})"


@dataclass(frozen=True, slots=True)
class Ask:
    """Decide this line; the answer comes back by `verdict`."""

    number: int
    line: AskedLine


@dataclass(frozen=True, slots=True)
class Finished:
    """The command that was asked about under this number ended."""

    number: int
    status: int | None
    cwd: str | None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The operator no longer waits for an approval of what was asked under this number."""

    number: int


@dataclass(frozen=True, slots=True)
class Hooked:
    """A shell tells its commands from now on."""

    shell: str
    version: str
    depth: int


@dataclass(frozen=True, slots=True)
class Unhooked:
    """A shell does not tell its commands."""

    reason: str
    depth: int


@dataclass(frozen=True, slots=True)
class Tampering:
    """A shell that told its commands ceased to, or something else spoke in its name."""

    what: str
    severity: str
    lost: bool
    """The shell no longer tells."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was typed behind a line that was not permitted is gone."""

    lines: int
    octets: int


@dataclass(frozen=True, slots=True)
class Prompted:
    """An elevation asks for its password, in its own words: the token is that of its command."""

    token: bytes
    user: str = ""
    """Whose password it asks for, when it says that."""


@dataclass(frozen=True, slots=True)
class Back:
    """A shell that tells its commands is back at its prompt."""

    status: int | None = None


Act = (
    ToTarget
    | ToOperator
    | Ask
    | Finished
    | Withdrawn
    | Hooked
    | Unhooked
    | Tampering
    | Dropped
    | Prompted
    | Back
)
