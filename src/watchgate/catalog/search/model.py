"""What is put into the index, what is asked of it, and what it answers.

A document is a command, or a piece of what a terminal showed. Its identity is (session, kind, item): the
same recording read again gives the same documents, so putting them twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    """What a document is."""

    COMMAND = "command"
    SCREEN = "screen"


class Mode(StrEnum):
    """How the text of a query is meant."""

    LITERAL = "literal"
    PREFIX = "prefix"
    """At the beginning of a command, or of a line on the screen."""
    REGEX = "regex"


@dataclass(frozen=True, slots=True)
class About:
    """What every document of one recording has in common."""

    session: str
    recording: str
    operator: str
    account: str
    target: str
    protocol: str
    started_at_us: int


@dataclass(frozen=True, slots=True)
class Document:
    """A command, or some lines of a screen."""

    kind: Kind
    item: int
    """Its number: of one session and kind no two are alike."""
    at_us: int
    """Wall microseconds; of a screen the moment at which its first line was printed."""
    offset_us: int
    """The same from the start of the recording, for `session play --at`."""
    channel: int
    text: str
    source: str = ""
    """How it is known: `exec`, `screen`, `keys`, …"""
    confidence: str = "exact"
    """`exact` or `inferred`."""
    verdict: str | None = None
    """What the rules said of a command: `allow`, `block`, `interrupt`, `force`; None: nothing decided it."""
    severity: str | None = None
    """The highest severity of the rules that matched: `low`, `medium`, `high`."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a recording is indexed."""

    recording: str
    session: str
    octets: int
    """Of the file, read so far."""
    complete: bool
    """It was sealed and is read to its end."""
    policy: str
    """What its target's policy wants indexed: `off`, `commands` or `screen`."""
    problem: str = ""
    """Why a part of it could not be read."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question to the index. Filters are exact and add up; an empty one filters nothing."""

    text: str
    mode: Mode = Mode.LITERAL
    kinds: frozenset[Kind] = frozenset(Kind)
    any_case: bool | None = None
    """None: letters match in either case unless the text holds a capital."""
    operator: str | None = None
    target: str | None = None
    account: str | None = None
    protocol: str | None = None
    session: str | None = None
    """Its id, or a beginning of it."""
    verdict: str | None = None
    severity: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    limit: int = 50
    seconds: float = 2.0
    candidates: int = 20_000
    """At most so many documents are looked at."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that matched."""

    about: About
    document: Document
    line: int
    """The line of the document's text that matched, from 0; for a match over several lines the first."""
    spans: tuple[tuple[int, int], ...]
    """Where in that line, for highlighting."""

    @property
    def text(self) -> str:
        """The line that matched."""
        return self.document.text.split("\n")[self.line]


@dataclass(frozen=True, slots=True)
class Answer:
    """The newest hits first."""

    hits: tuple[Hit, ...]
    partial: str = ""
    """Why there may be more than these that were not looked for: empty when the answer is whole."""
    candidates: int = 0
    """How many documents were looked at."""
    elapsed_us: int = 0
    problems: tuple[str, ...] = field(default=())
    """Index files that could not be read, and what to do."""


class SearchBackend(Protocol):
    """Where documents are kept and found."""

    def put(self, about: About, documents: Iterable[Document]) -> int:
        """Add *documents*, all of one recording, in one transaction a file; how many were new or changed.

        Raises ConfigurationError; with the code `index.damaged` what was there is lost and its progress
        forgotten, so that all recordings are to be followed from their progress again.
        """

    def search(self, query: Query) -> Answer:
        """Answer; raises Refused for a query that cannot be answered (too short, not a regex)."""

    def documents(self, session: str, kind: Kind) -> Sequence[tuple[About, Document]]:
        """All of one session and kind, in the order of time.

        Raises ConfigurationError when a part of the index that might hold some cannot be read.
        """

    def forget(self, session: str) -> int:
        """Remove all of a session, and what is known of its progress; how many documents there were."""

    def progress(self, recording: str) -> Progress | None:
        """How far it is indexed; None: not begun."""

    def advance(self, progress: Progress) -> None:
        """Remember it, after the documents that belong to it were put."""

    def close(self) -> None:
        """Let go of the files."""
