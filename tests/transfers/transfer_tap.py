"""Runs a real program between two pipes and keeps what passed, in the order in which it passed.

As a program it stands where `scp -S` or `sftp -D` expect theirs: it runs its last argument when that is
an scp command, and sftp-server otherwise. The capture goes to the file that `TAP_CAPTURE` names.
"""

from __future__ import annotations

import os
import shlex
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

SFTP_SERVER = "/usr/lib/openssh/sftp-server"

Chunk = tuple[str, bytes]
"""`sent` or `received`, and the octets."""


def install(directory: Path) -> Path:
    """This file as an executable of its own in *directory*."""
    program = directory / "tap"
    program.write_text(f"#!{sys.executable}\n{Path(__file__).read_text()}")
    program.chmod(0o700)
    return program


def read_capture(path: Path) -> list[Chunk]:
    """The chunks that a tap kept in the file at *path*."""
    return list(_chunks(path.read_bytes()))


def _chunks(octets: bytes) -> Iterator[Chunk]:
    at = 0
    while at < len(octets):
        sent, size = struct.unpack_from(">?I", octets, at)
        yield ("sent" if sent else "received"), octets[at + 5 : at + 5 + size]
        at += 5 + size


def _pump(
    sent: bool, source: int, sink: IO[bytes], capture: IO[bytes], lock: threading.Lock
) -> None:
    while data := os.read(source, 65536):
        with lock:
            capture.write(struct.pack(">?I", sent, len(data)) + data)
        try:
            sink.write(data)
            sink.flush()
        except BrokenPipeError:
            break
    sink.close()


def main() -> int:
    """Run the program that is asked for."""
    command = shlex.split(sys.argv[-1]) if sys.argv[-1].startswith("scp ") else [SFTP_SERVER]
    lock = threading.Lock()
    with open(os.environ["TAP_CAPTURE"], "wb") as capture:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if child.stdin is None or child.stdout is None:
            return 1
        upward = (True, sys.stdin.fileno(), child.stdin, capture, lock)
        threading.Thread(target=_pump, args=upward, daemon=True).start()
        _pump(False, child.stdout.fileno(), sys.stdout.buffer, capture, lock)
        status = child.wait()
    os._exit(status)


if __name__ == "__main__":
    main()
