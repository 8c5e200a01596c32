"""A manifest read off SFTP: which files moved, and which were changed (draft-ietf-secsh-filexfer-02).

Requests and answers are matched by id, so pipelining and answers out of order do not matter. A digest
covers what passed, in file order: for a download what the target gave, for an upload what was sent,
provided that the target acknowledged all of it.

Nothing here trusts either side. A name or a handle beyond its ceiling, more open files or unanswered
requests than a server allows, an answer that nobody asked for, a handle that was never given: each
ends the reading, and the stream is recorded octet by octet from there.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import replace

from watchgate.session.events import Event, FileChanged, TransferUnreadable, text
from watchgate.transfers.manifest import (
    DigestFactory,
    OrderedDigest,
    UnreadableError,
    Window,
    sha256,
)
from watchgate.transfers.sftp_files import OpenFile, Sizes
from watchgate.transfers.sftp_requests import (
    Change,
    Close,
    Copy,
    Open,
    OpenDirectory,
    Other,
    Read,
    ReadDirectory,
    Request,
    SetHandle,
    SetStat,
    Stat,
    StatHandle,
    Write,
    parse,
    set_changes,
    weight,
)
from watchgate.transfers.sftp_wire import (
    MAX_HANDLE,
    MAX_NAME,
    MAX_PACKET,
    VERSION,
    Attributes,
    Bulk,
    Fields,
    Fx,
    Fxp,
    Packet,
    Scanner,
    attributes,
)

MAX_OPEN = 4096
"""Open handles of one channel."""

MAX_WAITING = 16_384
"""Unanswered requests of one channel; clients have some hundreds."""

MAX_KEPT_NAMES = 2 * 1024 * 1024
"""Octets of names kept for unanswered requests and open handles together."""

BROKEN = "broken off"


class SftpReader:
    """Reads both directions of one SFTP channel; a `TransferReader`."""

    def __init__(self, channel: int, digests: DigestFactory = sha256) -> None:
        self._channel = channel
        self._digests = digests
        self._window = Window()
        self.requests = Scanner(Fxp.WRITE)
        self.answers = Scanner(Fxp.DATA)
        self._greeted = {"sent": False, "received": False}
        self._waiting: dict[int, tuple[Request, OpenFile | None]] = {}
        self._files: dict[bytes, OpenFile | bytes] = {}  # a directory is its path
        self._live: dict[OpenFile, None] = {}
        self._sizes = Sizes()
        self._kept = 0
        self._upload: tuple[OrderedDigest, int] | None = None
        self._download: tuple[OrderedDigest, int] | None = None
        self._failed: str | None = None

    @property
    def failed(self) -> str | None:
        """Why the stream cannot be read any more."""
        return self._failed

    @property
    def unread(self) -> tuple[bytes, bytes]:
        """Once `failed`: what was sent and received and is in no event."""
        return self.requests.unread, self.answers.unread

    def sent(self, data: bytes) -> list[Event]:
        """*data* went from the client to the target."""
        return self._read(self.requests, data, self.heard, "sent")

    def received(self, data: bytes) -> list[Event]:
        """*data* went from the target to the client."""
        return self._read(self.answers, data, self._answered, "received")

    def closed(self) -> list[Event]:
        """The channel ended."""
        if self._failed is not None:
            return []
        return self._broken()

    def fail(self, direction: str, reason: str) -> list[Event]:
        """Stop reading; *direction* is whose octets could not be read, `sent` or `received`."""
        side = "client" if direction == "sent" else "target"
        what = "sent" if self._greeted[direction] else "does not speak SFTP:"
        self._failed = f"the {side} {what} {reason}"
        unreadable = TransferUnreadable(self._channel, "sftp", "both", self._failed)
        return [*self._broken(), unreadable]

    def heard(self, item: Packet | memoryview) -> list[Event]:
        """The client sent a packet or a span of file data, and it is passed on; raises UnreadableError."""
        if isinstance(item, memoryview):
            if self._upload is not None:
                passage, offset = self._upload
                passage.piece(offset, item)
                self._upload = passage, offset + len(item)
            return []
        if not self._greeted["sent"]:
            self._greet("sent", item, Fxp.INIT)
            return []
        if item.kind == Fxp.INIT:
            raise UnreadableError("a second INIT")
        number, request = parse(item)
        if number in self._waiting:
            raise UnreadableError(f"request {number} is asked twice before its answer")
        if len(self._waiting) >= MAX_WAITING:
            raise UnreadableError(f"more than {MAX_WAITING} requests wait for an answer")
        request, file = self._ask(request)
        self._keep(weight(request))
        self._waiting[number] = request, file
        return []

    def _read(
        self,
        scanner: Scanner,
        data: bytes,
        hear: Callable[[Packet | memoryview], list[Event]],
        direction: str,
    ) -> list[Event]:
        events: list[Event] = []
        if self._failed is not None:
            return events
        try:
            for item in scanner.feed(data):
                events += hear(item)
        except UnreadableError as error:
            events += self.fail(direction, str(error))
        return events

    def _greet(self, direction: str, packet: Packet, expected: Fxp) -> None:
        if packet.kind != expected:
            raise UnreadableError(f"a packet of type {packet.kind} where {expected.name} must be")
        version = packet.fields().uint32()
        if direction == "received" and version > VERSION:
            raise UnreadableError(
                f"version {version} was agreed on, and {VERSION} is what can be read"
            )
        self._greeted[direction] = True

    def _keep(self, names: int) -> None:
        self._kept += names
        if self._kept > MAX_KEPT_NAMES:
            raise UnreadableError("too many long names are waiting or open")

    # --- requests ------------------------------------------------------------------------------

    def _ask(self, request: Request) -> tuple[Request, OpenFile | None]:
        """Note what *request* begins; gives back what its answer will be read against."""
        match request:
            case Read(handle, offset, _):
                file = self._file(handle)
                file.reading(offset)
                return request, file
            case Write(handle):
                return self._write(request, self._file(handle))
            case Close(handle):
                return request, self._close(handle)
            case StatHandle(handle) | SetHandle(handle):
                return self._look(request, handle)
            case ReadDirectory(handle):
                return Stat(self._directory(handle), follows=False), None
            case Copy(source, destination):
                origin, file = self._file(source), self._file(destination)
                return Change("copy", origin.path, file.path), file
            case _:
                return request, None

    def _write(self, request: Write, file: OpenFile) -> tuple[Request, OpenFile]:
        upload = file.writing(request.offset)
        offset = upload.locate(request.offset, request.length)
        upload.waiting += 1
        self._upload = upload.passage, offset
        return replace(request, offset=offset), file

    def _look(
        self, request: StatHandle | SetHandle, handle: bytes
    ) -> tuple[Request, OpenFile | None]:
        """Attributes, which a directory has as well."""
        path = self._files.get(handle)
        if not isinstance(path, bytes):
            return request, self._file(handle)
        if isinstance(request, SetHandle):
            return SetStat(path, request.attributes), None
        return Other(), None

    def _close(self, handle: bytes) -> OpenFile | None:
        """The handle is free from here on: the target may give it again before it answers."""
        file = self._files.pop(handle, None)
        if file is not None:
            self._kept -= len(handle)
        if isinstance(file, bytes):
            self._kept -= len(file)
            return None
        return file

    def _file(self, handle: bytes) -> OpenFile:
        file = self._files.get(handle)
        if not isinstance(file, OpenFile):
            raise UnreadableError("a request for a file handle that was not given")
        return file

    def _directory(self, handle: bytes) -> bytes:
        path = self._files.get(handle)
        if not isinstance(path, bytes):
            raise UnreadableError("a request for a directory handle that was not given")
        return path

    # --- answers -------------------------------------------------------------------------------

    def _answered(self, item: Packet | memoryview) -> list[Event]:
        if isinstance(item, memoryview):
            if self._download is not None:
                passage, offset = self._download
                passage.piece(offset, item)
                self._download = passage, offset + len(item)
            return []
        if not self._greeted["received"]:
            self._greet("received", item, Fxp.VERSION)
            return []
        fields = item.fields()
        number = fields.uint32()
        if number not in self._waiting:
            raise UnreadableError(f"an answer to request {number}, which was not asked")
        request, file = self._waiting.pop(number)
        self._kept -= weight(request)
        return self._settle(request, file, item, fields)

    def _settle(
        self, request: Request, file: OpenFile | None, answer: Packet, fields: Fields
    ) -> list[Event]:
        """What the *answer* to *request* brings about."""
        match request, answer.kind:
            case Read(), Fxp.DATA if file is not None and isinstance(answer, Bulk):
                self._give(request, file, answer.size)
            case Read(), Fxp.STATUS if file is not None:
                if fields.uint32() == Fx.EOF:
                    file.reading(request.offset).ended(request.offset)
            case Write(), Fxp.STATUS if file is not None and file.upload is not None:
                end = request.offset + request.length
                file.upload.acknowledged(end, fields.uint32() == Fx.OK)
            case Close(), Fxp.STATUS:
                return self._finished(file, fields.uint32())
            case ((Open() | OpenDirectory()), Fxp.HANDLE):
                self._opened(request, fields.string(MAX_HANDLE))
            case ((Change() | SetStat() | SetHandle()), Fxp.STATUS):
                return self._changed(request, file, fields.uint32() == Fx.OK)
            case Stat(), Fxp.NAME:
                self._listed(request.path, fields)
            case ((Stat() | StatHandle()), Fxp.ATTRS):
                self._measured(request, file, attributes(fields))
            case ((Read() | Write() | Close() | Change()), _):
                raise UnreadableError(f"a {type(request).__name__} answered by type {answer.kind}")
            case _, Fxp.HANDLE | Fxp.DATA:
                raise UnreadableError(f"an answer of type {answer.kind} that was not asked for")
            case _:
                pass
        return []

    def _give(self, request: Read, file: OpenFile, size: int) -> None:
        if size > request.length:
            raise UnreadableError(f"{size} octets in answer to a request for {request.length}")
        self._download = file.reading(request.offset).passage, request.offset

    def _opened(self, request: Open | OpenDirectory, handle: bytes) -> None:
        if handle in self._files:
            raise UnreadableError("a handle that is in use was given again")
        if len(self._live) >= MAX_OPEN or len(self._files) >= MAX_OPEN:
            raise UnreadableError(f"more than {MAX_OPEN} open handles")
        self._keep(len(request.path) + len(handle))
        if isinstance(request, OpenDirectory):
            self._files[handle] = request.path
            return
        if request.changes:
            self._sizes.forget(request.path)
        size = self._sizes.of(request.path)
        file = OpenFile(request.path, request.flags, size, self._digests, self._window)
        self._files[handle] = file
        self._live[file] = None

    def _finished(self, file: OpenFile | None, code: int) -> list[Event]:
        if file is None:
            return []
        self._live.pop(file, None)
        self._kept -= len(file.path)
        why = "" if code == Fx.OK else "the target failed to close the file"
        return list(file.report(self._channel, why))

    def _changed(
        self, request: Change | SetStat | SetHandle, file: OpenFile | None, well: bool
    ) -> list[Event]:
        changes: list[Change] = []
        match request:
            case Change():
                changes = [request]
                if file is not None and well:
                    file.writing(0).copied = True
            case SetStat(path, wanted):
                changes = set_changes(path, wanted)
            case SetHandle(_, wanted):
                if file is not None:
                    changes = self._set_open(file, wanted, well)
        return [self._row(change, well) for change in changes]

    def _set_open(self, file: OpenFile, wanted: Attributes, well: bool) -> list[Change]:
        if well and wanted.size is not None and not file.resized(wanted.size):
            wanted = replace(wanted, size=None)  # an upload that says where it ends
        return set_changes(file.path, wanted)

    def _row(self, change: Change, well: bool) -> Event:
        to = None if change.to is None else text(change.to)
        return FileChanged(self._channel, "sftp", change.operation, text(change.path), to, well)

    def _listed(self, directory: bytes, fields: Fields) -> None:
        """Names of a directory tell the sizes of files that may be fetched next."""
        for _ in range(fields.uint32()):
            name = fields.string(MAX_NAME)
            fields.string(MAX_PACKET)  # the line that `ls -l` would show
            found = attributes(fields)
            if found.size is not None and not found.link:
                self._sizes.learn(posixpath.join(directory, name), found.size)

    def _measured(self, request: Request, file: OpenFile | None, found: Attributes) -> None:
        if found.size is None:
            return
        if file is not None:
            file.size = found.size
        elif isinstance(request, Stat) and (request.follows or not found.link):
            self._sizes.learn(request.path, found.size)

    def _broken(self) -> list[Event]:
        """What was open is reported as it stands; a change that was not answered is one that failed."""
        events: list[Event] = []
        for request, file in self._waiting.values():
            if isinstance(request, Change | SetStat | SetHandle):
                events += self._changed(request, file, well=False)
        for file in self._live:
            events += file.report(self._channel, BROKEN)
        self._waiting.clear()
        self._files.clear()
        self._live.clear()
        return events
