"""Every place where Watchgate touches asyncssh behind its public interface, and why.

asyncssh ends both connections; a gateway needs four things that its public interface does not give:

- *partial success*: several authentication methods in a row (RFC 4252 §5.1);
- *requests as octets, answered later*: a command, a variable, a terminal's modes pass as they came,
  and the client hears success only after the target said so;
- *back-pressure of the transport*: asyncssh bounds what waits in a channel, not what waits in the
  connection below it, so a peer that announces a huge window and stops reading would fill memory;
- *packets at line speed*: with authenticated encryption there is no IGNORE packet before each packet
  (it protects the older ciphers, which keep it), and nothing is formatted for a log that nobody reads.

pyproject.toml pins the minor version, and tests/structure checks that every name used here exists.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable
from typing import Any, Protocol, cast

import asyncssh
from asyncssh.channel import SSHClientChannel, SSHServerChannel
from asyncssh.constants import (
    MSG_CHANNEL_DATA,
    MSG_CHANNEL_EXTENDED_DATA,
    MSG_IGNORE,
    MSG_USERAUTH_LAST,
)
from asyncssh.encryption import BasicEncryption
from asyncssh.packet import String, UInt32
from asyncssh.public_key import SSHOpenSSHCertificate

PACKET_OCTETS = 32768
"""Octets of data in one channel packet: the most that every peer must accept (RFC 4253 §6.1)."""

TRANSPORT_HIGH = 256 * 1024
"""Octets that may wait in a connection's transport before its sources are paused."""


class Choked(Protocol):
    """Who is told when a connection's transport is full, and when it is free again."""

    def choke(self) -> None:
        """Stop writing to the connection."""

    def release(self) -> None:
        """Go on."""


class _Flow:
    """What both kinds of connection share: transport back-pressure and quick packets."""

    choked = False

    def watch_flow(self, watcher: Choked) -> Callable[[], None]:
        """Tell *watcher* of the transport's back-pressure; returns the way to stop that."""
        watchers = self._watchers()
        watchers.append(watcher)
        if self.choked:
            watcher.choke()
        return lambda: watchers.remove(watcher) if watcher in watchers else None

    def _watchers(self) -> list[Choked]:
        return cast("list[Choked]", self.__dict__.setdefault("_flow_watchers", []))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        set_limits = getattr(transport, "set_write_buffer_limits", None)
        if set_limits is not None:
            set_limits(high=TRANSPORT_HIGH)
        super().connection_made(transport)  # type: ignore[misc]

    def pause_writing(self) -> None:
        """Called by the transport when more than TRANSPORT_HIGH octets wait."""
        self.choked = True
        for watcher in list(self._watchers()):
            watcher.choke()

    def resume_writing(self) -> None:
        """Called by the transport when it has room again."""
        self.choked = False
        for watcher in list(self._watchers()):
            watcher.release()

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


SEALED = (b"aes128-gcm@openssh.com", b"aes256-gcm@openssh.com")
"""The ciphers that cost the least here; every OpenSSH since 6.2 has them."""

_OPENSSH = re.compile(rb"SSH-2\.0-OpenSSH_(\d+)\.(\d+)")


class GateServerConnection(_Flow, asyncssh.SSHServerConnection):
    """The connection from a client; *owner* makes the object that its callbacks go to."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        options: asyncssh.SSHServerConnectionOptions,
        owner: Callable[[], asyncssh.SSHServer],
    ) -> None:
        super().__init__(loop, options)
        self._protocol_factory = owner

    def _send_kexinit(self) -> None:
        # The client's order decides (RFC 4253 §7.1) and OpenSSH prefers ChaCha20, which costs three
        # times as much here: to clients that surely have AES-GCM nothing else is offered.
        version = _OPENSSH.match(self._client_version)
        if version and (int(version[1]), int(version[2])) >= (6, 2):
            self._enc_algs = [name for name in self._enc_algs if name in SEALED] or self._enc_algs
        super()._send_kexinit()

    async def _validate_openssh_certificate(
        self, username: str, cert: SSHOpenSSHCertificate
    ) -> asyncssh.SSHKey | None:
        """A certificate's principals name the operator, not the whole of `operator+account@target`."""
        owner = cast(Any, self._owner)
        operator = owner.certificate_offered(cert)
        return await super()._validate_openssh_certificate(operator, cert)

    def create_server_channel(
        self,
        encoding: str | None = "",
        errors: str = "",
        window: int = 0,
        max_pktsize: int = 0,
    ) -> SSHServerChannel[bytes]:
        size = max_pktsize or self._max_pktsize
        self._update_recv_pktlen(size)
        return ClientChannel(self, window or self._window, size)

    async def send_userauth_success(self) -> None:
        """Called when a method's proof was right: success, or partial success when more is open."""
        owner = cast(Any, self._owner)
        settled = getattr(owner, "method_proven", None)
        if settled is not None and self._auth is not None:
            verdict = await settled(_method_name(self._auth))
            if verdict is not True:
                self.send_userauth_failure(verdict is None)
                return
        await super().send_userauth_success()


def _method_name(handler: object) -> str:
    return cast(bytes, getattr(handler, "_method", b"none")).decode("ascii", "replace")


class GateClientConnection(_Flow, asyncssh.SSHClientConnection):
    """The connection to a target."""

    gone = False
    """Whether it is over; set before its channels hear of it."""

    @classmethod
    async def open(
        cls, options: asyncssh.SSHClientConnectionOptions, host: str, port: int
    ) -> GateClientConnection:
        """Connect and log in; raises asyncssh.Error and OSError."""
        loop = asyncio.get_running_loop()
        options.waiter = loop.create_future()
        _, connection = await loop.create_connection(
            lambda: cls(loop, options, wait="auth"), host, port
        )
        connection.set_extra_info(host=host, port=port)
        try:
            await options.waiter
        except BaseException:
            connection.abort()
            raise
        return connection

    def _cleanup(self, exc: Exception | None) -> None:
        # A disconnection "by application" reaches the channels without an exception, like their own end.
        self.gone = True
        super()._cleanup(exc)

    def create_target_channel(self, window: int) -> TargetChannel:
        """A channel for a session on the target; `open` and `request` are the caller's."""
        self._update_recv_pktlen(PACKET_OCTETS)
        return TargetChannel(self, self._loop, "replace", None, "strict", window, PACKET_OCTETS)


class ChannelOwner(Protocol):
    """What a session object must have to be given raw requests (see `ClientChannel`)."""

    def request(self, kind: str, payload: bytes) -> bool | None:
        """A channel request of *kind*; None when `ClientChannel.answer` will be called later."""


class ClientChannel(SSHServerChannel[bytes]):
    """A session channel of a client: requests reach its session as octets."""

    def __init__(self, connection: GateServerConnection, window: int, packet: int) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(connection, loop, True, False, False, 0, 0, None, "strict", window, packet)

    def _service_next_request(self) -> None:
        kind, packet, _ = self._request_queue[0]
        if kind == "keepalive@openssh.com":
            result: bool | None = False
        else:
            owner = cast(ChannelOwner, self._session)
            result = owner.request(kind, packet.get_remaining_payload())
        if result is not None:
            self._report_response(result)

    def answer(self, accepted: bool) -> None:
        """Answer the request that was left open, if the channel still is."""
        if self._request_queue and self._session is not None:
            self._report_response(accepted)

    def start_reading(self) -> None:
        """Deliver what the client says from now on."""
        self.resume_reading()

    def pass_request(self, kind: bytes, payload: bytes) -> None:
        """Send a request that wants no answer."""
        if self._send_state in ("open", "eof_pending", "eof"):
            self._send_request(kind, payload)


class TargetChannel(SSHClientChannel[bytes]):
    """A session channel on a target: requests are sent as octets, exits come as octets."""

    async def open_session(self, session: asyncssh.SSHClientSession[bytes]) -> None:
        """Open the channel for *session*; raises asyncssh.ChannelOpenError."""
        packet = await self._open(b"session")
        packet.check_end()
        self._session = session
        session.connection_made(self)

    async def ask(self, kind: bytes, payload: bytes) -> bool:
        """Send a request and wait for its answer."""
        return bool(await self._make_request(kind, payload))

    def pass_request(self, kind: bytes, payload: bytes) -> None:
        """Send a request that wants no answer."""
        if self._send_state in ("open", "eof_pending", "eof"):
            self._send_request(kind, payload)

    def start_reading(self) -> None:
        """Deliver what the target says from now on."""
        self.resume_reading()

    def _service_next_request(self) -> None:
        kind, packet, _ = self._request_queue[0]
        owner = cast(ChannelOwner, self._session)
        self._report_response(bool(owner.request(kind, packet.get_remaining_payload())))


def key_id(certificate: SSHOpenSSHCertificate) -> str:
    """What a certificate's authority calls it."""
    return certificate._key_id


def write_now(channel: Any, data: bytes, stream: int | None) -> None:
    """Write *data* to a channel: in one packet when it fits the window and nothing waits before it."""
    size = len(data)
    if (
        not channel._send_buf
        and channel._send_state == "open"
        and size <= channel._send_window
        and size <= channel._send_pktsize
    ):
        channel._send_window -= size
        if stream is None:
            channel.send_packet(MSG_CHANNEL_DATA, String(data))
        else:
            channel.send_packet(MSG_CHANNEL_EXTENDED_DATA, UInt32(stream), String(data))
        return
    channel.write(data, stream)


def writable(channel: Any) -> bool:
    """Whether the channel still takes data."""
    return channel._send_state == "open"  # type: ignore[no-any-return]
