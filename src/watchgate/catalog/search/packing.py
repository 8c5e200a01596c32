"""How documents lie in a file: what is written, what the full-text index is given, what is read again."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

import zstandard

from watchgate.catalog.search.model import About, Document, Kind
from watchgate.catalog.search.months import LATEST_US, SECOND_US, MonthFile, second_of
from watchgate.catalog.search.opening import Damaged
from watchgate.catalog.search.text import RESERVED, asked, indexed, kept

LEVEL = 1
"""Of zstd. A dictionary would make screens a quarter smaller; but one that is trained on some sessions
keeps pieces of them, and then no session could be forgotten."""

_LARGEST = 4 << 20
"""Octets that a text can have: what claims more is damaged."""
_LONGEST_WORD = 255
_MOST_NUMBER = (1 << 53) - 1

_HIGH = RESERVED + 0x4000
_LOW = RESERVED + 0x8000
_HALF = 14


def token(number: int, *, session: bool = False) -> str:
    """The one trigram of a filter's value, or of a session.

    Three characters from three ranges that share none, so no other three ever look like one.
    """
    return (
        chr(RESERVED + session)
        + chr(_HIGH + (number >> _HALF))
        + chr(_LOW + (number & ((1 << _HALF) - 1)))
    )


def normal_about(about: About) -> About:
    """*about* with texts as they are kept."""
    return replace(
        about,
        session=_word(about.session),
        recording=_word(about.recording),
        operator=_word(about.operator),
        account=_word(about.account),
        target=_word(about.target),
        protocol=_word(about.protocol),
        started_at_us=_within(about.started_at_us),
    )


def normal(document: Document) -> Document:
    """*document* as it is read again."""
    return replace(
        document,
        item=_within(document.item),
        at_us=min(max(document.at_us, 0), LATEST_US),
        offset_us=_within(document.offset_us),
        channel=_within(document.channel),
        text=kept(document.text),
        source=_word(document.source),
        confidence=_word(document.confidence),
        verdict=None if document.verdict is None else _word(document.verdict),
        severity=None if document.severity is None else _word(document.severity),
    )


def _word(text: str) -> str:
    return asked(text[:_LONGEST_WORD])


def _within(number: int) -> int:
    return min(max(number, 0), _MOST_NUMBER)


class Codec:
    """Texts of one kind, as a file has them: commands plain, screens compressed. Not for two threads."""

    def __init__(self, kind: Kind) -> None:
        self._plain = kind is Kind.COMMAND
        self._compressor = zstandard.ZstdCompressor(level=LEVEL)
        self._decompressor = zstandard.ZstdDecompressor()

    def write(self, text: str) -> str | bytes:
        """*text* for the file."""
        return text if self._plain else self._compressor.compress(text.encode())

    def read(self, stored: str | bytes) -> str:
        """The text again; raises Damaged, ZstdError, UnicodeDecodeError."""
        if isinstance(stored, str):
            return stored
        if not 0 <= _size(stored) <= _LARGEST:
            raise Damaged("a text in it cannot be read")
        return self._decompressor.decompress(stored, max_output_size=_LARGEST).decode()


def _size(stored: bytes) -> int:
    return zstandard.frame_content_size(stored)


@dataclass(frozen=True, slots=True)
class Row:
    """A document as a file has it: numbers for what repeats."""

    number: int
    session: int
    item: int
    us: int
    """Microseconds into its second; the second is in the number."""
    offset_us: int
    channel: int
    source: int
    confidence: int
    verdict: int | None
    severity: int | None
    text: str | bytes


def row_of(values: Sequence[object]) -> Row:
    """A row as it was read; raises Damaged where something is not what was written."""
    *numbers, text = values
    for name, number in zip(Row.__slots__[:-1], numbers, strict=True):
        absent = number is None and name in ("verdict", "severity")
        if not absent and not isinstance(number, int):
            raise Damaged("a row in it cannot be read")
    if not isinstance(text, str | bytes):
        raise Damaged("a text in it cannot be read")
    return Row(*values)  # type: ignore[arg-type]  # just looked at


def about_of(values: Sequence[object]) -> About:
    """What the documents of a session have in common, as it was read; raises Damaged."""
    *texts, started = values
    if not all(isinstance(text, str) for text in texts) or not isinstance(started, int):
        raise Damaged("a session in it cannot be read")
    return About(*values)  # type: ignore[arg-type]  # just looked at


ROW = ", ".join(f"document.{name}" for name in Row.__slots__)
ABOUT = ", ".join(f"session.{name}" for name in ("id", *About.__slots__[1:]))


def at_us(file: MonthFile, number: int, us: int) -> int:
    """The moment of a document; raises Damaged."""
    if not 0 <= us < SECOND_US or number < 0:
        raise Damaged("a row in it cannot be read")
    return file.start_us + second_of(number) * SECOND_US + us


class Values:
    """The numbers of what repeats in a file: names of operators, verdicts, sources.

    For one transaction: numbers are remembered as they were found.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers: dict[tuple[str, str], int] = {}
        self._texts: dict[int, str] = {}

    def find(self, name: str, value: str) -> int | None:
        """The number of *value* as *name*; None: no document of the file has it."""
        query = "SELECT number FROM value WHERE name = ? AND value = ?"
        row = self._connection.execute(query, (name, value)).fetchone()
        return row[0] if row else None

    def number(self, name: str, value: str) -> int:
        """The same, given to it when it has none."""
        known = self._numbers.get((name, value))
        if known is None:
            known = self._numbers[name, value] = self._found_or_made(name, value)
        return known

    def _found_or_made(self, name: str, value: str) -> int:
        found = self.find(name, value)
        if found is not None:
            return found
        query = "INSERT INTO value (name, value) VALUES (?, ?)"
        made = self._connection.execute(query, (name, value)).lastrowid
        assert made is not None
        return made

    def text(self, number: int) -> str:
        """The value with this number; raises Damaged."""
        known = self._texts.get(number)
        if known is None:
            query = "SELECT value FROM value WHERE number = ?"
            row = self._connection.execute(query, (number,)).fetchone()
            if row is None or not isinstance(row[0], str):
                raise Damaged("a name in it is missing")
            known = self._texts[number] = row[0]
        return known


def unpack(values: Values, file: MonthFile, codec: Codec, row: Row) -> Document:
    """The document of a row; raises Damaged."""
    return Document(
        kind=file.kind,
        item=row.item,
        at_us=at_us(file, row.number, row.us),
        offset_us=row.offset_us,
        channel=row.channel,
        text=codec.read(row.text),
        source=values.text(row.source),
        confidence=values.text(row.confidence),
        verdict=None if row.verdict is None else values.text(row.verdict),
        severity=None if row.severity is None else values.text(row.severity),
    )


def words(values: Values, about: About, session: int, document: Document) -> tuple[str | None, ...]:
    """What the full-text index is given of a document, in the order of its columns.

    To remove a document it must be given the same again.
    """

    def marked(name: str, value: str | None) -> str | None:
        return None if value is None else token(values.number(name, value))

    return (
        indexed(document.text),
        marked("operator", about.operator),
        marked("target", about.target),
        marked("account", about.account),
        marked("protocol", about.protocol),
        token(session, session=True),
        marked("verdict", document.verdict),
        marked("severity", document.severity),
    )
