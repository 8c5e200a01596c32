"""Syslog over RELP, plain or in TLS: the receiver answers for each message that it has it.

A window of messages is under way at once. What is answered counts; what is not when the connection breaks
is sent again, so at most one window arrives twice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from watchgate.errors import SinkError
from watchgate.siem.connection import Connection, Place
from watchgate.siem.fact import Fact
from watchgate.siem.legible import cut, one_line
from watchgate.siem.transport import Batch, Guarantee
from watchgate.siem.wire_relp import Answer, Client, Frame

WINDOW = 128
"""How many messages may be under way: what librelp's own client allows itself."""


@dataclass(slots=True)
class _Session:
    """One RELP session: its two ends, and the answers of the batch that is under way."""

    connection: Connection
    client: Client
    answers: dict[int, Answer]

    async def answered(self, all_but: int, seconds: float) -> None:
        """Wait until at most *all_but* frames have no answer, as long as now and then one comes."""
        while (before := self.client.outstanding) > all_but:
            await self.connection.until(
                lambda before=before: self.client.outstanding < before,  # type: ignore[misc]
                seconds,
                "does not acknowledge what was sent to it",
            )

    async def one(self, frame: Frame, seconds: float) -> Answer:
        """Send *frame* alone; its answer."""
        await self.connection.write(frame.to_octets(), seconds)
        await self.answered(0, seconds)
        return self.answers.pop(frame.number)


class Relp:
    """A RELP session that is opened when it is needed; implements `Transport`."""

    guarantee = Guarantee.AT_LEAST_ONCE
    settle_us = 0

    def __init__(
        self,
        place: Place,
        message: Callable[[Fact, bytes], bytes],
        timeout: float,
        window: int = WINDOW,
    ) -> None:
        self._place = place
        self._message = message
        self._timeout = timeout
        self._window = window
        self._session: _Session | None = None

    def standing(self) -> bool:
        """What is acknowledged needs no connection."""
        return True

    async def send(self, batch: Batch) -> int:
        """How many of *batch* are answered for: all, or those before the first that is not."""
        session = await self._opened()
        session.answers.clear()
        frames: list[Frame] = []
        try:
            await self._exchange(session, batch, frames)
        except SinkError:
            self._drop()
            if (done := _accepted(session, frames)) == 0:
                raise
            return done
        done = _accepted(session, frames)
        if done == 0 and frames:
            raise self._refused(session.answers[frames[0].number], batch[0][0])
        return done

    async def _exchange(self, session: _Session, batch: Batch, frames: list[Frame]) -> None:
        """Send all of *batch*, at most a window ahead of the answers; fills *frames*."""
        while len(frames) < len(batch):
            await session.answered(self._window - 1, self._timeout)
            room = self._window - session.client.outstanding
            new = [
                session.client.syslog(self._message(*item)) for item in batch[len(frames) :][:room]
            ]
            frames += new
            octets = b"".join(frame.to_octets() for frame in new)
            await session.connection.write(octets, self._timeout)
        await session.answered(0, self._timeout)

    def _refused(self, answer: Answer, fact: Fact) -> SinkError:
        said = cut(one_line(answer.text), 200)
        return SinkError(
            f"{self._place} refuses the event {fact.uid} ({fact.kind}): {answer.status} {said}",
            event=fact.uid,
        )

    async def _opened(self) -> _Session:
        if self._session is not None and self._session.connection.lost is None:
            return self._session
        self._drop()
        client, answers = Client(), dict[int, Answer]()

        def heard(octets: bytes) -> None:
            for answer in client.receive(octets):
                answers[answer.number] = answer

        connection = await Connection.open(self._place, heard, self._timeout)
        session = _Session(connection, client, answers)
        try:
            answer = await session.one(client.open(), self._timeout)
        except SinkError:
            connection.abort()
            raise
        if not answer.accepted:
            connection.abort()
            said = cut(one_line(answer.text), 200)
            raise SinkError(f"{self._place} refuses the RELP session: {answer.status} {said}")
        self._session = session
        return session

    def _drop(self) -> None:
        if self._session is not None:
            self._session.connection.abort()
            self._session = None

    async def close(self) -> None:
        """Say goodbye; all that was sent is answered for already."""
        if self._session is None:
            return
        session, self._session = self._session, None
        # A receiver that does not answer to the goodbye has acknowledged everything all the same.
        with contextlib.suppress(SinkError):
            await session.one(session.client.close(), self._timeout)
        await session.connection.close()


def _accepted(session: _Session, frames: list[Frame]) -> int:
    """How many frames from the first on the receiver has."""
    for count, frame in enumerate(frames):
        answer = session.answers.get(frame.number)
        if answer is None or not answer.accepted:
            return count
    return len(frames)
