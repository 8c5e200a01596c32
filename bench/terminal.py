"""How fast terminals are emulated: `python -m bench.terminal`.

Octets for each second of processor time, for streams as targets print them (generated, so that anybody
measures the same), and what reading a screen costs. Best of three; the slow emulator gets less to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.machine import facts
from watchgate.terminal.lazy import LazyScreen
from watchgate.terminal.screen import Screen
from watchgate.terminal.screens import Backend, open_screen

COLUMNS, ROWS = 120, 40
CHUNK = 16 * 1024
SIZES: dict[Backend, int] = {"ghostty": 8_000_000, "pyte": 200_000}
ROUNDS = 3


def streams() -> dict[str, bytes]:
    """What targets print."""
    listing = b"".join(
        b"-rw-r--r--  1 root root %8d Nov 21 04:%02d \x1b[01;34mname-%d\x1b[0m.txt\r\n"
        % (number * 7, number % 60, number)
        for number in range(1000)
    )
    log = b"".join(
        b"Nov 21 04:05:%02d web1 nginx[4711]: 10.0.0.%d GET /index.html 200 %d\r\n"
        % (number % 60, number % 256, number)
        for number in range(1000)
    )
    editor = b"".join(
        b"\x1b[?25l\x1b[%d;1H\x1b[38;5;%dm%4d \x1b[mlet x = %d;\x1b[K\x1b[40;1H\x1b[7m line %d\x1b[m\x1b[?25h"
        % (number % 38 + 1, number % 256, number, number, number)
        for number in range(1000)
    )
    progress = b"".join(
        b"\r\x1b[K[%-50s] %d%%" % (b"#" * (number % 50), number % 100) for number in range(1000)
    )
    unicode = "".join(f"日本語 {number} приве\u0301т — ✓ 🚀\r\n" for number in range(1000)).encode()
    line = b"abcdefghij" * 20_000
    return {
        "ls -lR in color": listing,
        "log": log,
        "editor": editor,
        "progress bar": progress,
        "unicode": unicode,
        "one long line": line,
    }


def speed(feed: Callable[[bytes], None], octets: bytes, amount: int) -> float:
    """Octets for each second of processor time, the best of some rounds."""
    pieces = [octets[start : start + CHUNK] for start in range(0, len(octets), CHUNK)]
    times = max(1, amount // len(octets))
    best = 0.0
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(times):
            for piece in pieces:
                feed(piece)
        best = max(best, times * len(octets) / (time.process_time() - started))
    return best


def lazily() -> Callable[[bytes], None]:
    """A screen that gets ten megabytes in each second of the session."""
    screen = LazyScreen(open_screen(COLUMNS, ROWS))
    moment = 0

    def feed(octets: bytes) -> None:
        nonlocal moment
        moment += len(octets) // 10
        screen.feed_at(moment, octets)

    return feed


def reading_every_row(screen: Screen) -> Callable[[bytes], None]:
    """Whoever indexes what scrolls by."""

    def feed(octets: bytes) -> None:
        screen.feed(octets)
        screen.scrolled()

    return feed


def seconds(call: Callable[[], object], times: int) -> float:
    """The processor time of one call."""
    started = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - started) / times


def readings(backend: Backend) -> dict[str, float]:
    """What reading a full colored screen costs, in seconds."""
    screen = open_screen(COLUMNS, ROWS, backend=backend)
    screen.feed(streams()["ls -lR in color"])
    screen.scrolled()
    calls: dict[str, Callable[[], object]] = {
        "cursor": lambda: screen.cursor,
        "lines()": screen.lines,
        "styled()": screen.styled,
        "keyframe()": screen.keyframe,
    }
    return {name: seconds(call, 100) for name, call in calls.items()}


def memory() -> int:
    """Octets that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def weight(backend: Backend) -> float:
    """Octets of one screen that was printed on and read."""
    octets = streams()["ls -lR in color"]
    before = memory()
    screens = [open_screen(COLUMNS, ROWS, backend=backend) for _ in range(50)]
    for screen in screens:
        screen.feed(octets)
        screen.scrolled()
    return (memory() - before) / len(screens)


def row(name: str, cells: Sequence[str]) -> str:
    """A row of a Markdown table."""
    return f"| {name} | " + " | ".join(cells) + " |"


def report() -> str:
    """Everything that is measured, as Markdown."""
    lines = [f"- {name}: {value}" for name, value in facts().items()]
    ways: dict[str, tuple[Callable[[], Callable[[bytes], None]], int]] = {}
    for backend, amount in SIZES.items():
        ways[backend] = (lambda b=backend: open_screen(COLUMNS, ROWS, backend=b).feed, amount)  # type: ignore[misc]
    rows_read = lambda: reading_every_row(open_screen(COLUMNS, ROWS))  # noqa: E731
    ways["ghostty, every row read"] = (rows_read, SIZES["ghostty"] // 4)
    ways["lazily"] = (lazily, 16_000_000)
    lines += ["", row("MB/s", list(ways)), row("---", ["---"] * len(ways))]
    for name, octets in streams().items():
        speeds = [speed(opened(), octets, amount) / 1e6 for opened, amount in ways.values()]
        lines.append(row(name, [f"{figure:.1f}" for figure in speeds]))
    lines += ["", row("Reading, µs", list(SIZES)), row("---", ["---"] * len(SIZES))]
    read = {backend: readings(backend) for backend in SIZES}
    for name in read["ghostty"]:
        lines.append(row(name, [f"{read[backend][name] * 1e6:.0f}" for backend in SIZES]))
    lines.append(row("memory of a screen, kB", [f"{weight(each) / 1e3:.0f}" for each in SIZES]))
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())
