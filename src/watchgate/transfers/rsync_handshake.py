"""How an rsync stream opens: versions, what both sides know, and the methods they agree on.

Client: [secluded arguments] version, [checksum names, [compression names]].
Server: version, compat flags, [checksum names, [compression names]], seed. Protocol 29 has versions
and the seed only. Each side's part is read when what it depends on has been said by the other; that
is always before, because neither side can write what it has not agreed on yet.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchgate.transfers.rsync_claim import RsyncClaim, complete
from watchgate.transfers.rsync_wire import NAME_CEILING, Compat, Cursor, Short, Unreadable

OLDEST, NEWEST = 29, 32
_ARGUMENTS_CEILING = 64 * 1024
_NAMES_CEILING = 512
_CHECKSUM_LENGTHS = {
    "xxh128": 16,
    "xxh3": 8,
    "xxh64": 8,
    "md5": 16,
    "md4": 16,
    "sha1": 20,
    "none": 1,
}
_COMPRESSIONS = frozenset({"zstd", "lz4", "zlibx", "zlib"})


@dataclass(frozen=True, slots=True)
class Terms:
    """What the two sides agreed on."""

    protocol: int
    compat: Compat
    compression: str | None
    checksum_length: int
    """Octets of the checksum after each file."""
    list_checksum_length: int
    """Octets of the checksum of each file in the list (`-c`)."""


class Opening:
    """One side's part of the opening, as far as it has been read."""

    def __init__(self) -> None:
        self.version: int | None = None
        self.checksums: list[bytes] | None = None
        self.compressions: list[bytes] | None = None


class Handshake:
    """Reads the opening of both sides, item by item; `terms` once both have said theirs."""

    def __init__(self, claim: RsyncClaim) -> None:
        self.claim = claim
        self._client = Opening()
        self._server = Opening()
        self._arguments: list[str] | None = [] if claim.secluded else None
        self._arguments_length = 0
        self._compat: Compat | None = None
        self._seeded = False

    def client(self, cursor: Cursor) -> None:
        """Read one item of the client."""
        if self._arguments is not None:
            self._argument(cursor, self._arguments)
        elif self._client.version is None:
            self._client.version = self._version(cursor)
        else:
            self._names(cursor, self._client)

    def server(self, cursor: Cursor) -> None:
        """Read one item of the server."""
        if self._server.version is None:
            self._server.version = self._version(cursor)
        elif self._compat is None:
            self._compat = self._flags(cursor)
        elif not self._said(self._server):
            self._names(cursor, self._server)
        else:
            cursor.take(4)
            self._seeded = True

    @property
    def client_done(self) -> bool:
        """The client has nothing more to say; may become true by what the server said."""
        return self._compat is not None and self._said(self._client)

    @property
    def server_done(self) -> bool:
        """The server has nothing more to say: its seed has come."""
        return self._seeded

    @property
    def protocol(self) -> int:
        """The lower of both versions; raises Short while one is unknown."""
        if self._client.version is None or self._server.version is None:
            raise Short
        protocol = min(self._client.version, self._server.version)
        if not OLDEST <= protocol <= NEWEST:
            raise Unreadable(f"protocol {protocol} is not read, only {OLDEST} to {NEWEST} are")
        return protocol

    def terms(self) -> Terms | None:
        """What was agreed on; None before that, raises Unreadable when it is not known."""
        if self._compat is None or not (self.client_done and self.server_done):
            return None
        transfer, _, listed = self._checksum().partition(",")
        return Terms(
            protocol=self.protocol,
            compat=self._compat,
            compression=self._compression(),
            checksum_length=_length(transfer),
            list_checksum_length=_length(listed or transfer),
        )

    def _argument(self, cursor: Cursor, arguments: list[str]) -> None:
        """One secluded argument, or the empty one that ends them."""
        view = cursor.data[cursor.at : cursor.at + 2 * NAME_CEILING]
        length = bytes(view).find(b"\0")
        if length < 0:
            if len(view) >= 2 * NAME_CEILING:
                raise Unreadable("a secluded argument is longer than a path can be")
            raise Short
        argument = bytes(cursor.take(length + 1)[:length])
        self._arguments_length += length + 1
        if self._arguments_length > _ARGUMENTS_CEILING:
            raise Unreadable(f"the secluded arguments are longer than {_ARGUMENTS_CEILING} octets")
        if argument:
            arguments.append(argument.decode("utf-8", "surrogateescape"))
            return
        self.claim = complete(self.claim, arguments)
        self._arguments = None

    @staticmethod
    def _version(cursor: Cursor) -> int:
        version = cursor.i32()
        if not 0 < version < 256:
            raise Unreadable("the stream does not open with a version of rsync")
        return version

    def _flags(self, cursor: Cursor) -> Compat:
        if self.protocol < 30:
            # Nothing is said of it: what follows is the seed.
            return Compat(0)
        return Compat(cursor.varint() if "v" in self.claim.capabilities else cursor.u8())

    @property
    def _negotiates(self) -> bool:
        return self._compat is not None and Compat.VARINT_FLIST_FLAGS in self._compat

    def _said(self, side: Opening) -> bool:
        """Whether *side* has sent all the lists of method names that it has to."""
        if not self._negotiates:
            return True
        checksums = self.claim.checksum is not None or side.checksums is not None
        return checksums and (self.claim.compression != "auto" or side.compressions is not None)

    def _names(self, cursor: Cursor, side: Opening) -> None:
        if not self._negotiates:
            raise Short
        names = cursor.vstring()
        if len(names) > _NAMES_CEILING:
            raise Unreadable("the list of methods is too long")
        if self.claim.checksum is None and side.checksums is None:
            side.checksums = names.split()
        else:
            side.compressions = names.split()

    def _checksum(self) -> str:
        if self.claim.checksum is not None:
            return self.claim.checksum
        if not self._negotiates:
            return "md5" if self.protocol >= 30 else "md4"
        return _first_common(self._client.checksums, self._server.checksums, "md5")

    def _compression(self) -> str | None:
        chosen = self.claim.compression
        if chosen == "auto":
            chosen = "zlib"
            if self._negotiates:
                chosen = _first_common(self._client.compressions, self._server.compressions, "none")
        if chosen in (None, "none"):
            return None
        if chosen not in _COMPRESSIONS:
            raise Unreadable(f"the compression {chosen!r} is not known")
        return chosen


def _length(checksum: str) -> int:
    try:
        return _CHECKSUM_LENGTHS[checksum]
    except KeyError as unknown:
        raise Unreadable(f"the checksum {checksum!r} is not known") from unknown


def _first_common(mine: list[bytes] | None, theirs: list[bytes] | None, otherwise: str) -> str:
    """The client's first choice that the server has too."""
    for name in mine or ():
        if name in (theirs or ()):
            return name.decode("ascii", "replace")
    return otherwise
