"""The reader as a whole, on one small captured session and on what is made of it."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchgate.session.events import Event, FileChanged, FileMoved, TransferUnreadable
from watchgate.transfers.manifest import KeepsUnread
from watchgate.transfers.rsync import RsyncReader, claims

COMMAND = "rsync --server -lrze.iLsfxCIvu --delete . /srv/www/"
# rsync 3.5.0: `rsync -rlz --delete source/ host:/srv/www/`; /srv/www had a file `gone`.
CAPTURED = [
    (">", "20000000"),
    ("<", "2000000081ff"),
    (">", "1e"),
    (
        "<",
        "237878683132382078786833207878683634206d6435206d64342073686131206e6f6e65187a737464206c7a"
        "34207a6c696278207a6c6962206e6f6e65",
    ),
    (
        ">",
        "7878683132382078786833207878683634206d6435206d64342073686131137a737464206c7a34207a6c6962"
        "78207a6c6962",
    ),
    ("<", "1ecb1e6b"),
    (
        ">",
        "4e00000700000000a019012e0000106b1e2501f0b36f961ded41000018016c0001005e00e10bffa100000161"
        "a018037375620000106b1e2501f0b36f961ded4100001801610006005e00e10ba4810000000015000007ff65"
        "809a057375622f620006000000fffe80020000",
    ),
    (
        "<",
        "0400006c676f6e652c0000070300a0000000000000000000000000000000000102600200600100a000000000"
        "000000000000000000000000",
    ),
    (
        ">",
        "6a0000070300a000000000000000000000000000000000400f28b52ffd005830000068656c6c6f0a009ce4c8"
        "f135b4105a6df569e0c786ba6b0102600200600100a0000000000000000000000000000000004009300000"
        "776f726c640a00e10e0c5c6c7c187d05e8a0a1df1560d0",
    ),
    ("<", "020000070000"),
    (">", "020000070000"),
    ("<", "0a0000070000ff02010000000000"),
    (">", "0200000700000100000700"),
    ("<", "0100000700"),
]
SESSION = [(direction, bytes.fromhex(octets)) for direction, octets in CAPTURED]
MANIFEST: list[Event] = [
    FileChanged(3, "rsync", "remove", "/srv/www/gone", None, True),
    FileMoved(3, "rsync", "upload", "/srv/www/a", 6, hashlib.sha256(b"hello\n").hexdigest(), True),
    FileChanged(3, "rsync", "symlink", "/srv/www/l", "a", True),
    FileChanged(3, "rsync", "mkdir", "/srv/www/sub", None, True),
    FileMoved(
        3, "rsync", "upload", "/srv/www/sub/b", 6, hashlib.sha256(b"world\n").hexdigest(), True
    ),
]


def reader(command: str = COMMAND) -> RsyncReader:
    claim = claims(command)
    assert claim is not None
    return RsyncReader(claim, 3)


def play(listener: RsyncReader, session: Iterable[tuple[str, bytes]]) -> list[Event]:
    events = []
    for direction, octets in session:
        events += listener.sent(octets) if direction == ">" else listener.received(octets)
    return events + listener.closed()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 17, 1000])
def test_a_session_is_read_the_same_however_it_arrives(size: int) -> None:
    listener = reader()
    pieces = [
        (direction, octets[at : at + size])
        for direction, octets in SESSION
        for at in range(0, len(octets), size)
    ]

    assert play(listener, pieces) == MANIFEST
    assert listener.failed is None


def test_a_row_is_there_as_soon_as_its_file_has_passed() -> None:
    listener = reader()
    seen = []
    for direction, octets in SESSION[:9]:
        seen += listener.sent(octets) if direction == ">" else listener.received(octets)

    assert seen == MANIFEST


def test_a_dry_run_moves_nothing() -> None:
    listener = reader(COMMAND.replace("-lrz", "-nlrz"))
    events = play(listener, SESSION[:8])

    assert events == []


@pytest.mark.parametrize("cut", range(len(SESSION[8][1])))
def test_a_session_that_breaks_off_has_rows_for_what_passed(cut: int) -> None:
    listener = reader()
    events = play(listener, [*SESSION[:8], (">", SESSION[8][1][:cut])])
    whole = [event for event in events if not isinstance(event, TransferUnreadable)]
    broken = [event for event in whole if isinstance(event, FileMoved) and not event.complete]

    assert [event for event in whole if event not in broken] == MANIFEST[: len(whole) - len(broken)]
    assert all("6 octets" in event.note for event in broken)
    assert len(broken) <= 1


def test_what_is_no_rsync_fails_once_and_is_not_read_further() -> None:
    listener = reader()
    events = listener.sent(b"\x20\0\0\0") + listener.received(b"bash-5.2$ ")

    assert isinstance(events[0], TransferUnreadable)
    assert len(events) == 1
    assert listener.failed == events[0].reason
    assert listener.sent(b"more") + listener.received(b"more") + listener.closed() == []


def test_a_shell_behind_a_true_opening_fails() -> None:
    listener = reader()
    events = play(listener, [*SESSION[:6], ("<", b"root@web1:~# ")])

    assert [type(event) for event in events] == [TransferUnreadable]


def test_a_stream_that_goes_on_after_its_end_fails() -> None:
    listener = reader()
    events = play(listener, [*SESSION, (">", bytes.fromhex("030000070100a0"))])

    assert events[:-1] == MANIFEST
    assert isinstance(events[-1], TransferUnreadable)


def test_a_side_that_goes_on_alone_is_not_kept() -> None:
    listener = reader()
    events = listener.sent(b"\x20\0\0\0")
    for _ in range(10):
        events += listener.sent(bytes(64 * 1024))

    assert [type(event) for event in events] == [TransferUnreadable]


@pytest.mark.parametrize("version", [20, 28, 33, 40])
def test_a_protocol_that_is_not_known_is_said_to_be_so(version: int) -> None:
    listener = reader()
    old = version.to_bytes(4, "little")
    listener.sent(b"\x20\0\0\0" if version < 32 else old)
    listener.received(old + b"\x81\xff" * 20)

    assert listener.failed is not None
    assert f"protocol {version}" in listener.failed


def test_an_unknown_option_is_named_when_the_stream_cannot_be_read() -> None:
    listener = reader("rsync --server --tomorrow -re.v . x")
    listener.received(b"hello world")

    assert listener.failed is not None
    assert "--tomorrow" in listener.failed


def test_names_that_are_converted_are_not_read() -> None:
    listener = reader(COMMAND.replace("--delete", "--delete --iconv=latin1"))
    play(listener, SESSION)

    assert listener.failed is not None
    assert "--iconv" in listener.failed


def test_a_command_that_was_not_found_says_nothing() -> None:
    assert play(reader(), [(">", b"\x20\0\0\0")]) == []


def test_the_secluded_claim_is_whole_once_it_has_passed() -> None:
    listener = reader("rsync --server -slrze.iLsfxCIvu")
    arguments = b"rsync\0--delete\0.\0/srv/www/\0\0"
    events = play(listener, [(">", arguments), *SESSION])

    assert events == MANIFEST
    assert listener.claim.paths == ("/srv/www/",)


def test_secluded_arguments_have_a_ceiling() -> None:
    listener = reader("rsync --server -se.iLsfxCIvu")
    for _ in range(200):
        listener.sent(b"x" * 1000 + b"\0")

    assert listener.failed is not None


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_mutated_session_never_raises_and_fails_at_most_once(data: st.DataObject) -> None:
    mutated = [(direction, bytearray(octets)) for direction, octets in SESSION]
    for _ in range(data.draw(st.integers(1, 4))):
        octets = data.draw(st.sampled_from(mutated))[1]
        at = data.draw(st.integers(0, len(octets)))
        octets[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    listener = reader()
    events = play(listener, [(direction, bytes(octets)) for direction, octets in mutated])
    failures = [event for event in events if isinstance(event, TransferUnreadable)]

    assert len(failures) == (listener.failed is not None)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("<>"), st.binary(max_size=200)), max_size=20))
def test_any_octets_never_raise(session: list[tuple[str, bytes]]) -> None:
    listener = reader()
    play(listener, session)

    assert listener.sent(b"") == []


def test_what_a_hostile_sender_makes_it_keep_is_bounded() -> None:
    listener = reader()
    play_open = [*SESSION[:6], (">", bytes.fromhex("0400000700000000"))]
    for direction, octets in play_open:
        _ = listener.sent(octets) if direction == ">" else listener.received(octets)
    frames = []
    for letter in (b"d", b"e"):
        # Two directories by turns: the name of neither can be shared with the entry before.
        name = letter * 4000 + b"/" + b"f" * 94
        entry = b"\x40\x8f\xff" + name + bytes(7) + b"\xa4\x81\0\0"
        frames.append((7 << 24 | len(entry)).to_bytes(4, "little") + entry)
    tracemalloc.start()
    for turn in range(20_000):
        if listener.failed is None:
            listener.sent(frames[turn % 2])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert listener.failed is not None
    assert peak < 96 * 1024 * 1024


def test_all_of_a_false_opening_is_left_to_be_recorded() -> None:
    listener = reader()
    listener.sent(b"\x20\0\0\0")
    listener.received(b"bash")

    assert isinstance(listener, KeepsUnread)
    assert listener.failed is not None
    assert listener.unread == (b"\x20\0\0\0", b"bash")


def test_what_a_stream_turns_into_is_left_to_be_recorded() -> None:
    listener = reader()
    for direction, octets in SESSION[:8]:
        _ = listener.sent(octets) if direction == ">" else listener.received(octets)
    listener.sent(b"\x02\0\0\x07\x03")
    listener.sent(b"#!/bin/sh")

    assert listener.failed is not None
    assert listener.unread == (b"#!/bin/sh", b"")


def test_another_hash_may_do_the_hashing() -> None:
    claim = claims(COMMAND)
    assert claim is not None
    listener = RsyncReader(claim, 3, digests=hashlib.sha512)
    rows = [event for event in play(listener, SESSION) if isinstance(event, FileMoved)]

    assert rows[0].digest == hashlib.sha512(b"hello\n").hexdigest()
