"""An emulating process that dies, hangs or lies when the octets that it is fed say so."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time

from watchgate.confinement import keep_secrets
from watchgate.emulation.service import Service
from watchgate.emulation.wire import Frame, Op
from watchgate.terminal.screen import Screen
from watchgate.terminal.screens import open_screen

STREAM = socket.socket(fileno=0)


def open_frail(columns: int, rows: int) -> Screen:
    """A screen whose target can take it along."""
    screen = open_screen(columns, rows)
    feed = screen.feed

    def obey(octets: bytes) -> None:
        if b"DIE" in octets:
            os.kill(os.getpid(), signal.SIGSEGV)
        if b"HANG" in octets:
            while True:
                time.sleep(60)
        if b"DOZE" in octets:
            time.sleep(0.6)
        if b"LIE" in octets:
            STREAM.sendall(Frame(Op.ANSWER, service._questions, b"{}").packed())
        feed(octets)

    screen.feed = obey  # type: ignore[method-assign]
    return screen


if __name__ == "__main__":
    if "absent" in sys.argv:
        sys.exit(3)
    open_screen(1, 1)  # loading takes as long as anybody waits
    keep_secrets()  # a core dump takes longer than anybody waits
    service = Service(STREAM, open_frail)
    service.serve()
