"""Every place where Watchgate touches asyncssh behind its public interface, and why.

asyncssh ends both connections; a gateway needs four things that its public interface does not give:

- *partial success*: several authentication methods in a row (RFC 4252 §5.1);
- *requests as octets, answered later*: a command, a variable, a terminal's modes pass as they came,
  and the client hears success only after the target said so;
- *back-pressure of the transport*: asyncssh bounds what waits in a channel, not what waits in the
  connection below it, so a peer that announces a huge window and stops reading would fill memory;
- *packets at line speed*: with authenticated encryption there is no IGNORE packet before each packet
  (it protects the older ciphers, which keep it), and nothing is formatted for a log that nobody reads.

What may wait in a connection, and how its packets are sent, is in bounds.py. pyproject.toml pins the
minor version, and tests/structure checks that every name used in both exists.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, Protocol, cast

import asyncssh
from asyncssh.channel import SSHClientChannel, SSHServerChannel
from asyncssh.constants import (
    MSG_CHANNEL_CLOSE,
    MSG_CHANNEL_DATA,
    MSG_CHANNEL_EXTENDED_DATA,
    MSG_CHANNEL_REQUEST,
)
from asyncssh.packet import SSHPacket, String, UInt32
from asyncssh.public_key import SSHOpenSSHCertificate

from watchgate.protocols.ssh.bounds import (
    BOUNDED,
    PACKET_OCTETS,
    REQUEST_OCTETS_WAITING,
    REQUESTS_WAITING,
    Flow,
    Sized,
)

SEALED = (b"aes128-gcm@openssh.com", b"aes256-gcm@openssh.com")
"""The ciphers that cost the least here; every OpenSSH since 6.2 has them."""

_SEALING = re.compile(rb"SSH-2\.0-(?:OpenSSH_(?:6\.[2-9]|[7-9]\.|[1-9]\d)|AsyncSSH_2\.)")
"""Clients that surely have AES-GCM: OpenSSH since 6.2, asyncssh."""


class GateServerConnection(Flow, asyncssh.SSHServerConnection):
    """The connection from a client; *owner* makes the object that its callbacks go to."""

    _packet_handlers = asyncssh.SSHServerConnection._packet_handlers | BOUNDED

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        options: asyncssh.SSHServerConnectionOptions,
        owner: Callable[[], asyncssh.SSHServer],
    ) -> None:
        super().__init__(loop, options)
        self._protocol_factory = owner

    def _send_kexinit(self) -> None:
        # The client's order decides (RFC 4253 §7.1) and OpenSSH prefers ChaCha20, which costs four
        # to five times as much here: to clients that surely have AES-GCM nothing else is offered.
        if _SEALING.match(self._client_version):
            self._enc_algs = [name for name in self._enc_algs if name in SEALED] or self._enc_algs
        super()._send_kexinit()

    async def _validate_openssh_certificate(
        self, username: str, cert: SSHOpenSSHCertificate
    ) -> asyncssh.SSHKey | None:
        """A certificate's principals name the operator, not the whole of `operator+account@target`."""
        owner = cast(Any, self._owner)
        operator = owner.certificate_offered(cert)
        if operator is None:
            return None
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


class GateClientConnection(Flow, asyncssh.SSHClientConnection):
    """The connection to a target."""

    _packet_handlers = asyncssh.SSHClientConnection._packet_handlers | BOUNDED

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

    async def round_trip(self) -> None:
        """Send a request that is answered at once (`keepalive@openssh.com`), and wait for the answer."""
        await self._make_global_request(b"keepalive@openssh.com")

    def create_target_channel(self, window: int) -> TargetChannel:
        """A channel for a session on the target; `open` and `request` are the caller's."""
        self._update_recv_pktlen(PACKET_OCTETS)
        return TargetChannel(self, self._loop, "replace", None, "strict", window, PACKET_OCTETS)


class ChannelOwner(Protocol):
    """What a session object must have to be given raw requests (see `ClientChannel`)."""

    def request(self, kind: str, payload: bytes) -> bool | None:
        """A channel request of *kind*; None when `ClientChannel.answer` will be called later."""


class ClientChannelOwner(ChannelOwner, Protocol):
    """What the session object of a client's channel must have besides."""

    def leaving(self) -> bool:
        """The client closed the channel; True when `close` will be called later."""


class ClientChannel(Sized, SSHServerChannel[bytes]):
    """A session channel of a client: requests reach its session as octets, and its end can wait."""

    def __init__(self, connection: GateServerConnection, window: int, packet: int) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(connection, loop, True, False, False, 0, 0, None, "strict", window, packet)
        self._close_packet: Any = None
        self._serving = False
        self._more = False
        self._leaving_told = False

    def _process_close(self, _pkttype: int, _pktid: int, packet: Any) -> None:
        # OpenSSH closes as soon as both sides have said EOF, and a target tells only after that how its
        # program ended: the CLOSE that answers the client's (RFC 4254 §5.3) waits for the target's.
        if self._close_packet is not None:
            raise asyncssh.ProtocolError("Channel not open")
        self._close_packet = packet
        self._tell_leaving()

    def _flush_recv_buf(self, exc: Exception | None = None) -> None:
        super()._flush_recv_buf(exc)
        self._tell_leaving()

    def _tell_leaving(self) -> None:
        """When all that came before the client's CLOSE is delivered, tell the session of it."""
        if self._close_packet is None or self._recv_buf or self._leaving_told:
            return
        self._leaving_told = True
        owner = cast("ClientChannelOwner | None", self._session)
        closing = self._send_state in ("close_pending", "closed")
        if closing or owner is None or not owner.leaving():
            self._answer_close()

    def _answer_close(self) -> None:
        super()._process_close(MSG_CHANNEL_CLOSE, 0, self._close_packet)

    def close(self) -> None:
        """Close the channel after what waits has been sent, or answer the client's own CLOSE."""
        if self._leaving_told and self._recv_state in ("open", "eof_pending", "eof"):
            self._answer_close()
        super().close()

    def _process_request(self, pkttype: int, pktid: int, packet: SSHPacket) -> None:
        waiting = [len(packet.get_full_payload()) for _, packet, _ in self._request_queue]
        if len(waiting) >= REQUESTS_WAITING or sum(waiting) > REQUEST_OCTETS_WAITING:
            raise asyncssh.ProtocolError("Too many channel requests at once")
        super()._process_request(pkttype, pktid, packet)

    _packet_handlers = {  # noqa: RUF012
        **SSHServerChannel._packet_handlers,
        MSG_CHANNEL_CLOSE: _process_close,
        MSG_CHANNEL_REQUEST: _process_request,
    }

    def _service_next_request(self) -> None:
        # One after the other, not one inside the other: a client may send thousands at once.
        self._more = True
        if self._serving:
            return
        self._serving = True
        try:
            while self._more:
                self._more = False
                self._service_request()
        finally:
            self._serving = False

    def _service_request(self) -> None:
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


class TargetChannel(Sized, SSHClientChannel[bytes]):
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
