"""scp's lines and file data, whole and broken."""

from __future__ import annotations

from itertools import chain

import pytest

from watchgate.transfers.manifest import UnreadableError
from watchgate.transfers.scp_wire import (
    MAX_LINE,
    Answer,
    Directory,
    DirectoryEnd,
    File,
    Line,
    Scanner,
    Times,
    line,
)


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"C0644 12 a b", File(b"a b", 12)),
        (b"C100644 0 x", File(b"x", 0)),
        (b"C0644 1 a\\^Jb", File(b"a\\^Jb", 1)),
        (b"D0755 0 dir", Directory(b"dir")),
        (b"E", DirectoryEnd()),
        (b"T1700000000 0 1700000001 0", Times()),
        (b"T-1 0 -1 0", Times()),
        (b"\1scp: no", Answer(1, b"scp: no")),
        (b"\2", Answer(2)),
    ],
)
def test_a_line_is_read(octets: bytes, expected: Line) -> None:
    assert line(octets) == expected


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"C0644 12",
        b"C0644 12 ",
        b"C0644 -1 x",
        b"C0944 1 x",
        b"C0644 99999999999999999999 x",
        b"C0644 1 ../x",
        b"C0644 1 a\0b",
        b"C0644 1 " + b"x" * 4097,
        b"Cat /etc/shadow",
        b"EE",
        b"T1 2 3",
        b"T1 2 3 4 5",
        b"D0755 0 a/b",
    ],
)
def test_a_line_that_is_none_is_refused(octets: bytes) -> None:
    with pytest.raises(UnreadableError):
        line(octets)


def gather(stream: bytes, piece: int) -> list[Line | bytes]:
    scanner = Scanner(sink=False)
    found: list[Line | bytes] = []
    for at in range(0, len(stream), piece):
        for item in scanner.feed(stream[at : at + piece]):
            if isinstance(item, File):
                scanner.expect_data(item.size)
            if not isinstance(item, memoryview):
                found.append(item)
            elif found and isinstance(found[-1], bytes):
                found[-1] += bytes(item)
            else:
                found.append(bytes(item))
    assert scanner.unread == b""
    return found


@pytest.mark.parametrize("piece", [1, 2, 5, 100])
def test_a_source_is_lines_and_spans_of_data(piece: int) -> None:
    stream = b"\1warned\nT1 0 2 0\nC0644 5 f\nE\nC\0\n\0C0600 0 g\n\0C0600 1 h\nx\1failed\nD0755 0 d\nE\n"

    assert gather(stream, piece) == [
        Answer(1, b"warned"),
        Times(),
        File(b"f", 5),
        b"E\nC\0\n",
        Answer(0),
        File(b"g", 0),
        Answer(0),
        File(b"h", 1),
        b"x",
        Answer(1, b"failed"),
        Directory(b"d"),
        DirectoryEnd(),
    ]


@pytest.mark.parametrize("sink", [True, False])
@pytest.mark.parametrize("octets", [b"$ ", b"\x1b[0m", b"ls\n", b"\xff"])
def test_the_first_octet_that_is_not_scp_is_refused(sink: bool, octets: bytes) -> None:
    scanner = Scanner(sink=sink)

    with pytest.raises(UnreadableError):
        list(scanner.feed(octets))
    assert scanner.unread == octets


def test_a_source_says_nothing_between_files_that_only_a_sink_says() -> None:
    with pytest.raises(UnreadableError):
        list(Scanner(sink=False).feed(b"\0"))


@pytest.mark.parametrize("piece", [1, MAX_LINE, 3 * MAX_LINE])
def test_a_line_without_an_end_is_refused(piece: int) -> None:
    scanner, endless = Scanner(sink=True), b"\1" + b"x" * 2 * MAX_LINE

    pieces = (endless[at : at + piece] for at in range(0, len(endless), piece))

    with pytest.raises(UnreadableError):
        list(chain.from_iterable(map(scanner.feed, pieces)))
    assert len(scanner._line) <= MAX_LINE
