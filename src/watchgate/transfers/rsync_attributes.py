"""What stands behind an entry of the file list with `-A` and `-X`: passed over, never kept.

Each distinct list is sent once and referred to by its number afterwards.
"""

from __future__ import annotations

from watchgate.transfers.rsync_wire import CEILING, Cursor, Unreadable

_NAME_LIST = 1 << 4
_NAME_FOLLOWS = 1
_WHOLE_VALUE = 32
"""A longer value of an extended attribute is sent as a digest."""


def pass_acls(cursor: Cursor, directory: bool) -> None:
    """The access list of an entry, and the default one of a directory."""
    _pass_acl(cursor)
    if directory:
        _pass_acl(cursor)


def _pass_acl(cursor: Cursor) -> None:
    if cursor.varint():
        return
    flags = cursor.u8()
    for bit in range(4):
        if flags & 1 << bit:
            cursor.varint()
    if flags & _NAME_LIST:
        for _ in range(_count(cursor)):
            cursor.varint()
            if cursor.varint() & _NAME_FOLLOWS:
                cursor.take(cursor.u8())


def pass_xattrs(cursor: Cursor, digest: int) -> None:
    """The extended attributes of an entry: names, and values or their digests."""
    if cursor.varint():
        return
    for _ in range(_count(cursor)):
        name, value = _count(cursor), _count(cursor)
        cursor.take(name)
        cursor.take(value if value <= _WHOLE_VALUE else digest)


def pass_xattr_request(cursor: Cursor) -> None:
    """What the receiver asks for: distances between numbers of attributes, then zero."""
    while cursor.varint():
        pass


def xattr_answer(cursor: Cursor) -> int | None:
    """The length of the next value that the sender answers with, or None after the last."""
    return _count(cursor) if cursor.varint() else None


def _count(cursor: Cursor) -> int:
    count = cursor.varint()
    if not 0 <= count <= CEILING:
        raise Unreadable("an attribute in the file list is longer than one can be")
    return count
