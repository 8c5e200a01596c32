"""What a client asks for over SFTP, as objects."""

from __future__ import annotations

import struct

import pytest
from transfer_packets import NO_ATTRIBUTES, packet, string

from watchgate.transfers.manifest import UnreadableError
from watchgate.transfers.sftp_requests import (
    Change,
    Close,
    Copy,
    Open,
    OpenDirectory,
    Other,
    Read,
    ReadDirectory,
    Request,
    SetHandle,
    SetStat,
    Stat,
    StatHandle,
    parse,
    set_changes,
    weight,
)
from watchgate.transfers.sftp_wire import Attributes, Fxf, Fxp, Packet

P, Q, H = string(b"/p"), string(b"/q"), string(b"h")
MODE = struct.pack(">II", 4, 0o100600)

CASES: list[tuple[int, bytes, Request]] = [
    (Fxp.OPEN, P + struct.pack(">I", 0x1A) + NO_ATTRIBUTES, Open(b"/p", Fxf(0x1A))),
    (Fxp.CLOSE, H, Close(b"h")),
    (Fxp.READ, H + struct.pack(">QI", 5, 6), Read(b"h", 5, 6)),
    (Fxp.LSTAT, P, Stat(b"/p", False)),
    (Fxp.STAT, P, Stat(b"/p", True)),
    (Fxp.FSTAT, H, StatHandle(b"h")),
    (Fxp.SETSTAT, P + MODE, SetStat(b"/p", Attributes(permissions=0o100600))),
    (Fxp.FSETSTAT, H + MODE, SetHandle(b"h", Attributes(permissions=0o100600))),
    (Fxp.OPENDIR, P, OpenDirectory(b"/p")),
    (Fxp.READDIR, H, ReadDirectory(b"h")),
    (Fxp.REMOVE, P, Change("remove", b"/p")),
    (Fxp.MKDIR, P + NO_ATTRIBUTES, Change("mkdir", b"/p")),
    (Fxp.RMDIR, P, Change("rmdir", b"/p")),
    (Fxp.REALPATH, P, Other()),
    (Fxp.READLINK, P, Other()),
    (Fxp.RENAME, P + Q, Change("rename", b"/p", b"/q")),
    (Fxp.SYMLINK, P + Q, Change("symlink", b"/q", b"/p")),
    (
        Fxp.EXTENDED,
        string(b"posix-rename@openssh.com") + P + Q,
        Change("posix-rename", b"/p", b"/q"),
    ),
    (Fxp.EXTENDED, string(b"hardlink@openssh.com") + P + Q, Change("hardlink", b"/q", b"/p")),
    (Fxp.EXTENDED, string(b"copy-file") + P + Q + b"\0", Change("copy", b"/p", b"/q")),
    (Fxp.EXTENDED, string(b"copy-data") + H + bytes(16) + H + bytes(8), Copy(b"h", b"h")),
    (
        Fxp.EXTENDED,
        string(b"lsetstat@openssh.com") + P + MODE,
        SetStat(b"/p", Attributes(permissions=0o100600)),
    ),
    (Fxp.EXTENDED, string(b"limits@openssh.com"), Other()),
    (99, b"whatever", Other()),
]


@pytest.mark.parametrize(("kind", "body", "expected"), CASES)
def test_a_request_is_read(kind: int, body: bytes, expected: Request) -> None:
    found = parse(Packet(packet(kind, struct.pack(">I", 41), body)))

    assert found == (41, expected)


@pytest.mark.parametrize(("kind", "body", "expected"), CASES)
def test_a_request_that_is_cut_off_is_refused_or_says_less(
    kind: int, body: bytes, expected: Request
) -> None:
    del expected
    for size in range(len(body)):
        try:
            number, _ = parse(Packet(packet(kind, struct.pack(">I", 41), body[:size])))
        except UnreadableError:
            continue

        assert number == 41


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(string(b"x" * 4097), id="a path beyond its ceiling"),
        pytest.param(string(b"a\0b"), id="a NUL in a path"),
        pytest.param(b"\0\0\0\x09a", id="a path beyond its packet"),
    ],
)
def test_a_path_that_cannot_be_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        parse(Packet(packet(Fxp.REMOVE, struct.pack(">I", 1), body)))


def test_selecting_another_version_is_refused() -> None:
    body = string(b"version-select") + string(b"6")

    with pytest.raises(UnreadableError, match="version"):
        parse(Packet(packet(Fxp.EXTENDED, struct.pack(">I", 1), body)))


@pytest.mark.parametrize(
    ("flags", "reads", "changes"),
    [
        (Fxf.READ, True, False),
        (Fxf(0), True, False),
        (Fxf.WRITE, False, True),
        (Fxf.READ | Fxf.WRITE, True, True),
        (Fxf.CREAT, True, True),
        (Fxf.APPEND, True, True),
        (Fxf.READ | Fxf.TRUNC, True, True),
        (Fxf.WRITE | Fxf.CREAT | Fxf.TRUNC, False, True),
    ],
)
def test_what_an_open_may_do_is_told_from_its_flags(flags: Fxf, reads: bool, changes: bool) -> None:
    request = Open(b"/p", flags)

    assert (request.reads, request.changes) == (reads, changes)


def test_setting_attributes_is_one_change_each() -> None:
    wanted = Attributes(size=12, owner=(0, 5), permissions=0o104755)

    assert set_changes(b"/p", wanted) == [
        Change("truncate", b"/p", b"12"),
        Change("chown", b"/p", b"0:5"),
        Change("chmod", b"/p", b"4755"),
    ]


def test_a_request_weighs_the_names_in_it() -> None:
    weights = [weight(request) for _, _, request in CASES]

    assert weights[:4] == [2, 1, 1, 2]
    assert weights[CASES.index(CASES[15])] == 4
    assert weights[-1] == 0
