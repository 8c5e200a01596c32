"""Syslog over TCP (RFC 6587) and TLS (RFC 5425): the receiver acknowledges nothing.

A receiver that is killed takes with it what its kernel had accepted for it. So an event counts as
delivered only some time after it was sent, if the connection still stands then; after a broken one the
events of that time are sent again. What a receiver accepts and does not read for longer than that, and
then loses, is lost: only RELP and HTTPS do without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from watchgate.errors import SinkError
from watchgate.siem.connection import Connection, Place
from watchgate.siem.fact import Fact
from watchgate.siem.syslog import framed
from watchgate.siem.transport import Batch, Guarantee

SETTLE_US = 30_000_000
_AT_ONCE = 64 * 1024


class SyslogStream:
    """A connection that is made when it is needed; implements `Transport`."""

    guarantee = Guarantee.RESENT
    settle_us = SETTLE_US

    def __init__(
        self, place: Place, message: Callable[[Fact, bytes], bytes], timeout: float
    ) -> None:
        self._place = place
        self._message = message
        self._timeout = timeout
        self._connection: Connection | None = None

    def standing(self) -> bool:
        """False once the connection is lost, until `send` has said so."""
        return self._connection is None or self._connection.lost is None

    async def send(self, batch: Batch) -> int:
        """Hand all of *batch* over."""
        connection = await self._connected()
        try:
            for octets in self._chunks(batch):
                await connection.write(octets, self._timeout)
        except SinkError:
            self._drop()
            raise
        return len(batch)

    async def _connected(self) -> Connection:
        if not self.standing():
            assert self._connection is not None
            lost = self._connection.lost
            self._drop()
            raise SinkError(
                f"the connection to {self._place} broke: {lost}; what it may have lost is sent again"
            )
        if self._connection is None:
            self._connection = await Connection.open(self._place, _ignored, self._timeout)
        return self._connection

    def _chunks(self, batch: Batch) -> Iterator[bytes]:
        """Some messages at once: a write for each would cost a packet and, in TLS, a record each."""
        gathered = bytearray()
        for fact, text in batch:
            gathered += framed(self._message(fact, text))
            if len(gathered) >= _AT_ONCE:
                yield bytes(gathered)
                gathered.clear()
        yield bytes(gathered)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.abort()
            self._connection = None

    async def close(self) -> None:
        """Close after what is buffered."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


def _ignored(octets: bytes) -> None:
    """A receiver of syslog has nothing to say."""
