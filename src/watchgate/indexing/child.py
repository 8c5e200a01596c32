"""The index worker as its parent has it: a process, and three pipes that never make the parent wait."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence

from watchgate.indexing.wire import Lines, Said, Told, pack_told, parse_said, reason
from watchgate.processes import ending, little_environment

COMMAND = (sys.executable, "-P", "-m", "watchgate.indexing")
"""`-P`: what happens to lie in the working directory is not imported."""
_READ = 65_536
_LAST_WORDS = 800
_MOMENT = 2.0
"""Seconds for a worker that says no more to be gone."""


class Child:
    """One life of the worker."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        """Start it; raises OSError."""
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=little_environment(os.environ),
            bufsize=0,
        )
        self.pid = self._process.pid
        streams = (self._process.stdin, self._process.stdout, self._process.stderr)
        self.orders, self.answers, self.complaints = (s.fileno() for s in streams if s is not None)
        for descriptor in (self.orders, self.answers, self.complaints):
            os.set_blocking(descriptor, False)
        self.over = False
        """It says no more."""
        self._unsent = bytearray()
        self._lines = Lines()
        self._last_words = b""

    @property
    def unsent(self) -> int:
        """Octets that wait for the worker to take them."""
        return len(self._unsent)

    def tell(self, told: Told) -> None:
        """Send an order, now or with the next `flush`."""
        self._unsent += pack_told(told)
        self.flush()

    def flush(self) -> None:
        """Send what it takes at present."""
        try:
            while self._unsent:
                del self._unsent[: os.write(self.orders, self._unsent)]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._unsent.clear()

    def heard(self) -> list[Said]:
        """What it said; raises ValueError when that is nothing that a worker says."""
        try:
            data = os.read(self.answers, _READ)
        except BlockingIOError:
            return []
        self.over = not data
        return [parse_said(line) for line in self._lines.feed(data)]

    def complained(self) -> bool:
        """Keep the end of what it wrote to stderr; false when there will be no more."""
        try:
            data = os.read(self.complaints, _READ)
        except BlockingIOError:
            return True
        self._last_words = (self._last_words + data)[-_LAST_WORDS:]
        return bool(data)

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def bury(self) -> str:
        """Wait for its end, let go of the pipes, and say how it ended; empty: in order."""
        try:
            status = self._process.wait(_MOMENT)
        except subprocess.TimeoutExpired:
            self.kill()
            status = self._process.wait()
        self.complained()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._unsent.clear()
        return ending(status)

    @property
    def last_words(self) -> str:
        """The end of what it wrote to stderr, for the log."""
        return reason(self._last_words.decode("utf-8", "backslashreplace").strip())
