"""Every transport against real receivers: what arrives is what was sent, octet by octet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from watchgate.errors import SinkError
from watchgate.session.events import KINDS
from watchgate.siem.fact import Fact
from watchgate.siem.opening import open_transport
from watchgate.siem.syslog import STRUCTURED_DATA
from watchgate.siem.transport import Batch, Description, Guarantee, Tls
from watchgate.siem.views import VIEWS

from . import servers
from .facts import HOST, HOSTILE, fact, hostile_fact
from .servers import Received, Receiver

pytestmark = pytest.mark.real

KINDS_AND_TEXTS = [
    (kind, text) for kind in (*sorted(KINDS), "tomorrow.invented") for text in ("plain", HOSTILE)
]


def tls_of(receiver: Receiver) -> Tls:
    made = receiver.certificates
    return Tls(ca=made.ca, certificate=made.client, key=made.client_key)


def batch_of(view: str, times: int = 1) -> list[tuple[Fact, bytes]]:
    facts = [
        replace(hostile_fact(kind, text), uid=f"{number:08x}-{view}", seq=number)
        for number, (kind, text) in enumerate(KINDS_AND_TEXTS * times)
    ]
    return [(one, VIEWS[view](one, HOST)) for one in facts]


def deliver(receiver: Receiver, scheme: str, batch: Batch) -> tuple[Guarantee, int]:
    description = Description(receiver.url(scheme), HOST, facility="local3", tls=tls_of(receiver))

    async def run() -> tuple[Guarantee, int]:
        transport = open_transport(description)
        try:
            done = 0
            while done < len(batch):
                done += await transport.send(batch[done : done + 500])
            return transport.guarantee, done
        finally:
            await transport.close()

    return asyncio.run(run())


async def until(holds: Callable[[], bool]) -> None:
    """Wait for what no event tells."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - the kernel's news of a dead peer come when they come
            await asyncio.sleep(0.01)


def assert_identical(batch: Batch, received: list[Received]) -> None:
    by_text = {one.text: one for one in received}
    for sent, octets in batch:
        one = by_text[octets.decode()]
        assert (one.host, one.app) == (HOST.node, "watchgate")
        assert one.message_id == sent.kind
        assert one.priority // 8 == 19
        assert one.at.startswith("2026-05-28T20:26:41.234567")
        assert one.structured == (
            f'[{STRUCTURED_DATA} uid="{sent.uid}" session="{sent.session}" seq="{sent.seq}"]'
        )


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("scheme", ["udp", "tcp", "tls", "relp", "relps"])
def test_rsyslog_gets_each_field_as_it_was_sent(rsyslog: Receiver, scheme: str, view: str) -> None:
    before = len(rsyslog.received())
    batch = batch_of(view)
    deliver(rsyslog, scheme, batch)
    received = rsyslog.wait_for(before + len(batch))

    assert_identical(batch, received[before:])


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("scheme", ["udp", "tcp", "tls"])
def test_syslog_ng_gets_each_field_as_it_was_sent(
    syslog_ng: Receiver, scheme: str, view: str
) -> None:
    before = len(syslog_ng.received())
    batch = batch_of(view)
    deliver(syslog_ng, scheme, batch)
    received = syslog_ng.wait_for(before + len(batch))

    assert_identical(batch, received[before:])


def test_what_relp_acknowledges_is_written_when_send_returns(rsyslog: Receiver) -> None:
    before = len(rsyslog.received())
    batch = batch_of("cef", times=20)
    guarantee, done = deliver(rsyslog, "relp", batch)
    texts = [one.text for one in rsyslog.received()[before:]]

    assert guarantee is Guarantee.AT_LEAST_ONCE
    assert done == len(batch)
    assert texts == [octets.decode() for _, octets in batch]


def test_a_receiver_that_is_killed_loses_nothing_that_relp_acknowledged(tmp_path: Path) -> None:
    if missing := servers.rsyslog_missing():
        pytest.skip(f"not installed: {missing} (make packages)")
    batch = batch_of("json", times=60)

    async def run(receiver: Receiver) -> tuple[int, int]:
        transport = open_transport(Description(receiver.url("relp"), HOST, timeout=5.0))
        done, failures = 0, 0
        while done < len(batch):
            if done >= len(batch) // 2 and failures == 0 and receiver.process is not None:
                receiver.kill()
            try:
                done += await transport.send(batch[done : done + 200])
            except SinkError:
                failures += 1
                if receiver.process is None:
                    await asyncio.to_thread(receiver.start)
        await transport.close()
        return done, failures

    with servers.rsyslog(tmp_path) as receiver:
        done, failures = asyncio.run(run(receiver))
        texts = {one.text for one in receiver.received()}

    assert done == len(batch)
    assert failures >= 1
    assert {octets.decode() for _, octets in batch} <= texts


@pytest.mark.parametrize("scheme", ["tcp", "tls"])
def test_a_stream_knows_that_its_receiver_died_and_says_so_once(
    tmp_path: Path, scheme: str
) -> None:
    if missing := servers.rsyslog_missing():
        pytest.skip(f"not installed: {missing} (make packages)")
    batch = batch_of("cef")

    async def run(receiver: Receiver) -> tuple[bool, str, bool, int]:
        transport = open_transport(Description(receiver.url(scheme), HOST, tls=tls_of(receiver)))
        await transport.send(batch)
        stood = transport.standing()
        await asyncio.to_thread(receiver.kill)
        await until(lambda: not transport.standing())
        await asyncio.to_thread(receiver.start)
        try:
            await transport.send(batch)
            said = ""
        except SinkError as error:
            said = str(error)
        again = await transport.send(batch)
        stands = transport.standing()
        await transport.close()
        return stood, said, stands, again

    with servers.rsyslog(tmp_path) as receiver:
        stood, said, stands, again = asyncio.run(run(receiver))

    assert stood
    assert "sent again" in said
    assert (stands, again) == (True, len(batch))


def test_a_certificate_of_an_unknown_authority_is_refused(
    rsyslog: Receiver, certificates: servers.Certificates
) -> None:
    description = Description(rsyslog.url("tls"), HOST, tls=Tls(ca=certificates.ca))

    with pytest.raises(SinkError, match=r"not trusted.*set `ca`"):
        asyncio.run(open_transport(description).send([(fact("session.opened"), b"x")]))


def test_a_pinned_certificate_needs_neither_authority_nor_name(rsyslog: Receiver) -> None:
    pin = rsyslog.certificates.pin()
    shown = ":".join(pin[start : start + 2] for start in range(0, 64, 2)).upper()
    before = len(rsyslog.received())
    description = Description(rsyslog.url("tls"), HOST, tls=Tls(pin=shown))

    async def run() -> None:
        transport = open_transport(description)
        await transport.send([(fact("session.opened"), b"pinned")])
        await transport.close()

    asyncio.run(run())

    assert rsyslog.wait_for(before + 1)[-1].text == "pinned"


def test_another_certificate_than_the_pinned_one_is_refused(rsyslog: Receiver) -> None:
    description = Description(rsyslog.url("tls"), HOST, tls=Tls(pin="ab" * 32))

    with pytest.raises(SinkError, match="does not show the pinned certificate"):
        asyncio.run(open_transport(description).send([(fact("session.opened"), b"x")]))
