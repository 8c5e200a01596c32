"""The payloads of channel requests (RFC 4254 §6): octets to values, each length checked.

asyncssh owns the packets; what is here is what the gateway must read inside them. The octets
themselves are passed on as they came.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchgate.errors import PeerProtocolError

TERM_LIMIT = 256
MODES_LIMIT = 4096
NAME_LIMIT = 1024
VALUE_LIMIT = 128 * 1024
COMMAND_LIMIT = 192 * 1024
"""Ceilings in octets. A packet holds at most 256 KiB, so a command always fits one packet."""


NO_SESSION = (255).to_bytes(4, "big")
"""The `exit-status` of what the gateway refused: the one that ssh itself uses for its own errors."""

NOT_RUN = (126).to_bytes(4, "big")
"""The `exit-status` of a command that the rules refused: the shells' own for what was found and not run."""


class Payload:
    """A reader over one request's payload; every take is checked against what is there."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def uint32(self) -> int:
        """A number of four octets."""
        return int.from_bytes(self._take(4), "big")

    def boolean(self) -> bool:
        """One octet; anything but zero is true."""
        return self._take(1) != b"\0"

    def string(self, limit: int) -> bytes:
        """A string of at most *limit* octets; raises PeerProtocolError."""
        size = self.uint32()
        if size > limit:
            raise PeerProtocolError(f"a string of {size} octets where at most {limit} may be")
        return self._take(size)

    def end(self) -> None:
        """Nothing may follow."""
        if self._at != len(self._octets):
            raise PeerProtocolError(f"{len(self._octets) - self._at} octets follow a request")

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._octets):
            raise PeerProtocolError("a request ends in the middle of a value")
        taken = self._octets[self._at : end]
        self._at = end
        return taken


@dataclass(frozen=True, slots=True)
class Terminal:
    """A pseudo-terminal that a client asks for (RFC 4254 §6.2)."""

    name: bytes
    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class ExitSignal:
    """A program that a signal ended (RFC 4254 §6.10)."""

    name: str
    core_dumped: bool


def string(octets: bytes) -> bytes:
    """The wire form of a string."""
    return len(octets).to_bytes(4, "big") + octets


def pty_req(payload: bytes) -> Terminal:
    """What `pty-req` asks for; raises PeerProtocolError."""
    take = Payload(payload)
    name = take.string(TERM_LIMIT)
    columns, rows = take.uint32(), take.uint32()
    take.uint32(), take.uint32()
    take.string(MODES_LIMIT)
    take.end()
    return Terminal(name, columns, rows)


def window_change(payload: bytes) -> tuple[int, int]:
    """Columns and rows of `window-change`; raises PeerProtocolError."""
    take = Payload(payload)
    columns, rows = take.uint32(), take.uint32()
    take.uint32(), take.uint32()
    take.end()
    return columns, rows


def env(payload: bytes) -> tuple[bytes, bytes]:
    """Name and value of `env`; raises PeerProtocolError."""
    take = Payload(payload)
    name, value = take.string(NAME_LIMIT), take.string(VALUE_LIMIT)
    take.end()
    return name, value


def one_string(payload: bytes, limit: int = COMMAND_LIMIT) -> bytes:
    """The one string of `exec`, `subsystem` and `signal`; raises PeerProtocolError."""
    take = Payload(payload)
    value = take.string(limit)
    take.end()
    return value


def exit_status(payload: bytes) -> int:
    """The number of `exit-status`; raises PeerProtocolError."""
    take = Payload(payload)
    status = take.uint32()
    take.end()
    return status


def exit_signal(payload: bytes) -> ExitSignal:
    """The signal of `exit-signal`; raises PeerProtocolError."""
    take = Payload(payload)
    name = take.string(TERM_LIMIT)
    core = take.boolean()
    take.string(COMMAND_LIMIT)
    take.string(TERM_LIMIT)
    take.end()
    return ExitSignal(name.decode("ascii", "replace"), core)
