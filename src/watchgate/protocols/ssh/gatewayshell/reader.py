"""Lines from a client without a terminal: nothing is echoed, and there is nothing to edit with."""

from __future__ import annotations

from watchgate.protocols.ssh.gatewayshell.buffer import LONGEST
from watchgate.protocols.ssh.gatewayshell.given import Did, Given, count_lines
from watchgate.protocols.ssh.gatewayshell.history import History
from watchgate.session.events import text


class Reader:
    """The same to its caller as `Editor`."""

    def __init__(self) -> None:
        self.history = History()
        self._data = b""
        self._has_ended = False
        self._whole = True

    @property
    def waiting(self) -> int:
        return len(self._data)

    def due(self) -> int | None:
        return None

    def feed(self, t_us: int, data: bytes) -> None:
        self._data += data

    def expire(self) -> None:
        pass

    def finish(self) -> None:
        self._has_ended = True

    def resize(self, columns: int) -> None:
        pass

    def begin(self, prompt: str) -> bytes:
        return b""

    def step(self) -> tuple[bytes, Given | None]:
        line, end, rest = self._data.partition(b"\n")
        if not end and not (self._has_ended and line):
            # What is too long to be a line is not kept; its end is waited for all the same.
            self._whole = self._whole and len(line) <= 4 * LONGEST
            self._data = line if self._whole else b""
            return b"", Given(Did.ENDED) if self._has_ended else None
        whole, self._whole = self._whole and len(line) <= 4 * LONGEST, True
        self._data = rest
        written = text(line).removesuffix("\r") if whole else ""
        return b"", Given(Did.ENTERED, written, whole=whole and "\0" not in written)

    def drop(self) -> tuple[int, int]:
        data, self._data = self._data, b""
        return count_lines(data), len(data)
