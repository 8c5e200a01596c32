"""The menu on a client's channel: from its first request to a chosen target.

What the client requests meanwhile (its terminal, its environment) is kept and said again to the chosen
session, which then begins as if the user name had named it.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

import asyncssh

from watchgate.errors import PeerProtocolError, Refused, WatchgateError
from watchgate.protocols.ssh import wire
from watchgate.protocols.ssh.effects import Side
from watchgate.protocols.ssh.menu import Choice, Menu, Outcome
from watchgate.protocols.ssh.said import line
from watchgate.protocols.ssh.services import Directory
from watchgate.protocols.ssh.sides import ClientSide
from watchgate.session.events import text
from watchgate.session.model import Claim, Operator

MENU_SECONDS = 300.0
"""How long a menu waits for a choice."""

ESCAPE_SECONDS = 0.05
"""How long what follows an ESC may take; an ESC alone is a key of its own."""

SAID_LIMIT = 64
"""Requests that are kept for the session; more are dropped."""

NAME_IT = (
    "name a target: ssh OPERATOR+ACCOUNT@TARGET@GATEWAY, or ssh -J OPERATOR@GATEWAY ACCOUNT@TARGET"
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the operator chose."""

    target: str
    account: str


class Choosing:
    """One channel's menu; `run` gives the choice, or None when the operator left."""

    def __init__(
        self, client: ClientSide, operator: Operator, directory: Directory, claim: Claim
    ) -> None:
        assert client.channel is not None
        self._client = client
        self._channel = client.channel
        self._operator = operator
        self._directory = directory
        self._claim = claim
        self._terminal: wire.Terminal | None = None
        self._size = (80, 24)
        self._menu: Menu | None = None
        self._shell = asyncio.Event()
        self._line: str | None = None
        self._result: asyncio.Future[Chosen | None] = asyncio.get_running_loop().create_future()
        self._reason = ""
        self.said: list[tuple[str, bytes]] = []

    async def run(self) -> Chosen | None:
        """Show the menu when a shell is asked for, and wait for the choice."""
        self._client.handle_with(self)
        try:
            async with asyncio.timeout(MENU_SECONDS):
                async with asyncio.TaskGroup() as group:
                    showing = group.create_task(self._show())
                    chosen = await self._result
                    showing.cancel()
        except TimeoutError:
            self._reason, chosen = "nothing was chosen in time", None
        if chosen is None:
            self._leave()
        return chosen

    async def _show(self) -> None:
        await self._shell.wait()
        if self._line is not None:
            await self._answer(self._line)
            return
        try:
            granted = await self._directory.choices(self._operator, self._claim)
        except Refused as error:  # a locked account, say
            self._reason = str(error)
            self._settle(None)
            return
        choices = [Choice(way.target, way.account, dict(way.labels)) for way in granted]
        terminal = self._terminal.name.decode("ascii", "replace") if self._terminal else None
        columns, rows = self._size
        self._menu = Menu(
            choices, columns, rows, title=f"Watchgate: {self._operator.name}", terminal=terminal
        )
        self._write(self._menu.start())
        self._ended(self._menu.outcome)
        self._channel.start_reading()

    async def _answer(self, command: str) -> None:
        """A command for the gateway itself, given without a target."""
        try:
            lines = await self._directory.answer(self._operator, command)
        except WatchgateError as error:
            self._reason = str(error)
        else:
            self._reason = NAME_IT if lines is None else ""
            end = "\r\n" if self._terminal else "\n"
            self._write("".join(f"{one}{end}" for one in lines or ()).encode())
        self._settle(None)

    def _leave(self) -> None:
        with contextlib.suppress(OSError):
            if self._reason:
                self._channel.write(line(self._reason), asyncssh.EXTENDED_DATA_STDERR)
        self._channel.pass_request(b"exit-status", wire.NO_SESSION if self._reason else b"\0\0\0\0")
        self._channel.close()

    def _write(self, data: bytes) -> None:
        if data:
            with contextlib.suppress(OSError):
                self._channel.write(data)

    # --- what the client's channel says --------------------------------------------------------

    def requested(self, kind: str, payload: bytes) -> None:
        """A request: kept, or the one that starts the menu."""
        try:
            self._channel.answer(self._accept(kind, payload))
        except PeerProtocolError:
            self._channel.answer(False)

    def _accept(self, kind: str, payload: bytes) -> bool:
        match kind:
            case "pty-req":
                self._terminal = wire.pty_req(payload)
                self._size = (self._terminal.columns, self._terminal.rows)
            case "window-change":
                self._size = wire.window_change(payload)
                if self._menu is not None:
                    self._write(self._menu.resize(*self._size))
            case "env":
                wire.env(payload)
            case "shell":
                self._shell.set()
            case "exec":
                self._line = text(wire.one_string(payload))
                self._shell.set()
                return True
            case "subsystem":
                self._reason = NAME_IT
                self._settle(None)
                return True
            case _:
                return False
        if kind == "window-change":  # only the last one counts
            self.said[:] = [said for said in self.said if said[0] != kind]
        if len(self.said) < SAID_LIMIT or kind == "shell":
            self.said.append((kind, payload))
        return True

    def _settle(self, chosen: Chosen | None) -> None:
        if not self._result.done():
            self._result.set_result(chosen)
            if chosen is not None:
                self._channel.pause_reading()  # what is typed from here on is for the target

    def heard(self, side: Side, data: bytes, stream: int | None) -> None:
        """Keys for the menu."""
        if self._menu is None or self._result.done():
            return
        shown, outcome = self._menu.feed(data)
        self._write(shown)
        self._ended(outcome)
        if self._menu.waiting:
            asyncio.get_running_loop().call_later(ESCAPE_SECONDS, self._lone_escape)

    def _lone_escape(self) -> None:
        """Nothing followed an ESC: it was the key."""
        if self._menu is not None and self._menu.waiting and not self._result.done():
            shown, outcome = self._menu.expire()
            self._write(shown)
            self._ended(outcome)

    def _ended(self, outcome: Outcome | None) -> None:
        if outcome is not None:
            choice = outcome.choice
            self._settle(Chosen(choice.target, choice.account) if choice else None)

    def ended(self, side: Side) -> None:
        """The client's input is over: so is the menu; a command needs no input."""
        if self._line is None:
            self._settle(None)

    def leaving(self) -> bool:
        """The channel is closed at once."""
        return False

    def closed(self, side: Side) -> None:
        """The channel is gone."""
        self._settle(None)

    def filled(self, side: Side, full: bool) -> None:
        """A menu is smaller than any window."""
