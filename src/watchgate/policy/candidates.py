"""What a rule is put to, one at a time: the things in a line that a match is about.

Every simple command of a line is one, and every part that cannot be read. The line as a whole is one where
it holds no simple command or does not parse. What is typed into a program is one of a kind of its own.
All conditions of a match are about the same one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from watchgate.policy.commands import KnownCommand, Place
from watchgate.policy.reading import Opaque, Reading, Reason, SimpleCommand
from watchgate.policy.regexes import encoded
from watchgate.policy.truth import MAY, NO, Truth

LONGEST_NAMED = 1024
"""Characters of what matched, as verdicts name it."""

_UNREAD = frozenset({Reason.UNPARSED, Reason.UNREADABLE, Reason.BINARY, Reason.DEEP})


class Kind(Enum):
    """The kinds of them."""

    COMMAND = auto()
    """One simple command."""
    OPAQUE = auto()
    """One part that cannot be read: seen by a rule only where it says `opaque`."""
    LINE = auto()
    """A line without simple commands, or that does not parse: only where a rule says `line` or `regex`."""
    INPUT = auto()
    """A line typed into a program: only where a rule says `inside`."""


@dataclass(slots=True)
class Candidate:
    """One of them, with all that conditions ask of it."""

    kind: Kind
    known: KnownCommand
    reading: Reading
    texts: tuple[bytes, ...]
    """What a regex is put to."""
    simple: SimpleCommand | None = None
    opaque: Opaque | None = None
    account: str | None = None
    """The account of the session, where it is known."""
    at: int = 0
    """Where it stands among those of its reading."""
    memo: dict[object, Any] = field(default_factory=dict)
    """Answers that are the same for all of one reading, so that a line of many commands is asked once."""

    @property
    def named(self) -> str:
        """How a verdict names it."""
        if self.simple is not None:
            return self.simple.text[:LONGEST_NAMED]
        if self.opaque is not None:
            return f"{self.opaque.reason}: {self.opaque.text}"[:LONGEST_NAMED]
        return self.reading.line[:LONGEST_NAMED]

    def without_command(self) -> Truth:
        """What a condition about a simple command says where there is none.

        Of what cannot be read it is not known; a line without a command, or typed into a program, has none.
        """
        if self.kind is Kind.OPAQUE:
            return MAY
        if self.kind is Kind.LINE and any(one.reason in _UNREAD for one in self.reading.opaque):
            return MAY
        return NO


def candidates(
    known: KnownCommand, readings: Sequence[Reading], account: str | None = None
) -> Iterator[Candidate]:
    """All that a rule is put to, of all that a line may mean."""
    for reading in readings or (_unread(known),):
        memo: dict[object, Any] = {}
        for at, one in enumerate(_of_reading(known, reading)):
            one.account, one.at, one.memo = account, at, memo
            yield one


def _of_reading(known: KnownCommand, reading: Reading) -> Iterator[Candidate]:
    if known.place is Place.PROGRAM and reading.raw and not reading.commands:
        yield Candidate(Kind.INPUT, known, reading, _raw(reading))
        return
    for simple in reading.commands:
        yield Candidate(Kind.COMMAND, known, reading, (encoded(simple.text),), simple)
    for opaque in reading.opaque:
        yield Candidate(Kind.OPAQUE, known, reading, (encoded(opaque.text),), None, opaque)
    if not reading.commands or any(one.reason in _UNREAD for one in reading.opaque):
        yield Candidate(Kind.LINE, known, reading, _raw(reading))


def _raw(reading: Reading) -> tuple[bytes, ...]:
    return tuple(map(encoded, reading.raw))


def _unread(known: KnownCommand) -> Reading:
    """A line of which there is no reading at all is not known."""
    return Reading(known.text, opaque=(Opaque(Reason.UNPARSED, known.text),), raw=(known.text,))
