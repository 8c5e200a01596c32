"""The bounds that the seams put around asyncssh, on connections whose transports are not real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncssh
import pytest
from asyncssh.channel import SSHTCPChannel
from asyncssh.packet import Boolean, SSHPacket, String, UInt32

from watchgate.protocols.ssh.bounds import (
    DEFERRED_LIMIT,
    GLOBAL_REQUESTS_WAITING,
    PACKET_LEAST,
    REQUEST_OCTETS_WAITING,
    REQUESTS_WAITING,
    UNHEARD_LIMIT,
    UNREAD_LIMIT,
)
from watchgate.protocols.ssh.seams import ClientChannel, GateServerConnection

KEY = asyncssh.generate_private_key("ssh-ed25519")


class Wire(asyncio.Transport):
    """A transport that takes everything and remembers how it is used."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = True
        self.waiting = 0
        self.aborted = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("192.0.2.7", 50000) if name.endswith("name") else default

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Nobody looks at it."""

    def is_closing(self) -> bool:
        return self.aborted

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def abort(self) -> None:
        self.aborted = True

    def close(self) -> None:
        self.aborted = True


class Watcher:
    """Notes whether its source may go on; *then* happens when it may."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.free = True
        self.freed = 0
        self._then = then

    def choke(self) -> None:
        self.free = False

    def release(self) -> None:
        self.free = True
        self.freed += 1
        self._then()


def on_connection(check: Callable[[Any, Wire], None]) -> None:
    """Run *check* on a fresh connection from a client and its transport."""

    async def run() -> None:
        options = asyncssh.SSHServerConnectionOptions(server_host_keys=[KEY])
        loop = asyncio.get_running_loop()
        connection = GateServerConnection(loop, options, asyncssh.SSHServer)
        wire = Wire()
        connection.connection_made(wire)
        try:
            check(connection, wire)
        finally:
            connection.abort()
            await asyncio.sleep(0)

    asyncio.run(run())


# --- writing -----------------------------------------------------------------------------------


def test_a_source_that_comes_while_the_transport_is_full_waits_at_once() -> None:
    def check(connection: Any, wire: Wire) -> None:
        connection.pause_writing()
        watcher = Watcher()
        connection.watch_flow(watcher)
        before = watcher.free
        connection.resume_writing()

        assert (before, watcher.free) == (False, True)

    on_connection(check)


def test_sources_wait_until_every_reason_is_gone() -> None:
    def check(connection: Any, wire: Wire) -> None:
        watcher = Watcher()
        connection.watch_flow(watcher)
        seen = []
        for step, why in [
            (connection._fill, "transport"),
            (connection._fill, "keys"),
            (connection._drain, "transport"),
            (connection._drain, "keys"),
        ]:
            step(why)
            seen.append(watcher.free)

        assert seen == [False, False, False, True]

    on_connection(check)


def test_a_source_that_fills_the_transport_again_leaves_the_others_waiting() -> None:
    """What the first one had waiting fills it inside the very call that says there is room."""

    def check(connection: Any, wire: Wire) -> None:
        greedy = Watcher(lambda: connection.pause_writing())
        patient = [Watcher(), Watcher()]
        for watcher in (greedy, *patient):
            connection.watch_flow(watcher)
        connection.pause_writing()
        connection.resume_writing()
        after_first = [watcher.free for watcher in (greedy, *patient)]
        connection.resume_writing()

        assert after_first == [False, False, False]
        assert [watcher.freed for watcher in patient] == [1, 1]

    on_connection(check)


def test_a_source_that_left_is_not_told() -> None:
    def check(connection: Any, wire: Wire) -> None:
        watcher = Watcher()
        leave = connection.watch_flow(watcher)
        leave()
        leave()
        connection.pause_writing()

        assert watcher.free

    on_connection(check)


def test_a_connection_inside_another_is_full_when_that_one_is() -> None:
    def check(outer: Any, wire: Wire) -> None:
        options = asyncssh.SSHServerConnectionOptions(server_host_keys=[KEY])
        inner: Any = GateServerConnection(outer._loop, options, asyncssh.SSHServer)
        channel = SSHTCPChannel(outer, outer._loop, None, "strict", 1 << 20, 1 << 15)
        inner.connection_made(channel)
        watcher = Watcher()
        inner.watch_flow(watcher)
        outer.pause_writing()
        while_full = watcher.free
        outer.resume_writing()
        inner._transport = None
        inner.connection_lost(None)

        assert (while_full, watcher.free) == (False, True)
        assert outer._watchers() == []

    on_connection(check)


@pytest.mark.parametrize(
    ("waiting", "deferred", "given_up"),
    [(UNREAD_LIMIT, 0, False), (UNREAD_LIMIT + 1, 0, True), (0, DEFERRED_LIMIT + 1, True)],
)
def test_a_peer_that_asks_on_and_takes_no_answer_is_given_up(
    waiting: int, deferred: int, given_up: bool
) -> None:
    def check(connection: Any, wire: Wire) -> None:
        connection.pause_writing()
        wire.waiting = waiting
        connection._deferred_packets = [(90, ())] * deferred
        connection.data_received(b"SSH-2.0-x\r\n")

        assert (connection._transport is None) == given_up

    on_connection(check)


# --- reading -----------------------------------------------------------------------------------


def test_no_more_is_read_while_one_message_takes_its_time() -> None:
    def check(connection: Any, wire: Wire) -> None:
        connection._recv_handler = lambda: False
        connection.data_received(bytes(UNHEARD_LIMIT))
        at_limit = wire.reading
        connection.data_received(b"x")
        above = wire.reading
        connection._inpbuf = b"x"
        connection.data_received(b"")

        assert (at_limit, above, wire.reading) == (True, False, True)

    on_connection(check)


def test_global_requests_that_wait_for_an_answer_have_a_limit() -> None:
    def check(connection: Any, wire: Wire) -> None:
        connection._service_next_global_request = lambda: None
        request = String(b"keepalive@openssh.com") + Boolean(True)
        for _ in range(GLOBAL_REQUESTS_WAITING):
            connection._process_global_request(80, 0, SSHPacket(request))

        with pytest.raises(asyncssh.ProtocolError, match="Too many global requests"):
            connection._process_global_request(80, 0, SSHPacket(request))

    on_connection(check)


# --- channels ----------------------------------------------------------------------------------


class Owner(asyncssh.SSHServerSession[bytes]):
    """Answers requests at once, or never."""

    def __init__(self, answer: bool | None) -> None:
        self._answer = answer
        self.asked = 0

    def request(self, kind: str, payload: bytes) -> bool | None:
        self.asked += 1
        return self._answer

    def leaving(self) -> bool:
        return False


def channel_of(connection: Any, owner: Owner) -> Any:
    channel = ClientChannel(connection, 1 << 20, 1 << 15)
    channel._session = owner
    channel._send_state = channel._recv_state = "open"
    channel._send_chan = 0
    return channel


def request(size: int = 10) -> SSHPacket:
    return SSHPacket(String(b"env") + Boolean(True) + bytes(size))


def test_thousands_of_requests_are_answered_one_after_the_other() -> None:
    def check(connection: Any, wire: Wire) -> None:
        owner = Owner(None)
        channel = channel_of(connection, owner)
        for _ in range(REQUESTS_WAITING):
            channel._process_request(98, 0, request())
        owner._answer = False
        channel.answer(True)

        assert owner.asked == REQUESTS_WAITING
        assert channel._request_queue == []

    on_connection(check)


@pytest.mark.parametrize(("size", "fits"), [(10, REQUESTS_WAITING), (100_000, 11)])
def test_requests_that_wait_have_a_limit(size: int, fits: int) -> None:
    def check(connection: Any, wire: Wire) -> None:
        channel = channel_of(connection, Owner(None))
        for _ in range(fits):
            channel._process_request(98, 0, request(size))

        with pytest.raises(asyncssh.ProtocolError, match="Too many channel requests"):
            channel._process_request(98, 0, request(size))
        assert sum(len(p.get_full_payload()) for _, p, _ in channel._request_queue) < (
            REQUEST_OCTETS_WAITING + 2 * size + REQUESTS_WAITING * 20
        )

    on_connection(check)


@pytest.mark.parametrize(
    ("size", "taken"), [(1, False), (PACKET_LEAST - 1, False), (PACKET_LEAST, True)]
)
def test_a_peer_that_takes_crumbs_only_is_refused(size: int, taken: bool) -> None:
    def check(connection: Any, wire: Wire) -> None:
        for make in (
            lambda: ClientChannel(connection, 1 << 20, 1 << 15),
            connection.create_tcp_channel,
        ):
            channel: Any = make()
            channel._open_waiter = connection._loop.create_future()
            channel._recv_state = "open"
            packet = SSHPacket(UInt32(0))
            if taken:
                channel.process_open_confirmation(7, 1 << 20, size, packet)
                assert channel._send_pktsize == size
            else:
                with pytest.raises(asyncssh.ProtocolError, match="too small"):
                    channel.process_open_confirmation(7, 1 << 20, size, packet)
                with pytest.raises(asyncssh.ProtocolError, match="too small"):
                    channel.process_open(7, 1 << 20, size, Owner(None))

    on_connection(check)
