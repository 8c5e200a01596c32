"""A manifest read off scp's own protocol (`scp -O`): which files moved, in full and in order.

The command's claim says who is the source and who the sink; the stream has to bear it out octet by
octet, or it is no longer read as scp. A source that does not wait for the sink's answers, as many
scripts do, is followed; should the sink then refuse what has begun to flow, the two sides no longer
mean the same octets, and the reading ends.

What cannot be known: whether an upload's path is a directory, in which case scp puts files inside it.
Unless the path or `-d` says that it is one, the manifest names the path as it was asked for and the
note says where else the file would be.
"""

from __future__ import annotations

import posixpath
from collections import deque
from collections.abc import Callable

from watchgate.session.events import Event, FileMoved, TransferUnreadable, octets, text
from watchgate.transfers.manifest import Digest, DigestFactory, UnreadableError, sha256
from watchgate.transfers.scp_claim import ScpClaim
from watchgate.transfers.scp_wire import (
    Answer,
    Directory,
    DirectoryEnd,
    File,
    Line,
    Scanner,
    Times,
)

MAX_PATH = 64 * 1024
"""Octets of a path that is put together from the names of directories."""

MAX_WAITING = 128
"""Lines and files that the sink has not answered yet; scp itself waits after each."""

MAX_WORDS = 200
"""Octets of a message that go into a note."""


class _Passing:
    """A file on its way."""

    __slots__ = ("accepted", "digest", "ending", "passed", "path", "remark", "size")

    def __init__(self, path: bytes, size: int, remark: str, digest: Digest) -> None:
        self.path = path
        self.size = size
        self.remark = remark
        self.digest = digest
        self.passed = 0
        self.accepted = False
        """The sink answered the file's line; the next answer is about its data."""
        self.ending: Answer | None = None
        """What the source said after the data."""

    def piece(self, data: memoryview) -> None:
        self.digest.update(data)
        self.passed += len(data)


class _Asked:
    """A line that wants an answer: with its file, or as the entry into a directory."""

    __slots__ = ("enters", "file")

    def __init__(self, file: _Passing | None = None, *, enters: bool = False) -> None:
        self.file = file
        self.enters = enters


class ScpReader:
    """Reads both directions of one scp channel; a `TransferReader`."""

    def __init__(self, channel: int, claim: ScpClaim, digests: DigestFactory = sha256) -> None:
        self._channel = channel
        self._claim = claim
        self._base = octets(claim.path)
        self._digests = digests
        self._source = Scanner(sink=False)
        self._sink = Scanner(sink=True)
        self._uploads = claim.direction == "upload"
        self._names: list[bytes] = []
        self._remark = ""
        self._asked: deque[_Asked] = deque([_Asked()])  # the sink speaks first
        self._early: deque[Answer] = deque()
        self._file: _Passing | None = None
        self._failed: str | None = None

    @property
    def failed(self) -> str | None:
        """Why the stream cannot be read any more."""
        return self._failed

    @property
    def unread(self) -> tuple[bytes, bytes]:
        """Once `failed`: what was sent and received and is in no event."""
        source, sink = self._source.unread, self._sink.unread
        return (source, sink) if self._uploads else (sink, source)

    def sent(self, data: bytes) -> list[Event]:
        """*data* went from the client to the target."""
        return self._from_source(data) if self._uploads else self._from_sink(data)

    def received(self, data: bytes) -> list[Event]:
        """*data* went from the target to the client."""
        return self._from_sink(data) if self._uploads else self._from_source(data)

    def closed(self) -> list[Event]:
        """The channel ended."""
        return [] if self._failed is not None else self._broken()

    def _from_source(self, data: bytes) -> list[Event]:
        return self._read(self._source, data, self._heard)

    def _from_sink(self, data: bytes) -> list[Event]:
        return self._read(self._sink, data, self._answered)

    def _read(
        self, scanner: Scanner, data: bytes, hear: Callable[[Line | memoryview], list[Event]]
    ) -> list[Event]:
        events: list[Event] = []
        if self._failed is not None:
            return events
        try:
            for item in scanner.feed(data):
                events += hear(item)
        except UnreadableError as error:
            events += self._fail(str(error))
        return events

    def _fail(self, reason: str) -> list[Event]:
        events = self._broken()
        self._failed = reason
        unreadable = TransferUnreadable(self._channel, "scp", self._claim.direction, reason)
        return [*events, unreadable]

    # --- the source ----------------------------------------------------------------------------

    def _heard(self, item: Line | memoryview) -> list[Event]:
        match item:
            case memoryview():
                if self._file is not None:
                    self._file.piece(item)
                return []
            case File(name, size):
                return self._begin(name, size)
            case Directory(name):
                if not self._claim.recursive:
                    raise UnreadableError("a directory, which was not asked for")
                self._enter(name)
                return self._ask(_Asked(enters=True))
            case DirectoryEnd():
                if not self._names:
                    raise UnreadableError("the end of a directory that was not entered")
                self._names.pop()
                return self._ask(_Asked())
            case Times():
                return self._ask(_Asked())
            case Answer():
                return self._ended(item)

    def _begin(self, name: bytes, size: int) -> list[Event]:
        path = self._path(name, file=True)
        self._file = _Passing(path, size, self._remark, self._digests())
        self._source.expect_data(size)
        return self._ask(_Asked(self._file))

    def _ended(self, ending: Answer) -> list[Event]:
        """The source says how reading the file went, or warns of something between files."""
        file, self._file = self._file, None
        if file is None:
            return []
        file.ending = ending
        return self._ask(_Asked(file))

    def _ask(self, asked: _Asked) -> list[Event]:
        if len(self._asked) >= MAX_WAITING:
            raise UnreadableError("too much is sent without waiting for an answer")
        self._asked.append(asked)
        return self._answered(self._early.popleft()) if self._early else []

    # --- the sink ------------------------------------------------------------------------------

    def _answered(self, item: Line | memoryview) -> list[Event]:
        if not isinstance(item, Answer):
            raise UnreadableError("an answer that is none")
        if not self._asked:
            self._unasked(item)
            return []
        asked = self._asked.popleft()
        if asked.file is not None and asked.file.accepted:
            return [self._row(asked.file, item)]
        if item.code == 0:
            if asked.file is not None:
                asked.file.accepted = True
        elif asked.file is not None or asked.enters:
            self._skip(asked)
        return []

    def _unasked(self, answer: Answer) -> None:
        """A client may answer ahead; a target may have more than one thing to complain of."""
        if not self._uploads and len(self._early) < MAX_WAITING:
            self._early.append(answer)
        elif self._uploads and answer.code:
            return
        else:
            raise UnreadableError("an answer that nothing asked for")

    def _skip(self, asked: _Asked) -> None:
        """The sink refused a file or a directory before any of it: the source goes on after it."""
        begun = asked.file is not None and (asked.file.passed or asked.file is not self._file)
        if begun or self._asked or self._source.unread:
            raise UnreadableError("what was refused is sent all the same")
        if asked.enters:
            self._names.pop()
        else:
            self._file = None
            self._source.expect_line()

    # --- the manifest --------------------------------------------------------------------------

    def _row(self, file: _Passing, answer: Answer | None) -> Event:
        source, sink = ("client", "target") if self._uploads else ("target", "client")
        ending = file.ending
        notes = [
            (ending is None, "broken off"),
            (
                ending is not None and ending.code,
                f"the {source} could not read it all{_words(ending)}",
            ),
            (ending is not None and answer is None, f"the {sink} did not acknowledge it"),
            (answer is not None and answer.code, f"the {sink} did not keep it all{_words(answer)}"),
            (file.remark, file.remark),
        ]
        return FileMoved(
            channel=self._channel,
            protocol="scp",
            direction=self._claim.direction,
            path=text(file.path),
            size=file.passed,
            digest=file.digest.hexdigest(),
            complete=ending == answer == Answer(0),
            note="; ".join(words for holds, words in notes if holds),
        )

    def _broken(self) -> list[Event]:
        """What was on its way is reported as far as it came."""
        files = {asked.file: None for asked in self._asked if asked.file is not None}
        if self._file is not None:
            files[self._file] = None
        self._asked.clear()
        self._file = None
        return [self._row(file, None) for file in files if file.accepted or file.passed]

    # --- paths ---------------------------------------------------------------------------------

    def _enter(self, name: bytes) -> None:
        path = self._path(name, file=False)
        self._names.append(name if self._names else path)

    def _path(self, name: bytes, *, file: bool) -> bytes:
        """Where something called *name* lies, inside the directories that were entered."""
        if self._uploads and name in (b".", b".."):
            raise UnreadableError("a name that no file can have")
        if not self._names:
            return self._root(name, file=file)
        if sum(map(len, self._names)) + len(self._names) + len(name) > MAX_PATH:
            raise UnreadableError("directories that are too deep")
        return posixpath.join(*self._names, name)

    def _root(self, name: bytes, *, file: bool) -> bytes:
        """Where the first name lies: the path of the claim, or inside it."""
        self._remark = ""
        base = self._base
        last = posixpath.basename(base)
        if not self._uploads:
            if self._claim.pattern:
                return posixpath.join(posixpath.dirname(base), name)
            return base.rstrip(b"/") or b"/"
        home = base.startswith(b"~") and b"/" not in base
        inside = posixpath.join(base, name)
        if self._claim.directory or home or last in (b"", b".", b".."):
            return inside
        if not file or last != name:
            self._remark = f"under {text(inside)} if the path was a directory"
        return base


def _words(answer: Answer | None) -> str:
    said = answer.words.strip()[:MAX_WORDS] if answer is not None else b""
    return f": {text(said)}" if said else ""
