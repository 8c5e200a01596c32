"""The commands of all recordings, as the catalog and the index have them: what a backtest goes through.

The catalog has the commands that events tell; the index those that were read off screens afterwards, in
sessions in which nothing was decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, and_, func, select

from watchgate.catalog import targets
from watchgate.catalog.schema import command, session, verdict
from watchgate.catalog.search.model import About, Document
from watchgate.errors import ConfigurationError
from watchgate.identity import operators
from watchgate.indexing.documents import INFERRED
from watchgate.reports.backtest import NOT_DECIDED, Asked, Ran, Who

AT_ONCE = 5_000
"""Rows that are in memory at a time."""

OfSession = Callable[[str], Sequence[tuple[About, Document]]]
"""The commands that the index has of a session; raises ConfigurationError."""


@dataclass(slots=True)
class Recorded:
    """Reads them, and remembers what it read."""

    connection: Connection
    since_us: int = 0
    told: int = 0
    """Commands out of the catalog."""
    read_off: int = 0
    """Commands out of the index."""
    problems: list[str] = field(default_factory=list)
    _people: dict[tuple[str, str, str, str], Who] = field(default_factory=dict)
    _groups: dict[str, frozenset[str]] = field(default_factory=dict)
    _labels: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Names are kept as they were then; groups and labels of then are not kept: today's have to do.
        self._groups = {one.name: one.groups for one in operators.list_all(self.connection)}
        self._labels = {
            one.name: tuple(sorted(one.labels.items())) for one in targets.list_all(self.connection)
        }

    def number(self) -> int:
        """How many the catalog has."""
        query = select(func.count()).select_from(command).where(*self._wanted())
        return self.connection.scalar(query) or 0

    def sessions(self) -> int:
        """How many sessions the index is asked for."""
        query = (
            select(func.count()).select_from(session).where(session.c.last_at_us >= self.since_us)
        )
        return self.connection.scalar(query) or 0

    def of_catalog(self) -> Iterator[Ran]:
        """Those that events told, session by session."""
        decided = and_(verdict.c.session_id == command.c.session_id, verdict.c.seq == command.c.seq)
        columns = (
            *(command.c.session_id, command.c.at_us, command.c.text, command.c.source),
            *(command.c.confidence, command.c.place, command.c.program, command.c.cwd),
            *(session.c.operator, session.c.target, session.c.account, session.c.protocol),
            verdict.c.outcome,
        )
        query = (
            select(*columns)
            .select_from(command.join(session, session.c.id == command.c.session_id))
            .outerjoin(verdict, decided)
            .where(*self._wanted())
            .order_by(command.c.session_id, command.c.seq)
            .execution_options(yield_per=AT_ONCE)
        )
        for row in self.connection.execute(query):
            (of, at_us, text, source, confidence, place, program, cwd, *who, outcome) = row
            self.told += 1
            asked = Asked(text, source, confidence == "exact", place or "shell", program, cwd)
            yield Ran(of, at_us, self._who(*who), asked, outcome or NOT_DECIDED)

    def of_index(self, documents: OfSession, done: Callable[[], None]) -> Iterator[Ran]:
        """Those that were read off screens; *done* is called for each session."""
        query = select(session.c.id).where(session.c.last_at_us >= self.since_us)
        for identifier in list(self.connection.scalars(query.order_by(session.c.id))):
            try:
                found = documents(identifier)
            except ConfigurationError as error:
                if str(error) not in self.problems:
                    self.problems.append(str(error))
                found = ()
            for about, document in found:
                if document.item >= INFERRED and document.at_us >= self.since_us:
                    self.read_off += 1
                    yield self._of_document(about, document)
            done()

    def _of_document(self, about: About, document: Document) -> Ran:
        asked = Asked(document.text, document.source, document.confidence == "exact")
        who = self._who(about.operator, about.target, about.account, about.protocol)
        return Ran(about.session, document.at_us, who, asked, document.verdict or NOT_DECIDED)

    def _who(self, operator: str, target: str, account: str, protocol: str) -> Who:
        key = (operator, target, account, protocol)
        found = self._people.get(key)
        if found is None:
            groups, labels = self._groups.get(operator, frozenset()), self._labels.get(target, ())
            found = self._people[key] = Who(*key, groups, labels)
        return found

    def _wanted(self) -> tuple[ColumnElement[bool], ...]:
        return command.c.at_us >= self.since_us, command.c.text.is_not(None)
