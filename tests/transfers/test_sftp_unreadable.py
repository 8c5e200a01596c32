"""SFTP that cannot be read: what breaks the protocol, and what goes beyond its ceilings."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable

import pytest
from transfer_packets import PUT, READ, Chunk, Conversation, moved, packet, replay, string

from watchgate.session.events import Event, TransferUnreadable
from watchgate.transfers import sftp
from watchgate.transfers.manifest import KeepsUnread
from watchgate.transfers.sftp import SftpReader
from watchgate.transfers.sftp_wire import Fxp

BROKEN_OFF = "broken off"


def unreadable(chunks: list[Chunk]) -> tuple[str, list[Event], SftpReader]:
    reader = SftpReader(7)
    events = replay(reader, chunks)
    last = events[-1]
    assert isinstance(last, TransferUnreadable)
    assert reader.failed == last.reason
    return last.reason, events[:-1], reader


@pytest.mark.parametrize("way", ["sent", "received"])
def test_a_shell_is_not_sftp(way: str) -> None:
    reason, events, reader = unreadable([(way, b"$ "), (way, b"cat /etc/shadow\n")])

    assert "does not speak SFTP" in reason
    assert events == []
    assert b"$ cat /etc/shadow\n" in reader.unread


def test_what_was_not_read_is_kept_for_the_recording() -> None:
    talk = Conversation()
    partial = packet(Fxp.READ, struct.pack(">I", 1))[:6]
    bad = packet(Fxp.REMOVE, struct.pack(">I", 1), b"\xff\xff\xff\xff")
    talk.chunks += [("received", partial), ("sent", bad[:7]), ("sent", bad[7:] + b"and more")]
    _, _, reader = unreadable(talk.chunks)

    assert isinstance(reader, KeepsUnread)
    assert reader.unread == (bad + b"and more", partial)


def test_what_was_open_is_reported_when_reading_ends() -> None:
    talk = Conversation()
    talk.open(b"f", PUT)
    talk.status(talk.write(0, b"abcd"))
    talk.write(4, b"wx", b"another")
    reason, events, _ = unreadable(talk.chunks)

    assert reason == "the client sent a request for a file handle that was not given"
    assert events == [moved("upload", "f", b"abcd", complete=False, note=BROKEN_OFF)]


def broken(function: Callable[[Conversation], object]) -> list[Chunk]:
    talk = Conversation()
    talk.open(b"f", READ)
    function(talk)
    return talk.chunks


def ask_twice(talk: Conversation) -> None:
    talk.read(0, 1)
    talk.number -= 1
    talk.read(0, 1)


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        (broken(lambda talk: talk.status(999)), "was not asked"),
        (broken(lambda talk: talk.data(talk.read(0, 2), b"abc")), "3 octets in answer"),
        (
            broken(lambda talk: talk.answer(talk.read(0, 2), Fxp.HANDLE, string(b"x"))),
            "answered by",
        ),
        (broken(lambda talk: talk.data(talk.ask(Fxp.STAT, string(b"f")), b"x")), "type 103"),
        (broken(lambda talk: talk.open(b"g", READ)), "in use was given again"),
        (broken(lambda talk: talk.ask(Fxp.READDIR, string(b"h"))), "directory handle"),
        (broken(lambda talk: talk.ask(Fxp.FSTAT, string(b"i"))), "file handle"),
        (broken(lambda talk: talk.open(b"g", READ, b"x" * 257)), "257 octets"),
        (broken(ask_twice), "twice"),
        (
            broken(lambda talk: talk.chunks.append(("sent", packet(Fxp.INIT, bytes(4))))),
            "a second INIT",
        ),
        ([("sent", packet(Fxp.OPEN, bytes(9)))], "type 3 where INIT must be"),
        ([("received", packet(Fxp.VERSION, struct.pack(">I", 6)))], "version 6 was agreed on"),
        ([("received", packet(Fxp.STATUS, bytes(20)))], "where VERSION must be"),
    ],
)
def test_what_the_protocol_does_not_allow_ends_the_reading(
    chunks: list[Chunk], reason: str
) -> None:
    found, _, reader = unreadable(chunks)

    assert reason in found
    assert reader.sent(b"more") == []
    assert reader.received(b"more") == []


def test_open_handles_have_a_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sftp, "MAX_OPEN", 3)
    talk = Conversation()
    for handle in (b"1", b"2", b"3"):
        talk.open(b"f", READ, handle)

    assert replay(SftpReader(7), talk.chunks) == []
    talk.open(b"f", READ, b"4")
    assert "more than 3 open handles" in unreadable(talk.chunks)[0]


def test_unanswered_requests_have_a_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sftp, "MAX_WAITING", 3)
    talk = Conversation()
    for _ in range(4):
        talk.ask(Fxp.STAT, string(b"f"))

    assert "more than 3 requests" in unreadable(talk.chunks)[0]


def test_the_names_that_are_kept_have_a_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sftp, "MAX_KEPT_NAMES", 1000)
    patient, hasty = Conversation(), Conversation()
    for talk, waits in ((patient, True), (hasty, False)):
        for number in range(20):
            asked = talk.ask(Fxp.RENAME, string(b"x" * 300), string(b"y" * 300))
            if waits:
                talk.status(asked)
                talk.open(b"z" * 400, READ, b"%d" % number)
                talk.close(b"%d" % number)

    assert len(replay(SftpReader(7), patient.chunks)) == 20
    assert "too many long names" in unreadable(hasty.chunks)[0]


def test_the_worst_that_is_read_takes_little_memory() -> None:
    """As many open files and unanswered requests as there may be, and a window full of file data."""
    reader, talk = SftpReader(7), Conversation()

    def say() -> None:
        for way, data in talk.chunks:
            _ = reader.sent(data) if way == "sent" else reader.received(data)
        talk.chunks.clear()

    tracemalloc.start()
    try:
        for number in range(sftp.MAX_OPEN):
            talk.open(b"x" * 300, READ, b"%08d" % number)
            talk.read(0, 1, b"%08d" % number)
            say()
        for number in range(40):
            talk.data(talk.read(100_000 * (number + 1), 100_000, b"00000000"), bytes(100_000))
            say()
        for number in range(sftp.MAX_WAITING - sftp.MAX_OPEN):
            talk.read(5_000_000 + number, 1, b"%08d" % (number % sftp.MAX_OPEN))
            say()
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert reader.failed is None
    assert used < 16 * 1024 * 1024
