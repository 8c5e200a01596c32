"""Pseudo terminals for programs that we start: the demo target's shells and the clients that we drive.

The controlling terminal is set by util-linux's `setsid --ctty` rather than by code that runs between
fork and exec: a process with threads must not run Python there.
"""

from __future__ import annotations

import fcntl
import os
import struct
import termios

LARGEST = 0xFFFF
"""The kernel keeps columns and rows in 16 bits each."""


def open_pair(columns: int, rows: int) -> tuple[int, int]:
    """A fresh terminal of that size: our end and the program's end."""
    ours, theirs = os.openpty()
    resize(ours, columns, rows)
    return ours, theirs


def resize(descriptor: int, columns: int, rows: int) -> None:
    """Tell the terminal its size; the program in front gets SIGWINCH. 0 stands for unknown."""
    size = struct.pack("HHHH", min(rows, LARGEST), min(columns, LARGEST), 0, 0)
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, size)


def leading(argv: list[str]) -> list[str]:
    """*argv* as the leader of a session of its own, with its standard input as controlling terminal."""
    return ["setsid", "--ctty", *argv]
