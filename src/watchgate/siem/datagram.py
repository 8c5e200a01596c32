"""Syslog over UDP (RFC 5426): nobody learns what is lost on the way.

Where the receiver's machine says that nobody listens, that is told as a failure; silence is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from watchgate.errors import SinkError
from watchgate.siem.connection import Place, unreachable
from watchgate.siem.fact import Fact
from watchgate.siem.syslog import bounded
from watchgate.siem.transport import Batch, Guarantee

LONGEST = 65507
"""Octets that an IPv4 datagram holds (RFC 5426 §3.2)."""
PROBE_SECONDS = 0.05
"""How long a refusal of the first datagram is waited for."""
PACE = 32
"""After so many datagrams others have their turn, and a receiver's buffer a moment to empty."""


class SyslogDatagrams(asyncio.DatagramProtocol):
    """One socket; implements `Transport`."""

    guarantee = Guarantee.BEST_EFFORT
    settle_us = 0

    def __init__(
        self, place: Place, message: Callable[[Fact, bytes], bytes], timeout: float
    ) -> None:
        self._place = place
        self._message = message
        self._timeout = timeout
        self._socket: asyncio.DatagramTransport | None = None
        self._failed: str | None = None
        self._writable = asyncio.Event()
        self._heard = asyncio.Event()

    def standing(self) -> bool:
        """There is no connection that could break."""
        return True

    async def send(self, batch: Batch) -> int:
        """Send all of *batch*; after a refusal first one, to see whether somebody listens again."""
        opened = await self._opened()
        start = 0
        if opened is not None:
            await self._sent(batch[:1], opened)
            start = 1
            await self._refusal()
        await self._sent(batch[start:], self._usable())
        return len(batch)

    async def _opened(self) -> asyncio.DatagramTransport | None:
        """A new socket, if there was none."""
        if self._socket is not None:
            if self._failed is None:
                return None
            self._drop()
        self._failed = None
        self._heard.clear()
        self._writable.set()
        try:
            async with asyncio.timeout(self._timeout):
                transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: self, remote_addr=(self._place.host, self._place.port)
                )
        except TimeoutError as error:
            raise SinkError(
                f"the name {self._place.host} is not resolved within {self._timeout:g} s"
            ) from error
        except OSError as error:
            raise SinkError(unreachable(error, self._place)) from error
        self._socket = transport
        return transport

    async def _sent(self, batch: Batch, transport: asyncio.DatagramTransport) -> None:
        try:
            for number, (fact, text) in enumerate(batch, 1):
                transport.sendto(bounded(self._message(fact, text), LONGEST))
                if number % PACE == 0:
                    await asyncio.sleep(0)
                    async with asyncio.timeout(self._timeout):
                        await self._writable.wait()
        except TimeoutError as error:
            raise SinkError(
                f"no datagram to {self._place} leaves for {self._timeout:g} s"
            ) from error

    async def _refusal(self) -> None:
        """Wait a moment for the answer that nobody listens; raises SinkError."""
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await self._heard.wait()
        except TimeoutError:
            return

    def _usable(self) -> asyncio.DatagramTransport:
        if self._failed is not None or self._socket is None:
            failed = self._failed or "the socket is closed"
            self._drop()
            raise SinkError(failed)
        return self._socket

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.abort()
            self._socket = None

    async def close(self) -> None:
        """Close; what the kernel has not sent yet it still sends."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # --- what the event loop calls --------------------------------------------------------------

    def error_received(self, exc: OSError) -> None:  # type: ignore[override]  # it is always that
        self._failed = unreachable(exc, self._place)
        self._heard.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()
