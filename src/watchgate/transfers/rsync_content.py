"""What is known of one file while its octets pass: literals in order, and blocks it already had."""

from __future__ import annotations

from dataclasses import dataclass

from watchgate.transfers.manifest import DigestFactory, sha256
from watchgate.transfers.rsync_wire import Cursor, Unreadable

_BLOCK_CEILING = 1 << 30
_SUM_CEILING = 64


@dataclass(frozen=True, slots=True)
class SumHead:
    """How the receiver's old file was cut into blocks, for the sender to refer to."""

    count: int
    length: int
    sum_length: int
    remainder: int

    @classmethod
    def read(cls, cursor: Cursor) -> SumHead:
        """Sixteen octets of head; raises Unreadable when they make no sense."""
        head = cls(cursor.i32(), cursor.i32(), cursor.i32(), cursor.i32())
        if (
            head.count < 0
            or not 0 <= head.length <= _BLOCK_CEILING
            or not 0 <= head.sum_length <= _SUM_CEILING
            or not 0 <= head.remainder <= head.length
        ):
            raise Unreadable("the block sums of a file do not make sense")
        return head

    @property
    def total(self) -> int:
        """Octets of the old file, as far as it was cut into blocks."""
        return self.octets(0, self.count)

    def octets(self, first: int, count: int) -> int:
        """Octets of *count* blocks from *first* on; the last block of all may be shorter."""
        if not 0 <= first <= first + count <= self.count:
            raise Unreadable("a block is referred to that the receiver has not")
        short = self.length - self.remainder if self.remainder else 0
        return count * self.length - (short if count and first + count == self.count else 0)


class Content:
    """The octets of one file, as they are told.

    *digest* stands for the file as long as all of it passed as literals from its start.
    """

    def __init__(self, head: SumHead, appended: bool, digests: DigestFactory = sha256) -> None:
        self.head = head
        self.appended = head.total if appended else 0
        self.literal = 0
        self.matched = 0
        self.opaque = ""
        """Why the literals cannot be read, where they cannot."""
        self._unhashed = ""
        self._sha256 = digests()

    def pass_literal(self, octets: memoryview | bytes) -> None:
        """The next octets of the file passed."""
        self.literal += len(octets)
        if not self.matched and not self.appended and not self._unhashed:
            self._sha256.update(octets)

    def match(self, first: int, count: int = 1) -> None:
        """The next octets are *count* blocks that the receiver has."""
        self.matched += self.head.octets(first, count)

    def hide(self, reason: str) -> None:
        """From here on literals pass that cannot be read."""
        self.opaque = self.opaque or reason

    def leave_unhashed(self, reason: str) -> None:
        """From here on literals are counted only."""
        self._unhashed = self._unhashed or reason

    @property
    def size(self) -> int | None:
        """Octets of the file as far as it was told, or None when the literals are not read."""
        return None if self.opaque else self.appended + self.literal + self.matched

    @property
    def covers_file(self) -> bool:
        """Whether what passed is the file from its start and in order, readable or not."""
        return not self.matched and not self.appended

    @property
    def digest(self) -> str | None:
        """SHA-256 of all that passed, when that is the file from its start and in order.

        Asked for once, when the last octet has passed.
        """
        if not self.covers_file or self.opaque or self._unhashed:
            return None
        return self._sha256.hexdigest()

    def note(self) -> str:
        """What keeps the digest away; empty when nothing does."""
        if self.opaque:
            delta = "; delta: part of the file was at the receiver" if self.matched else ""
            return self.opaque + delta
        if self.appended:
            return f"appended: {self.literal} of {self.size} octets passed"
        if self.matched:
            return f"delta: {self.literal} of {self.size} octets passed as literals"
        return self._unhashed
