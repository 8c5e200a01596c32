"""What a reader of a file transfer is, and the bookkeeping that all of them share.

A reader watches both directions of one channel without changing them and says which files moved.
It believes the protocol on the wire, never the name of a command. File data is scanned by header and
hashed by span; nothing of it is kept, except the little that overtakes what should come before it.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from watchgate.session.events import Event

HELD = 4 * 1024 * 1024
"""Octets of file data that one channel may hold while what belongs before them is on its way."""

PIECE = 256
"""What holding one piece costs beside its octets."""

SCATTERED = 1024
"""Separate pieces of a file that are told apart; a file in more of them is not followed."""


class UnreadableError(Exception):
    """The octets are not what their protocol allows, or more than its ceilings.

    It stays inside this folder: a reader turns it into `failed` and a TransferUnreadable.
    """


class TransferReader(Protocol):
    """Watches one channel. No method raises; what cannot be read ends in `failed`."""

    @property
    def failed(self) -> str | None:
        """Why the stream stopped being readable; from then on the engine records it octet by octet."""

    def sent(self, data: bytes) -> list[Event]:
        """*data* went from the client towards the target."""

    def received(self, data: bytes) -> list[Event]:
        """*data* went from the target towards the client."""

    def closed(self) -> list[Event]:
        """The channel ended: what was still open is reported as incomplete."""


@runtime_checkable
class KeepsUnread(Protocol):
    """A reader that loses nothing when it has to stop in the middle of a packet or a line."""

    @property
    def unread(self) -> tuple[bytes, bytes]:
        """Once the reader `failed`: what was sent and received and is in no event.

        It includes what is left of the octets just given, so the engine records it in their stead.
        """


class Digest(Protocol):
    """A running hash, as hashlib has them.

    An engine may supply one that hashes in a thread: spans come in order, each is part of an
    immutable `bytes`, and `hexdigest` is asked for once, last.
    """

    def update(self, data: bytes | memoryview, /) -> None:
        """Hash *data* after all that came before."""

    def hexdigest(self) -> str:
        """The hash of everything, in hexadecimal."""


DigestFactory = Callable[[], Digest]


def sha256() -> Digest:
    """The digest that manifests carry."""
    return hashlib.sha256()


class Window:
    """The octets that one channel may hold ahead of their turn, over all its files."""

    __slots__ = ("_free",)

    def __init__(self, limit: int = HELD) -> None:
        self._free = limit

    def take(self, count: int) -> bool:
        """Reserve *count* octets; false when there is no room for them."""
        if count > self._free:
            return False
        self._free -= count
        return True

    def give(self, count: int) -> None:
        """Return what was taken."""
        self._free += count


class Coverage:
    """Which octets of a file have passed, as disjoint spans in order."""

    __slots__ = ("_spans", "scattered")

    def __init__(self) -> None:
        self._spans: list[tuple[int, int]] = []
        self.scattered = False
        """There were more pieces than are told apart; gaps are no longer known."""

    @property
    def start(self) -> int:
        """Where the first span starts; 0 when nothing passed."""
        return self._spans[0][0] if self._spans else 0

    @property
    def end(self) -> int:
        """Where the last span ends; 0 when nothing passed."""
        return self._spans[-1][1] if self._spans else 0

    @property
    def gapless(self) -> bool:
        """Nothing is missing between the first octet and the last."""
        return len(self._spans) < 2 and not self.scattered

    def add(self, start: int, end: int) -> list[tuple[int, int]]:
        """Note the span from *start* to *end*; gives back the parts of it that are new."""
        spans = self._spans
        if not spans or start > spans[-1][1]:
            spans.append((start, end))
            self._bound()
            return [(start, end)]
        last_start, last_end = spans[-1]
        if start == last_end:
            spans[-1] = (last_start, end)
            return [(start, end)]
        return self._insert(start, end)

    def _insert(self, start: int, end: int) -> list[tuple[int, int]]:
        """The general case: *start* lies before the end of what has passed."""
        spans = self._spans
        first = bisect_left(spans, start, key=lambda span: span[1])
        after, at, fresh = first, start, []
        while after < len(spans) and spans[after][0] <= end:
            if at < spans[after][0]:
                fresh.append((at, spans[after][0]))
            at = max(at, spans[after][1])
            after += 1
        if at < end:
            fresh.append((at, end))
        if after > first:
            start, end = min(start, spans[first][0]), max(end, spans[after - 1][1])
        spans[first:after] = [(start, end)]
        self._bound()
        return fresh

    def _bound(self) -> None:
        if len(self._spans) > SCATTERED:
            self._spans = [(self.start, self.end)]
            self.scattered = True


class OrderedDigest:
    """The hash of file data that passes by offset, from *start* on, mostly in order.

    A piece that is ahead of its turn is held in *window*; when that is full, or when a piece belongs
    before *start*, the hash is given up and only what has passed is known.
    """

    __slots__ = ("_digest", "_held", "_latest", "_next", "_window", "covered", "repeated")

    def __init__(self, start: int, factory: DigestFactory, window: Window) -> None:
        self._digest: Digest | None = factory()
        self._held: dict[int, bytearray] = {}
        self._latest = start
        self._next = start
        self._window = window
        self.covered = Coverage()
        self.repeated = False
        """Some octets of the file passed twice; the hash is of the first passage."""

    def piece(self, offset: int, data: memoryview) -> None:
        """*data* of the file at *offset* passed."""
        if not data:
            return
        fresh = self.covered.add(offset, offset + len(data))
        if fresh != [(offset, offset + len(data))]:
            self.repeated = True
        if self._digest is not None:
            for start, end in fresh:
                self._hash(start, data[start - offset : end - offset])

    def hexdigest(self) -> str | None:
        """The hash of all that passed, in file order; None when it is not known.

        Once asked, what is held is let go: this is the end of the file.
        """
        known = self._digest is not None and not self._held and self.covered.gapless
        value = self._digest.hexdigest() if known and self._digest is not None else None
        self.give_up()
        return value

    def give_up(self) -> None:
        """Stop hashing and let go of what is held."""
        self._digest = None
        self._window.give(sum(len(held) + PIECE for held in self._held.values()))
        self._held.clear()

    def _hash(self, start: int, data: memoryview) -> None:
        if self._digest is None:
            return
        if start == self._next:
            self._digest.update(data)
            self._next += len(data)
            self._catch_up(self._digest)
        elif start < self._next or not self._hold(start, data):
            self.give_up()

    def _hold(self, start: int, data: memoryview) -> bool:
        """Keep *data* for later, with the piece held last where it follows that; false without room."""
        latest = self._held.get(self._latest)
        if latest is not None and self._latest + len(latest) == start:
            if not self._window.take(len(data)):
                return False
            latest += data
            return True
        if not self._window.take(len(data) + PIECE):
            return False
        self._held[start] = bytearray(data)
        self._latest = start
        return True

    def _catch_up(self, digest: Digest) -> None:
        while self._held and (held := self._held.pop(self._next, None)) is not None:
            digest.update(bytes(held))
            self._next += len(held)
            self._window.give(len(held) + PIECE)
