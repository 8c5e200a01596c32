"""A remote shell for `rsync -e` that starts the server here and writes down what passes.

Run as a program: `rsync_tap.py LOG [-l USER] HOST WORD…`. It starts `WORD…` as sshd would, pumps both
directions, and writes every chunk to *LOG* before it passes it on, as the gateway does. As a module
it reads such logs. `RSYNC_TAP_DROP` names capabilities that the server is not told of, as by an
older client.
"""

from __future__ import annotations

import os
import shlex
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

_FRAME = struct.Struct("<cI")


def read_log(log: Path) -> Iterator[tuple[bytes, bytes]]:
    """(kind, octets) in the order they passed: `C` the command, `>` sent, `<` received."""
    data = log.read_bytes()
    at = 0
    while at < len(data):
        kind, length = _FRAME.unpack_from(data, at)
        at += _FRAME.size
        yield kind, data[at : at + length]
        at += length


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _without(command: str, dropped: str) -> str:
    """*command* with the capabilities *dropped* left out of `e.…`."""
    bundle, mark, rest = command.partition("e.")
    capabilities, space, paths = rest.partition(" ")
    kept = "".join(letter for letter in capabilities if letter not in dropped)
    return bundle + mark + kept + space + paths


class _Log:
    """Chunks of both directions in the order they passed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = threading.Lock()

    def write(self, kind: bytes, data: bytes) -> None:
        with self._lock:
            self._file.write(_FRAME.pack(kind, len(data)) + data)
            self._file.flush()


def _pump(log: _Log, kind: bytes, source: int, sink: int) -> None:
    """Pass on all of *source*; closes *sink* at its end."""
    with suppress(BrokenPipeError):
        while data := os.read(source, 65536):
            log.write(kind, data)
            _write_all(sink, data)
    os.close(sink)


def _between(server: subprocess.Popen[bytes], log: _Log) -> None:
    assert server.stdin is not None
    assert server.stdout is not None
    os.set_blocking(0, True)  # rsync leaves its ends, which are ours too, non-blocking
    os.set_blocking(1, True)
    inward = os.dup(server.stdin.fileno())
    server.stdin.close()
    # The client's direction may stay open behind a server that has ended: it is not waited for.
    threading.Thread(target=_pump, args=(log, b">", 0, inward), daemon=True).start()
    _pump(log, b"<", server.stdout.fileno(), 1)


def main(arguments: list[str]) -> int:
    """Run one server; returns its exit status."""
    path, *rest = arguments
    while rest[0] == "-l":
        rest = rest[2:]
    command = _without(" ".join(rest[1:]), os.environ.get("RSYNC_TAP_DROP", ""))
    with open(path, "wb") as file:
        log = _Log(file)
        log.write(b"C", os.fsencode(command))
        server = subprocess.Popen(
            shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        _between(server, log)
        return server.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
