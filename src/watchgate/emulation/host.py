"""One life of the emulating process, as the gateway has it.

The gateway's loop asks it and waits for the answer, so every wait has a bound: a process that is late is asked
no more until it has caught up, and one that stays silent is ended. Both cost pictures, never a session.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from watchgate.emulation.wire import Frame, Frames, Op
from watchgate.processes import ending, little_environment
from watchgate.terminal.screen import ScreenAwayError

COMMAND = (sys.executable, "-P", "-m", "watchgate.emulation")
"""`-P`: what happens to lie in the working directory is not imported."""

ANSWER_S = 0.25
"""How long the loop waits for one answer; it takes a tenth of a millisecond."""
HANG_S = 2.0
"""A process that owes an answer for so long is ended."""
DYING_S = 0.05
"""How long a process that has closed its end may take to be gone."""
START_S = 10.0
"""How long it may take to begin."""

_READ = 256 * 1024


class GoneError(Exception):
    """The process is over."""


@dataclass(slots=True)
class _Expected:
    """A question that was not waited for."""

    number: int
    payload: bytes | None = None


class Host:
    """A process with the screens that were opened in it; not for several threads at once."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        """Start it and wait until it is there; raises OSError and GoneError."""
        self._stream, theirs = socket.socketpair()
        try:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=little_environment(os.environ),
            )
        except OSError:
            self._stream.close()
            raise
        finally:
            theirs.close()
        self.over = False
        self._frames = Frames()
        self._question = 0
        self._owed_since: float | None = None
        self._closed: list[int] = []
        self._answered = -1
        self._expected: dict[int, _Expected] = {}
        try:
            self._answer(time.monotonic() + START_S, self._question)
        except ScreenAwayError:
            self.end()
            raise GoneError(f"it was not there within {START_S:.0f} s") from None

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def forget(self, screen: int) -> None:
        """A screen is no longer needed; said with what is said next."""
        self._closed.append(screen)

    def tell(self, frames: bytes) -> None:
        """Send packed frames that want no answer; raises GoneError."""
        while self._closed:
            closed = self._closed.pop()
            self._expected.pop(closed, None)
            frames = Frame(Op.CLOSE, closed).packed() + frames
        self._send(frames)

    def ask(self, frames: bytes) -> bytes:
        """Send packed frames, the last of which is a question, and wait for its answer.

        Raises GoneError, and ScreenAwayError when the answer, or the one before, is late; then nothing of
        *frames* may have been sent.
        """
        if self.late:
            raise ScreenAwayError("the emulator is late")
        return self._answer(time.monotonic() + ANSWER_S, self._put(frames))

    def expect(self, screen: int, frames: bytes) -> bool:
        """Send a question of that screen's and do not wait; False: nothing is sent, an earlier one is open."""
        if self.late:
            return False
        earlier = self._expected.get(screen)
        if earlier is not None and earlier.payload is None:
            self._look_in()
            if earlier.payload is None:
                return False
        self._expected[screen] = _Expected(self._put(frames))
        return True

    def fetch(self, screen: int) -> bytes:
        """The answer to what `expect` asked last; raises as `ask` does."""
        expected = self._expected.pop(screen)
        if expected.payload is not None:
            return expected.payload
        return self._answer(time.monotonic() + ANSWER_S, expected.number)

    @property
    def late(self) -> bool:
        """It owes an answer: nothing is asked of it now. One that owes it for too long is ended."""
        if self.over or self._owed_since is None:
            return False
        try:
            self._look_in()
        except GoneError:
            return False
        if self._answered == self._question:
            self._owed_since = None
            return False
        if time.monotonic() > self._owed_since + HANG_S:
            self.end()
            return False
        return True

    def end(self, patience_s: float = 0.0) -> str:
        """End it, when it does not by itself, and say how it ended."""
        self.over = True
        self._stream.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            if patience_s:
                return ending(self._process.wait(patience_s))
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        status = self._process.wait()
        return "" if status in (0, -signal.SIGKILL) else ending(status)

    # --- inside ------------------------------------------------------------------------------

    def _put(self, question: bytes) -> int:
        self.tell(question)
        self._question += 1
        return self._question

    def _look_in(self) -> None:
        """Take what has come, without waiting."""
        while not self.over and select.select([self._stream], [], [], 0)[0]:
            self._read()

    def _send(self, octets: bytes) -> None:
        if self.over:
            raise GoneError
        self._stream.settimeout(ANSWER_S)
        try:
            self._stream.sendall(octets)
        except TimeoutError as error:
            # A part of a frame may have been sent: nothing that follows would be understood.
            raise self._lost() from error
        except OSError as error:
            raise self._lost(DYING_S) from error

    def _answer(self, deadline: float, wanted: int) -> bytes:
        """Wait for the answer to that question; those to earlier ones came too late, or somebody expects them."""
        while (left := deadline - time.monotonic()) > 0:
            if self.over:
                raise GoneError
            self._stream.settimeout(left)
            payload = self._read(wanted)
            if payload is not None:
                return payload
        self._owed_since = time.monotonic()
        raise ScreenAwayError("the emulator is late")

    def _read(self, wanted: int = -1) -> bytes | None:
        """Take what comes; gives the answer to the question *wanted*."""
        try:
            octets = self._stream.recv(_READ)
        except TimeoutError:
            return None
        except OSError as error:
            raise self._lost(DYING_S) from error
        if not octets:
            raise self._lost(DYING_S)
        try:
            frames = [frame for frame in self._frames.feed(octets) if frame.op is Op.ANSWER]
        except ValueError as error:
            raise self._lost() from error
        found = None
        for frame in frames:
            self._answered = frame.screen
            if frame.screen == wanted:
                found = frame.payload
            for expected in self._expected.values():
                if expected.number == frame.screen:
                    expected.payload = frame.payload
        return found

    def _lost(self, patience_s: float = 0.0) -> GoneError:
        return GoneError(self.end(patience_s) or "it was ended")
