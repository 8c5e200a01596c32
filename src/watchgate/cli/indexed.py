"""The index of the gateway in the data directory, for verbs that read it beside the catalog."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

from watchgate.catalog.queries import CommandRow, SessionRow
from watchgate.catalog.search.index import SqliteIndex
from watchgate.cli.context import Context
from watchgate.reports import gathering
from watchgate.reports.indexed import commands_of


@contextmanager
def indexed(context: Context) -> Iterator[gathering.Indexed]:
    """Gives the commands that the index has of a session; where there is none it says so."""
    directory = context.settings.index.directory
    if not directory.is_dir():
        yield gathering.no_index
        return
    with closing(SqliteIndex(directory, context.clock)) as index:
        yield partial(commands_of, index)


def with_indexed(
    context: Context, row: SessionRow, known: list[CommandRow]
) -> tuple[list[CommandRow], str]:
    """All commands of a session, those of the index among the *known*, and why some may be missing."""
    with indexed(context) as commands:
        found = commands(row)
    numbers = {one.seq for one in known}
    read = [
        CommandRow(
            seq=one.item,
            at_us=one.at_us,
            offset_us=one.offset_us,
            channel=one.channel,
            text=one.text,
            source=one.source,
            confidence=one.confidence,
            exit_status=None,
            exit_signal=None,
            duration_us=None,
            verdict=one.verdict,
            severity=one.severity,
        )
        for one in found.documents
        if one.item not in numbers
    ]
    return sorted([*known, *read], key=lambda one: one.offset_us), found.problem
