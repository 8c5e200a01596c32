"""`python -m watchgate.emulation`: the process in which terminals are emulated; the gateway starts it (host.py)."""

from __future__ import annotations

import contextlib
import socket
from functools import partial

from watchgate.confinement import confine
from watchgate.emulation.service import Service
from watchgate.terminal.screens import open_screen

MEMORY = 4 << 30
"""Octets; a terminal that has printed much takes one and a half million."""
HISTORY = 1000
"""Rows that left a screen and are kept, for anchors of lines that are longer than it."""


def _warm() -> None:
    """Do once what takes long the first time."""
    screen = open_screen(80, 24, history=HISTORY)
    screen.feed(b"\x1b[2m$ \x1b[m\r\n")
    screen.anchor().place()
    for look in (screen.lines, screen.styled, partial(screen.dim, 0, 0)):
        look()


def main() -> None:
    """Serve the gateway at descriptor 0."""
    _warm()  # before no file can be opened any more
    stream = socket.socket(fileno=0)
    confine(MEMORY, nice=False, files=False)
    with contextlib.suppress(ConnectionError):
        Service(stream, partial(open_screen, history=HISTORY)).serve()


if __name__ == "__main__":
    main()
