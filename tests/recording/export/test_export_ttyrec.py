"""ttyrec, read by its own tools."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from export_tapes import STARTED, Tape, exported

CHUNKS = [b"$ ls\r\n", b"\x00\xff\xc3", b"\xa4 \x1b[31mred\x1b[0m"]


def session() -> Tape:
    tape = Tape().shell(100).typed(150, b"x")
    for number, data in enumerate(CHUNKS):
        tape.out(200 + number * 1500, data).out(201, b"other", channel=2)
    return tape.closed(9000)


def test_each_frame_has_the_wall_time_and_the_octets() -> None:
    (rest,) = exported("ttyrec", session())
    frames = []
    while rest:
        seconds, microseconds, length = struct.unpack("<III", rest[:12])
        frames.append((seconds * 1_000_000 + microseconds - STARTED, rest[12 : 12 + length]))
        rest = rest[12 + length :]

    assert frames == [(200_000, CHUNKS[0]), (1_700_000, CHUNKS[1]), (3_200_000, CHUNKS[2])]


@pytest.mark.real
@pytest.mark.skipif(shutil.which("ttytime") is None, reason="ttyrec is not installed")
def test_ttytime_and_ttyplay_read_it(tmp_path: Path) -> None:
    file = tmp_path / "session.ttyrec"
    file.write_bytes(exported("ttyrec", session())[0])
    timed = subprocess.run(["ttytime", str(file)], check=True, capture_output=True, timeout=30)
    played = subprocess.run(
        ["ttyplay", "-n", str(file)],
        check=True,
        capture_output=True,
        timeout=30,
        stdin=subprocess.DEVNULL,
    )

    assert timed.stdout.split()[0] == b"3"
    assert played.stdout == b"".join(CHUNKS)
