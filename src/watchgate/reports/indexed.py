"""The commands that the index has of a session: those typed in terminals, which the catalog does not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchgate.catalog.queries import SessionRow
from watchgate.catalog.search.model import Document, Kind, SearchBackend
from watchgate.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class IndexedCommands:
    """Commands, and why there may be more of them."""

    documents: Sequence[Document] = ()
    problem: str = ""


NO_INDEX = IndexedCommands(problem="there is no index: what was typed in terminals is not listed")


def commands_of(index: SearchBackend, row: SessionRow) -> IndexedCommands:
    """What *index* has of a session; a part of it that cannot be read is said, and stops nothing."""
    try:
        progress = index.progress(row.recording)
        found = [document for _, document in index.documents(row.id, Kind.COMMAND)]
    except ConfigurationError as error:
        return IndexedCommands(problem=f"what was typed in terminals is not listed: {error}")
    if progress is None:
        return IndexedCommands(found, "it is not indexed; `watchgate reindex` does it")
    if progress.policy == "off":
        return IndexedCommands(found, "its target's policy does not let it be indexed")
    if progress.problem:
        return IndexedCommands(found, f"it is indexed in part: {progress.problem}")
    return IndexedCommands(found, "" if progress.complete else "it is indexed in part so far")
