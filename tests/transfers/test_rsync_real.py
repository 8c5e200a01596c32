"""Real rsync clients and servers, with the reader listening in between."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import stat
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rsync_tap import read_log

from watchgate.session.events import Event, FileChanged, FileMoved, octets
from watchgate.transfers.rsync import RsyncReader, claims

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed"),
]

TAP = Path(__file__).with_name("rsync_tap.py")


@dataclass
class Heard:
    """What the reader made of one run of rsync."""

    command: str
    reader: RsyncReader
    events: list[Event] = field(default_factory=list)

    @property
    def moved(self) -> dict[str, FileMoved]:
        rows = [event for event in self.events if isinstance(event, FileMoved)]
        assert len({row.path for row in rows}) == len(rows)
        return {row.path: row for row in rows}

    def changed(self, operation: str) -> list[str]:
        return sorted(
            event.path
            for event in self.events
            if isinstance(event, FileChanged) and event.operation == operation
        )


def listen(log: Path, chunk: int = 1 << 20) -> Heard:
    """Give a log of a run to a reader, in pieces of at most *chunk* octets."""
    passed = read_log(log)
    _, command = next(passed)
    claim = claims(command.decode("utf-8", "surrogateescape"))
    assert claim is not None
    heard = Heard(command.decode("utf-8", "surrogateescape"), RsyncReader(claim, 7))
    for kind, data in passed:
        hear = heard.reader.sent if kind == b">" else heard.reader.received
        for at in range(0, len(data), chunk):
            heard.events += hear(data[at : at + chunk])
    heard.events += heard.reader.closed()
    return heard


@dataclass
class Bench:
    """Two directories and a way to run rsync between them."""

    root: Path
    source: Path
    target: Path
    drop: str = ""

    def __post_init__(self) -> None:
        self.source.mkdir()
        self.target.mkdir()

    @property
    def log(self) -> Path:
        return self.root / "log"

    def rsync(self, *arguments: str, status: tuple[int, ...] = (0,)) -> Heard:
        shell = f"{sys.executable} -S {TAP} {self.log}"
        done = subprocess.run(
            ["rsync", "-e", shell, *arguments],
            cwd=self.root,
            env={**os.environ, "RSYNC_TAP_DROP": self.drop},
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode in status, done.stderr.decode(errors="replace")
        return listen(self.log)

    def up(self, *options: str) -> Heard:
        return self.rsync(*options, f"{self.source}/", f"host:{self.target}/")

    def down(self, *options: str) -> Heard:
        return self.rsync(*options, f"host:{self.source}/", f"{self.target}/")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, tmp_path / "source", tmp_path / "target")


def fill(directory: Path) -> None:
    """A small tree with what is odd about trees."""
    chance = random.Random(7)
    (directory / "deep" / "er" / "still").mkdir(parents=True)
    (directory / "deep-er").mkdir()
    (directory / "deep.d").mkdir()
    (directory / "no content").mkdir()
    names = [
        b"plain",
        b"empty",
        b"with space",
        "grüße-世界".encode(),
        b"not\xffutf8",
        b"line\nbreak",
        b"qu'o\"te",
        b"-dash",
        b"deep/a",
        b"deep/b" * 1,
        b"deep/er/x",
        b"deep/er/still/bottom",
        b"deep-er/a",
        b"deep.d/a",
        b"n" * 250,
        b".hidden",
    ]
    for name in names:
        size = 0 if name == b"empty" else chance.choice([1, 700, 5000, 40_000, 200_000])
        content = (b"%d line of text\n" % size) * (size // 20) + chance.randbytes(size // 2)
        with open(os.path.join(os.fsencode(directory), name), "wb") as file:
            file.write(content)
    (directory / "link").symlink_to("deep/a")
    os.mkfifo(directory / "fifo")


def files(directory: Path) -> dict[bytes, bytes]:
    """Every regular file below, by its path relative to *directory*."""
    found = {}
    root = os.fsencode(directory)
    for parent, _, names in os.walk(root):
        for name in names:
            path = os.path.join(parent, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                with open(path, "rb") as file:
                    found[os.path.relpath(path, root)] = file.read()
    return found


def expect_whole(heard: Heard, base: Path, source: Path) -> None:
    """Every file of *source* has a row below *base*, whole and with its right digest."""
    assert heard.reader.failed is None
    expected = {
        os.path.join(os.fsencode(base), name): hashlib.sha256(content).hexdigest()
        for name, content in files(source).items()
    }
    assert {octets(path): row.digest for path, row in heard.moved.items()} == expected
    assert all(row.complete and not row.note for row in heard.moved.values())
    sizes = {octets(path): row.size for path, row in heard.moved.items()}
    assert sizes == {
        os.path.join(os.fsencode(base), name): len(content)
        for name, content in files(source).items()
    }


OPTIONS = [
    "-a",
    "-r",
    "-rlt",
    "-aW",
    "-av",
    "-ai",
    "-az",
    "-azz",
    "-az --compress-choice=zstd",
    "-az --compress-choice=zlibx",
    "-az --compress-choice=zlib",
    "-az --compress-choice=none",
    "-az --compress-level=9",
    "-azv --skip-compress=x",
    "-ac",
    "-ac --checksum-choice=md5,sha1",
    "-ac --checksum-choice=xxh64",
    "-a --checksum-choice=none",
    "-aH",
    "-acH",
    "-aA",
    "-aX",
    "-aHAX",
    "-aU",
    "-aS",
    "-am",
    "-a --numeric-ids",
    "-aAX --numeric-ids --no-inc-recursive",
    "-a --no-inc-recursive",
    "-aHz --no-inc-recursive",
    "-aHAXc --no-inc-recursive",
    "-a --delete",
    "-a --delete-after",
    "-a --delete-excluded --exclude=nothing",
    "-a --delay-updates",
    "-a --inplace",
    "-a --append",
    "-a --append-verify",
    "-a --partial-dir=.partial --backup --backup-dir=old --suffix=~",
    "-a --timeout=20",
    "-a --stats --info=all",
    "-a --secluded-args",
    "-as --exclude=nothing",
    "-a --old-args",
    "-a --fuzzy",
    "-a --no-specials --omit-dir-times",
    "-a --protocol=31",
    "-a --protocol=30",
    "-aHzc --protocol=30",
    "-aAX --protocol=30",
    "-a --protocol=30 --no-inc-recursive",
    "-a --protocol=29",
    "-aHzc --protocol=29",
    "-aL --protocol=29 --delete",
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("direction", ["up", "down"])
def test_every_new_file_has_a_row_with_its_digest(
    bench: Bench, direction: str, options: str
) -> None:
    fill(bench.source)
    run: Callable[..., Heard] = bench.up if direction == "up" else bench.down
    if "L" in options:
        (bench.source / "link").unlink()

    heard = run(*options.split())

    expect_whole(heard, bench.target if direction == "up" else bench.source, bench.source)


@pytest.mark.parametrize("drop", ["vu", "vuI", "vuCIxf", "i", "ivuCIxfsL"])
@pytest.mark.parametrize("options", ["-a", "-az", "-aHc"])
@pytest.mark.parametrize("direction", ["up", "down"])
def test_clients_of_older_capabilities_are_read(
    bench: Bench, direction: str, options: str, drop: str
) -> None:
    fill(bench.source)
    bench.drop = drop
    run: Callable[..., Heard] = bench.up if direction == "up" else bench.down

    heard = run(options)

    expect_whole(heard, bench.target if direction == "up" else bench.source, bench.source)


def test_older_clients_spare_attributes_of_hard_links(bench: Bench) -> None:
    link_and_label(bench.source)
    bench.drop = "x"

    heard = bench.up("-aHX")

    assert heard.reader.failed is None
    assert len(heard.changed("link")) == 3


def link_and_label(directory: Path) -> None:
    """Hard links within and across directories, devices, attributes long and short, access lists."""
    (directory / "d").mkdir()
    (directory / "e").mkdir()
    (directory / "d" / "one").write_bytes(b"one\n")
    for name in ("d/two", "e/three", "zzz"):
        (directory / name).hardlink_to(directory / "d" / "one")
    (directory / "e" / "other").write_bytes(b"hi")
    try:
        os.setxattr(directory / "d" / "one", "user.short", b"v")
        os.setxattr(directory / "d" / "one", "user.long", b"w" * 500)
        os.setxattr(directory / "d", "user.long", b"q" * 33)
        os.setxattr(directory / "e" / "other", "user.long", b"u" * 3000)
    except OSError:
        pytest.skip("this file system has no extended attributes")
    with suppress(OSError):
        for kind, path in (("access", "e/other"), ("default", "e")):
            os.setxattr(directory / path, f"system.posix_acl_{kind}", access_list())


def access_list() -> bytes:
    """An access list that names a user and a group, as Linux stores it."""
    nobody = 0xFFFF_FFFF
    entries = [
        (1, 6, nobody),
        (2, 6, 33),
        (4, 4, nobody),
        (8, 4, 54_321),
        (16, 6, nobody),
        (32, 4, nobody),
    ]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


@pytest.mark.parametrize(
    "options",
    [
        "-aH",
        "-aHX",
        "-aHAX",
        "-aHAX --numeric-ids",
        "-aHAXcz --no-inc-recursive",
        "-aHAX --protocol=31",
        "-aHAX --protocol=30",
        "-aHX --checksum-choice=sha1",
        "-aHX --checksum-choice=xxh64",
        "-aH --protocol=29",
    ],
)
@pytest.mark.parametrize("direction", ["up", "down"])
def test_hard_links_attributes_and_access_lists_do_not_lose_the_thread(
    bench: Bench, direction: str, options: str
) -> None:
    link_and_label(bench.source)
    run: Callable[..., Heard] = bench.up if direction == "up" else bench.down

    heard = run(*options.split())
    base = bench.target if direction == "up" else bench.source
    other = heard.moved[f"{base}/e/other"]

    assert heard.reader.failed is None
    assert other.digest == hashlib.sha256(b"hi").hexdigest()
    assert len(heard.moved) == 2
    assert len(heard.changed("link")) == (3 if direction == "up" else 0)


@pytest.mark.parametrize("options", ["-a", "-a --no-inc-recursive", "-az --delete --protocol=30"])
@pytest.mark.parametrize("direction", ["up", "down"])
def test_many_files_are_all_there(bench: Bench, direction: str, options: str) -> None:
    for number in range(2000):
        path = bench.source / f"d{number % 37}" / f"e{number % 5}" / f"f{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d\n" % number * (number % 9))
    run: Callable[..., Heard] = bench.up if direction == "up" else bench.down

    heard = run(*options.split())

    expect_whole(heard, bench.target if direction == "up" else bench.source, bench.source)


@pytest.mark.parametrize("options", ["-a", "-az", "-azz", "-az --old-compress"])
@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_large_file_is_whole(bench: Bench, direction: str, options: str) -> None:
    block = random.Random(5).randbytes(1 << 20)
    (bench.source / "large").write_bytes(block * 12 + bytes(8 << 20))
    run: Callable[..., Heard] = bench.up if direction == "up" else bench.down

    heard = run(*options.split())

    expect_whole(heard, bench.target if direction == "up" else bench.source, bench.source)


@pytest.mark.parametrize("options", ["-aHAX", "-az --delete", "-ac --protocol=29"])
def test_octet_by_octet_is_the_same(bench: Bench, options: str) -> None:
    (bench.source / "deep" / "er").mkdir(parents=True)
    (bench.source / "deep" / "er" / "f").write_bytes(b"text " * 500)
    (bench.source / "g").write_bytes(b"g")
    (bench.source / "h").hardlink_to(bench.source / "g")
    (bench.target / "gone").write_bytes(b"")

    heard = bench.up(*options.split())

    assert heard.reader.failed is None
    assert listen(bench.log, chunk=1).events == heard.events


def change(bench: Bench) -> bytes:
    """A file that differs from the target's in a few octets; returns the new content."""
    old = random.Random(9).randbytes(500_001)
    new = old[:200_000] + b"INSERTED" + old[200_000:]
    (bench.target / "f").write_bytes(old)
    os.utime(bench.target / "f", (1e9, 1e9))
    (bench.source / "f").write_bytes(new)
    return new


@pytest.mark.parametrize(
    "options", ["-a", "-az", "-azz", "-a --inplace", "-a -B700", "-a --protocol=30"]
)
def test_a_delta_has_its_size_and_no_digest(bench: Bench, options: str) -> None:
    new = change(bench)
    heard = bench.up(*options.split())
    row = heard.moved[f"{bench.target}/f"]

    assert (bench.target / "f").read_bytes() == new
    assert (row.size, row.digest, row.complete) == (len(new), None, False)
    assert row.note.startswith("delta: ")
    assert row.note.endswith(f" of {len(new)} octets passed as literals")


@pytest.mark.parametrize("method", ["zlib", "lz4"])
def test_a_delta_that_is_not_read_has_the_size_of_the_list(bench: Bench, method: str) -> None:
    new = change(bench)
    row = bench.up("-az", f"--compress-choice={method}").moved[f"{bench.target}/f"]

    assert (row.size, row.digest, row.complete) == (len(new), None, False)
    assert row.note.startswith(f"compressed by {method}")


def test_lz4_moves_files_without_a_digest(bench: Bench) -> None:
    fill(bench.source)
    heard = bench.up("-az", "--compress-choice=lz4")

    assert heard.reader.failed is None
    assert len(heard.moved) == len(files(bench.source))
    assert heard.moved[f"{bench.target}/plain"].digest is None
    assert heard.moved[f"{bench.target}/plain"].size == (bench.source / "plain").stat().st_size


def test_whole_file_over_an_old_one_has_its_digest(bench: Bench) -> None:
    new = change(bench)
    row = bench.up("-aW").moved[f"{bench.target}/f"]

    assert row.digest == hashlib.sha256(new).hexdigest()
    assert row.complete


@pytest.mark.parametrize("option", ["--append", "--append-verify"])
def test_what_is_appended_is_counted(bench: Bench, option: str) -> None:
    new = random.Random(9).randbytes(300_000)
    (bench.source / "f").write_bytes(new)
    (bench.target / "f").write_bytes(new[:100_000])
    row = bench.up("-a", option).moved[f"{bench.target}/f"]

    assert (row.size, row.digest, row.complete) == (300_000, None, False)
    assert row.note == "appended: 200000 of 300000 octets passed"


def test_a_second_try_is_a_second_row(bench: Bench) -> None:
    new = random.Random(9).randbytes(300_000)
    (bench.source / "f").write_bytes(new)
    (bench.target / "f").write_bytes(b"other" * 1000)
    heard = bench.up("-a", "--append-verify")
    notes = [event.note for event in heard.events if isinstance(event, FileMoved)]

    assert heard.reader.failed is None
    assert (bench.target / "f").read_bytes() == new
    assert [note.partition(":")[0] for note in notes] == ["appended", "delta"]


def test_what_an_upload_removes_and_makes_is_told(bench: Bench) -> None:
    fill(bench.source)
    (bench.target / "old" / "er").mkdir(parents=True)
    (bench.target / "old" / "er" / "f").write_bytes(b"x")
    (bench.target / "gone").write_bytes(b"x")

    heard = bench.up("-a", "--delete")

    target = bench.target
    assert heard.changed("remove") == [f"{target}/gone", f"{target}/old/er/f"]
    assert heard.changed("rmdir") == [f"{target}/old", f"{target}/old/er"]
    assert f"{target}/deep/er/still" in heard.changed("mkdir")
    assert FileChanged(7, "rsync", "symlink", f"{target}/link", "deep/a", True) in heard.events


@pytest.mark.parametrize("options", ["-an", "-ani --delete", "-anvHX", "-an --protocol=29"])
@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_dry_run_has_no_rows(bench: Bench, direction: str, options: str) -> None:
    fill(bench.source)
    (bench.target / "gone").write_bytes(b"x")
    run: Callable[..., Heard] = bench.up if direction == "up" else bench.down

    heard = run(*options.split())

    assert (heard.reader.failed, heard.events) == (None, [])


def test_a_list_has_no_rows(bench: Bench) -> None:
    fill(bench.source)
    heard = bench.rsync("-r", f"host:{bench.source}/")

    assert (heard.reader.failed, heard.events) == (None, [])


def test_sources_that_a_download_removes_are_told(bench: Bench) -> None:
    (bench.source / "f").write_bytes(b"x")
    heard = bench.down("-a", "--remove-source-files")

    assert heard.changed("remove") == [f"{bench.source}/f"]
    assert list(heard.moved) == [f"{bench.source}/f"]
    assert files(bench.source) == {}


@pytest.mark.parametrize("protocol", ["32", "31"])
def test_files_that_the_client_names_are_read(bench: Bench, protocol: str) -> None:
    fill(bench.source)
    (bench.root / "names").write_text("plain\ndeep/er/x\n")
    heard = bench.down("-a", "--files-from=names", f"--protocol={protocol}")

    assert heard.reader.failed is None
    assert sorted(heard.moved) == [f"{bench.source}/deep/er/x", f"{bench.source}/plain"]


def test_relative_names_are_joined_on_both_ways(bench: Bench) -> None:
    fill(bench.source)
    up = bench.rsync("-aR", "source/./deep/er", f"host:{bench.target}/")
    down = bench.rsync("-aR", f"host:{bench.source}/deep/er", f"{bench.target}/")

    assert f"{bench.target}/deep/er/x" in up.moved
    assert f"{bench.source}/deep/er/x" in down.moved


def test_several_sources_keep_their_places(bench: Bench) -> None:
    fill(bench.source)
    sources = [f"host:{bench.source}/deep", f":{bench.source}/deep.d", f":{bench.source}/plain"]
    heard = bench.rsync("-a", *sources, f"{bench.target}/")

    expected = {"deep/a", "deep/b", "deep/er/x", "deep/er/still/bottom", "deep.d/a", "plain"}
    assert set(heard.moved) == {f"{bench.source}/{name}" for name in expected}


def test_a_source_that_is_not_there_is_no_failure(bench: Bench) -> None:
    heard = bench.rsync("-a", "host:/nowhere/at/all", "target/", status=(23,))

    assert (heard.reader.failed, heard.events) == (None, [])


def test_a_client_of_another_charset_is_recorded_raw(bench: Bench) -> None:
    (bench.source / "f").write_bytes(b"x")
    heard = bench.up("-a", "--iconv=utf8,latin1")

    assert heard.reader.failed is not None
    assert "--iconv" in heard.reader.failed
