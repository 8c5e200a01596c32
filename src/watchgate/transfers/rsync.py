"""A manifest of what an rsync session moves, read off both directions of its stream.

`RsyncReader` only listens: it takes what passes and returns events, keeps nothing of what files hold,
and when the stream is not what the command claimed it says so once and reads no further. What is
exact and what is not: docs/explanation/rsync-manifest.md.
"""

from __future__ import annotations

from collections.abc import Callable

from watchgate.session.events import Event, FileChanged, FileMoved, TransferUnreadable, text
from watchgate.transfers.manifest import DigestFactory, sha256
from watchgate.transfers.rsync_claim import RsyncClaim, claims
from watchgate.transfers.rsync_content import Content
from watchgate.transfers.rsync_flist import Entry, FileList
from watchgate.transfers.rsync_handshake import Handshake
from watchgate.transfers.rsync_mux import Demultiplexer
from watchgate.transfers.rsync_places import Places
from watchgate.transfers.rsync_streams import Generator, Sender, Stream
from watchgate.transfers.rsync_wire import CEILING, Compat, Cursor, Item, Short, Tag, Unreadable

__all__ = ["RsyncClaim", "RsyncReader", "claims"]


class _Side:
    """One direction: its opening item by item, then its stream, multiplexed or not."""

    def __init__(self, opening: Callable[[Cursor], None], opened: Callable[[], bool]) -> None:
        self._opening = opening
        self._opened = opened
        self._heard = b""
        self._kept = b""
        self._stream: Stream | None = None
        self._mux: Demultiplexer | None = None

    @property
    def unread(self) -> bytes:
        """Octets that arrived and told nothing yet; before both sides have opened, all of them."""
        if self._stream is None:
            return self._heard
        return self._stream.unread + (self._mux.unread if self._mux else b"") + self._kept

    @property
    def waiting(self) -> bool:
        """Whether something arrived that is not whole."""
        return bool(self._kept if self._stream is None else self.unread)

    def attach(self, stream: Stream, mux: Demultiplexer | None) -> None:
        """The opening is over on both sides: what follows is *stream*, through *mux* if there is one."""
        self._stream, self._mux = stream, mux
        self._heard = b""

    def feed(self, data: memoryview) -> None:
        """Read *data*; raises Unreadable."""
        if self._stream is None:
            self._heard += data
        if self._stream is None or self._kept:
            data = memoryview(self._kept + data)
            self._kept = b""
        if self._stream is None:
            data = self._open(data)
        if self._stream is None:
            if len(data) > CEILING:
                raise Unreadable("one side goes on before the other has opened")
            self._kept = bytes(data)
        elif self._mux is not None:
            self._mux.feed(data)
        elif data:
            self._stream.feed(data)

    def _open(self, data: memoryview) -> memoryview:
        """Read items of the opening; returns what is left."""
        cursor = Cursor(data)
        mark = 0
        try:
            while not self._opened() and mark < cursor.end:
                self._opening(cursor)
                mark = cursor.at
        except Short:
            pass
        return data[mark:]


class RsyncReader:
    """Reads one `rsync --server` session; never raises."""

    def __init__(self, claim: RsyncClaim, channel: int, digests: DigestFactory = sha256) -> None:
        self._digests = digests
        self._claim = claim
        self._channel = channel
        self._handshake = Handshake(claim)
        handshake = self._handshake
        self._client = _Side(handshake.client, lambda: handshake.client_done)
        self._server = _Side(handshake.server, lambda: handshake.server_done)
        self._places = Places(claim)
        self._files = FileList(incremental=False)
        self._sender: Sender | None = None
        self._events: list[Event] = []
        self._failed: str | None = None
        self._unread = (b"", b"")
        self._over = False

    @property
    def failed(self) -> str | None:
        """Why the stream stopped being readable; None while it is."""
        return self._failed

    @property
    def claim(self) -> RsyncClaim:
        """The command's claim; with secluded arguments it is whole once they have passed."""
        return self._claim

    @property
    def unread(self) -> tuple[bytes, bytes]:
        """Once the reader `failed`: what was sent and received and is in no event.

        Before both sides have opened that is all there was. Later it is what was not whole, and all
        of the octets just given, of which the first may be in events too.
        """
        return self._unread

    def sent(self, data: bytes) -> list[Event]:
        """Octets that went from the client towards the target."""
        return self._feed(self._client, data)

    def received(self, data: bytes) -> list[Event]:
        """Octets that came from the target towards the client."""
        return self._feed(self._server, data)

    def closed(self) -> list[Event]:
        """The channel is closed: nothing follows."""
        if self._over or self._failed is not None:
            return []
        self._over = True
        if self._client.waiting or self._server.waiting:
            self._unread = (self._client.unread, self._server.unread)
            octets = sum(map(len, self._unread))
            self._fail(f"the stream ended inside a message: {octets} octets of it were not read")
        else:
            self._break_off("broken off")
        return self._take()

    def _feed(self, side: _Side, data: bytes) -> list[Event]:
        if self._failed is not None or self._over:
            return []
        sent, received = self._client.unread, self._server.unread
        try:
            side.feed(memoryview(data))
            if self._sender is None:
                self._begin()
        except Unreadable as reason:
            ours = side is self._client
            self._unread = (sent + data, received) if ours else (sent, received + data)
            self._fail(str(reason))
        return self._take()

    def _take(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _begin(self) -> None:
        """Attach both streams once both sides have opened; what waited is read then."""
        # What one side said may be what the other's octets waited for.
        for side in (self._client, self._server):
            side.feed(memoryview(b""))
        terms = self._handshake.terms()
        if terms is None:
            return
        claim = self._claim = self._handshake.claim
        self._refuse_what_is_not_read(claim)
        self._places = Places(claim)
        self._files = FileList(Compat.INC_RECURSE in terms.compat)
        upload = claim.direction == "upload"
        sender = Sender(claim, terms, upload, self._files, self, self._digests)
        generator = Generator(claim, terms, not upload, self._files)
        self._sender = sender
        self._attach(self._client, sender if upload else generator, terms.protocol >= 30)
        self._attach(self._server, generator if upload else sender, multiplexed=True)
        for side in (self._client, self._server):
            side.feed(memoryview(b""))

    def _attach(self, side: _Side, stream: Stream, multiplexed: bool) -> None:
        message = self._told_by_client if side is self._client else self._told_by_server
        side.attach(stream, Demultiplexer(stream.feed, message) if multiplexed else None)

    @staticmethod
    def _refuse_what_is_not_read(claim: RsyncClaim) -> None:
        if claim.iconv:
            raise Unreadable("file names are converted on the way (--iconv)")
        if claim.files_from is not None and claim.direction == "upload":
            raise Unreadable("the target names the files that the client sends (--files-from)")

    # --- what the streams tell ---------------------------------------------------------------------

    def item(self, number: int, flags: Item, other_name: bytes) -> None:
        """An entry was changed without a transfer; only what is new there is a row."""
        if self._claim.dry_run or self._claim.direction == "download":
            return
        if Item.LOCAL_CHANGE in flags and (Item.IS_NEW in flags or other_name):
            entry = self._files.entry(number)
            operation, to = _made(entry, flags, other_name)
            self._changed(operation, self._path(entry), to)

    def ended(self, number: int, content: Content) -> None:
        """All octets of a file have passed."""
        self._moved(number, content, "")

    def _told_by_client(self, tag: Tag, told: bytes) -> None:
        """A receiver at the client's has what the target sent, and the target removes its own."""
        if tag is Tag.SUCCESS and self._claim.removes_sources and not self._claim.dry_run:
            entry = self._files.entry(int.from_bytes(told, "little"))
            self._changed("remove", self._path(entry), None)

    def _told_by_server(self, tag: Tag, told: bytes) -> None:
        """The target removed something; a directory's name ends with a zero octet."""
        if tag is not Tag.DELETED or self._claim.direction != "upload":
            return
        if not self._claim.dry_run:
            operation = "rmdir" if told.endswith(b"\0") else "remove"
            path = self._places.of(told.rstrip(b"\0"), alone=False).path
            self._changed(operation, path, None)

    # --- rows --------------------------------------------------------------------------------------

    def _path(self, entry: Entry) -> str:
        return self._places.of(entry.name, self._alone(entry)).path

    def _alone(self, entry: Entry) -> bool:
        return self._files.total == 1 and not entry.is_directory

    def _changed(self, operation: str, path: str, to: str | None) -> None:
        self._events.append(FileChanged(self._channel, "rsync", operation, path, to, True))

    def _moved(self, number: int, content: Content, broken: str) -> None:
        entry = self._files.entry(number)
        place = self._places.of(entry.name, self._alone(entry))
        notes = [broken, content.note(), place.note]
        self._events.append(
            FileMoved(
                channel=self._channel,
                protocol="rsync",
                direction=self._claim.direction,
                path=place.path,
                size=entry.size if content.size is None else content.size,
                digest=content.digest,
                complete=not broken and content.covers_file,
                note="; ".join(note for note in notes if note),
            )
        )

    def _break_off(self, how: str) -> None:
        """A row for the file that was passing."""
        passing = self._sender.passing if self._sender else None
        if passing is not None:
            number, content = passing
            size = self._files.entry(number).size
            self._moved(number, content, f"{how}: the file list says {size} octets")

    def _fail(self, reason: str) -> None:
        if self._claim.unknown:
            reason += f" (unknown options: {' '.join(self._claim.unknown)})"
        self._failed = reason
        self._break_off("not readable any more")
        self._events.append(
            TransferUnreadable(self._channel, "rsync", self._claim.direction, reason)
        )
        self._sender = None


def _made(entry: Entry, flags: Item, other_name: bytes) -> tuple[str, str | None]:
    """What was made of an entry without a transfer, and what it leads to."""
    if other_name and Item.XNAME_FOLLOWS in flags:
        return "link", text(other_name)
    if entry.is_directory:
        return "mkdir", None
    if entry.is_symlink:
        return "symlink", text(entry.link)
    return "make", None
