"""SFTP with some of it not granted."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transfer_packets import (
    NO_ATTRIBUTES,
    PUT,
    READ,
    Chunk,
    Conversation,
    changed,
    moved,
    packet,
    string,
)

from watchgate.session.events import ChannelRefused, Event, TransferUnreadable
from watchgate.transfers import sftp_filter
from watchgate.transfers.sftp_filter import SftpFilter
from watchgate.transfers.sftp_wire import Fx, Fxf, Fxp, Scanner, status

NO_UPLOAD = "upload is not granted"
NO_DOWNLOAD = "download is not granted"


@dataclass
class Wire:
    """A filter between two ends, and what each of them hears."""

    sifter: SftpFilter
    to_target: bytes = b""
    to_client: bytes = b""
    events: list[Event] = field(default_factory=list)

    def play(self, chunks: list[Chunk], piece: int = 1 << 20) -> Wire:
        for way, data in chunks:
            for at in range(0, len(data), piece):
                self.hear(way, data[at : at + piece])
        self.events += self.sifter.closed()
        return self

    def hear(self, way: str, data: bytes) -> None:
        if way == "sent":
            sifted = self.sifter.sent(data)
            self.to_target += sifted.forward
            self.to_client += sifted.answer
        else:
            sifted = self.sifter.received(data)
            self.to_client += sifted.forward
            assert sifted.answer == b""
        self.events += sifted.events

    @property
    def refusals(self) -> list[tuple[str, str]]:
        return [(e.what, e.reason) for e in self.events if isinstance(e, ChannelRefused)]


def sifter(*, upload: bool = False, download: bool = False) -> SftpFilter:
    return SftpFilter(7, upload=upload, download=download)


def said(chunks: list[Chunk], way: str) -> bytes:
    return b"".join(data for side, data in chunks if side == way)


def denied(number: int, reason: str) -> bytes:
    return status(number, Fx.PERMISSION_DENIED, f"watchgate: {reason}")


CHANGES = [
    (Fxp.OPEN, string(b"f") + struct.pack(">I", PUT) + NO_ATTRIBUTES, "open f"),
    (Fxp.OPEN, string(b"f") + struct.pack(">I", Fxf.READ | Fxf.CREAT) + NO_ATTRIBUTES, "open f"),
    (Fxp.OPEN, string(b"f") + struct.pack(">I", Fxf.READ | Fxf.TRUNC) + NO_ATTRIBUTES, "open f"),
    (Fxp.OPEN, string(b"f") + struct.pack(">I", Fxf.APPEND) + NO_ATTRIBUTES, "open f"),
    (Fxp.WRITE, string(b"h") + bytes(8) + string(b"file data"), "write"),
    (Fxp.SETSTAT, string(b"f") + struct.pack(">IQ", 1, 0), "setstat f"),
    (Fxp.FSETSTAT, string(b"h") + struct.pack(">IQ", 1, 0), "sethandle"),
    (Fxp.REMOVE, string(b"f"), "remove f"),
    (Fxp.MKDIR, string(b"f") + NO_ATTRIBUTES, "mkdir f"),
    (Fxp.RMDIR, string(b"f"), "rmdir f"),
    (Fxp.RENAME, string(b"f") + string(b"g"), "rename f"),
    (Fxp.SYMLINK, string(b"f") + string(b"g"), "symlink g"),
    (
        Fxp.EXTENDED,
        string(b"posix-rename@openssh.com") + string(b"f") + string(b"g"),
        "posix-rename f",
    ),
    (Fxp.EXTENDED, string(b"hardlink@openssh.com") + string(b"f") + string(b"g"), "hardlink g"),
    (Fxp.EXTENDED, string(b"lsetstat@openssh.com") + string(b"f") + NO_ATTRIBUTES, "setstat f"),
    (
        Fxp.EXTENDED,
        string(b"copy-data") + string(b"h") + bytes(16) + string(b"h") + bytes(8),
        "copy",
    ),
]

LOOKS = [
    (Fxp.STAT, string(b"f")),
    (Fxp.LSTAT, string(b"f")),
    (Fxp.OPENDIR, string(b"f")),
    (Fxp.REALPATH, string(b"f")),
    (Fxp.READLINK, string(b"f")),
    (Fxp.EXTENDED, string(b"statvfs@openssh.com") + string(b"f")),
]


@pytest.mark.parametrize(("kind", "body", "what"), CHANGES)
@pytest.mark.parametrize("piece", [1, 1 << 20])
def test_without_upload_no_change_reaches_the_target(
    kind: int, body: bytes, what: str, piece: int
) -> None:
    talk = Conversation()
    greeting = said(talk.chunks, "sent")
    number = talk.ask(kind, body)
    wire = Wire(sifter(download=True)).play(talk.chunks, piece)

    assert wire.to_target == greeting
    assert wire.to_client == said(talk.chunks, "received") + denied(number, NO_UPLOAD)
    assert wire.events == [ChannelRefused(f"sftp {what}", NO_UPLOAD, 7)]


@pytest.mark.parametrize(("kind", "body"), LOOKS)
def test_with_nothing_granted_one_may_still_look_around(kind: int, body: bytes) -> None:
    talk = Conversation()
    talk.ask(kind, body)
    wire = Wire(sifter()).play(talk.chunks)

    assert wire.to_target == said(talk.chunks, "sent")
    assert wire.refusals == []


@pytest.mark.parametrize("flags", [Fxf.READ, Fxf(0)])
def test_without_download_a_file_is_not_opened_for_reading(flags: Fxf) -> None:
    talk = Conversation()
    greeting = said(talk.chunks, "sent")
    number = talk.ask(Fxp.OPEN, string(b"f"), struct.pack(">I", flags), NO_ATTRIBUTES)
    wire = Wire(sifter(upload=True)).play(talk.chunks)

    assert wire.to_target == greeting
    assert wire.to_client.endswith(denied(number, NO_DOWNLOAD))
    assert wire.refusals == [("sftp open f", NO_DOWNLOAD)]


def test_without_download_a_file_that_is_open_is_not_read() -> None:
    talk = Conversation()
    talk.open(b"f", Fxf.WRITE)
    sent = said(talk.chunks, "sent")
    talk.read(0, 5)
    wire = Wire(sifter(upload=True)).play(talk.chunks)

    assert wire.to_target == sent
    assert wire.refusals == [("sftp read", NO_DOWNLOAD)]


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
@pytest.mark.parametrize(("upload", "download"), [(True, False), (True, True)])
def test_a_granted_upload_passes_unchanged(piece: int, upload: bool, download: bool) -> None:
    talk = Conversation()
    talk.open(b"f", PUT)
    talk.status(talk.write(0, b"some file data"))
    talk.close()
    talk.status(talk.ask(Fxp.REMOVE, string(b"f")))
    wire = Wire(sifter(upload=upload, download=download)).play(talk.chunks, piece)

    assert wire.to_target == said(talk.chunks, "sent")
    assert wire.to_client == said(talk.chunks, "received")
    assert wire.events == [moved("upload", "f", b"some file data"), changed("remove", "f")]


def test_a_granted_download_passes_unchanged() -> None:
    talk = Conversation()
    talk.open(b"f", READ)
    talk.data(talk.read(0, 4), b"abcd")
    talk.status(talk.read(4, 4), Fx.EOF)
    talk.close()
    wire = Wire(sifter(download=True)).play(talk.chunks)

    assert wire.to_target == said(talk.chunks, "sent")
    assert wire.to_client == said(talk.chunks, "received")
    assert wire.events == [moved("download", "f", b"abcd")]


def test_when_everything_is_granted_the_octets_are_the_same_object() -> None:
    talk = Conversation()
    open_ended = sifter(upload=True, download=True)
    for way, data in talk.chunks:
        _ = open_ended.sent(data) if way == "sent" else open_ended.received(data)
    data = packet(Fxp.STAT, bytes(4), string(b"f"))

    assert open_ended.sent(data).forward is data
    assert open_ended.received(answer := packet(Fxp.STATUS, bytes(16))).forward is answer


@given(st.integers(0, 33), st.lists(st.integers(1, 20), min_size=1, max_size=9))
def test_our_answers_stand_between_packets_of_the_target(late: int, sizes: list[int]) -> None:
    talk = Conversation()
    talk.open(b"f", READ)
    talk.data(talk.read(0, 20), b"x" * 20)
    talk.data(talk.read(20, 20), b"y" * 20)
    *before, (_, last) = talk.chunks
    wire = Wire(sifter(download=True))
    for way, data in before:
        wire.hear(way, data)
    wire.hear("received", last[: len(last) - late])
    wire.hear("sent", packet(Fxp.REMOVE, struct.pack(">I", 99), string(b"f")))
    rest = last[len(last) - late :] + status(50, Fx.OK, "not asked, and late enough")[:3]
    for size in [*sizes, 40]:
        piece, rest = rest[:size], rest[size:]
        wire.hear("received", piece)

    ours, theirs = denied(99, NO_UPLOAD), said(talk.chunks, "received")
    assert wire.to_client.replace(ours, b"")[: len(theirs)] == theirs
    scanner = Scanner(Fxp.WRITE)
    whole = [p.raw for p in scanner.feed(wire.to_client) if not isinstance(p, memoryview)]
    assert ours in whole
    assert scanner.unread == rest or len(scanner.unread) == 3
    assert wire.sifter.failed is None


def test_requests_that_are_not_known_are_answered_so() -> None:
    talk = Conversation()
    greeting = said(talk.chunks, "sent")
    first = talk.ask(21, string(b"f"))
    second = talk.extended(b"check-file@example.org", string(b"h"))
    wire = Wire(sifter(download=True)).play(talk.chunks)

    unknown = "this request is not known"
    assert wire.to_target == greeting
    assert wire.to_client.endswith(
        status(first, Fx.OP_UNSUPPORTED, f"watchgate: {unknown}")
        + status(second, Fx.OP_UNSUPPORTED, f"watchgate: {unknown}")
    )
    assert wire.refusals == [("sftp request 21", unknown), ("sftp check-file@example.org", unknown)]


@pytest.mark.parametrize("piece", [1, 4, 9, 1 << 20])
@pytest.mark.parametrize("offered", [2, 3, 6])
@pytest.mark.parametrize("everything", [True, False])
def test_the_version_that_is_offered_is_one_that_can_be_read(
    piece: int, offered: int, everything: bool
) -> None:
    hello = packet(Fxp.INIT, struct.pack(">I", offered), string(b"x"))
    wire = Wire(sifter(upload=everything, download=True))
    wire.play([("sent", hello + packet(Fxp.STAT, bytes(4), string(b"f")))], piece)

    lowered = packet(Fxp.INIT, struct.pack(">I", min(offered, 3)), string(b"x"))
    assert wire.to_target == lowered + packet(Fxp.STAT, bytes(4), string(b"f"))


@pytest.mark.parametrize(
    "noise", [b"bash\n", b"$ cat /etc/shadow\n", bytes(20), b"\0\0\0\x01\x01more"]
)
@pytest.mark.parametrize("piece", [1, 1 << 20])
def test_what_is_not_sftp_goes_nowhere_unless_everything_is_granted(
    noise: bytes, piece: int
) -> None:
    closed = Wire(sifter(download=True)).play([("sent", noise), ("received", b"# ")], piece)
    through = Wire(sifter(upload=True, download=True))
    through.play([("sent", noise), ("received", b"# ")], piece)

    assert (closed.to_target, closed.to_client) == (b"", b"")
    assert (through.to_target, through.to_client) == (noise, b"# ")
    assert [type(event) for event in closed.events] == [TransferUnreadable]
    assert closed.sifter.failed is not None
    assert closed.sifter.unread[0]


def test_a_target_that_breaks_the_protocol_is_cut_off() -> None:
    talk = Conversation()
    wire = Wire(sifter(download=True)).play([*talk.chunks, ("received", b"\xff\xff\xff\xff\xff")])

    assert wire.to_client == said(talk.chunks, "received")
    assert wire.sifter.failed is not None


def test_refused_requests_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sftp_filter, "MAX_ANSWERS", 1000)
    talk = Conversation()
    talk.chunks.append(("received", b"\0"))  # the target stays in the middle of a packet
    for _ in range(50):
        talk.ask(Fxp.REMOVE, string(b"f"))
    wire = Wire(sifter(download=True)).play(talk.chunks)

    assert wire.sifter.failed == "the client sent too many requests that are not granted"


@given(st.data())
def test_damage_never_raises_and_never_lets_a_change_through(data: st.DataObject) -> None:
    talk = Conversation()
    for kind, body, _ in CHANGES:
        talk.ask(kind, body)
    stream = bytearray(said(talk.chunks, "sent"))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(9, len(stream) - 1))
        stream[at] = data.draw(st.integers(0, 255))
    wire = Wire(sifter(download=True)).play([("sent", bytes(stream))])

    kinds = [
        p.raw[4] for p in Scanner(Fxp.WRITE).feed(wire.to_target) if not isinstance(p, memoryview)
    ]
    assert not {Fxp.WRITE, Fxp.REMOVE, Fxp.RENAME, Fxp.SETSTAT, Fxp.SYMLINK} & set(kinds)
