"""Manifests read off scp's own protocol."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transfer_packets import Chunk, moved, octet_by_octet, replay

from watchgate.session.events import Event, FileMoved, TransferUnreadable
from watchgate.transfers.scp import ScpReader
from watchgate.transfers.scp_claim import ScpClaim

UP = ScpClaim("upload", "/srv/", recursive=True)
DOWN = ScpClaim("download", "/srv/tree", recursive=True)

TREE = [
    (b"", b"\0"),
    (b"T1 0 2 0\n", b"\0"),
    (b"D0755 0 tree\n", b"\0"),
    (b"C0644 3 a b\n", b"\0"),
    (b"one\0", b"\0"),
    (b"D0755 0 sub\n", b"\0"),
    (b"C0644 0 empty\n", b"\0"),
    (b"\0", b"\0"),
    (b"E\n", b"\0"),
    (b"C0600 4 last\n", b"\0"),
    (b"\0\1\2\n\0", b"\0"),
    (b"E\n", b"\0"),
]
"""What a source says and what the sink says to it."""


def talk(claim: ScpClaim, turns: list[tuple[bytes, bytes]]) -> list[Chunk]:
    source, sink = ("sent", "received") if claim.direction == "upload" else ("received", "sent")
    chunks = [chunk for said, heard in turns for chunk in ((source, said), (sink, heard))]
    return [(way, data) for way, data in chunks if data]


def row(
    path: str,
    data: bytes,
    *,
    direction: str = "upload",
    complete: bool = True,
    note: str = "",
) -> FileMoved:
    return moved(direction, path, data, complete=complete, note=note, protocol="scp")


def tree(direction: str) -> list[Event]:
    files = [
        ("/srv/tree/a b", b"one"),
        ("/srv/tree/sub/empty", b""),
        ("/srv/tree/last", b"\0\1\2\n"),
    ]
    return [row(path, data, direction=direction) for path, data in files]


@pytest.mark.parametrize("claim", [UP, DOWN], ids=["upload", "download"])
def test_a_tree_gives_its_manifest_with_whole_paths(claim: ScpClaim) -> None:
    chunks = talk(claim, TREE)

    assert replay(ScpReader(7, claim), chunks) == tree(claim.direction)
    assert replay(ScpReader(7, claim), octet_by_octet(chunks)) == tree(claim.direction)


@pytest.mark.parametrize("claim", [UP, DOWN], ids=["upload", "download"])
def test_a_source_that_does_not_wait_is_followed(claim: ScpClaim) -> None:
    turns = [(b"".join(said for said, _ in TREE), b"".join(heard for _, heard in TREE))]

    assert replay(ScpReader(7, claim), talk(claim, turns)) == tree(claim.direction)


def test_a_client_may_answer_ahead_of_a_download() -> None:
    turns = [(b"", bytes(20)), (b"".join(said for said, _ in TREE), b"")]

    assert replay(ScpReader(7, DOWN), talk(DOWN, turns)) == tree("download")


def test_a_target_never_answers_ahead() -> None:
    reader = ScpReader(7, UP)
    replay(reader, talk(UP, [(b"", b"\0\0")]))

    assert reader.failed == "an answer that nothing asked for"


@pytest.mark.parametrize(
    ("claim", "name", "path", "note"),
    [
        (ScpClaim("upload", "/a/f"), b"f", "/a/f", ""),
        (ScpClaim("upload", "/a/g"), b"f", "/a/g", "under /a/g/f if the path was a directory"),
        (ScpClaim("upload", "/a/"), b"f", "/a/f", ""),
        (ScpClaim("upload", "/a", directory=True), b"f", "/a/f", ""),
        (ScpClaim("upload", "."), b"f", "./f", ""),
        (ScpClaim("upload", ".."), b"f", "../f", ""),
        (ScpClaim("upload", "~"), b"f", "~/f", ""),
        (ScpClaim("upload", "~/f"), b"f", "~/f", ""),
        (ScpClaim("upload", "/"), b"f", "/f", ""),
        (ScpClaim("download", "/a/f"), b"f", "/a/f", ""),
        (ScpClaim("download", "/a/n\nl"), b"n\\^Jl", "/a/n\nl", ""),
        (ScpClaim("download", "/a/*.log"), b"b.log", "/a/b.log", ""),
        (ScpClaim("download", "*"), b"b.log", "b.log", ""),
        (ScpClaim("upload", "/a/"), b"\xff\\ x", "/a/\udcff\\ x", ""),
    ],
)
def test_a_file_is_named_where_it_lies(claim: ScpClaim, name: bytes, path: str, note: str) -> None:
    turns = [(b"", b"\0"), (b"C0644 1 " + name + b"\n", b"\0"), (b"x\0", b"\0")]

    expected = row(path, b"x", direction=claim.direction, note=note)
    assert replay(ScpReader(7, claim), talk(claim, turns)) == [expected]


def test_a_tree_whose_place_is_not_certain_says_so_for_each_file() -> None:
    claim = ScpClaim("upload", "/backup/tree", recursive=True)
    events = replay(ScpReader(7, claim), talk(claim, TREE))

    note = "under /backup/tree/tree if the path was a directory"
    assert events == [
        row("/backup/tree/a b", b"one", note=note),
        row("/backup/tree/sub/empty", b"", note=note),
        row("/backup/tree/last", b"\0\1\2\n", note=note),
    ]


def test_a_refused_file_is_passed_over() -> None:
    turns = [
        (b"", b"\0"),
        (b"C0644 9 no\n", b"\1scp: no: Permission denied\n"),
        (b"C0644 1 yes\n", b"\0"),
        (b"y\0", b"\0"),
    ]

    assert replay(ScpReader(7, UP), talk(UP, turns)) == [row("/srv/yes", b"y")]


def test_a_refused_directory_is_not_entered() -> None:
    turns = [
        (b"", b"\0"),
        (b"D0755 0 no\n", b"\1scp: no: Not a directory\n"),
        (b"C0644 1 yes\n", b"\0"),
        (b"y\0", b"\0"),
    ]

    assert replay(ScpReader(7, UP), talk(UP, turns)) == [row("/srv/yes", b"y")]


@pytest.mark.parametrize("more", [b"z", b"zzz\0", b"zzz\0C0644 1 x\n"])
def test_a_refused_file_that_flows_all_the_same_ends_the_reading(more: bytes) -> None:
    turns = [(b"", b"\0"), (b"C0644 3 no\n" + more, b"\1no\n")]
    reader = ScpReader(7, UP)
    events = replay(reader, talk(UP, turns))

    assert reader.failed == "what was refused is sent all the same"
    assert isinstance(events[-1], TransferUnreadable)


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        (
            [(b"C0644 3 f\n", b"\0"), (b"abc\1f: Input/output error\n", b"\0")],
            row(
                "/srv/f",
                b"abc",
                complete=False,
                note="the client could not read it all: f: Input/output error",
            ),
        ),
        (
            [(b"C0644 3 f\n", b"\0"), (b"abc\0", b"\1f: No space left on device\n")],
            row(
                "/srv/f",
                b"abc",
                complete=False,
                note="the target did not keep it all: f: No space left on device",
            ),
        ),
        (
            [(b"C0644 3 f\n", b"\0"), (b"abc\0", b"")],
            row("/srv/f", b"abc", complete=False, note="the target did not acknowledge it"),
        ),
        (
            [(b"C0644 3 f\n", b"\0"), (b"ab", b"")],
            row("/srv/f", b"ab", complete=False, note="broken off"),
        ),
        (
            [(b"C0644 3 f\n", b"\0"), (b"abc\0", b"\1chmod\n\1truncate\n")],
            row("/srv/f", b"abc", complete=False, note="the target did not keep it all: chmod"),
        ),
    ],
)
def test_what_went_wrong_is_in_the_note(
    turns: list[tuple[bytes, bytes]], expected: FileMoved
) -> None:
    chunks = talk(UP, [(b"", b"\0"), *turns])

    assert replay(ScpReader(7, UP), chunks) == [expected]
    assert replay(ScpReader(7, UP), octet_by_octet(chunks)) == [expected]


@pytest.mark.parametrize(
    "chunks",
    [
        [("received", b"$ ")],
        [("received", b"\0"), ("sent", b"ls -l\n")],
        [("received", b"C0644 1 x\n")],
        [("received", b"\0"), ("sent", b"Cat /etc/shadow\n")],
        [
            ("received", b"\0"),
            ("sent", b"C0644 1 x\n"),
            ("received", b"\0"),
            ("sent", b"x\0bash\n"),
        ],
        [("received", b"\0"), ("sent", b"C0644 1 x\n"), ("received", b"\0"), ("sent", b"xx")],
        [("received", b"\0"), ("sent", b"E\n")],
        [("received", b"\0"), ("sent", b"C0644 1 ..\n")],
        [("received", b"\0"), ("sent", b"\0")],
        [("received", b"\0"), ("sent", b"T1 0 1 0\n" * 200)],
    ],
)
def test_what_is_not_an_scp_upload_ends_the_reading(chunks: list[Chunk]) -> None:
    for stream in (chunks, list(octet_by_octet(chunks))):
        reader = ScpReader(7, UP)
        last = replay(reader, stream)[-1]

        assert last == TransferUnreadable(7, "scp", "upload", reader.failed or "")
        assert reader.sent(b"C0644 1 x\n") == []
        assert reader.received(b"\0") == []


def test_a_directory_that_was_not_asked_for_ends_the_reading() -> None:
    reader = ScpReader(7, ScpClaim("download", "/etc"))
    replay(reader, [("sent", b"\0"), ("received", b"D0755 0 etc\n")])

    assert reader.failed == "a directory, which was not asked for"


def test_directories_have_a_depth_that_they_do_not_exceed() -> None:
    reader = ScpReader(7, UP)
    turns = [(b"", b"\0"), *[(b"D0755 0 " + b"d" * 4000 + b"\n", b"\0")] * 20]
    replay(reader, talk(UP, turns))

    assert reader.failed == "directories that are too deep"
    assert sum(map(len, reader._names)) <= 64 * 1024


def test_what_was_not_read_is_kept_for_the_recording() -> None:
    reader = ScpReader(7, UP)
    chunks = [
        ("received", b"\0"),
        ("sent", b"Cat "),
        ("received", b"\1wa"),
        ("sent", b"/etc\nmore"),
    ]
    replay(reader, chunks)

    assert reader.unread == (b"Cat /etc\nmore", b"\1wa")


@given(st.booleans(), st.lists(st.integers(1, 30), min_size=1, max_size=20))
def test_how_a_stream_is_cut_changes_nothing(upload: bool, sizes: list[int]) -> None:
    claim = UP if upload else DOWN
    pieces: list[Chunk] = []
    for way, data in talk(claim, TREE):
        at = 0
        while at < len(data):
            size = sizes[len(pieces) % len(sizes)]
            pieces.append((way, data[at : at + size]))
            at += size

    assert replay(ScpReader(7, claim), pieces) == tree(claim.direction)


@given(
    st.booleans(),
    st.lists(
        st.tuples(st.integers(0, 10**6), st.binary(min_size=1, max_size=4)), min_size=1, max_size=6
    ),
)
def test_damage_anywhere_never_raises(upload: bool, damage: list[tuple[int, bytes]]) -> None:
    claim = UP if upload else DOWN
    chunks = [(way, bytearray(data)) for way, data in talk(claim, TREE)]
    for place, octets in damage:
        data = chunks[place % len(chunks)][1]
        at = place // len(chunks) % len(data)
        data[at : at + len(octets)] = octets
    reader = ScpReader(7, claim)
    events = replay(reader, [(way, bytes(data)) for way, data in chunks])

    unreadables = [event for event in events if isinstance(event, TransferUnreadable)]
    assert len(unreadables) == (reader.failed is not None)
