"""What may wait in a connection: bounds that asyncssh does not have, and packets at line speed.

The rest of the seams (seams.py) builds on these. Each bound answers a peer that means harm: one that
announces a huge window and stops reading, asks without taking answers, never ends a key exchange, sends
while one message takes its time, or takes its octets one by one.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any, Protocol, cast

import asyncssh
from asyncssh.channel import SSHTCPChannel
from asyncssh.constants import MSG_GLOBAL_REQUEST, MSG_IGNORE, MSG_USERAUTH_LAST
from asyncssh.encryption import BasicEncryption
from asyncssh.packet import SSHPacket, UInt32

PACKET_OCTETS = 32768
"""Octets of data in one channel packet: the most that every peer must accept (RFC 4253 §6.1)."""

PACKET_LEAST = 256
"""Octets that a peer must take in one packet; one octet each would cost us a packet an octet."""

WINDOW_OCTETS = 2 << 20
"""What a peer may send of one forwarded connection before we read on."""

TRANSPORT_HIGH = 256 * 1024
"""Octets that may wait in a connection's transport before its sources are paused."""

UNREAD_LIMIT = 16 << 20
DEFERRED_LIMIT = 10_000
"""Octets, or packets while keys are made, that a peer may leave unread while it goes on asking."""

UNHEARD_LIMIT = 512 << 10
"""Octets that wait while one message is worked on, before no more are read; above any one packet."""

GLOBAL_REQUESTS_WAITING = 64
REQUESTS_WAITING = 1024
REQUEST_OCTETS_WAITING = 1 << 20
"""Requests of a connection, and of a channel, that may wait for their turn."""


class Choked(Protocol):
    """Who is told when a connection's transport is full, and when it is free again."""

    def choke(self) -> None:
        """Stop writing to the connection."""

    def release(self) -> None:
        """Go on."""


class Flow:
    """What both kinds of connection share: bounds on what waits in them, and quick packets."""

    _full: frozenset[str] = frozenset()
    _deaf = False
    _unwatch_carrier: Callable[[], None] | None = None

    def watch_flow(self, watcher: Choked) -> Callable[[], None]:
        """Tell *watcher* of the transport's back-pressure; returns the way to stop that."""
        watchers = self._watchers()
        watchers.append(watcher)
        if self._full:
            watcher.choke()
        return lambda: watchers.remove(watcher) if watcher in watchers else None

    def _watchers(self) -> list[Choked]:
        return cast("list[Choked]", self.__dict__.setdefault("_flow_watchers", []))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        set_limits = getattr(transport, "set_write_buffer_limits", None)
        if set_limits is not None:
            set_limits(high=TRANSPORT_HIGH)
        carrier = getattr(transport, "get_connection", lambda: None)()
        if isinstance(carrier, Flow):
            self._unwatch_carrier = carrier.watch_flow(_Carried(self))
        super().connection_made(transport)  # type: ignore[misc]

    def connection_lost(self, exc: Exception | None = None) -> None:
        if self._unwatch_carrier is not None:
            self._unwatch_carrier()
        super().connection_lost(exc)  # type: ignore[misc]

    def pause_writing(self) -> None:
        """Called by the transport when more than TRANSPORT_HIGH octets wait."""
        self._fill("transport")

    def resume_writing(self) -> None:
        """Called by the transport when it has room again."""
        self._drain("transport")

    def _fill(self, why: str) -> None:
        if not self._full:
            for watcher in list(self._watchers()):
                watcher.choke()
        self._full |= {why}

    def _drain(self, why: str) -> None:
        if why not in self._full:
            return
        self._full -= {why}
        watchers = self._watchers()
        for watcher in list(watchers):
            if self._full:
                break  # what the ones before had waiting filled it again
            if watcher in watchers:
                watchers.remove(watcher)
                watchers.append(watcher)  # next time the others come first
                watcher.release()

    def log_received_packet(self, *_: object) -> None:
        """No log of packets: it would cost more than the packet, and could hold a secret."""

    def data_received(self, data: bytes, datatype: Any = None) -> None:
        """A peer that takes nothing but makes us answer is given up: no source could be paused."""
        connection = cast(Any, self)
        if self._full and connection._transport is not None:
            waiting = connection._transport.get_write_buffer_size()
            if waiting > UNREAD_LIMIT or len(connection._deferred_packets) > DEFERRED_LIMIT:
                connection.abort()
                return
        super().data_received(data, datatype)  # type: ignore[misc]

    def _recv_data(self) -> None:
        # While one message takes time (a password is checked), what comes after it must not pile up.
        super()._recv_data()  # type: ignore[misc]
        connection = cast(Any, self)
        transport, deaf = connection._transport, len(connection._inpbuf) > UNHEARD_LIMIT
        if deaf is not self._deaf and transport is not None and not transport.is_closing():
            self._deaf = deaf
            (transport.pause_reading if deaf else transport.resume_reading)()

    def _send_deferred_packets(self) -> None:
        super()._send_deferred_packets()  # type: ignore[misc]
        if not cast(Any, self)._deferred_packets:
            self._drain("keys")

    def _process_global_request(self, pkttype: int, pktid: int, packet: SSHPacket) -> None:
        connection = cast(Any, self)
        if len(connection._global_request_queue) >= GLOBAL_REQUESTS_WAITING:
            raise asyncssh.ProtocolError("Too many global requests at once")
        super()._process_global_request(pkttype, pktid, packet)  # type: ignore[misc]

    def create_tcp_channel(
        self,
        encoding: str | None = None,
        errors: str = "strict",
        window: int = WINDOW_OCTETS,
        max_pktsize: int = PACKET_OCTETS,
    ) -> SSHTCPChannel[bytes]:
        """A channel for a forwarded connection."""
        connection = cast(Any, self)
        connection._update_recv_pktlen(max_pktsize)
        return ForwardChannel(connection, connection._loop, encoding, errors, window, max_pktsize)

    def send_packet(self, pkttype: int, *args: bytes, handler: Any = None) -> None:
        """Send a packet; the plain case (sealed, no rekey due, nothing deferred) is short."""
        connection = cast(Any, self)
        encryption = connection._send_encryption
        if encryption is None or type(encryption) is BasicEncryption:
            super().send_packet(pkttype, *args, handler=handler)  # type: ignore[misc]
            return
        if pkttype == MSG_IGNORE:
            return
        if (
            pkttype <= MSG_USERAUTH_LAST
            or not connection._auth_complete
            or not connection._kex_complete
            or connection._compressor
            or connection._rekey_bytes_sent >= connection._rekey_bytes
            or (connection._rekey_seconds and time.monotonic() >= connection._rekey_time)
        ):
            super().send_packet(pkttype, *args, handler=handler)  # type: ignore[misc]
            if connection._auth_complete and connection._deferred_packets:
                self._fill("keys")  # new keys are being made; what is sent waits until then
            return
        body = b"".join((bytes((pkttype,)), *args))
        padding = -(connection._send_enchdrlen + len(body)) % connection._send_blocksize
        if padding < 4:
            padding += connection._send_blocksize
        packet = b"".join((bytes((padding,)), body, os.urandom(padding)))
        sequence = connection._send_seq
        sealed, mac = encryption.encrypt_packet(sequence, UInt32(len(packet)), packet)
        connection._send(sealed + mac)
        connection._send_seq = (sequence + 1) & 0xFFFF_FFFF
        connection._rekey_bytes_sent += len(packet)


class _Carried:
    """A connection inside another is full when that one is, whatever window its channel has."""

    def __init__(self, inner: Flow) -> None:
        self._inner = inner

    def choke(self) -> None:
        self._inner._fill("carrier")

    def release(self) -> None:
        self._inner._drain("carrier")


class Sized:
    """Refuses a peer that takes packets of a few octets only; keeps packets out of logs."""

    def log_received_packet(self, *_: object) -> None:
        """See `Flow.log_received_packet`."""

    def process_open(
        self, send_chan: int, send_window: int, send_pktsize: int, session: Any
    ) -> None:
        _check_packets(send_pktsize)
        super().process_open(send_chan, send_window, send_pktsize, session)  # type: ignore[misc]

    def process_open_confirmation(
        self, send_chan: int, send_window: int, send_pktsize: int, packet: SSHPacket
    ) -> None:
        _check_packets(send_pktsize)
        super().process_open_confirmation(send_chan, send_window, send_pktsize, packet)  # type: ignore[misc]


def _check_packets(size: int) -> None:
    if size < PACKET_LEAST:
        raise asyncssh.ProtocolError(f"Packets of at most {size} octets are too small")


class ForwardChannel(Sized, SSHTCPChannel[bytes]):
    """A forwarded connection's channel."""


BOUNDED = {MSG_GLOBAL_REQUEST: Flow._process_global_request}
"""What both kinds of connection handle otherwise than asyncssh."""
