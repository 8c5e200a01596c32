"""What rules cost a terminal's bulk output: the same gateway with rules and without, in turns.

Once as the output of a command that a terminal was opened for, once of one that is typed into a shell that
tells its commands.
"""

from __future__ import annotations

import os
import select
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.bulk import MEBI, Sizes, TransferError, prepare
from bench.bulk import screen as of_command
from bench.spread import Spread
from bench.ways import Course, Way, course
from watchgate.demo.openssh import environment

END = b"it-is-over"
PATIENCE = 120.0


def print_bulk(size: int, repeats: int) -> None:
    """Print both kinds; *size* in MiB."""
    print("\nbulk output through a terminal, MiB/s of wall time, with rules against without")
    with (
        tempfile.TemporaryDirectory(prefix="bulk-", ignore_cleanup_errors=True) as name,
        course(Path(name), ("watchgate", "ruled")) as on,
    ):
        for note in on.notes:
            print(note)
        prepare(on.files, Sizes(size, size, 1))
        screen = on.files / "screen"
        kinds: dict[str, Callable[[Way], float | None]] = {
            "of a command": lambda way: of_command(on, way, screen),
            "in a shell": lambda way: _in_shell(on, way, screen),
        }
        for what, transfer in kinds.items():
            print(_row(what, _turns(on, size, repeats, transfer)))


def _turns(
    on: Course, size: int, repeats: int, transfer: Callable[[Way], float | None]
) -> dict[str, Spread]:
    rates: dict[str, list[float]] = {way.name: [] for way in on.ways}
    for _ in range(repeats):
        for way in on.ways:
            begun = time.perf_counter()
            took = transfer(way)
            rates[way.name].append(size / (took or time.perf_counter() - begun))
    return {name: Spread.of(values) for name, values in rates.items()}


def _row(what: str, rates: dict[str, Spread]) -> str:
    shown = "   ".join(f"{name} {spread.median:6.1f}" for name, spread in rates.items())
    ratio = rates["ruled"].median / rates["watchgate"].median
    return f"{what:14} {shown}   ruled/watchgate {ratio:.2f}"


def _in_shell(on: Course, way: Way, file: Path) -> float:
    """Seconds from the Enter of `cat` to the last of its output."""
    process = subprocess.Popen(
        on.client.argv("ssh", "-tt", way.name),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        _until(process.stdout.fileno(), (b"# ", b"$ "))
        time.sleep(0.5)  # a person's first key comes later than the shell's hooks
        os.write(process.stdin.fileno(), b"cat %b; echo it-is'-over'\r" % os.fsencode(file))
        begun = time.perf_counter()
        passed = _until(process.stdout.fileno(), (END,))
        took = time.perf_counter() - begun
        if passed < file.stat().st_size:
            raise TransferError(f"{way.name}: {passed} of {file.stat().st_size} octets")
        return took
    finally:
        process.kill()
        process.wait()


def _until(descriptor: int, ends: tuple[bytes, ...]) -> int:
    """Read until one of *ends* was printed; how many octets came."""
    passed, tail = 0, b""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if not select.select([descriptor], [], [], 1.0)[0]:
            continue
        data = os.read(descriptor, MEBI)
        if not data:
            break
        passed += len(data)
        tail = (tail + data)[-200:]
        if any(end in tail for end in ends):
            return passed
    raise TransferError(f"{ends!r} was not printed; the last was {tail!r}")
