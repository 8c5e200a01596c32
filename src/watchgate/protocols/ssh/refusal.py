"""Telling a client why there is no session, where it will be read: on the program's standard error.

A refusal in the login would read "Permission denied", and one of a channel "open failed"; neither says
what to do. So the channel opens, and the first program asked for on it answers with the reason.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import asyncssh

from watchgate.protocols.ssh.effects import Side
from watchgate.protocols.ssh.said import line
from watchgate.protocols.ssh.sides import ClientSide
from watchgate.protocols.ssh.wire import NO_SESSION

WAIT_SECONDS = 5.0
"""How long a client may take to ask for a program, and to take its answer."""

PROGRAMS = frozenset({"shell", "exec", "subsystem"})


class Refusal:
    """One reason, told on every channel of a client."""

    def __init__(self, reason: str, lost: asyncio.Event) -> None:
        self.reason = reason
        self._lost = lost
        self._over = asyncio.Event()

    def tell(self, client: ClientSide, said: Sequence[tuple[str, bytes]]) -> None:
        """Answer *client*'s program with the reason; *said* is what it has asked already."""
        answer = _Answer(client, self.reason, self._over)
        if any(kind in PROGRAMS for kind, _ in said):
            answer.finish()
        client.handle_with(answer)

    async def told(self) -> None:
        """Wait until a client has read it, is gone, or has asked for nothing for too long."""
        async with asyncio.TaskGroup() as group:
            waits = [group.create_task(event.wait()) for event in (self._over, self._lost)]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WAIT_SECONDS):
                    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for task in waits:
                task.cancel()


class _Answer:
    """The handler of a channel that gets a reason instead of a program."""

    def __init__(self, client: ClientSide, reason: str, over: asyncio.Event) -> None:
        self._client = client
        self._reason = reason
        self._over = over

    def requested(self, kind: str, payload: bytes) -> None:
        channel = self._client.channel
        assert channel is not None
        channel.answer(kind in PROGRAMS or kind in ("pty-req", "env"))
        if kind in PROGRAMS:
            self.finish()

    def finish(self) -> None:
        """Say the reason, give ssh's own exit status for such things, and close."""
        channel = self._client.channel
        assert channel is not None
        with contextlib.suppress(OSError):
            channel.write(line(self._reason), asyncssh.EXTENDED_DATA_STDERR)
        channel.pass_request(b"exit-status", NO_SESSION)
        channel.close()

    def heard(self, side: Side, data: bytes, stream: int | None) -> None:
        """Nothing listens."""

    def ended(self, side: Side) -> None:
        """Nothing listens."""

    def leaving(self) -> bool:
        """The channel is closed at once."""
        return False

    def closed(self, side: Side) -> None:
        self._over.set()

    def filled(self, side: Side, full: bool) -> None:
        """One line fits every window."""
