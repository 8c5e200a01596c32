"""One recording on its way into the index: its tail, its reader, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass, field

from watchgate.catalog.search.model import Document, Kind, Progress, SearchBackend
from watchgate.errors import RecordingUnreadable
from watchgate.indexing.documents import DocumentReader, OpenScreen
from watchgate.indexing.wire import Order, reason
from watchgate.recording.format import Record
from watchgate.recording.tail import Tail

LATE_US = 2_000_000
"""A record is in the file long before it is so old: the scribe writes every half second."""


@dataclass(slots=True)
class Following:
    """Reads one recording a turn at a time and puts what it finds; `finished` says when that is over."""

    order: Order
    open_screen: OpenScreen = field(repr=False)
    now_us: int = 0
    finished: bool = False
    documents: int = 0
    """New or changed ones."""
    problem: str = ""
    noted_us: int | None = None
    """When its progress was last written down."""
    quiet_us: int = field(init=False)
    """Since when nothing came."""
    queued: bool = False
    """It waits for its turn."""
    held: bool = False
    """The index could not be written; it tries again at *retry_us*."""
    retry_us: int = 0
    known: bool = False
    """The index had all of it before."""
    unread: bool = True
    """Its file may hold more than was read."""
    tail: Tail = field(init=False)
    _reader: DocumentReader = field(init=False, repr=False)
    _waiting: list[Document] = field(init=False, repr=False, default_factory=list)
    """What could not be put yet."""
    _items: dict[Kind, set[int]] = field(init=False, repr=False)
    _cleaned: bool = False
    _ahead_us: int | None = None
    """The recording's own time is at least so far ahead of the monotonic clock."""
    _last_us: int | None = None
    """The time of a record that was just read."""
    _rested_us: int = -1
    """Until when it was taken for granted that no record is missing."""
    _trusted: bool = True
    """That has been right so far."""

    def __post_init__(self) -> None:
        self.quiet_us = self.now_us
        self.restart()

    def restart(self) -> None:
        """Begin with the first record again: what was put is put once more, which changes nothing."""
        order = self.order
        self.tail = Tail(order.path, order.keys, order.spool)
        self._reader = DocumentReader(order.about.started_at_us, self.open_screen)
        self._waiting = []
        self._items = {kind: set() for kind in Kind}
        self._rested_us = -1
        self.finished = False
        self.unread = True

    @property
    def complete(self) -> bool:
        """It was read to its seal, or its target's policy wants nothing of it."""
        return not self.problem and (self.tail.sealed or self._reader.off)

    def read(self, octets: int, spooled: int) -> None:
        """Take a turn; what cannot be read ends it with a problem, whatever it is."""
        if self._waiting or self.finished:
            return
        self.unread = False
        found: list[Document] = []
        try:
            records = self._records(octets, spooled)
            if records and records[0].t_us <= self._rested_us:
                # A disk that stood still: what was concluded from the silence may be wrong.
                self._trusted = False
                self.restart()
                return
            if records:
                self._last_us = records[-1].t_us
            found.extend(self._reader.take(records))
            if self.tail.sealed or self.problem:
                found.extend(self._reader.finish())
        except Exception as error:  # noqa: BLE001 - one recording must never stop the others
            self.problem = reason(f"{type(error).__name__}: {error}")
        over = self.tail.sealed or self._reader.off or bool(self.problem)
        self.finished = over or (self.order.whole and not self.tail.behind)
        self._found(found)

    @property
    def rest_us(self) -> int | None:
        """When, by the monotonic clock, `rest` may find something, should nothing come before."""
        if self._ahead_us is None or not self._trusted:
            return None
        if self.finished or self.unread or self.tail.behind or not self.tail.octets:
            return None
        due_us = self._reader.due_us
        return due_us - self._ahead_us + LATE_US if due_us is not None else None

    def can_rest(self, now_us: int) -> bool:
        """Whether `rest` may find something *now_us*."""
        rest_us = self.rest_us
        return rest_us is not None and rest_us <= now_us

    def rest(self, looked_us: int, now_us: int) -> None:
        """Nothing more than was read was in the file at *looked_us*; what was, is there *now_us*.

        A record's time says how late it is in the recording at least; the monotonic clock says what has
        passed since. The wall clock may jump, and is not asked.
        """
        if self._last_us is not None:
            ahead_us, self._last_us = self._last_us - now_us, None
            if self._ahead_us is None or ahead_us > self._ahead_us:
                self._ahead_us = ahead_us
        if self._ahead_us is None or not self.can_rest(looked_us):
            return
        self._rested_us = looked_us + self._ahead_us - LATE_US
        try:
            self._found(list(self._reader.rest(self._rested_us)))
        except Exception as error:  # noqa: BLE001 - one recording must never stop the others
            self.problem = reason(f"{type(error).__name__}: {error}")
            self.finished = True

    def _found(self, found: list[Document]) -> None:
        self._waiting += found
        for document in found:
            self._items[document.kind].add(document.item)

    def store(self, index: SearchBackend) -> None:
        """Put what was read; raises what the index raises, and can then be called again."""
        about = self.order.about
        if self._waiting:
            self.documents += index.put(about, self._waiting)
            self._waiting = []
        doubtful = self.order.whole or not self._trusted
        if self.complete and doubtful and not self._cleaned and self._has_more(index):
            # An earlier version read it differently, or a hand was in the index: begin from nothing.
            self._cleaned = True
            index.forget(about.session)
            self.restart()

    def progress(self) -> Progress:
        """What the index should remember of it."""
        return Progress(
            recording=self.order.recording,
            session=self.order.about.session,
            octets=self.tail.octets,
            complete=self.complete,
            policy=str(self._reader.policy),
            problem=self.problem,
        )

    def _records(self, octets: int, spooled: int) -> list[Record]:
        try:
            return self.tail.more(octets, spooled)
        except RecordingUnreadable as error:
            self.problem = reason(str(error))
            return []

    def _has_more(self, index: SearchBackend) -> bool:
        """Whether the index has documents of this session that the recording does not give."""
        session = self.order.about.session
        return any(
            document.item not in self._items[kind]
            for kind in Kind
            for _, document in index.documents(session, kind)
        )
