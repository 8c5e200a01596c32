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

    def tell(self, *frames: Frame) -> None:
        """Send what wants no answer; raises GoneError."""
        while self._closed:
            frames = (Frame(Op.CLOSE, self._closed.pop()), *frames)
        self._send(b"".join(frame.packed() for frame in frames))

    def ask(self, frame: Frame) -> bytes:
        """Send a question and wait for its answer; raises GoneError, and ScreenAwayError when it is late."""
        deadline = time.monotonic() + ANSWER_S
        if self._owed_since is not None:
            self._catch_up()
        self.tell(frame)
        self._question += 1
        return self._answer(deadline, self._question)

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

    @property
    def late(self) -> bool:
        """It owes an answer: nothing is asked of it now."""
        if self.over or self._owed_since is None:
            return False
        try:
            self._catch_up()
        except (GoneError, ScreenAwayError):
            return True
        return False

    # --- inside ------------------------------------------------------------------------------

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
        """The answer to that question; those to earlier ones came too late and are nobody's."""
        while (left := deadline - time.monotonic()) > 0:
            self._stream.settimeout(left)
            for frame in self._read():
                if frame.screen == wanted:
                    self._owed_since = None
                    return frame.payload
        if self._owed_since is None:
            self._owed_since = time.monotonic()
        raise ScreenAwayError("the emulator is late")

    def _catch_up(self) -> None:
        """See whether what is owed has come, without waiting."""
        assert self._owed_since is not None
        while select.select([self._stream], [], [], 0)[0]:
            for frame in self._read():
                if frame.screen == self._question:
                    self._owed_since = None
                    return
        if time.monotonic() > self._owed_since + HANG_S:
            raise self._lost()
        raise ScreenAwayError("the emulator is late")

    def _read(self) -> list[Frame]:
        try:
            octets = self._stream.recv(_READ)
        except TimeoutError:
            return []
        except OSError as error:
            raise self._lost(DYING_S) from error
        if not octets:
            raise self._lost(DYING_S)
        try:
            return [frame for frame in self._frames.feed(octets) if frame.op is Op.ANSWER]
        except ValueError as error:
            raise self._lost() from error

    def _lost(self, patience_s: float = 0.0) -> GoneError:
        return GoneError(self.end(patience_s) or "it was ended")
