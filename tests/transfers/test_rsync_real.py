"""Real rsync clients and servers, with the reader listening in between."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
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
