"""What passes between an operator and the gateway's shell, and how it comes into the recording.

It is the same as with a shell on the target. Input is kept in clear only when the terminal showed it,
whoever did: the editor or a program.
"""

from __future__ import annotations

from collections.abc import Iterable

from watchgate.clock import Clock
from watchgate.protocols.ssh.capture import Capture, StreamCapture, TerminalCapture
from watchgate.protocols.ssh.effects import Effect, Record, Say, Send, Side
from watchgate.protocols.ssh.said import line as said
from watchgate.session.events import octets
from watchgate.session.ports import RecordKind


class Evidence:
    """Records both directions of one shell, and counts their octets."""

    def __init__(self, number: int, clock: Clock, *, record_input: bool, terminal: bool) -> None:
        self._clock = clock
        self._terminal = terminal
        self._capture: Capture = (
            TerminalCapture(number, record_input, clock)
            if terminal
            else StreamCapture(record_input)
        )
        self._at_margin = True
        self.sent = 0
        self.received = 0

    def typed(self, data: bytes) -> list[Effect]:
        """What comes before *data* may be acted on."""
        self.sent += len(data)
        return [effect for effect in self._capture.sent(data) if not isinstance(effect, Send)]

    def shown(self, data: bytes, stream: int | None = None) -> list[Effect]:
        """Show *data* to the operator."""
        if not data:
            return []
        self.received += len(data)
        self._at_margin = data.endswith(b"\n")
        if stream is not None:
            return [Record(RecordKind.ERROR, data), Send(Side.CLIENT, data, stream)]
        return self._capture.received(data)

    def margin(self) -> list[Effect]:
        """What brings the next prompt to the beginning of a row, behind output that did not end with one."""
        return self.shown(b"\r\n") if self._terminal and not self._at_margin else []

    def lines(self, lines: Iterable[str]) -> list[Effect]:
        """Show *lines*."""
        end = "\r\n" if self._terminal else "\n"
        return self.shown(octets("".join(line + end for line in lines)))

    def tell(self, text: str) -> list[Effect]:
        """Say something as the gateway."""
        return self.shown(said(text)) if self._terminal else [Say(text)]

    def due(self) -> int | None:
        """When `expire` wants to be called."""
        return self._capture.due()

    def expire(self) -> list[Effect]:
        """What is decided by now."""
        return self._capture.expire(self._clock.monotonic_us())

    def closed(self) -> list[Effect]:
        """What is left."""
        return self._capture.closed()
