"""A person at a terminal, as a program: types into a real client and waits for what it shows.

Synchronous on purpose: the demo's check, the tests with real clients and the bench each drive one client
at a time, from a thread of their own.
"""

from __future__ import annotations

import errno
import os
import re
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

from watchgate.demo import pseudoterminal
from watchgate.errors import WatchgateError

KEPT = 1 << 20
"""Octets of what was shown that are kept to search in; older ones are dropped."""


class NotShownError(WatchgateError):
    """The program did not show, take or end what was expected; the message ends with what it did show."""

    code = "demo.not-shown"


class Terminal:
    """A program in a pseudo terminal of *columns* × *rows*.

    *shown* holds what the program printed and no `expect` has consumed yet.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._ours, theirs = pseudoterminal.open_pair(columns, rows)
        try:
            self.process = subprocess.Popen(
                pseudoterminal.leading(list(argv)),
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
                env=None if environment is None else dict(environment),
            )
        except BaseException:
            os.close(self._ours)
            raise
        finally:
            os.close(theirs)
        os.set_blocking(self._ours, False)
        self.shown = b""
        self.ended = False

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def fileno(self) -> int:
        """Our end of the terminal, for `select`; non-blocking."""
        return self._ours

    def send(self, data: bytes | str, timeout: float = 10.0) -> None:
        """Type *data*; raises NotShownError when the program does not take it."""
        rest = memoryview(data.encode() if isinstance(data, str) else data)
        deadline = time.monotonic() + timeout
        while rest:
            try:
                rest = rest[os.write(self._ours, rest) :]
            except BlockingIOError:
                # A full terminal is often full of what it has to show: read, or both sides wait.
                self._read(0.05)
                if time.monotonic() > deadline:
                    raise NotShownError(
                        f"{len(rest)} octets were not taken in {timeout} s; shown: {self.shown!r}"
                    ) from None

    def expect(self, pattern: bytes | str | re.Pattern[bytes], timeout: float = 10.0) -> bytes:
        """Wait until *pattern* is shown (a plain text, or a compiled pattern) and consume up to its end.

        Returns what was shown up to and with it; raises NotShownError after *timeout* seconds, or when
        the program ended first.
        """
        wanted = pattern if isinstance(pattern, re.Pattern) else re.compile(_literal(pattern))
        deadline = time.monotonic() + timeout
        while (found := wanted.search(self.shown)) is None:
            left = deadline - time.monotonic()
            if left <= 0 or self.ended:
                why = "the program ended" if self.ended else f"{timeout} s passed"
                raise NotShownError(
                    f"{wanted.pattern!r} was not shown: {why}; shown: {self.shown!r}"
                )
            self._read(left)
        taken, self.shown = self.shown[: found.end()], self.shown[found.end() :]
        return taken

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size."""
        pseudoterminal.resize(self._ours, columns, rows)

    def wait(self, timeout: float = 10.0) -> int:
        """Read until the program has ended and return its status (negative: the signal that ended it).

        Raises NotShownError when it goes on.
        """
        deadline = time.monotonic() + timeout
        while not self.ended and time.monotonic() < deadline:
            self._read(deadline - time.monotonic())
        try:
            return self.process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired as error:
            raise NotShownError(
                f"the program did not end in {timeout} s; shown: {self.shown!r}"
            ) from error

    def close(self) -> None:
        """Close the window: the program gets SIGHUP, and SIGKILL when that does not end it."""
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _read(self, timeout: float) -> None:
        ready, _, _ = select.select([self._ours], [], [], max(timeout, 0))
        if not ready:
            return
        try:
            data = os.read(self._ours, 65536)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:  # EIO: nobody holds the other end any more
                raise
            data = b""
        self.ended = not data
        self.shown = (self.shown + data)[-KEPT:]


def _literal(pattern: bytes | str) -> bytes:
    return re.escape(pattern.encode() if isinstance(pattern, str) else pattern)
