"""The terminal that an operator asked for, as it is asked for again for each program."""

from __future__ import annotations

from dataclasses import dataclass, replace

from watchgate.protocols.ssh import wire
from watchgate.protocols.ssh.menu import DUMB
from watchgate.session.events import text


@dataclass(frozen=True, slots=True)
class Window:
    """A terminal: its type, its size, its modes (RFC 4254 §6.2)."""

    name: bytes
    size: bytes
    """Columns, rows, and both in pixels, as they were said."""
    modes: bytes

    @classmethod
    def read(cls, payload: bytes) -> Window:
        """What `pty-req` asks for; raises PeerProtocolError."""
        wire.pty_req(payload)
        take = wire.Payload(payload)
        name = take.string(wire.TERM_LIMIT)
        size = b"".join(take.uint32().to_bytes(4, "big") for _ in range(4))
        return cls(name, size, take.string(wire.MODES_LIMIT))

    def resized(self, payload: bytes) -> Window:
        """After a `window-change`; raises PeerProtocolError."""
        wire.window_change(payload)
        return replace(self, size=payload)

    def payload(self) -> bytes:
        """As `pty-req` says it."""
        return wire.string(self.name) + self.size + wire.string(self.modes)

    @property
    def columns(self) -> int:
        return int.from_bytes(self.size[:4], "big")

    @property
    def rows(self) -> int:
        return int.from_bytes(self.size[4:8], "big")

    @property
    def term(self) -> str:
        """Its type, as text."""
        return text(self.name)

    @property
    def plain(self) -> bool:
        """Its cursor cannot be moved."""
        return self.term in DUMB
