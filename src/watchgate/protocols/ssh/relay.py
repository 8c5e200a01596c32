"""One session channel of a client and one of the target, joined."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

import asyncssh

from watchgate.protocols.ssh.carrier import OPEN_SECONDS, Carrier, reason_of
from watchgate.protocols.ssh.dialogue import ChannelDialogue
from watchgate.protocols.ssh.effects import (
    Ask,
    FetchSecret,
    Relayed,
    SendSecret,
    Side,
)
from watchgate.protocols.ssh.seams import TargetChannel
from watchgate.protocols.ssh.sides import TargetSide


class ChannelRelay(Carrier[Relayed]):
    """A client's channel and a target's channel, joined."""

    WAITING: ClassVar[tuple[type, ...]] = (*Carrier.WAITING, Ask)
    _dialogue: ChannelDialogue

    async def run(self, said: Sequence[tuple[str, bytes]] = ()) -> None:
        """Open the target's channel, then relay until the client's channel is closed.

        *said* are requests that the client has made and had answered before.
        """
        try:
            channel = self._connection.create_target_channel(self._window)
            async with asyncio.timeout(OPEN_SECONDS):
                await channel.open_session(TargetSide(self))
        except (asyncssh.Error, OSError, TimeoutError, ValueError) as error:
            reason = f"the target opened no channel: {reason_of(error)}"
            self._flowing = True
            self._perform(self._dialogue.unreachable(reason))
            self.done.set()
        else:
            self._channels[Side.TARGET] = channel
            if not self._client.is_closed:
                self._watch()
            for kind, payload in said:
                self.requested(kind, payload)
            self._client.handle_with(self)
        try:
            await self.done.wait()
        finally:
            self._stop()

    def _stop(self) -> None:
        self._release()
        # A channel that still was open ends here, before the recording is sealed.
        self._perform(self._dialogue.closed(Side.CLIENT))
        for channel in self._channels.values():
            channel.close()

    # --- what the sides say --------------------------------------------------------------------

    def requested(self, kind: str, payload: bytes) -> None:
        self._perform(self._dialogue.requested(kind, payload))

    def told(self, kind: str, payload: bytes) -> None:
        """The target made a request of its own."""
        self._perform(self._dialogue.told(kind, payload))

    def heard(self, side: Side, data: bytes, stream: int | None) -> None:
        self._perform(self._dialogue.heard(side, data, stream))
        self._passed(side)

    def ended(self, side: Side) -> None:
        self._perform(self._dialogue.ended(side))

    def leaving(self) -> bool:
        effects = self._dialogue.left()
        self._perform(effects)
        return bool(effects)

    def closed(self, side: Side) -> None:
        self._perform(self._dialogue.closed(side))
        if side is Side.CLIENT:
            self.done.set()

    def bereft(self) -> None:
        """The target's connection is lost."""
        self._perform(self._dialogue.bereft())

    # --- effects -------------------------------------------------------------------------------

    async def _wait_for_own(self, effect: Relayed) -> None:
        assert isinstance(effect, Ask)
        accepted = await self._ask(effect.kind, effect.payload)
        self._perform(self._dialogue.answered(effect.kind, accepted))

    async def _ask(self, kind: str, payload: bytes) -> bool:
        channel = self._channels[Side.TARGET]
        assert isinstance(channel, TargetChannel)
        if self._recorder.lost is not None:
            return False
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                return await channel.ask(kind.encode("ascii"), payload)
        except (asyncssh.Error, OSError, TimeoutError):
            return False

    def _perform_own(self, effect: Relayed) -> None:
        match effect:
            case FetchSecret(ticket, account):
                self._group.create_task(self._fetch(ticket, account))
            case SendSecret(secret):
                self._write(Side.TARGET, secret.reveal(), None)
            case Ask():
                raise AssertionError("this waits")

    async def _fetch(self, ticket: int, account: str) -> None:
        self._perform(self._dialogue.secret(ticket, await self._session.password(account)))
