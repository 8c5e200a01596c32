"""What a client asks for over SFTP, as objects.

Requests that neither move a file nor change one are all `Other`: their answers need no reading.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from watchgate.transfers.manifest import UnreadableError
from watchgate.transfers.sftp_wire import (
    MAX_HANDLE,
    MAX_NAME,
    Attributes,
    Bulk,
    Fields,
    Fxf,
    Fxp,
    Packet,
    attributes,
)


@dataclass(frozen=True, slots=True)
class Open:
    """A file is opened, or made."""

    path: bytes
    flags: Fxf

    @property
    def reads(self) -> bool:
        """The handle will give the file's content.

        What asks for neither reading nor writing is opened for reading (OpenSSH: O_RDONLY is 0).
        """
        return bool(self.flags & Fxf.READ) or not self.flags & Fxf.WRITE

    @property
    def changes(self) -> bool:
        """Opening may change the file, or the handle will."""
        return bool(self.flags & ~Fxf.READ)


@dataclass(frozen=True, slots=True)
class OpenDirectory:
    """A directory is opened for listing."""

    path: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """A handle is given back."""

    handle: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """A piece of a file is asked for."""

    handle: bytes
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Write:
    """A piece of a file is sent."""

    handle: bytes
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class ReadDirectory:
    """The next names of a directory, with attributes, are asked for."""

    handle: bytes


@dataclass(frozen=True, slots=True)
class Stat:
    """The attributes of a path are asked for; of what a link points at, when *follows*."""

    path: bytes
    follows: bool


@dataclass(frozen=True, slots=True)
class StatHandle:
    """The attributes of an open file are asked for."""

    handle: bytes


@dataclass(frozen=True, slots=True)
class Change:
    """Something is changed without moving octets: what a FileChanged will say.

    A link's *path* is the link and *to* what it points at; a rename's *to* is the new name, a chmod's
    the mode in octal, a chown's `uid:gid`, a truncate's the size.
    """

    operation: str
    path: bytes
    to: bytes | None = None


@dataclass(frozen=True, slots=True)
class SetStat:
    """Attributes of a path are set."""

    path: bytes
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class SetHandle:
    """Attributes of an open file are set."""

    handle: bytes
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Copy:
    """The target copies octets between two open files (copy-data)."""

    source: bytes
    destination: bytes


@dataclass(frozen=True, slots=True)
class Other:
    """Anything that moves and changes no file."""


Request = (
    Open
    | OpenDirectory
    | Close
    | Read
    | Write
    | ReadDirectory
    | Stat
    | StatHandle
    | Change
    | SetStat
    | SetHandle
    | Copy
    | Other
)


def parse(packet: Packet) -> tuple[int, Request]:
    """The request id and the request; raises UnreadableError."""
    fields = packet.fields()
    number = fields.uint32()
    if isinstance(packet, Bulk):
        return number, Write(_handle(fields), fields.uint64(), packet.size)
    reader = _REQUESTS.get(packet.kind)
    return number, Other() if reader is None else reader(fields)


def set_changes(path: bytes, wanted: Attributes) -> list[Change]:
    """What setting *wanted* on *path* changes; times are not reported."""
    changes = []
    if wanted.size is not None:
        changes.append(Change("truncate", path, b"%d" % wanted.size))
    if wanted.owner is not None:
        changes.append(Change("chown", path, b"%d:%d" % wanted.owner))
    if wanted.permissions is not None:
        changes.append(Change("chmod", path, b"%04o" % (wanted.permissions & 0o7777)))
    return changes


def weight(request: Request) -> int:
    """The octets of names that are kept while *request* waits for its answer."""
    match request:
        case Open(path) | OpenDirectory(path) | Stat(path) | SetStat(path):
            return len(path)
        case Change(_, path, to):
            return len(path) + len(to or b"")
        case Other():
            return 0
        case Copy(source, destination):
            return len(source) + len(destination)
        case _:
            return len(request.handle)


def _path(fields: Fields) -> bytes:
    path = fields.string(MAX_NAME)
    if b"\0" in path:
        raise UnreadableError("a path with a NUL in it")
    return path


def _handle(fields: Fields) -> bytes:
    return fields.string(MAX_HANDLE)


def _read(fields: Fields) -> Request:
    return Read(_handle(fields), fields.uint64(), fields.uint32())


def _changing(operation: str) -> Callable[[Fields], Request]:
    return lambda fields: Change(operation, _path(fields))


def _moving(operation: str) -> Callable[[Fields], Request]:
    return lambda fields: Change(operation, _path(fields), _path(fields))


def _linking(operation: str) -> Callable[[Fields], Request]:
    """The draft says link first, OpenSSH sends what it points at first, and so does everybody."""

    def read(fields: Fields) -> Request:
        target = _path(fields)
        return Change(operation, _path(fields), target)

    return read


def _copy_data(fields: Fields) -> Request:
    source = _handle(fields)
    fields.uint64()  # offset
    fields.uint64()  # length
    return Copy(source, _handle(fields))


def _extended(fields: Fields) -> Request:
    name = fields.string(MAX_NAME)
    if name == b"version-select":
        raise UnreadableError("another version is selected, which cannot be read")
    reader = EXTENSIONS.get(name)
    return Other() if reader is None else reader(fields)


EXTENSIONS: dict[bytes, Callable[[Fields], Request]] = {
    b"posix-rename@openssh.com": _moving("posix-rename"),
    b"hardlink@openssh.com": _linking("hardlink"),
    b"lsetstat@openssh.com": lambda fields: SetStat(_path(fields), attributes(fields)),
    b"copy-data": _copy_data,
    b"copy-file": _moving("copy"),
}
"""Extended requests that change something (OpenSSH: PROTOCOL §4; filexfer-extensions-00)."""

HARMLESS = frozenset(
    {
        b"statvfs@openssh.com",
        b"fstatvfs@openssh.com",
        b"fsync@openssh.com",
        b"limits@openssh.com",
        b"expand-path@openssh.com",
        b"home-directory",
        b"users-groups-by-id@openssh.com",
        b"space-available",
        b"vendor-id",
    }
)
"""Extended requests that move and change no file."""

_REQUESTS: dict[int, Callable[[Fields], Request]] = {
    Fxp.OPEN: lambda fields: Open(_path(fields), Fxf(fields.uint32() & 0x3F)),
    Fxp.CLOSE: lambda fields: Close(_handle(fields)),
    Fxp.READ: _read,
    Fxp.LSTAT: lambda fields: Stat(_path(fields), follows=False),
    Fxp.STAT: lambda fields: Stat(_path(fields), follows=True),
    Fxp.FSTAT: lambda fields: StatHandle(_handle(fields)),
    Fxp.SETSTAT: lambda fields: SetStat(_path(fields), attributes(fields)),
    Fxp.FSETSTAT: lambda fields: SetHandle(_handle(fields), attributes(fields)),
    Fxp.OPENDIR: lambda fields: OpenDirectory(_path(fields)),
    Fxp.READDIR: lambda fields: ReadDirectory(_handle(fields)),
    Fxp.REMOVE: _changing("remove"),
    Fxp.MKDIR: _changing("mkdir"),
    Fxp.RMDIR: _changing("rmdir"),
    Fxp.RENAME: _moving("rename"),
    Fxp.SYMLINK: _linking("symlink"),
    Fxp.EXTENDED: _extended,
}
