"""One TCP or TLS connection to a receiver, with a time limit for each step."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from watchgate.errors import PeerProtocolError, SinkError
from watchgate.siem.tls import complaint
from watchgate.siem.transport import Tls

UNANSWERED_SECONDS = 20
"""How long the receiver's machine may leave octets unacknowledged until the connection counts as broken;
must be less than the time after which what was sent counts as delivered."""

CLOSE_SECONDS = 2.0
_BUFFERED = 256 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Where a receiver is; *context* is None without TLS."""

    host: str
    port: int
    tls: Tls
    context: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Connection(asyncio.Protocol):
    """Writes with back pressure, hands on what it hears, and knows when it is lost."""

    def __init__(self, place: Place, heard: Callable[[bytes], None]) -> None:
        self._place = place
        self._heard = heard
        self._transport: asyncio.Transport | None = None
        self._writable = True
        self._changed = asyncio.Event()
        self.lost: str | None = None
        """Why there is no connection any more."""

    @classmethod
    async def open(cls, place: Place, heard: Callable[[bytes], None], seconds: float) -> Connection:
        """Connect, with the TLS handshake; raises SinkError."""
        name = (place.tls.server_name or place.host) if place.context else None
        try:
            async with asyncio.timeout(seconds):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: cls(place, heard),
                    place.host,
                    place.port,
                    ssl=place.context,
                    server_hostname=name,
                )
        except TimeoutError as error:
            raise SinkError(
                f"{place} does not answer within {seconds:g} s; is it running, and does a firewall stand between?"
            ) from error
        except (OSError, ValueError) as error:
            raise SinkError(unreachable(error, place)) from error
        return connection

    # --- what the event loop calls --------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not an isinstance: uvloop's transports are no asyncio.Transport.
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_BUFFERED)
        _notice_silence(transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        if self._transport is not None:
            _acknowledge_at_once(self._transport.get_extra_info("socket"))
        try:
            self._heard(data)
        except PeerProtocolError as error:
            self._lose(str(error))
            self.abort()
        self._changed.set()

    def eof_received(self) -> None:
        self._lose("it closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose(unreachable(exc, self._place) if exc else "it closed the connection")

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._changed.set()

    def _lose(self, why: str) -> None:
        self.lost = self.lost or why
        self._changed.set()

    # --- what a transport calls -----------------------------------------------------------------

    async def write(self, octets: bytes, seconds: float) -> None:
        """Hand *octets* over; raises SinkError when the receiver does not read for *seconds*."""
        if self.lost is None and self._transport is not None:
            self._transport.write(octets)
        await self.until(lambda: self._writable, seconds, "does not take what is sent to it")

    async def until(self, holds: Callable[[], bool], seconds: float, complaint: str) -> None:
        """Wait until *holds*; raises SinkError when the connection is lost first or time is up.

        *complaint* completes "the receiver …".
        """
        try:
            while not holds() or self.lost is not None:
                if self.lost is not None:
                    raise SinkError(f"{self._place}: {self.lost}")
                self._changed.clear()
                async with asyncio.timeout(seconds):
                    await self._changed.wait()
        except TimeoutError as error:
            raise SinkError(f"{self._place} {complaint} for {seconds:g} s") from error

    async def close(self) -> None:
        """Send what is buffered, and let the receiver close, if both is quick.

        To close first would be a reset where the receiver has said something that was not read, and
        what it has not read yet would be lost.
        """
        if self._transport is None:
            return
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                if self._transport.can_write_eof():
                    self._transport.write_eof()
                else:
                    self._transport.close()  # TLS says its own goodbye
                while self.lost is None:
                    self._changed.clear()
                    await self._changed.wait()
        except (TimeoutError, OSError):
            self.abort()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()


def _notice_silence(connected: socket.socket | None) -> None:
    """Let the kernel tell of a machine that is gone, also while nothing is sent."""
    if connected is None:
        return
    seconds = UNANSWERED_SECONDS
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = (
        ("TCP_USER_TIMEOUT", seconds * 1000),
        ("TCP_KEEPIDLE", seconds // 2),
        ("TCP_KEEPINTVL", seconds // 4),
        ("TCP_KEEPCNT", 2),
    )
    for name, value in options:
        if (option := getattr(socket, name, None)) is not None:
            connected.setsockopt(socket.IPPROTO_TCP, option, value)


def _acknowledge_at_once(connected: socket.socket | None) -> None:
    """Else a receiver that answers in small pieces waits 40 ms for each: its Nagle, our delayed ACK.

    The kernel forgets it, so it is said after each piece.
    """
    if connected is not None and (option := getattr(socket, "TCP_QUICKACK", None)) is not None:
        with contextlib.suppress(OSError):
            connected.setsockopt(socket.IPPROTO_TCP, option, 1)


def unreachable(error: BaseException, place: Place) -> str:
    """A foreign *error* as a sentence."""
    match error:
        case ConnectionRefusedError():
            return f"nobody listens on {place}; is the SIEM running?"
        case socket.gaierror():
            return f"the name {place.host} is not known: {error.strerror}"
        case ConnectionResetError() | BrokenPipeError():
            return "it broke the connection"
        case _:
            pass
    if (said := complaint(error, str(place), place.tls)) is not None:
        return said
    return f"{place} cannot be reached: {getattr(error, 'strerror', None) or error}"
