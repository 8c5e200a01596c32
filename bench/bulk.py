"""How fast much data passes: command output, a terminal full of text, scp and sftp in both directions.

Real OpenSSH clients; octets are counted and thrown away on this side, files go to the same file system for all ways.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import cost
from bench.spread import Spread
from bench.ways import Course, Way
from watchgate.demo.openssh import environment

MEBI = 1 << 20
BLOCK = 1 << 20


class TransferError(RuntimeError):
    """A transfer ended with an error or with another number of octets; its figure would be a lie."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Mebibytes that are moved."""

    command: int
    terminal: int
    file: int

    @classmethod
    def of(cls, largest: int) -> Sizes:
        """Sizes of which command output has *largest*, and what is slower has less."""
        return cls(largest, max(largest // 8, 1), max(largest // 2, 1))


@dataclass(frozen=True, slots=True)
class Moved:
    """What one kind of transfer reached: MiB/s, and octets kept on disk for each octet that passed."""

    rates: dict[str, Spread]
    kept: dict[str, float]


def prepare(directory: Path, sizes: Sizes) -> None:
    """Write the files that are moved: one that cannot be compressed, one like a log."""
    with (directory / "noise").open("wb") as file:
        for _ in range(max(sizes.command, sizes.file)):
            file.write(os.urandom(MEBI))
    chance = random.Random(1)
    lines = b"".join(_log_line(chance) for _ in range(20_000))
    for name, size in (("log", sizes.command), ("screen", sizes.terminal)):
        _repeat(directory / name, lines, size * MEBI)


def measure(
    course: Course, sizes: Sizes, repeats: int, told: Callable[[str], None]
) -> dict[str, Moved]:
    """All kinds of transfers, the ways in turns."""
    noise, log, shown = (course.files / name for name in ("noise", "log", "screen"))
    batch = course.files / "batch"
    kinds: dict[str, tuple[int, Callable[[Way], None]]] = {
        "exec, incompressible": (sizes.command, lambda way: _command(course, way, noise, sizes)),
        "exec, log text": (sizes.command, lambda way: _command(course, way, log, sizes)),
        "terminal, log text": (sizes.terminal, lambda way: screen(course, way, shown)),
        "scp upload": (sizes.file, lambda way: _scp(course, way, sizes, up=True)),
        "scp download": (sizes.file, lambda way: _scp(course, way, sizes, up=False)),
        "sftp upload": (sizes.file, lambda way: _sftp(course, way, sizes, batch, up=True)),
        "sftp download": (sizes.file, lambda way: _sftp(course, way, sizes, batch, up=False)),
    }
    result = {}
    for name, (size, transfer) in kinds.items():
        told(f"bulk: {name}, {size} MiB")
        result[name] = _in_turns(course, size, repeats, transfer)
    return result


def _in_turns(course: Course, size: int, repeats: int, transfer: Callable[[Way], None]) -> Moved:
    rates: dict[str, list[float]] = {way.name: [] for way in course.ways}
    before = {way.name: cost.on_disk(way.records) for way in course.ways}
    for _ in range(repeats):
        for way in course.ways:
            begun = time.perf_counter()
            transfer(way)
            rates[way.name].append(size / (time.perf_counter() - begun))
    kept = {
        way.name: (cost.on_disk_at_rest(way.records) - before[way.name]) / (size * MEBI * repeats)
        for way in course.ways
        if way.records is not None
    }
    return Moved({name: Spread.of(values) for name, values in rates.items()}, kept)


def _command(course: Course, way: Way, file: Path, sizes: Sizes) -> None:
    wanted = sizes.command * MEBI
    _count(course, way, [], f"head -c {wanted} {file}", wanted)


def screen(course: Course, way: Way, file: Path) -> None:
    # The terminal puts a carriage return before each line feed.
    text = file.read_bytes()
    _count(course, way, ["-tt"], f"cat {file}", len(text) + text.count(b"\n"))


def _count(course: Course, way: Way, options: list[str], command: str, wanted: int) -> None:
    process = subprocess.Popen(
        course.client.argv("ssh", *options, way.name, command),
        stdin=subprocess.PIPE,  # kept open: an end of input would be typed into the terminal
        stdout=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None
    passed, block = 0, bytearray(BLOCK)
    while count := process.stdout.readinto(block):  # type: ignore[attr-defined]
        passed += count
    process.communicate()
    if process.returncode or passed != wanted:
        raise TransferError(
            f"{way.name}: {command}: status {process.returncode}, {passed} of {wanted} octets"
        )


def _scp(course: Course, way: Way, sizes: Sizes, *, up: bool) -> None:
    local, remote, landed = _places(course, way, sizes, up=up)
    names = [str(local), f"{way.name}:{remote}"]
    _run(course, way, "scp", [*(names if up else names[::-1])])
    _check(landed, sizes)


def _sftp(course: Course, way: Way, sizes: Sizes, batch: Path, *, up: bool) -> None:
    local, remote, landed = _places(course, way, sizes, up=up)
    batch.write_text(f"put {local} {remote}\n" if up else f"get {remote} {local}\n")
    _run(course, way, "sftp", ["-b", str(batch), way.name])
    _check(landed, sizes)


def _places(course: Course, way: Way, sizes: Sizes, *, up: bool) -> tuple[Path, Path, Path]:
    """The local file, the remote file, and which of the two is written."""
    source, landed = course.files / f"file-{sizes.file}", course.files / f"landed-{way.name}"
    if not source.exists():
        with source.open("wb") as file, (course.files / "noise").open("rb") as noise:
            file.write(noise.read(sizes.file * MEBI))
    landed.unlink(missing_ok=True)
    return (source, landed, landed) if up else (landed, source, landed)


def _check(landed: Path, sizes: Sizes) -> None:
    if landed.stat().st_size != sizes.file * MEBI:
        raise TransferError(f"{landed} has {landed.stat().st_size} octets")
    landed.unlink()


def _run(course: Course, way: Way, program: str, arguments: list[str]) -> None:
    done = course.client.run(program, "-q", *arguments, timeout=600)
    if done.returncode:
        raise TransferError(f"{way.name}: {program}: {done.stderr.decode(errors='replace')}")


def _log_line(chance: random.Random) -> bytes:
    words = ("accepted", "closed", "timeout", "GET", "POST", "/api/v1/orders", "user", "cache")
    said = " ".join(chance.choice(words) for _ in range(chance.randint(4, 12)))
    return f"2026-11-21T09:{chance.randint(0, 59):02}:{chance.random() * 60:09.6f}Z web1[{chance.randint(100, 99999)}]: {said} id={chance.getrandbits(64):x}\n".encode()


def _repeat(path: Path, lines: bytes, size: int) -> None:
    with path.open("wb") as file:
        left = size
        while left:
            left -= file.write(lines[:left])
