"""Webhooks and Splunk's collector, and receivers that answer what they should not."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import ssl
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from watchgate.clock import ManualClock
from watchgate.errors import SinkError
from watchgate.secret import Secret
from watchgate.siem.fact import Fact
from watchgate.siem.https import LARGEST_REQUEST, LONGEST_ANSWER
from watchgate.siem.opening import open_transport
from watchgate.siem.transport import Batch, Body, Description, Guarantee, Tls
from watchgate.siem.views import VIEWS

from .facts import HOST, SESSION, fact
from .peers import Request, Talk, Web, deaf, listening, response, rude, saying
from .servers import Certificates

CLOCK = ManualClock()
TOKEN = "s3cr3t-t0ken"


def batch_of(count: int, view: str = "json") -> list[tuple[Fact, bytes]]:
    facts = [replace(fact("session.opened"), uid=f"uid-{number}") for number in range(count)]
    return [(one, VIEWS[view](one, HOST)) for one in facts]


def send(talk: Talk, batch: Batch, path: str = "/hook", **options: Any) -> int:
    """One `send` to a server that speaks like *talk*."""

    async def run() -> int:
        async with listening(talk) as port:
            url = f"http://127.0.0.1:{port}{path}"
            transport = open_transport(Description(url, HOST, **options), CLOCK)
            try:
                return await transport.send(batch)
            finally:
                await transport.close()

    return asyncio.run(run())


def accepting(request: Request) -> bytes:
    return response(200, b'{"text":"Success","code":0}')


# --- webhook ---------------------------------------------------------------------------------------


def test_a_webhook_gets_a_line_for_each_event() -> None:
    web = Web(accepting)
    batch = batch_of(3)
    done = send(web, batch, token=Secret(TOKEN))
    request = web.requests[0]

    assert done == 3
    assert (request.method, request.path) == ("POST", "/hook")
    assert request.headers["content-type"] == "application/x-ndjson"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.body == b"".join(text + b"\n" for _, text in batch)


def test_a_webhook_gets_an_array_if_it_wants_one() -> None:
    web = Web(accepting)
    send(web, batch_of(2), body=Body.ARRAY)
    send(web, batch_of(2, "cef"), body=Body.ARRAY)
    objects, texts = (json.loads(request.body) for request in web.requests)

    assert [one["uid"] for one in objects] == ["uid-0", "uid-1"]
    assert all(one.startswith("CEF:0|") for one in texts)


def test_an_authorization_of_two_words_is_used_as_it_is() -> None:
    web = Web(accepting)
    send(web, batch_of(1), token=Secret("Basic abc"))

    assert web.requests[0].headers["authorization"] == "Basic abc"


def test_what_is_signed_can_be_verified() -> None:
    web = Web(accepting)
    send(web, batch_of(2), signing_key=Secret("key"))
    request = web.requests[0]
    second, _, digest = request.headers["x-watchgate-signature"].removeprefix("t=").partition(",")
    expected = hmac.new(b"key", f"{second}.".encode() + request.body, hashlib.sha256).hexdigest()

    assert second == str(CLOCK.wall_us() // 1_000_000)
    assert digest == f"sha256={expected}"


def test_a_batch_larger_than_a_request_goes_in_parts() -> None:
    web = Web(accepting)
    big = [(one, b"x" * 7000) for one, _ in batch_of(400)]
    done = send(web, big)

    assert 0 < done < 400
    assert len(web.requests[0].body) <= LARGEST_REQUEST


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setitem(os.environ, name, "http://127.0.0.1:1")

    assert send(Web(accepting), batch_of(1)) == 1


def test_a_webhook_acknowledges() -> None:
    transport = open_transport(Description("http://127.0.0.1:1/", HOST))

    assert (transport.guarantee, transport.settle_us) == (Guarantee.AT_LEAST_ONCE, 0)
    assert transport.standing()


# --- answers that are none -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (response(500, b"<html>oops</html>"), "answers 500: <html>oops</html>"),
        (response(401), "answers 401; check the sink's token"),
        (response(403, b"Invalid token"), "403: Invalid token; check the sink's token"),
        (response(404), "check the path"),
        (response(302, Location="https://elsewhere.example/"), "redirects are not followed"),
        (response(200, b'{"error": "index is closed"}'), "but with an error"),
        (response(200, b'{"errors": true, "items": []}'), "but with an error"),
        (response(200, b'{"ok": false}'), "but with an error"),
        (b"garbage\r\n\r\n", "cannot be reached"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "does not answer within"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "does not answer within"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, "cannot be reached"),
        (response(500, b"\x1b[2J\r\n\x00evil"), r"\\x1b\[2J\\x0d\\x0a\\x00evil"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_bad_answer_is_told_and_nothing_is_acknowledged(answer: bytes, says: str) -> None:
    with pytest.raises(SinkError, match=says):
        send(saying(answer), batch_of(1), timeout=0.3)


@pytest.mark.parametrize("talk", [rude, deaf])
def test_a_receiver_that_is_gone_or_slow_is_told(talk: Talk) -> None:
    with pytest.raises(SinkError, match=r"cannot be reached|does not answer within"):
        send(talk, batch_of(1), timeout=0.3)


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    endless = b"HTTP/1.1 500 No\r\nContent-Length: 99999999999\r\n\r\n" + b"y" * LONGEST_ANSWER * 4

    with pytest.raises(SinkError, match="answers 500: yyy"):
        send(saying(endless), batch_of(1), timeout=2.0)


def test_an_answer_that_drips_is_given_up() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b".")
            await asyncio.sleep(0.05)

    with pytest.raises(SinkError, match="does not answer within"):
        send(talk, batch_of(1), timeout=0.2)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("99999999", 3600.0),
        ("Thu, 28 May 2026 20:27:10 GMT", 30.0),
        ("Thu, 28 May 2020 20:27:10 GMT", 0.0),
        ("soon", None),
        ("-3", None),
    ],
)
def test_retry_after_is_heeded_within_reason(value: str, seconds: float | None) -> None:
    with pytest.raises(SinkError) as caught:
        send(saying(response(429, b"slow down", Retry_After=value)), batch_of(1))

    assert caught.value.retry_after == seconds


def test_a_receiver_that_repeats_our_secrets_does_not_get_them_into_the_message() -> None:
    def answer(request: Request) -> bytes:
        return response(500, f"no access with {request.headers['authorization']} or k3y".encode())

    with pytest.raises(SinkError) as caught:
        send(Web(answer), batch_of(1), token=Secret(TOKEN), signing_key=Secret("k3y"))

    assert TOKEN not in str(caught.value)
    assert "k3y" not in str(caught.value)
    assert "Bearer ***" in str(caught.value)


# --- one bad event ---------------------------------------------------------------------------------


def refusing(word: bytes, status: int) -> Callable[[Request], bytes]:
    return lambda request: response(status if word in request.body else 200)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_events_before_a_bad_one_are_delivered_and_it_is_named(status: int) -> None:
    batch = batch_of(100)
    web = Web(refusing(b'"uid-37"', status))

    async def run() -> tuple[int, SinkError]:
        async with listening(web) as port:
            transport = open_transport(Description(f"http://127.0.0.1:{port}/", HOST), CLOCK)
            done = 0
            try:
                while True:
                    done += await transport.send(batch[done:])
            except SinkError as error:
                return done, error
            finally:
                await transport.close()

    done, error = asyncio.run(run())

    assert done == 37
    assert error.event == "uid-37"
    assert "uid-37 (session.opened) alone" in str(error)


# --- Splunk ----------------------------------------------------------------------------------------


def test_splunk_gets_events_in_its_envelope() -> None:
    web = Web(accepting)
    done = send(web, batch_of(2), path="", body=Body.HEC, token=Secret(TOKEN))
    request = web.requests[0]
    decoder = json.JSONDecoder()
    first, end = decoder.raw_decode(request.body.decode())
    second, _ = decoder.raw_decode(request.body.decode(), end)

    assert done == 2
    assert request.path == "/services/collector/event"
    assert request.headers["authorization"] == f"Splunk {TOKEN}"
    assert request.headers["x-splunk-request-channel"]
    assert (first["time"], first["host"]) == ("1780000001.234567", HOST.node)
    assert (first["fields"]["uid"], second["fields"]["uid"]) == ("uid-0", "uid-1")
    assert first["event"]["session"] == SESSION


def test_splunk_takes_other_formats_as_text() -> None:
    web = Web(accepting)
    send(web, batch_of(1, "cef"), body=Body.HEC)

    assert json.loads(web.requests[0].body)["event"].startswith("CEF:0|")


def test_splunk_is_asked_until_it_has_indexed() -> None:
    asked: list[dict[str, Any]] = []

    def answer(request: Request) -> bytes:
        if request.path.endswith("/ack"):
            asked.append(json.loads(request.body))
            return response(200, json.dumps({"acks": {"5": len(asked) >= 3}}).encode())
        return response(200, b'{"text":"Success","code":0,"ackId":5}')

    web = Web(answer)
    done = send(web, batch_of(2), path="", body=Body.HEC, token=Secret(TOKEN))
    channels = {request.headers["x-splunk-request-channel"] for request in web.requests}

    assert done == 2
    assert asked == [{"acks": [5]}] * 3
    assert web.requests[-1].path == "/services/collector/ack"
    assert len(channels) == 1


def test_splunk_that_does_not_index_has_not_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchgate.siem.https.INDEXED_SECONDS", 0.2)
    web = Web(
        lambda request: response(
            200,
            b'{"acks":{"5":false}}' if request.path.endswith("/ack") else b'{"code":0,"ackId":5}',
        )
    )

    with pytest.raises(SinkError, match="did not index"):
        send(web, batch_of(1), path="", body=Body.HEC)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (response(200, b'{"text":"Server is busy","code":9}'), "not as a collector does"),
        (response(200, b"<html>login</html>"), "not as a collector does"),
        (response(200, b"[" * 60_000), "not as a collector does"),
        (response(200), "not as a collector does"),
        (response(503, b'{"text":"Server is busy","code":9}'), "503.*busy"),
        (response(400, b'{"text":"Incorrect index","code":7}'), "400.*Incorrect index"),
        (response(403, b'{"text":"Invalid token","code":4}'), "check the sink's token"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_collector_that_did_not_take_the_batch_is_told(answer: bytes, says: str) -> None:
    with pytest.raises(SinkError, match=says) as caught:
        send(saying(answer), batch_of(2), body=Body.HEC)

    assert caught.value.event is None


def test_an_event_that_splunk_cannot_read_is_named() -> None:
    def answer(request: Request) -> bytes:
        if b"uid-0" in request.body:
            return response(400, b'{"text":"Invalid data format","code":6}')
        return accepting(request)

    with pytest.raises(SinkError, match="uid-0") as caught:
        send(Web(answer), batch_of(5), body=Body.HEC)

    assert caught.value.event == "uid-0"


# --- TLS -------------------------------------------------------------------------------------------


def https(certificates: Certificates, tls: Tls, web: Web, host: str = "127.0.0.1") -> int:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates.ca)
    context.load_cert_chain(certificates.server, certificates.server_key)

    async def run() -> int:
        async with listening(web, context) as port:
            description = Description(f"https://{host}:{port}/", HOST, tls=tls, token=Secret(TOKEN))
            transport = open_transport(description, CLOCK)
            try:
                return await transport.send(batch_of(1))
            finally:
                await transport.close()

    return asyncio.run(run())


def test_https_verifies_the_receiver_by_the_given_authority(certificates: Certificates) -> None:
    assert https(certificates, Tls(ca=certificates.ca), Web(accepting)) == 1


def test_https_by_another_name_is_refused_before_the_token_is_sent(
    certificates: Certificates,
) -> None:
    web = Web(accepting)
    tls = Tls(ca=certificates.ca, server_name="other.example")

    with pytest.raises(SinkError, match=r"not trusted.*other\.example.*`server_name`"):
        https(certificates, tls, web)
    assert web.requests == []


def test_https_finds_the_certificate_by_the_server_name(certificates: Certificates) -> None:
    assert (
        https(certificates, Tls(ca=certificates.ca, server_name="localhost"), Web(accepting)) == 1
    )


def test_https_of_an_unknown_authority_is_refused(certificates: Certificates) -> None:
    web = Web(accepting)

    with pytest.raises(SinkError, match="not trusted"):
        https(certificates, Tls(), web)
    assert web.requests == []


def test_https_knows_a_pinned_certificate(certificates: Certificates) -> None:
    assert https(certificates, Tls(pin=certificates.pin()), Web(accepting)) == 1


def test_https_refuses_another_than_the_pinned_before_the_token_is_sent(
    certificates: Certificates,
) -> None:
    web = Web(accepting)

    with pytest.raises(SinkError, match="does not show the pinned certificate"):
        https(certificates, Tls(pin="0" * 64), web)
    assert web.requests == []
