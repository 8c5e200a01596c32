"""Syslog transports and receivers that are slow, gone, or speak something else."""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import replace

import pytest
import uvloop

from watchgate.errors import SinkError
from watchgate.siem.connection import UNANSWERED_SECONDS
from watchgate.siem.fact import Fact
from watchgate.siem.opening import open_transport
from watchgate.siem.relp import WINDOW
from watchgate.siem.stream import SETTLE_US
from watchgate.siem.transport import Batch, Description, Guarantee, Tls, Transport

from .facts import HOST, fact
from .peers import Talk, deaf, listening, rude, saying, silent
from .servers import Certificates

BATCH = [(fact("session.opened"), b"one"), (fact("session.closed"), b"two")]
LARGE: list[tuple[Fact, bytes]] = [(fact("session.opened"), b"x" * 7000)] * 2000


def transport_to(url: str, timeout: float = 0.3, tls: Tls | None = None) -> Transport:
    return open_transport(Description(url, HOST, timeout=timeout, tls=tls or Tls()))


def sending(scheme: str, talk: Talk, batch: Batch, timeout: float = 0.3) -> int:
    """One `send` to a server that speaks like *talk*."""

    async def run() -> int:
        async with listening(talk) as port:
            transport = transport_to(f"{scheme}://127.0.0.1:{port}", timeout)
            try:
                return await transport.send(batch)
            finally:
                await transport.close()

    return asyncio.run(run())


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# --- all of them -----------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["tcp", "tls", "relp", "relps"])
def test_nobody_listening_is_told_with_the_place(scheme: str) -> None:
    port = unused_port()

    with pytest.raises(SinkError, match=f"nobody listens on 127.0.0.1:{port}"):
        asyncio.run(transport_to(f"{scheme}://127.0.0.1:{port}").send(BATCH))


@pytest.mark.parametrize("scheme", ["udp", "tcp", "relp"])
def test_an_unknown_name_is_told(scheme: str) -> None:
    with pytest.raises(SinkError, match=r"siem\.invalid"):
        asyncio.run(transport_to(f"{scheme}://siem.invalid:514", timeout=20).send(BATCH))


@pytest.mark.parametrize("scheme", ["tls", "relps"])
def test_a_receiver_without_tls_is_told(scheme: str) -> None:
    with pytest.raises(SinkError, match=r"does not speak TLS with us.*right port"):
        sending(scheme, saying(b"220 smtp.example ESMTP\r\n"), BATCH)


@pytest.mark.parametrize("scheme", ["tls", "relps"])
def test_a_handshake_that_does_not_end_is_given_up(scheme: str) -> None:
    with pytest.raises(SinkError, match=r"does not answer within 0\.3 s"):
        sending(scheme, deaf, BATCH)


@pytest.mark.parametrize("scheme", ["tls", "relps"])
def test_a_certificate_for_another_name_is_refused(scheme: str, certificates: Certificates) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.server, certificates.server_key)

    async def run() -> None:
        async with listening(silent, context) as port:
            tls = Tls(ca=certificates.ca, server_name="other.example")
            await transport_to(f"{scheme}://127.0.0.1:{port}", tls=tls).send(BATCH)

    with pytest.raises(SinkError, match=r"not trusted.*other\.example.*`server_name`"):
        asyncio.run(run())


# --- TCP -------------------------------------------------------------------------------------------


def test_a_stream_promises_no_more_than_to_be_resent() -> None:
    transport = transport_to("tcp://127.0.0.1:9")

    assert transport.guarantee is Guarantee.RESENT
    assert transport.settle_us == SETTLE_US
    assert UNANSWERED_SECONDS * 1_000_000 < SETTLE_US


def test_a_receiver_that_does_not_read_is_given_up() -> None:
    with pytest.raises(SinkError, match=r"does not take what is sent to it for 0\.3 s"):
        sending("tcp", deaf, LARGE)


def test_what_a_stream_hears_is_ignored_and_what_it_sends_is_framed() -> None:
    async def run() -> bytes:
        heard: asyncio.Queue[bytes] = asyncio.Queue()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"chatter " * 1000)
            await heard.put(await reader.read())

        async with listening(talk) as port:
            transport = transport_to(f"tcp://127.0.0.1:{port}", timeout=5.0)
            await transport.send(BATCH)
            await transport.close()
            async with asyncio.timeout(5):
                return await heard.get()

    length, _, rest = asyncio.run(run()).partition(b" ")
    first, second = rest[: int(length)], rest[int(length) :]

    assert first.startswith(b"<86>1 ")
    assert first.endswith(b"] one")
    assert second.startswith(b"%d <86>1 " % len(second.partition(b" ")[2]))


def test_a_broken_stream_says_so_before_it_sends_again() -> None:
    async def run() -> list[str]:
        said: list[str] = []
        gone = asyncio.Event()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            if not gone.is_set():
                gone.set()
                return
            await silent(reader, writer)

        async with listening(talk) as port:
            transport = transport_to(f"tcp://127.0.0.1:{port}")
            said.append(str(await transport.send(BATCH)))
            async with asyncio.timeout(5):
                while transport.standing():  # noqa: ASYNC110 - it is the peer's close that is awaited
                    await asyncio.sleep(0.005)
            with pytest.raises(SinkError, match=r"broke.*is sent again"):
                await transport.send(BATCH)
            said.append(str(transport.standing()))
            said.append(str(await transport.send(BATCH)))
            await transport.close()
        return said

    assert asyncio.run(run()) == ["2", "True", "2"]


# --- UDP -------------------------------------------------------------------------------------------


def test_datagrams_to_nobody_are_told_when_the_machine_says_so() -> None:
    async def run() -> None:
        transport = transport_to(f"udp://127.0.0.1:{unused_port()}")
        for _ in range(2):
            with pytest.raises(SinkError, match="nobody listens"):
                await transport.send(BATCH)
        await transport.close()

    asyncio.run(run())


def test_a_datagram_is_one_message_without_a_frame() -> None:
    async def run() -> tuple[int, list[bytes]]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", 0))
            receiver.settimeout(5)
            transport = transport_to(f"udp://127.0.0.1:{receiver.getsockname()[1]}")
            done = await transport.send(BATCH)
            await transport.close()
            return done, [receiver.recv(65536) for _ in BATCH]

    done, datagrams = asyncio.run(run())

    assert done == 2
    assert [datagram[-3:] for datagram in datagrams] == [b"one", b"two"]
    assert all(datagram.startswith(b"<86>1 ") for datagram in datagrams)


def test_udp_promises_nothing() -> None:
    assert transport_to("udp://127.0.0.1:9").guarantee is Guarantee.BEST_EFFORT


# --- RELP ------------------------------------------------------------------------------------------


def relp_server(
    answers: list[bytes] | None = None, most: int = 10**9, hello: bytes = b"200 OK"
) -> tuple[Talk, list[int]]:
    """A RELP server that answers *most* messages, with *answers* first; and the numbers that it met
    unanswered at once."""
    given = list(answers or [])
    unanswered: list[int] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answered = 0
        while True:
            number = (await reader.readuntil(b" "))[:-1]
            command = (await reader.readuntil(b" "))[:-1]
            length = await _length(reader)
            await reader.readexactly(length)
            if command == b"syslog":
                unanswered.append(int(number) - 1 - answered)
                if answered >= most:
                    continue
                answered += 1
            status = hello if command == b"open" else given.pop(0) if given else b"200 OK"
            writer.write(b"%b rsp %d %b\n" % (number, len(status), status))

    return talk, unanswered


async def _length(reader: asyncio.StreamReader) -> int:
    digits = b""
    while (octet := await reader.readexactly(1)).isdigit():
        digits += octet
    if octet == b" ":
        return int(digits) + 1  # the line feed behind the data
    return 0


def test_relp_returns_when_all_is_answered() -> None:
    talk, _ = relp_server()

    assert sending("relp", talk, BATCH * 500, timeout=5.0) == 1000


def test_relp_sends_no_more_than_a_window_ahead() -> None:
    talk, unanswered = relp_server(most=10)

    assert sending("relp", talk, BATCH * 500) == 10
    assert max(unanswered) <= WINDOW


def test_relp_counts_only_what_is_answered_from_the_start() -> None:
    talk, _ = relp_server([b"200 OK", b"200 OK", b"500 disk full", b"200 OK"])

    assert sending("relp", talk, BATCH * 2) == 2


def test_an_event_that_relp_refuses_is_named() -> None:
    refused = replace(BATCH[0][0], uid="uid-x")
    talk, _ = relp_server([b"500 disk\x1bfull"])

    with pytest.raises(SinkError, match=r"refuses the event uid-x .*500 disk\\x1bfull") as caught:
        sending("relp", talk, [(refused, b"x"), *BATCH])
    assert caught.value.event == "uid-x"


def test_a_refused_relp_session_is_told() -> None:
    talk, _ = relp_server(hello=b"500 go away")

    with pytest.raises(SinkError, match="refuses the RELP session: 500 go away"):
        sending("relp", talk, BATCH)


def test_relp_that_answers_nothing_is_given_up() -> None:
    talk, _ = relp_server(most=0)

    with pytest.raises(SinkError, match=r"does not acknowledge what was sent to it for 0\.3 s"):
        sending("relp", talk, BATCH)


@pytest.mark.parametrize(
    ("talk", "says"),
    [
        (saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "does not speak RELP"),
        (saying(b"\xff" * 100_000), "does not speak RELP"),
        (saying(b"0 serverclose 0\n"), "closes the RELP session"),
        (saying(b"1 rsp 999999999 "), "announced an answer"),
        (saying(b"7 rsp 6 200 OK\n"), "waits for no answer"),
        (rude, "broke the connection|closed the connection"),
        (silent, "does not acknowledge"),
    ],
)
def test_what_does_not_speak_relp_is_told(talk: Talk, says: str) -> None:
    with pytest.raises(SinkError, match=says):
        sending("relp", talk, BATCH)


def test_relp_acknowledges() -> None:
    transport = transport_to("relp://127.0.0.1:9")

    assert (transport.guarantee, transport.settle_us) == (Guarantee.AT_LEAST_ONCE, 0)
    assert transport.standing()


# --- the loop of the gateway -------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["tcp", "relp"])
def test_uvloop_carries_them_too(scheme: str) -> None:
    relp, _ = relp_server()

    async def run() -> int:
        # uvloop's transports are no subclasses of asyncio's.
        async with listening(relp if scheme == "relp" else silent) as port:
            transport = transport_to(f"{scheme}://127.0.0.1:{port}", timeout=5.0)
            done = await transport.send(BATCH * 200)
            await transport.close()
            return done

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(run()) == 400
