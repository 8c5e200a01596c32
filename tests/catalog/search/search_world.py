"""Documents to be found, an index to find them in, and a model that finds them by looking at each."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import re2

from watchgate.catalog.search.index import SqliteIndex
from watchgate.catalog.search.model import About, Document, Hit, Kind, Mode, Query
from watchgate.catalog.search.text import fold
from watchgate.clock import ManualClock

NOVEMBER_US = 1_793_491_200_000_000
"""2026-11-01T00:00:00Z."""
DECEMBER_US = NOVEMBER_US + 30 * 86_400_000_000
SECOND_US = 1_000_000

Put = list[tuple[About, Document]]


def about(number: int = 1, **fields: str) -> About:
    """What the documents of session *number* have in common."""
    common = About(
        session=f"0199{number:04x}-0000-7000-8000-000000000000",
        recording=f"0199{number:04x}-0000-7000-8000-00000000000f",
        operator="alice",
        account="root",
        target="web1",
        protocol="ssh",
        started_at_us=NOVEMBER_US,
    )
    return replace(common, **fields)  # type: ignore[arg-type]


def command(text: str, item: int = 0, at: float = 0, **fields: str) -> Document:
    """A command, *at* seconds after November began."""
    at_us = NOVEMBER_US + round(at * SECOND_US)
    return replace(
        Document(Kind.COMMAND, item, at_us, round(at * SECOND_US), 0, text, "exec"),
        **fields,  # type: ignore[arg-type]
    )


def screen(text: str, item: int = 0, at: float = 0) -> Document:
    """Lines of a screen."""
    return replace(command(text, item, at), kind=Kind.SCREEN, source="screen")


def opened(directory: Path, clock: ManualClock | None = None) -> SqliteIndex:
    """An index; close it."""
    return SqliteIndex(directory / "index", clock or ManualClock(NOVEMBER_US))


def filled(directory: Path, *documents: Document, of: About | None = None) -> SqliteIndex:
    """An index with *documents* of one session; close it."""
    index = opened(directory)
    index.put(of or about(), documents)
    return index


def texts(index: SqliteIndex, text: str, **fields: object) -> list[str]:
    """The texts of all documents that a search finds, in its order."""
    answer = index.search(Query(text, **fields))  # type: ignore[arg-type]
    return [hit.document.text for hit in answer.hits]


# --- the model -----------------------------------------------------------------------------------


def looked_through(documents: Put, query: Query) -> list[tuple[str, Kind, int]]:
    """The identities of those that *query* asks for, the newest first, found by looking at each."""
    found = [(common, one) for common, one in documents if _matches(common, one, query)]
    found.sort(
        key=lambda pair: (pair[1].at_us, pair[0].session, pair[1].kind, pair[1].item), reverse=True
    )
    return [(common.session, one.kind, one.item) for common, one in found]


def identities(hits: Sequence[Hit]) -> list[tuple[str, Kind, int]]:
    """What the index found, in the same form."""
    return [(hit.about.session, hit.document.kind, hit.document.item) for hit in hits]


def _matches(common: About, one: Document, query: Query) -> bool:
    exact = (
        (query.operator, common.operator),
        (query.target, common.target),
        (query.account, common.account),
        (query.protocol, common.protocol),
        (query.verdict, one.verdict),
        (query.severity, one.severity),
    )
    return (
        one.kind in query.kinds
        and all(wanted is None or wanted == value for wanted, value in exact)
        and common.session.startswith(query.session or "")
        and (query.since_us is None or one.at_us >= query.since_us)
        and (query.until_us is None or one.at_us < query.until_us)
        and _text_matches(unicodedata.normalize("NFC", one.text), one.kind, query)
    )


def _text_matches(text: str, kind: Kind, query: Query) -> bool:
    wanted = unicodedata.normalize("NFC", query.text)
    if query.mode is Mode.REGEX:
        flags = "(?im)" if query.any_case else "(?m)"
        return re2.search(flags + wanted, text) is not None
    if query.any_case:
        text, wanted = fold(text), fold(wanted)
    if query.mode is Mode.LITERAL:
        return wanted in text
    lines = text.split("\n") if kind is Kind.SCREEN else [text]
    return any("\n".join(lines[start:]).startswith(wanted) for start in range(len(lines)))
