"""The files that are open over SFTP, and what is known of each.

A handle that is read and written gives two rows in the manifest. *complete* is only said of what is
certain: every octet from the first to the end of the file, and the end itself, were seen.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from watchgate.session.events import FileMoved, text
from watchgate.transfers.manifest import DigestFactory, OrderedDigest, Window
from watchgate.transfers.sftp_wire import Fxf

SIZES = 256 * 1024
"""Octets of paths whose sizes are remembered, because they may be downloaded next."""


@dataclass(slots=True)
class Download:
    """What one handle gave to the client."""

    passage: OrderedDigest
    end: int | None = None
    """Where the target said that the file ends."""

    def ended(self, offset: int) -> None:
        """The target has nothing at *offset*."""
        self.end = offset if self.end is None else min(self.end, offset)

    def report(self, size: int | None, why: str) -> tuple[int, str | None, bool, str]:
        """Size, digest, complete, note; *size* is the file's where it is known, *why* what broke it."""
        covered, digest = self.passage.covered, self.passage.hexdigest()
        seen = size == covered.end or (self.end is not None and self.end <= covered.end)
        notes = [
            (why, why),
            (covered.start > 0, f"starts at octet {covered.start}"),
            (not covered.gapless, "with gaps"),
            (covered.gapless and digest is None, "read out of order"),
            (not seen and not why, "not read to the end of the file"),
        ]
        complete = not why and seen and covered.gapless and covered.start == 0
        return covered.end - covered.start, digest, complete, _joined(notes)


@dataclass(slots=True)
class Upload:
    """What one handle took from the client."""

    passage: OrderedDigest
    fresh: bool
    """The file was emptied or made by opening it."""
    appends: bool
    length: int | None
    """How long the file is on the target, where it is known."""
    waiting: int = 0
    """Writes that were sent and not yet acknowledged."""
    refused: int = 0
    stored: int = 0
    """The end of what was acknowledged."""
    copied: bool = False
    """The target copied octets into it that did not pass here."""
    place: int = 0
    """Where the next appended octets go, counted from the first."""

    def locate(self, offset: int, size: int) -> int:
        """Where *size* octets really go: appending targets do not look at the offset."""
        if self.appends:
            offset, self.place = self.place, self.place + size
        return offset

    def acknowledged(self, end: int, well: bool) -> None:
        """The target answered a write that ended at *end*."""
        self.waiting -= 1
        if not well:
            self.refused += 1
            return
        self.stored = max(self.stored, end)
        if self.length is not None:
            self.length = max(self.length, end)

    def report(self, why: str) -> tuple[int, str | None, bool, str]:
        """Size, digest, complete, note; *why* says what broke the transfer off."""
        covered, digest = self.passage.covered, self.passage.hexdigest()
        ordered = digest is not None or not covered.gapless
        settled = not self.refused and not self.waiting
        if self.passage.repeated or self.copied or not settled:
            digest = None  # what the file holds is not what was hashed
        appended = self.appends and not self.fresh
        notes = [
            (why, why),
            (self.refused, "the target refused to write"),
            (self.waiting, "not all of it was acknowledged"),
            (covered.start > 0, f"starts at octet {covered.start}"),
            (appended, "appended to the file"),
            (not covered.gapless, "with gaps"),
            (self.passage.repeated, "written over again"),
            (self.copied, "the target copied octets into it"),
            (not ordered, "written out of order"),
            (self._tail(covered.end), self._tail(covered.end)),
        ]
        whole = covered.gapless and covered.start == 0 and self.length == covered.end
        complete = whole and settled and not why and not appended and not self.copied
        return max(self.stored - covered.start, 0), digest, complete, _joined(notes)

    def _tail(self, end: int) -> str:
        if self.appends and not self.fresh:
            return ""
        if self.length is None:
            return "the file was not emptied before: more may follow in it"
        return "" if self.length == end else f"the file was set to {self.length} octets"


@dataclass(slots=True, eq=False)
class OpenFile:
    """A handle of a file."""

    path: bytes
    flags: Fxf
    size: int | None
    """How long the file was when it was opened, where it is known."""
    factory: DigestFactory
    window: Window
    length: int | None = field(default=None, init=False)
    """What the target set it to."""
    download: Download | None = field(default=None, init=False)
    upload: Upload | None = field(default=None, init=False)

    def reading(self, offset: int) -> Download:
        """The download, which starts at *offset* if it has not begun."""
        if self.download is None:
            self.download = Download(OrderedDigest(offset, self.factory, self.window))
        return self.download

    def writing(self, offset: int) -> Upload:
        """The upload, which starts at *offset* if nothing was written so far."""
        if self.upload is None:
            fresh = bool(self.flags & (Fxf.TRUNC | Fxf.EXCL))
            appends = bool(self.flags & Fxf.APPEND)
            start = 0 if fresh or appends else offset
            passage = OrderedDigest(start, self.factory, self.window)
            length = 0 if fresh and self.length is None else self.length
            self.upload = Upload(passage, fresh, appends, length)
        return self.upload

    def resized(self, size: int) -> bool:
        """The target set the file to *size*; false when it only says where the upload ends."""
        self.length = size
        if self.upload is None:
            return True
        self.upload.length = size
        return size != self.upload.stored

    def report(self, channel: int, why: str) -> list[FileMoved]:
        """The rows of the manifest; *why* says what broke it off, where something did."""
        rows = []
        if not why:
            self._note_empty()
        if self.download is not None:
            rows.append(("download", self.download.report(self.size, why)))
        if self.upload is not None:
            rows.append(("upload", self.upload.report(why)))
        path = text(self.path)
        return [FileMoved(channel, "sftp", way, path, *facts) for way, facts in rows]

    def _note_empty(self) -> None:
        """An empty file moves without a single read or write."""
        if not self.flags & Fxf.WRITE:
            if self.size == 0:
                self.reading(0)
        elif self.flags & (Fxf.CREAT | Fxf.TRUNC | Fxf.EXCL):
            self.writing(0)


class Sizes:
    """How long files are, as the target told lately: enough to know where a download ends."""

    __slots__ = ("_octets", "_sizes")

    def __init__(self) -> None:
        self._sizes: OrderedDict[bytes, int] = OrderedDict()
        self._octets = 0

    def learn(self, path: bytes, size: int) -> None:
        """The file at *path* has *size* octets; the oldest knowledge gives way."""
        self.forget(path)
        self._sizes[path] = size
        self._octets += len(path)
        while self._octets > SIZES or len(self._sizes) > SIZES // 64:
            self.forget(next(iter(self._sizes)))

    def forget(self, path: bytes) -> None:
        """The file at *path* may have another size from now on."""
        if self._sizes.pop(path, None) is not None:
            self._octets -= len(path)

    def of(self, path: bytes) -> int | None:
        """The size of the file at *path*, where it is known."""
        return self._sizes.get(path)


def _joined(notes: list[tuple[object, str]]) -> str:
    return "; ".join(words for holds, words in notes if holds)
