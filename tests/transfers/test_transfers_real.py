"""Manifests of transfers that real programs make: sftp, scp in both its protocols, sftp-server, asyncssh."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import filter_pump
import pytest
import transfer_tap
from transfer_packets import Chunk, replay, sha256

from watchgate.session.events import Event, FileChanged, FileMoved
from watchgate.transfers.manifest import TransferReader
from watchgate.transfers.scp import ScpReader
from watchgate.transfers.scp_claim import ScpClaim, claims
from watchgate.transfers.sftp import SftpReader
from watchgate.transfers.sftp_filter import SftpFilter

Row = tuple[str, str, int, str | None, bool]
"""A file that moved: direction, path in the target's directory, size, digest, complete."""

PROGRAMS = [transfer_tap.SFTP_SERVER, shutil.which("sftp"), shutil.which("scp")]

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not all(program and Path(program).exists() for program in PROGRAMS),
        reason="sftp, scp or sftp-server is not installed (Debian: openssh-client, openssh-sftp-server)",
    ),
]


@dataclass
class Bench:
    """A directory of the client and one of the target, with a tap between."""

    here: Path
    there: Path
    tap: Path
    capture: Path

    def run(self, *command: str, batch: str = "") -> int:
        """Run *command* in the client's directory with the tap in between."""
        environment = {**os.environ, "TAP_CAPTURE": str(self.capture), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            command,
            input=batch.encode(),
            cwd=self.here,
            env=environment,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return done.returncode

    def sftp(self, *batch: str) -> list[Event]:
        lines = "\n".join(line.format(there=self.there) for line in batch)
        assert self.run("sftp", "-q", "-D", str(self.tap), "-b", "-", batch=lines) == 0
        return self.read(SftpReader(7))

    def scp(self, *arguments: str, fails: bool = False) -> list[Event]:
        """scp's own protocol; the claim is read from the command that scp asks for."""
        asked = self.here.parent / "command"
        wrapper = self.here.parent / "wrapper"
        wrapper.write_text(
            f'#!/bin/sh\nfor last; do :; done\nprintf %s "$last" >{asked}\nexec {self.tap} "$@"\n'
        )
        wrapper.chmod(0o700)
        places = [argument.format(there=f"host:{self.there}") for argument in arguments]
        assert self.run("scp", "-O", "-S", str(wrapper), *places) == fails
        claim = claims(asked.read_text())
        assert claim is not None
        return self.read(ScpReader(7, claim), claim)

    def read(self, reader: TransferReader, claim: ScpClaim | None = None) -> list[Event]:
        """The manifest of what the tap kept; the same however the stream is cut."""
        chunks = transfer_tap.read_capture(self.capture)
        events = replay(reader, chunks)
        again = SftpReader(7) if claim is None else ScpReader(7, claim)

        assert reader.failed is None
        assert replay(again, shuffled(chunks)) == events
        return events

    def relative(self, events: list[Event]) -> list[Row]:
        """The files that moved, by their path in the target's directory, in order of the path."""
        rows = [event for event in events if isinstance(event, FileMoved)]
        return sorted(
            (
                row.direction,
                os.path.relpath(row.path, self.there),
                row.size,
                row.digest,
                row.complete,
            )
            for row in rows
        )


def shuffled(chunks: list[Chunk]) -> Iterator[Chunk]:
    """The same stream in pieces of other sizes."""
    chance = random.Random(7)
    for way, data in chunks:
        at = 0
        while at < len(data):
            size = chance.choice([1, 5, 100, 5000, 40_000])
            yield way, data[at : at + size]
            at += size


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    return Bench(here, there, transfer_tap.install(tmp_path), tmp_path / "capture")


def fill(directory: Path) -> dict[str, bytes]:
    """A tree with odd names, an empty file and one of many packets."""
    files = {
        "big": random.Random(1).randbytes(3_000_001),
        "empty": b"",
        "one packet": b"x" * 32768,
        "sub/größe": b"unicode",
        "sub/deeper/-dash": b"--",
        "sub/sp ace'quote": b"odd",
    }
    for name, data in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return files


def expected(direction: str, files: dict[str, bytes], under: str = "") -> list[Row]:
    return sorted(
        (direction, under + name, len(data), sha256(data), True) for name, data in files.items()
    )


def test_sftp_puts_a_tree(bench: Bench) -> None:
    files = fill(bench.here / "tree")
    events = bench.sftp("cd {there}", "put -r tree")

    assert bench.relative(events) == expected("upload", files, "tree/")
    assert (bench.there / "tree/big").read_bytes() == files["big"]


def test_sftp_gets_a_tree(bench: Bench) -> None:
    files = fill(bench.there / "tree")
    events = bench.sftp("get -r {there}/tree")

    assert bench.relative(events) == expected("download", files, "tree/")


def test_sftp_resumes(bench: Bench) -> None:
    whole = random.Random(2).randbytes(500_000)
    (bench.here / "up").write_bytes(whole)
    (bench.there / "up").write_bytes(whole[:200_000])
    (bench.there / "down").write_bytes(whole)
    (bench.here / "down").write_bytes(whole[:200_000])
    events = bench.sftp("reput up {there}/up", "reget {there}/down down")

    assert (bench.there / "up").read_bytes() == whole
    assert bench.relative(events) == [
        ("download", "down", 300_000, sha256(whole[200_000:]), False),
        ("upload", "up", 300_000, sha256(whole[200_000:]), False),
    ]


def test_sftp_changes_things(bench: Bench) -> None:
    (bench.there / "a").write_bytes(b"a")
    events = bench.sftp(
        "cd {there}",
        "mkdir d",
        "chmod 640 a",
        "ln a hard",
        "ln -s a soft",
        "rename a b",
        "rm hard",
        "-rm missing",
        "rmdir d",
    )

    there = bench.there
    assert [
        (e.operation, e.path, e.to, e.succeeded) for e in events if isinstance(e, FileChanged)
    ] == [
        ("mkdir", f"{there}/d", None, True),
        ("chmod", f"{there}/a", "0640", True),
        ("hardlink", f"{there}/hard", f"{there}/a", True),
        ("symlink", f"{there}/soft", "a", True),
        ("posix-rename", f"{there}/a", f"{there}/b", True),
        ("remove", f"{there}/hard", None, True),
        ("remove", f"{there}/missing", None, False),
        ("rmdir", f"{there}/d", None, True),
    ]


def test_scp_over_sftp_goes_both_ways(bench: Bench) -> None:
    files = fill(bench.here / "tree")
    place = f"host:{bench.there}"
    assert bench.run("scp", "-r", "-D", str(bench.tap), "tree", place) == 0
    up = bench.read(SftpReader(7))
    assert bench.run("scp", "-r", "-D", str(bench.tap), f"{place}/tree", "back") == 0
    down = bench.read(SftpReader(7))

    assert bench.relative(up) == expected("upload", files, "tree/")
    assert bench.relative(down) == expected("download", files, "tree/")


@pytest.mark.parametrize("times", [[], ["-p"]])
def test_scp_goes_both_ways_in_its_own_protocol(bench: Bench, times: list[str]) -> None:
    files = fill(bench.here / "tree")
    up = bench.scp("-r", *times, "tree", "{there}/")
    down = bench.scp("-r", *times, "{there}/tree", "back")

    assert bench.relative(up) == expected("upload", files, "tree/")
    assert bench.relative(down) == expected("download", files, "tree/")


def test_scp_sends_several_files(bench: Bench) -> None:
    fill(bench.here)
    events = bench.scp("big", "empty", "{there}")

    assert [row[1] for row in bench.relative(events)] == ["big", "empty"]
    assert all(row[4] for row in bench.relative(events))


def test_scp_that_fails_leaves_no_file_in_the_manifest(bench: Bench) -> None:
    fill(bench.here)

    assert bench.scp("{there}/missing", ".", fails=True) == []
    assert bench.scp("big", "{there}/missing/big", fails=True) == []


def test_scp_of_an_odd_name(bench: Bench) -> None:
    name = "new\nline $(x) `y` \\ é"
    (bench.here / name).write_bytes(b"odd")
    events = bench.scp(name, "{there}/")

    assert [row[2:] for row in bench.relative(events)] == [(3, sha256(b"odd"), True)]
    assert [path.name for path in bench.there.iterdir()] == [
        os.path.basename(row[1]) for row in bench.relative(events)
    ]


class _Server(asyncssh.SSHServer):
    """A server whose sftp subsystem is sftp-server behind the tap."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def begin_auth(self, username: str) -> bool:
        return username != "x"

    def session_requested(self) -> _Session:
        return _Session(self._bench)


class _Session(asyncssh.SSHServerSession[bytes]):
    def __init__(self, bench: Bench) -> None:
        environment = {**os.environ, "TAP_CAPTURE": str(bench.capture)}
        self._tap = subprocess.Popen(
            [bench.tap], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self._loop = asyncio.get_running_loop()

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = chan

    def subsystem_requested(self, subsystem: str) -> bool:
        return subsystem == "sftp"

    def session_started(self) -> None:
        threading.Thread(target=self._give_back, daemon=True).start()

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        assert datatype is None
        assert self._tap.stdin is not None
        self._tap.stdin.write(data)
        self._tap.stdin.flush()

    def eof_received(self) -> bool:
        assert self._tap.stdin is not None
        self._tap.stdin.close()
        return True

    def _give_back(self) -> None:
        assert self._tap.stdout is not None
        with self._tap, self._tap.stdout as output:
            while data := os.read(output.fileno(), 65536):
                self._loop.call_soon_threadsafe(self._channel.write, data)
        self._loop.call_soon_threadsafe(self._channel.exit, 0)


async def _transfer(bench: Bench, files: dict[str, bytes]) -> None:
    """Put a tree with asyncssh's client, get it back, and add to a file in place."""
    listener = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        server_factory=lambda: _Server(bench),
        encoding=None,
    )
    port = listener.get_port()
    async with (
        listener,
        asyncssh.connect("127.0.0.1", port, known_hosts=None, username="x") as connection,
    ):
        async with connection.start_sftp_client() as client:
            await client.put(str(bench.here / "tree"), str(bench.there), recurse=True)
            await client.get(str(bench.there / "tree"), str(bench.here / "back"), recurse=True)
            async with client.open(str(bench.there / "tree/empty"), "ab") as file:
                await file.write(b"appended")
        await client.wait_closed()
    assert (bench.here / "back/big").read_bytes() == files["big"]


def test_asyncssh_puts_and_gets_a_tree(bench: Bench) -> None:
    files = fill(bench.here / "tree")
    asyncio.run(asyncio.wait_for(_transfer(bench, files), 60))
    rows = bench.relative(bench.read(SftpReader(7)))

    appended = ("upload", "tree/empty", 8, sha256(b"appended"), False)
    assert [row for row in rows if row != appended] == [
        *expected("download", files, "tree/"),
        *expected("upload", files, "tree/"),
    ]
    assert appended in rows


@pytest.mark.parametrize(
    ("granted", "batch", "succeeds", "arrives"),
    [
        ("download", "get {there}/theirs theirs", True, "here/theirs"),
        ("download", "put ours {there}/ours", False, None),
        ("download", "rm {there}/theirs", False, "there/theirs"),
        ("download", "mkdir {there}/new", False, None),
        ("upload", "put ours {there}/ours", True, "there/ours"),
        ("upload", "get {there}/theirs theirs", False, None),
        ("", "ls -l {there}", True, None),
        ("upload download", "put ours {there}/ours", True, "there/ours"),
    ],
)
def test_a_real_client_is_told_what_is_not_granted(
    bench: Bench, granted: str, batch: str, succeeds: bool, arrives: str | None
) -> None:
    (bench.here / "ours").write_bytes(b"ours" * 20_000)
    (bench.there / "theirs").write_bytes(b"theirs" * 20_000)
    server = f"{sys.executable} {Path(filter_pump.__file__)}"
    done = subprocess.run(
        ["sftp", "-q", "-D", server, "-b", "-"],
        input=batch.format(there=bench.there).encode(),
        cwd=bench.here,
        env={**os.environ, "GRANTED": granted, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode == 0) == succeeds, done.stderr
    assert (b"ermission denied" in done.stderr) == (not succeeds), done.stderr
    if arrives is not None:
        name = arrives.partition("/")[2]
        assert (bench.here.parent / arrives).read_bytes() == name.encode() * 20_000
    else:
        assert {path.name for path in [*bench.here.iterdir(), *bench.there.iterdir()]} <= {
            "ours",
            "theirs",
        }


def test_real_clients_live_with_a_filter(bench: Bench) -> None:
    """The capture of a whole session, put through a filter that grants everything, is unchanged."""
    fill(bench.here / "tree")
    bench.sftp("cd {there}", "put -r tree", "get tree/big")
    sifter = SftpFilter(7, upload=True, download=True)
    chunks = transfer_tap.read_capture(bench.capture)
    passed = [
        (w, (sifter.sent(d) if w == "sent" else sifter.received(d)).forward) for w, d in chunks
    ]

    assert passed == chunks
    assert sifter.failed is None
