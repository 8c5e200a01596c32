"""The two streams of rsync after its opening: what the sender says and what the generator asks.

The sender sends the file list, then answers each request of the generator with the same attributes
and, for a transfer, the file's tokens and checksum. Both count the same phases. The client's stream
begins with its filter rules, whichever part the client plays.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from watchgate.transfers.manifest import DigestFactory, sha256
from watchgate.transfers.rsync_attributes import pass_xattr_request, xattr_answer
from watchgate.transfers.rsync_claim import RsyncClaim
from watchgate.transfers.rsync_content import Content, SumHead
from watchgate.transfers.rsync_flist import EntryReader, FileList, Segment
from watchgate.transfers.rsync_handshake import Terms
from watchgate.transfers.rsync_tokens import tokens_for
from watchgate.transfers.rsync_wire import (
    NAME_CEILING,
    Compat,
    Cursor,
    Indexes,
    Item,
    Ndx,
    Steps,
    Unreadable,
)

_RULE_CEILING = 2 * NAME_CEILING
_LAST_PHASE = 2
_GOODBYES = 2
_XATTR_CEILING = 16 * 1024 * 1024
_XATTR_NEEDLESS = Item.XNAME_FOLLOWS | Item.LOCAL_CHANGE


class Told(Protocol):
    """Who hears what the sender's stream tells."""

    def item(self, number: int, flags: Item, other_name: bytes) -> None:
        """An entry was changed without a transfer; *other_name* is a hard link's other name."""

    def ended(self, number: int, content: Content) -> None:
        """All octets of an entry have passed, and their checksum."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """What stands behind an index, in both directions."""

    flags: Item
    other_name: bytes

    @classmethod
    def read(cls, cursor: Cursor) -> Attributes:
        """Flags, and what they say follows."""
        flags = Item(cursor.u16())
        if Item.BASIS_TYPE_FOLLOWS in flags:
            cursor.u8()
        return cls(flags, cursor.vstring() if Item.XNAME_FOLLOWS in flags else b"")

    def xattrs_follow(self, claim: RsyncClaim, terms: Terms) -> bool:
        """Whether extended attributes are asked for, or answered with."""
        if not claim.has("X") or claim.dry_run or Item.REPORT_XATTR not in self.flags:
            return False
        # A hard link has those of its file. Clients since 3.1.1 ask all the same, and say so.
        spared = terms.protocol >= 31 and Compat.AVOID_XATTR_OPTIM not in terms.compat
        return not (spared and self.flags & _XATTR_NEEDLESS == _XATTR_NEEDLESS)

    def transfers(self, claim: RsyncClaim) -> bool:
        """Whether the file's octets follow."""
        return Item.TRANSFER in self.flags and not claim.dry_run


class Stream(Steps, ABC):
    """What both streams share: the client's preface, indexes, and spans to pass over."""

    def __init__(self, claim: RsyncClaim, terms: Terms, client: bool) -> None:
        super().__init__(self._rule)
        self._claim = claim
        self._terms = terms
        self._indexes = Indexes(terms.protocol)
        self._number = 0
        self._attributes = Attributes(Item(0), b"")
        self._left = 0
        self._after: Callable[[Cursor], None] = self._index
        self._appended: set[int] = set()
        self._names_follow = client and claim.files_from == "-"
        if not (client and claim.filters):
            self._step = self._start()

    def _start(self) -> Callable[[Cursor], None]:
        """The first step after the preface."""
        return self._index

    def _rule(self, cursor: Cursor) -> None:
        """One filter rule, or the zero that ends them."""
        length = cursor.i32()
        if not 0 <= length <= _RULE_CEILING:
            raise Unreadable("a filter rule is longer than one can be")
        cursor.take(length)
        if not length:
            self._step = self._files_from if self._names_follow else self._start()

    def _files_from(self, cursor: Cursor) -> None:
        """One name that the client wants (`--files-from`), or the empty one that ends them."""
        view = bytes(cursor.data[cursor.at : cursor.at + NAME_CEILING + 1])
        length = view.find(b"\0")
        if length < 0 and len(view) > NAME_CEILING:
            raise Unreadable("a wanted name is longer than a path can be")
        cursor.take(length + 1 if length >= 0 else len(view) + 1)
        if not length:
            self._step = self._start()

    def _pass(self, octets: int, after: Callable[[Cursor], None]) -> None:
        """Pass over *octets*, then go on with *after*."""
        self._left, self._after = octets, after
        self._step = self._passing if octets else after

    def _passing(self, cursor: Cursor) -> None:
        self._left -= len(cursor.span(self._left))
        if not self._left:
            self._step = self._after

    @abstractmethod
    def _index(self, cursor: Cursor) -> None:
        """Read an index and choose what follows it."""

    def _statistics(self, cursor: Cursor) -> None:
        """How many things were deleted, by kind."""
        for _ in range(5):
            cursor.varint()
        self._step = self._index

    def _keeps_alive(self, number: int, attributes: Attributes) -> bool:
        """An index just behind the list that only says that the peer lives (before protocol 31)."""
        return attributes.flags == Item.IS_NEW and self._terms.protocol < 31 and number >= 0

    def _appends(self, number: int) -> bool:
        """Whether this transfer appends; a second one of the same file does not."""
        if not self._claim.append or number in self._appended:
            return False
        self._appended.add(number)
        return True


class Generator(Stream):
    """What the receiving side asks for: entries, and the sums of the blocks that it has."""

    def __init__(self, claim: RsyncClaim, terms: Terms, client: bool, files: FileList) -> None:
        super().__init__(claim, terms, client)
        self._files = files

    def _index(self, cursor: Cursor) -> None:
        number = self._indexes.read(cursor)
        if number == Ndx.DEL_STATS:
            self._step = self._statistics
        elif number >= 0:
            self._number = number
            self._step = self._asked
        elif number != Ndx.DONE:
            raise Unreadable(f"{number} is nothing that a receiver asks for")

    def _asked(self, cursor: Cursor) -> None:
        attributes = Attributes.read(cursor)
        if not self._keeps_alive(self._number, attributes):
            self._files.entry(self._number)
        self._attributes = attributes
        if attributes.xattrs_follow(self._claim, self._terms):
            self._step = self._xattrs
        else:
            self._sums()

    def _xattrs(self, cursor: Cursor) -> None:
        pass_xattr_request(cursor)
        self._sums()

    def _sums(self) -> None:
        self._step = self._head if self._attributes.transfers(self._claim) else self._index

    def _head(self, cursor: Cursor) -> None:
        head = SumHead.read(cursor)
        appends = self._appends(self._number)
        self._pass(0 if appends else head.count * (4 + head.sum_length), self._index)


class Sender(Stream):
    """The file list, and then what happens with its entries."""

    def __init__(
        self,
        claim: RsyncClaim,
        terms: Terms,
        client: bool,
        files: FileList,
        told: Told,
        digests: DigestFactory = sha256,
    ) -> None:
        self._files = files
        self._told = told
        self._digests = digests
        self._reader = EntryReader(claim, terms)
        self._segment: Segment = files.open()
        self._content: Content | None = None
        self._tokens = tokens_for(terms.compression)
        self._id_lists = 0 if claim.numeric_ids or files.incremental else self._lists_of(claim)
        self._all_listed = not files.incremental
        self._phase = 0
        self._goodbyes = 0
        # Last, because it asks `_start` for the first step, which may be one of this class.
        super().__init__(claim, terms, client)

    @property
    def finished(self) -> bool:
        """All phases are over: nothing of a file can follow."""
        return self._phase > _LAST_PHASE

    @property
    def passing(self) -> tuple[int, Content] | None:
        """The entry whose octets are passing now."""
        return None if self._content is None else (self._number, self._content)

    @staticmethod
    def _lists_of(claim: RsyncClaim) -> int:
        return sum(claim.has(letter) or claim.has("A") for letter in "og")

    def _start(self) -> Callable[[Cursor], None]:
        return self._entry

    def _entry(self, cursor: Cursor) -> None:
        entry = self._reader.read(cursor, self._segment)
        if entry is not None:
            self._segment.add(entry)
            self._files.check(self._segment)
            return
        self._files.close(self._segment)
        self._step = self._names if self._id_lists else self._list_end()

    def _names(self, cursor: Cursor) -> None:
        """One pair of a user's or group's id and name, or the zero that ends them."""
        new = self._terms.protocol >= 30
        number = cursor.varint() if new else cursor.i32()
        if number or Compat.ID0_NAMES in self._terms.compat:
            cursor.take(cursor.u8())
        if not number:
            self._id_lists -= 1
            self._step = self._names if self._id_lists else self._list_end()

    def _list_end(self) -> Callable[[Cursor], None]:
        return self._index if self._terms.protocol >= 30 else self._io_error

    def _io_error(self, cursor: Cursor) -> None:
        cursor.i32()
        self._step = self._index

    def _index(self, cursor: Cursor) -> None:
        number = self._indexes.read(cursor)
        if number >= 0 and not self.finished:
            self._number = number
            self._step = self._answered
        elif number == Ndx.DONE:
            self._done()
        elif number == Ndx.DEL_STATS:
            self._step = self._statistics
        elif self._all_listed:
            raise Unreadable(f"{number} is nothing that a sender says after its file list")
        elif number == Ndx.FLIST_EOF:
            self._all_listed = True
        else:
            self._open_segment(Ndx.FLIST_OFFSET - number)

    def _open_segment(self, directory: int) -> None:
        self._segment = self._files.open(directory)
        self._step = self._entry

    def _done(self) -> None:
        """All entries of the oldest segment are done; after the last one, a phase is."""
        if self.finished:
            self._goodbyes += 1
            if self._goodbyes > _GOODBYES:
                raise Unreadable("the stream goes on after its end")
        elif len(self._files) > 1:
            self._files.forget_first()
        else:
            self._phase += 1
            if self._phase > _LAST_PHASE and self._claim.direction == "download":
                self._step = self._totals

    def _totals(self, cursor: Cursor) -> None:
        """Octets read and written, the size of all, and two times."""
        for _ in range(5):
            if self._terms.protocol >= 30:
                cursor.varlong(3)
            else:
                cursor.longint()
        self._step = self._index

    def _answered(self, cursor: Cursor) -> None:
        attributes = Attributes.read(cursor)
        self._attributes = attributes
        if self._keeps_alive(self._number, attributes):
            self._step = self._index
            return
        self._files.entry(self._number)
        self._step = (
            self._xattr if attributes.xattrs_follow(self._claim, self._terms) else self._moved()
        )

    def _xattr(self, cursor: Cursor) -> None:
        length = xattr_answer(cursor)
        if length is None:
            self._step = self._moved()
        elif length > _XATTR_CEILING:
            raise Unreadable("an extended attribute is longer than one can be")
        else:
            self._pass(length, self._xattr)

    def _moved(self) -> Callable[[Cursor], None]:
        """The step after the attributes: the file's octets, or the next index."""
        if self._attributes.transfers(self._claim):
            return self._head
        self._told.item(self._number, self._attributes.flags, self._attributes.other_name)
        return self._index

    def _head(self, cursor: Cursor) -> None:
        content = Content(SumHead.read(cursor), self._appends(self._number), self._digests)
        self._content = content
        self._tokens.begin(content)
        self._step = self._token

    def _token(self, cursor: Cursor) -> None:
        if self._tokens.step(cursor):
            self._step = self._checksum

    def _checksum(self, cursor: Cursor) -> None:
        cursor.take(self._terms.checksum_length)
        if self._content is not None:
            self._told.ended(self._number, self._content)
        self._content = None
        self._step = self._index
