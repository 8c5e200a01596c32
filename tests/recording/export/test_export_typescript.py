"""typescript and timing, played by scriptreplay of util-linux."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from export_tapes import Tape, exported

AWKWARD = [
    b"$ ls\r\n",
    b"\x00\x01\xff\xfe\xc3",
    b"\xa4 \x1b[31mred\x1b[0m",
    bytes(range(256)),
    b"no newline at the end",
]
real = pytest.mark.skipif(shutil.which("scriptreplay") is None, reason="scriptreplay is missing")


def session() -> Tape:
    tape = Tape().shell(250)
    for number, data in enumerate(AWKWARD):
        tape.out(300 + number * 37, data).out(301 + number * 37, b"other", channel=2)
    tape.typed(500, b"x\r").resized(600, b"120x40").err(700, b"stderr\n")
    return tape.closed(800, 3)


def replay(*arguments: str) -> bytes:
    command = ["scriptreplay", "--divisor", "1000", *arguments]
    return subprocess.run(command, check=True, capture_output=True, timeout=30).stdout


def put(folder: Path, files: tuple[bytes, ...]) -> list[str]:
    names = [str(folder / name) for name in ("script", "timing", "input")]
    for name, data in zip(names, files, strict=False):
        Path(name).write_bytes(data)
    return names[: len(files)]


def test_the_classic_timing_counts_from_the_opening_of_the_channel() -> None:
    script, timing = exported("typescript", session())

    assert timing.splitlines()[:2] == [b"0.050000 6", b"0.037000 5"]
    assert script.split(b"\n", 1)[1] == b"".join(AWKWARD) + b"stderr\n"


def test_the_streams_hold_input_resizes_and_the_exit() -> None:
    _, timing, typed = exported("typescript-streams", session())

    assert typed.split(b"\n", 1)[1] == b"x\r"
    assert b"S 0.100000 SIGWINCH ROWS=40 COLS=120\n" in timing
    assert b"I 0.052000 2\n" in timing
    assert timing.endswith(b"H 0.000000 DURATION 0.550000\nH 0.000000 EXIT_CODE 3\n")


def test_a_title_never_breaks_its_line() -> None:
    tape = Tape().exec(0, 'echo "a\nO 9.9 99"\udcff')
    _, timing, _ = exported("typescript-streams", tape)

    assert b"COMMAND echo ?a?O 9.9 99?\xef\xbf\xbd\n" in timing


def test_without_input_no_stream_mentions_it() -> None:
    _, timing, typed = exported("typescript-streams", session(), with_input=False)

    assert b"I " not in timing
    assert typed.count(b"\n") == 1


@real
@pytest.mark.real
def test_scriptreplay_plays_the_classic_form_octet_for_octet(tmp_path: Path) -> None:
    script, timing = put(tmp_path, exported("typescript", session()))

    assert replay("--timing", timing, "--typescript", script) == b"".join(AWKWARD) + b"stderr\n\n"


@real
@pytest.mark.real
def test_scriptreplay_plays_each_stream_octet_for_octet(tmp_path: Path) -> None:
    script, timing, typed = put(tmp_path, exported("typescript-streams", session()))
    files = ("--log-timing", timing, "--log-out", script, "--log-in", typed)

    assert replay(*files, "--stream", "out") == b"".join(AWKWARD) + b"stderr\n\n"
    assert replay(*files, "--stream", "in", "--cr-mode", "never") == b"x\r\n"
    assert b"SIGWINCH" in replay(*files, "--stream", "signal")


@real
@pytest.mark.real
def test_scriptreplay_sums_the_streams_up(tmp_path: Path) -> None:
    _, timing, _ = put(tmp_path, exported("typescript-streams", session()))
    command = ["scriptreplay", "--log-timing", timing, "--summary"]
    summary = subprocess.run(command, check=True, capture_output=True, timeout=30).stdout

    assert b"EXIT_CODE:  3\n" in summary
