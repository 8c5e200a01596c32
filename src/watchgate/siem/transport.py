"""How facts reach a SIEM: the interface of every transport, what it promises, and how one is described.

`opening.open_transport` makes one of a description. A transport sends; it neither keeps nor repeats. What is to be sent again, and when, is decided by the
delivery loop from what the transport says here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from watchgate.secret import Secret
from watchgate.siem.fact import Fact, Host

Batch = Sequence[tuple[Fact, bytes]]
"""Facts in their order, each with the message that a view made of it."""


class Guarantee(StrEnum):
    """What a transport promises."""

    AT_LEAST_ONCE = "at least once"
    """The receiver acknowledges each event; what it did not acknowledge is sent again."""
    RESENT = "resent"
    """The receiver acknowledges nothing: at least once only by sending the last seconds again after a
    broken connection."""
    BEST_EFFORT = "best effort"
    """Nobody learns what was lost on the way."""


class Transport(Protocol):
    """One way to one SIEM. It connects when it is first used and again after a failure."""

    @property
    def guarantee(self) -> Guarantee:
        """What `send` promises."""

    @property
    def settle_us(self) -> int:
        """How long after it was sent an event may be taken as delivered while `standing()`; 0: at once."""

    async def send(self, batch: Batch) -> int:
        """Send, and say how many from the start of *batch* are acknowledged: at least one.

        Where nobody acknowledges, how many were handed over. Raises SinkError, with the cause and what
        to do, when none is; also once after a connection broke, so that the caller resends what has
        not settled.
        """

    def standing(self) -> bool:
        """Whether nothing that was sent may have been lost since: false after a connection broke, until
        `send` has said so. Always true where the receiver acknowledges."""

    async def close(self) -> None:
        """Close in order where that is quick; the transport can be used again."""


class Body(StrEnum):
    """What an HTTPS sink takes."""

    HEC = "hec"
    """Splunk's HTTP Event Collector."""
    ARRAY = "array"
    """A JSON array of the events of a batch."""
    LINES = "lines"
    """One event a line (NDJSON for the JSON formats)."""


@dataclass(frozen=True, slots=True)
class Tls:
    """How a receiver proves who it is, and how we do."""

    ca: Path | None = None
    """Its authority, in PEM; the system's authorities without."""
    certificate: Path | None = None
    """Ours, in PEM, if it wants one, with its key in *key* or in the same file."""
    key: Path | None = None
    server_name: str | None = None
    """The name in its certificate, where that is not the host of the address."""
    pin: str | None = None
    """SHA-256 of its certificate in hex: trust exactly this one, whoever signed it and whatever it says."""


@dataclass(frozen=True, slots=True)
class Description:
    """Where a sink is and how it is spoken to."""

    url: str
    """`udp://`, `tcp://`, `tls://`, `relp://`, `relps://HOST:PORT`; `https://HOST[:PORT]/PATH`; plain
    `http://` on the loopback only."""
    host: Host
    facility: str = "authpriv"
    app_name: str = "watchgate"
    tls: Tls = field(default_factory=Tls)
    body: Body = Body.LINES
    token: Secret | None = None
    """Splunk's token; of a webhook the `Authorization`: used whole if it holds a space, else as `Bearer`."""
    signing_key: Secret | None = None
    """Signs what a webhook is sent (HMAC-SHA256)."""
    timeout: float = 10.0
    """Seconds for each step: connecting, writing, waiting for an answer."""
