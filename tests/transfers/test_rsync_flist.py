"""The order of the file list, and the numbers of its entries."""

from __future__ import annotations

import stat

import pytest

from watchgate.transfers.rsync_claim import claims
from watchgate.transfers.rsync_flist import (
    ENTRIES_CEILING,
    Entry,
    EntryReader,
    FileList,
    Segment,
    sort_key,
)
from watchgate.transfers.rsync_handshake import Terms
from watchgate.transfers.rsync_wire import Compat, Cursor, Unreadable

FILE, DIRECTORY = stat.S_IFREG | 0o644, stat.S_IFDIR | 0o755


def test_files_come_before_directories_and_dot_before_all() -> None:
    ordered = [
        (b".", True),
        (b"a.txt", False),
        (b"z", False),
        (b"deep-er", True),
        (b"deep-er/a", False),
        (b"deep.d", True),
        (b"deep", True),
        (b"deep/z", False),
        (b"deep/a", True),
        (b"deep/a/x", False),
        (b"\xff", True),
    ]

    backwards = ordered[::-1]

    assert sorted(backwards, key=lambda entry: sort_key(*entry)) == ordered


def segment(files: FileList, directory: int | None, *names: tuple[bytes, int]) -> None:
    part = files.open(directory)
    for name, mode in names:
        part.add(Entry(name, mode, len(name), b"to " + name if name == b"link" else b""))
    files.close(part)


def test_numbers_follow_the_order_and_a_gap_is_the_directory() -> None:
    files = FileList(incremental=True)
    segment(files, None, (b"sub", DIRECTORY), (b"link", stat.S_IFLNK), (b".", DIRECTORY))
    segment(files, 1, (b"sub/y", FILE), (b"sub/x", FILE))

    assert [files.entry(number).name for number in range(7)] == [
        b".",
        b".",
        b"link",
        b"sub",
        b"sub",
        b"sub/x",
        b"sub/y",
    ]
    assert files.entry(2).link == b"to link"
    assert files.total == 5


@pytest.mark.parametrize("number", [-1, 7, 1 << 40])
def test_a_number_that_nothing_has_is_unreadable(number: int) -> None:
    files = FileList(incremental=True)
    segment(files, None, (b"a", FILE))

    with pytest.raises(Unreadable):
        files.entry(number)


def test_without_incremental_recursion_numbers_start_at_zero() -> None:
    files = FileList(incremental=False)
    segment(files, None, (b"a", FILE))

    assert files.entry(0).name == b"a"
    with pytest.raises(Unreadable):
        files.entry(-1)


def test_a_forgotten_segment_is_not_spoken_of_again() -> None:
    files = FileList(incremental=True)
    segment(files, None, *[(b"%04d" % n, DIRECTORY) for n in range(1000)])
    for directory in range(1000):
        segment(files, directory, (b"%04d/f" % directory, FILE))
    last = 1 + 1000 + 2 * 999 + 1
    for _ in range(1000):
        files.forget_first()

    assert files.entry(last).name == b"0999/f"
    assert len(files) == 1
    with pytest.raises(Unreadable):
        files.entry(last - 2)


@pytest.mark.parametrize("directory", [-1, 1, 5])
def test_a_segment_of_no_directory_is_unreadable(directory: int) -> None:
    files = FileList(incremental=True)
    segment(files, None, (b"sub", DIRECTORY))

    with pytest.raises(Unreadable):
        files.open(directory)


def test_a_directorys_segment_comes_once() -> None:
    files = FileList(incremental=True)
    segment(files, None, (b"sub", DIRECTORY))
    segment(files, 0)

    with pytest.raises(Unreadable):
        files.open(0)


def test_the_list_has_a_ceiling() -> None:
    files = FileList(incremental=False)
    part = Segment(0, b".")
    entry = Entry(b"x", FILE, 0)
    for _ in range(ENTRIES_CEILING):
        part.add(entry)
    files.check(part)
    part.add(entry)

    with pytest.raises(Unreadable, match="1,000,000"):
        files.check(part)


def reader(options: str, protocol: int = 32) -> EntryReader:
    claim = claims(f"rsync --server {options} . x")
    assert claim is not None
    compat = Compat.VARINT_FLIST_FLAGS if protocol > 30 else Compat(0)
    return EntryReader(claim, Terms(protocol, compat, None, 16, 16))


def read(entries: EntryReader, *octets: str) -> list[Entry | None]:
    part, found = Segment(1, b"."), []
    for item in octets:
        walk = Cursor(memoryview(bytes.fromhex(item)))
        entry = entries.read(walk, part)
        assert walk.at == walk.end
        if entry is not None:
            part.add(entry)
        found.append(entry)
    return found


def test_what_an_entry_leaves_out_is_that_of_the_one_before() -> None:
    found = read(
        reader("-re.v"),
        # flags 0x80 (same time), length 5, "abc/d", size 6, mode
        "8080 05 6162632f64 000600 a4810000",
        # flags 0xa2 (same time, mode, name), 4 octets same, "e", size 7
        "80a2 04 01 65 000700",
        # the end, and the sender's error code
        "00 00",
    )

    assert found == [Entry(b"abc/d", 0o100644, 6), Entry(b"abc/e", 0o100644, 7), None]


def test_another_name_of_an_inode_is_a_name_only() -> None:
    found = read(
        reader("-rHe.v"),
        "9280 01 61 000600 a4810000",  # first of its links
        "82a0 00 01 62 01",  # the entry with number 1
    )

    assert found == [Entry(b"a", 0o100644, 6), Entry(b"b", 0o100644, 6)]


@pytest.mark.parametrize(
    "octets",
    [
        "8080 01 00 000600 a4810000",  # a zero octet in a name
        "8080 00 000600 a4810000",  # no name
        "80c0 df0000 61",  # a name of more than 4,096 octets
        "80a0 05 01 61",  # same as five octets of nothing
        "8280 01 61 09",  # a hard link to an entry that has not come
        "8080 01 61 fcffffffffffffffff a4810000",  # a size below zero
    ],
)
def test_an_entry_that_makes_no_sense_is_unreadable(octets: str) -> None:
    with pytest.raises(Unreadable):
        read(reader("-rHe.v"), octets)
