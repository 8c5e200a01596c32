"""Events over HTTPS: Splunk's HTTP Event Collector, or a webhook.

No proxy is used, no redirect followed, and of an answer no more than its beginning is read. A batch that a
receiver finds too large or cannot read is offered in halves, so that one bad event is found and named.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import ssl
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from watchgate.clock import Clock
from watchgate.errors import SinkError
from watchgate.siem.fact import NAMESPACE, Fact
from watchgate.siem.legible import cut, one_line
from watchgate.siem.tls import complaint
from watchgate.siem.transport import Batch, Body, Description, Guarantee

LONGEST_ANSWER = 64 * 1024
LARGEST_REQUEST = 1024 * 1024
"""Octets of one request: what receivers behind a gateway commonly allow."""
LONGEST_WAIT = 3600.0
"""The longest `Retry-After` that is heeded, in seconds."""
INDEXED_SECONDS = 60.0
"""How long Splunk may take to acknowledge that it has indexed a batch."""
_FIRST_LOOK, _LATER_LOOKS = 0.1, 2.0

COLLECTOR = "/services/collector/event"
BAD_EVENT = frozenset({6, 12, 13, 15})
"""Splunk's codes for an event that it cannot read."""
SUCCESS = range(200, 300)
REDIRECT = range(300, 400)
UNACCEPTABLE = frozenset({400, 413, 422})
"""What a smaller batch, or one without a bad event, may not meet."""
FORBIDDEN = frozenset({401, 403})


class _UnacceptableError(SinkError):
    """The receiver does not take this batch; it may take a part of it."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, if it is JSON; None else."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class Https:
    """A webhook: a request for each batch, acknowledged by its status; implements `Transport`."""

    guarantee = Guarantee.AT_LEAST_ONCE
    settle_us = 0

    def __init__(
        self, description: Description, context: ssl.SSLContext | None, clock: Clock
    ) -> None:
        self._description = description
        self._context = context
        self._clock = clock
        self._client: httpx.AsyncClient | None = None
        parts = urlsplit(description.url)
        self._where = f"{parts.scheme}://{parts.netloc}"

    def standing(self) -> bool:
        """What is acknowledged needs no connection."""
        return True

    async def send(self, batch: Batch) -> int:
        """How many from the start of *batch* the receiver took."""
        size = _within(batch, LARGEST_REQUEST)
        while size:
            try:
                await self._deliver(batch[:size])
            except _UnacceptableError as error:
                if size == 1:
                    fact = batch[0][0]
                    text = (
                        f"{error}; that is the answer to the event {fact.uid} ({fact.kind}) alone"
                    )
                    raise SinkError(text, event=fact.uid) from error
                size //= 2
            else:
                return size
        return 0

    async def _deliver(self, batch: Batch) -> None:
        """One request; raises SinkError unless the receiver took it."""
        texts = [text for _, text in batch]
        if self._description.body is Body.ARRAY:
            body, kind = b"[" + b",".join(map(_as_json, texts)) + b"]", "application/json"
        else:
            objects = all(text.startswith(b"{") for text in texts)
            kind = "application/x-ndjson" if objects else "text/plain; charset=utf-8"
            body = b"\n".join(texts) + b"\n"
        answer = await self._post(self._description.url, body, {"Content-Type": kind})
        self._check(answer)
        if (said := _error_in(answer.json())) is not None:
            raise SinkError(
                f"{self._where} answers {answer.status}, but with an error: {self._shown(said)}"
            )

    # --- one request ----------------------------------------------------------------------------

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> _Answer:
        timeout = self._description.timeout
        try:
            # The client's own timeouts are for a step each; a receiver that drips has many.
            async with asyncio.timeout(3 * timeout):
                return await self._exchange(url, body, dict(headers))
        except (TimeoutError, httpx.TimeoutException) as error:
            raise SinkError(
                f"{self._where} does not answer within {timeout:g} s; is it overloaded?"
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
            said = complaint(error, self._where, self._description.tls)
            reason = one_line(str(error)) or type(error).__name__
            raise SinkError(said or f"{self._where} cannot be reached: {reason}") from error

    async def _exchange(self, url: str, body: bytes, headers: dict[str, str]) -> _Answer:
        headers |= self._authorization() | self._signature(body)
        name = self._description.tls.server_name
        extensions = {"sni_hostname": name} if name else {}
        request = self._opened().build_request(
            "POST", url, content=body, headers=headers, extensions=extensions
        )
        response = await self._opened().send(request, stream=True)
        try:
            received = bytearray()
            async for chunk in response.aiter_raw():
                received += chunk
                if len(received) > LONGEST_ANSWER:
                    break
            return _Answer(response.status_code, response.headers, bytes(received))
        finally:
            await response.aclose()

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            timeout = self._description.timeout
            self._client = httpx.AsyncClient(
                verify=self._context if self._context is not None else True,
                trust_env=False,
                follow_redirects=False,
                timeout=httpx.Timeout(timeout),
                limits=httpx.Limits(max_connections=2, max_keepalive_connections=1),
                headers={"User-Agent": "watchgate", "Accept-Encoding": "identity"},
            )
        return self._client

    def _authorization(self) -> dict[str, str]:
        token = self._description.token
        if token is None:
            return {}
        value = token.reveal_text().strip()
        return {"Authorization": value if " " in value else f"Bearer {value}"}

    def _signature(self, body: bytes) -> dict[str, str]:
        """HMAC-SHA256 over the second and the body, so that an old request is known when it is repeated."""
        key = self._description.signing_key
        if key is None:
            return {}
        second = str(self._clock.wall_us() // 1_000_000)
        signed = hmac.new(key.reveal(), f"{second}.".encode() + body, hashlib.sha256)
        return {"X-Watchgate-Signature": f"t={second},sha256={signed.hexdigest()}"}

    # --- what an answer means -------------------------------------------------------------------

    def _check(self, answer: _Answer) -> None:
        """Raises SinkError unless the status is one of success."""
        status = answer.status
        if status in SUCCESS:
            return
        said = f"{self._where} answers {status}"
        if status in REDIRECT:
            to = self._shown(answer.headers.get("Location", "nowhere"))
            raise SinkError(
                f"{said}, a redirect to {to}; redirects are not followed, set the sink's url to it"
            )
        excerpt = self._shown(answer.body.decode("utf-8", "replace"))
        said = f"{said}: {excerpt}" if excerpt else said
        if status in FORBIDDEN:
            raise SinkError(f"{said}; check the sink's token")
        if self._unacceptable(answer):
            raise _UnacceptableError(said)
        if status == 404:
            raise SinkError(f"{said}; check the path in the sink's url")
        raise SinkError(said, retry_after=self._retry_after(answer))

    def _unacceptable(self, answer: _Answer) -> bool:
        """Whether a part of the batch may be taken where the whole was not."""
        return answer.status in UNACCEPTABLE

    def _retry_after(self, answer: _Answer) -> float | None:
        value = answer.headers.get("Retry-After", "")
        if value.isascii() and value.isdigit() and len(value) < 9:
            return min(float(value), LONGEST_WAIT)
        try:
            at = parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = at.replace(tzinfo=at.tzinfo or UTC).timestamp() - self._clock.wall_us() / 1e6
        return min(max(seconds, 0.0), LONGEST_WAIT)

    def _shown(self, text: str) -> str:
        """The beginning of what a receiver said, without our token, should it repeat that."""
        for secret in (self._description.token, self._description.signing_key):
            if secret:
                text = text.replace(secret.reveal_text().strip(), "***")
        return cut(one_line(text.strip()), 200)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


class HttpEventCollector(Https):
    """Splunk's collector; where its token has indexer acknowledgment, that is waited for."""

    def __init__(
        self, description: Description, context: ssl.SSLContext | None, clock: Clock
    ) -> None:
        super().__init__(description, context, clock)
        parts = urlsplit(description.url)
        path = parts.path if parts.path.strip("/") else COLLECTOR
        self._events = urlunsplit(parts._replace(path=path))
        collector = path.rstrip("/").removesuffix("/event")
        self._acknowledgments = urlunsplit(parts._replace(path=f"{collector}/ack"))
        # Splunk counts acknowledgments by channel; one for each gateway and address.
        channel = uuid.uuid5(NAMESPACE, f"channel/{description.host.node}/{description.url}")
        self._channel = {"X-Splunk-Request-Channel": str(channel)}

    def _authorization(self) -> dict[str, str]:
        token = self._description.token
        return {} if token is None else {"Authorization": f"Splunk {token.reveal_text().strip()}"}

    def _unacceptable(self, answer: _Answer) -> bool:
        said = answer.json()
        code = said.get("code") if isinstance(said, dict) else None
        # A wrong index or a missing channel is nobody's fault but the administrator's.
        return super()._unacceptable(answer) and (answer.status == 413 or code in BAD_EVENT)

    async def _deliver(self, batch: Batch) -> None:
        body = b"".join(self._event(fact, text) for fact, text in batch)
        answer = await self._post(
            self._events, body, {"Content-Type": "application/json"} | self._channel
        )
        self._check(answer)
        said = answer.json()
        if not isinstance(said, dict) or said.get("code") != 0:
            excerpt = self._shown(answer.body.decode("utf-8", "replace"))
            raise SinkError(
                f"{self._where} answers {answer.status}, but not as a collector does: {excerpt!r}"
            )
        number = said.get("ackId")
        if isinstance(number, int) and not isinstance(number, bool):
            await self._indexed(number)

    def _event(self, fact: Fact, text: bytes) -> bytes:
        around = {
            "time": f"{fact.at_us // 1_000_000}.{fact.at_us % 1_000_000:06d}",
            "host": one_line(self._description.host.node),
            "source": "watchgate",
            "fields": {"uid": fact.uid, "kind": one_line(fact.kind[:64])},
        }
        return json.dumps(around).encode()[:-1] + b',"event":' + _as_json(text) + b"}"

    async def _indexed(self, number: int) -> None:
        """Wait until Splunk says that the batch *number* is indexed."""
        ask = json.dumps({"acks": [number]}).encode()
        pause, waited = _FIRST_LOOK, 0.0
        while waited < INDEXED_SECONDS:
            answer = await self._post(
                self._acknowledgments, ask, {"Content-Type": "application/json"} | self._channel
            )
            self._check(answer)
            said = answer.json()
            acknowledged = said.get("acks") if isinstance(said, dict) else None
            if isinstance(acknowledged, dict) and acknowledged.get(str(number)) is True:
                return
            await asyncio.sleep(pause)
            waited += pause
            pause = min(pause * 2, _LATER_LOOKS)
        raise SinkError(
            f"{self._where} took events, but did not index them within {INDEXED_SECONDS:g} s; they are sent again"
        )


def _as_json(text: bytes) -> bytes:
    """A message inside JSON: as it is if it is an object, as a string else."""
    return text if text.startswith(b"{") else json.dumps(text.decode("utf-8", "replace")).encode()


def _within(batch: Batch, most: int) -> int:
    """How many of *batch* make a request of at most *most* octets; one at least, if there is one."""
    total = 0
    for count, (_, text) in enumerate(batch):
        total += len(text) + 300  # what a collector's envelope takes
        if count and total > most:
            return count
    return len(batch)


def _error_in(said: Any) -> str | None:
    """An error that stands in the body of a successful answer, as some receivers tell it."""
    if not isinstance(said, dict):
        return None
    if (
        said.get("error")
        or said.get("errors")
        or said.get("success") is False
        or said.get("ok") is False
    ):
        return json.dumps(said)
    return None
