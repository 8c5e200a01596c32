"""The file list of rsync: entries that say only what differs from the one before, then an order.

Both ends sort what was sent and speak of entries by their place in that order; so must a reader.
With incremental recursion the list comes in segments, one for each directory, and the number before
a segment's first is that of its directory.
"""

from __future__ import annotations

import stat
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from enum import IntFlag

from watchgate.transfers.rsync_attributes import pass_acls, pass_xattrs
from watchgate.transfers.rsync_claim import RsyncClaim
from watchgate.transfers.rsync_handshake import Terms
from watchgate.transfers.rsync_wire import NAME_CEILING, Compat, Cursor, Unreadable

ENTRIES_CEILING = 1_000_000
OCTETS_CEILING = 64 * 1024 * 1024
"""The most octets of names and link targets that are kept at one time."""
_TIDY_AFTER = 256


class Xmit(IntFlag):
    """What an entry's flags say it leaves out or adds."""

    TOP_DIR = 1 << 0
    SAME_MODE = 1 << 1
    EXTENDED_FLAGS = 1 << 2
    SAME_UID = 1 << 3
    SAME_GID = 1 << 4
    SAME_NAME = 1 << 5
    LONG_NAME = 1 << 6
    SAME_TIME = 1 << 7
    SAME_RDEV_MAJOR = 1 << 8
    HLINKED = 1 << 9
    SAME_DEV_PRE30 = 1 << 10
    USER_NAME_FOLLOWS = 1 << 10
    RDEV_MINOR_8_PRE30 = 1 << 11
    GROUP_NAME_FOLLOWS = 1 << 11
    HLINK_FIRST = 1 << 12
    IO_ERROR_ENDLIST = 1 << 12
    MOD_NSEC = 1 << 13
    SAME_ATIME = 1 << 14
    CRTIME_EQ_MTIME = 1 << 17


# As plain integers: an IntFlag operation for each field of each entry is ten times slower.
_SAME_MODE, _EXTENDED, _LONG = int(Xmit.SAME_MODE), int(Xmit.EXTENDED_FLAGS), int(Xmit.LONG_NAME)
_SAME_UID, _SAME_GID, _SAME_NAME = int(Xmit.SAME_UID), int(Xmit.SAME_GID), int(Xmit.SAME_NAME)
_SAME_TIME, _NSEC, _SAME_ATIME = int(Xmit.SAME_TIME), int(Xmit.MOD_NSEC), int(Xmit.SAME_ATIME)
_HLINKED, _HLINK_FIRST = int(Xmit.HLINKED), int(Xmit.HLINK_FIRST)
_USER_NAME, _GROUP_NAME = int(Xmit.USER_NAME_FOLLOWS), int(Xmit.GROUP_NAME_FOLLOWS)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, directory or other thing of the list; *link* is where a symbolic link points."""

    name: bytes
    mode: int
    size: int
    link: bytes = b""

    @property
    def is_directory(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_symlink(self) -> bool:
        return stat.S_ISLNK(self.mode)


class Segment:
    """Entries that came together, columns of them; sorted once it is whole."""

    def __init__(self, start: int, parent: bytes) -> None:
        self.start = start
        self.parent = parent
        self.octets = 0
        self._parents: list[bytes] = []
        self._bases: list[bytes] = []
        self._modes = array("H")
        self._sizes = array("q")
        self._links: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self._bases)

    def add(self, entry: Entry) -> None:
        """Add an entry in the order of the wire."""
        parent, slash, base = entry.name.rpartition(b"/")
        parent += slash
        if self._parents and self._parents[-1] == parent:
            parent = self._parents[-1]
        else:
            self.octets += len(parent)
        if entry.link:
            self._links[len(self._bases)] = entry.link
        self.octets += len(base) + len(entry.link)
        self._parents.append(parent)
        self._bases.append(base)
        self._modes.append(entry.mode)
        self._sizes.append(entry.size)

    def __getitem__(self, place: int) -> Entry:
        return Entry(
            self._parents[place] + self._bases[place],
            self._modes[place],
            self._sizes[place],
            self._links.get(place, b""),
        )

    def sort(self) -> list[bytes]:
        """Put the entries into the order of their numbers; returns the directories among them."""
        keys = [
            sort_key(parent + base, stat.S_ISDIR(mode))
            for parent, base, mode in zip(self._parents, self._bases, self._modes, strict=True)
        ]
        order = sorted(range(len(keys)), key=keys.__getitem__)
        self._parents = [self._parents[i] for i in order]
        self._bases = [self._bases[i] for i in order]
        self._modes = array("H", [self._modes[i] for i in order])
        self._sizes = array("q", [self._sizes[i] for i in order])
        if self._links:
            place = {old: new for new, old in enumerate(order)}
            self._links = {place[old]: link for old, link in self._links.items()}
        return [
            self._parents[i] + self._bases[i]
            for i, mode in enumerate(self._modes)
            if stat.S_ISDIR(mode)
        ]


def sort_key(name: bytes, directory: bool) -> bytes:
    """Octets that sort as rsync 3 sorts entries.

    In each directory what is no directory comes first; a directory compares as if a slash followed
    its name; and `.` is before all.
    """
    *parents, last = name.split(b"/")
    head = b"".join([b"\1%b/" % parent for parent in parents])
    if not directory:
        return b"%b\0%b" % (head, last)
    return b"%b\0" % head if last == b"." else b"%b\1%b/" % (head, last)


class FileList:
    """All segments that can still be spoken of, and the numbers of their entries."""

    def __init__(self, incremental: bool) -> None:
        self.incremental = incremental
        self.total = 0
        """Entries of all segments ever, for those who must know whether there was only one."""
        self._segments: list[Segment] = []
        self._starts: list[int] = []
        self._forgotten = 0
        self._entries = 0
        self._octets = 0
        # Directories whose segment has not come, by their number in the order of directories.
        self._awaited: dict[int, bytes] = {}
        self._directories = 0

    def __len__(self) -> int:
        """How many segments can still be spoken of."""
        return len(self._segments) - self._forgotten

    def open(self, directory: int | None = None) -> Segment:
        """Begin a segment: the first one, or that of a directory by its number."""
        if directory is None:
            return Segment(1 if self.incremental else 0, b".")
        parent = self._awaited.pop(directory, None)
        if parent is None:
            raise Unreadable("a part of the file list belongs to no directory of it")
        self._octets -= len(parent)
        last = self._segments[-1]
        return Segment(last.start + len(last) + 1, parent)

    def check(self, segment: Segment) -> None:
        """Raise Unreadable when *segment*, still growing, is beyond what is kept."""
        if self._entries + len(segment) + len(self._awaited) > ENTRIES_CEILING:
            raise Unreadable(f"the file list has more than {ENTRIES_CEILING:,} entries")
        if self._octets + segment.octets > OCTETS_CEILING:
            raise Unreadable(f"the names of the file list are more than {OCTETS_CEILING:,} octets")

    def close(self, segment: Segment) -> None:
        """Sort a whole segment and make its entries known by their numbers."""
        directories = segment.sort()
        if self.incremental:
            self._awaited.update(enumerate(directories, self._directories))
            self._directories += len(directories)
            self._octets += sum(map(len, directories))
        self._entries += len(segment) + 1
        self._octets += segment.octets
        self.total += len(segment)
        self._segments.append(segment)
        self._starts.append(segment.start)

    def forget_first(self) -> None:
        """Drop the oldest segment: nothing will be said of it any more."""
        segment = self._segments[self._forgotten]
        self._segments[self._forgotten] = Segment(segment.start, b"")
        self._forgotten += 1
        self._entries -= len(segment) + 1
        self._octets -= segment.octets
        if self._forgotten > _TIDY_AFTER and 2 * self._forgotten > len(self._segments):
            del self._segments[: self._forgotten], self._starts[: self._forgotten]
            self._forgotten = 0

    def entry(self, number: int) -> Entry:
        """The entry that *number* means; raises Unreadable."""
        # The number before a segment's first is that of its directory.
        index = bisect_right(self._starts, number + 1) - 1
        if index >= self._forgotten:
            segment = self._segments[index]
            place = number - segment.start
            if 0 <= place < len(segment):
                return segment[place]
            if place == -1 and self.incremental:
                return Entry(segment.parent, stat.S_IFDIR, 0)
        raise Unreadable(f"nothing in the file list has the number {number}")


class EntryReader:
    """Reads entries; what an entry leaves out is that of the one before, also across segments."""

    def __init__(self, claim: RsyncClaim, terms: Terms) -> None:
        self._claim = claim
        self._protocol = terms.protocol
        self._new = terms.protocol >= 30
        self._varint_flags = Compat.VARINT_FLIST_FLAGS in terms.compat
        self._checksum = terms.list_checksum_length if claim.has("c") else 0
        self._xattr_digest = 16
        self._owner, self._group = claim.has("o"), claim.has("g")
        self._atimes, self._crtimes = claim.has("U"), claim.has("N")
        self._links, self._hard_links = claim.has("l"), claim.has("H")
        self._name = b""
        self._mode = 0

    def read(self, cursor: Cursor, segment: Segment) -> Entry | None:
        """The next entry, or None at the end of the segment."""
        flags = self._flags(cursor)
        if flags is None:
            return None
        name = self._read_name(cursor, flags)
        entry = self._same_inode(cursor, flags, name, segment) or self._read_entry(
            cursor, flags, name
        )
        if self._claim.has("A") and not entry.is_symlink:
            pass_acls(cursor, entry.is_directory)
        if self._claim.has("X"):
            pass_xattrs(cursor, self._xattr_digest)
        self._name, self._mode = name, entry.mode
        return entry

    def _flags(self, cursor: Cursor) -> int | None:
        """The flags of an entry, or None when the list ends, with its sender's error code."""
        if self._varint_flags:
            flags = cursor.varint()
            if not flags:
                cursor.varint()
                return None
            return flags
        flags = cursor.u8()
        if not flags:
            return None
        if flags & _EXTENDED:
            flags |= cursor.u8() << 8
            if self._new and flags == Xmit.EXTENDED_FLAGS | Xmit.IO_ERROR_ENDLIST:
                cursor.varint()
                return None
        return flags

    def _read_name(self, cursor: Cursor, flags: int) -> bytes:
        same = cursor.u8() if flags & _SAME_NAME else 0
        length = self._int(cursor) if flags & _LONG else cursor.u8()
        if length < 0 or same + length > NAME_CEILING or same > len(self._name):
            raise Unreadable("a name in the file list is longer than a path can be")
        name = self._name[:same] + cursor.take(length)
        if not name or b"\0" in name:
            raise Unreadable("a name in the file list is empty or has a zero octet")
        return name

    def _same_inode(
        self, cursor: Cursor, flags: int, name: bytes, segment: Segment
    ) -> Entry | None:
        """The entry of another name of a file of this segment, of which only the name is sent."""
        if not self._new or not flags & _HLINKED or flags & _HLINK_FIRST:
            return None
        place = cursor.varint() - segment.start
        if place < 0:
            return None
        if place >= len(segment):
            raise Unreadable("a hard link in the file list leads to no entry before it")
        first = segment[place]
        return Entry(name, first.mode, first.size, first.link)

    def _read_entry(self, cursor: Cursor, flags: int, name: bytes) -> Entry:
        size = cursor.varlong(3) if self._new else cursor.longint()
        self._times(cursor, flags)
        mode = self._mode if flags & _SAME_MODE else cursor.i32() & 0xFFFF
        kind = stat.S_IFMT(mode)
        if self._atimes and kind != stat.S_IFDIR and not flags & _SAME_ATIME:
            cursor.varlong(4)
        self._owners(cursor, flags)
        self._device(cursor, flags, kind)
        link = self._link(cursor) if self._links and kind == stat.S_IFLNK else b""
        if not self._new and self._hard_links and flags & _HLINKED:
            self._inode(cursor, flags)
        if self._checksum and kind == stat.S_IFREG:
            cursor.take(self._checksum)
        if size < 0:
            raise Unreadable("a size in the file list is negative")
        return Entry(name, mode, size, link)

    def _times(self, cursor: Cursor, flags: int) -> None:
        if not flags & _SAME_TIME:
            if self._new:
                cursor.varlong(4)
            else:
                cursor.i32()
        if flags & _NSEC and self._protocol >= 31:
            cursor.varint()
        if self._crtimes and not flags & Xmit.CRTIME_EQ_MTIME:
            cursor.varlong(4)

    def _owners(self, cursor: Cursor, flags: int) -> None:
        if self._owner and not flags & _SAME_UID:
            self._int(cursor)
            if self._new and flags & _USER_NAME:
                cursor.take(cursor.u8())
        if self._group and not flags & _SAME_GID:
            self._int(cursor)
            if self._new and flags & _GROUP_NAME:
                cursor.take(cursor.u8())

    def _device(self, cursor: Cursor, flags: int, kind: int) -> None:
        device = kind in (stat.S_IFBLK, stat.S_IFCHR)
        special = kind in (stat.S_IFIFO, stat.S_IFSOCK) and self._protocol < 31
        if not ((device and self._claim.devices) or (special and self._claim.specials)):
            return
        if not flags & Xmit.SAME_RDEV_MAJOR:
            self._int(cursor)
        if self._new:
            cursor.varint()
        elif flags & Xmit.RDEV_MINOR_8_PRE30:
            cursor.u8()
        else:
            cursor.i32()

    def _link(self, cursor: Cursor) -> bytes:
        length = self._int(cursor)
        if not 0 <= length <= NAME_CEILING:
            raise Unreadable("a symbolic link's target is longer than a path can be")
        return bytes(cursor.take(length))

    @staticmethod
    def _inode(cursor: Cursor, flags: int) -> None:
        if not flags & Xmit.SAME_DEV_PRE30:
            cursor.longint()
        cursor.longint()

    def _int(self, cursor: Cursor) -> int:
        return cursor.varint() if self._new else cursor.i32()
