"""What the SSH protocol needs besides the spine's services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import asyncssh

from watchgate.protocols.ssh.reach import Authority, Pin
from watchgate.session.model import Claim, Operator
from watchgate.session.ports import Authenticator
from watchgate.terminal.screen import LiveScreen


class Way(Protocol):
    """An account on a target that an operator may reach."""

    @property
    def target(self) -> str:
        """The target's name."""

    @property
    def account(self) -> str:
        """The account's name."""

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """The target's labels."""


class Directory(Protocol):
    """What is behind the gateway, as SSH has to know it."""

    async def find(self, host: str, port: int | None) -> str | None:
        """The name of the one target that is known by this name or address; None when there is not one."""

    async def manages(self, host: str, port: int) -> bool:
        """Whether a target, or several, may be meant by this name or address."""

    async def choices(self, operator: Operator, claim: Claim) -> Sequence[Way]:
        """Where the operator may go now, from where he is; raises Refused when nowhere, and why."""

    async def answer(self, operator: Operator, line: str) -> Sequence[str] | None:
        """What the gateway itself answers a command with (`approvals`); None when it knows none such."""


@dataclass(frozen=True, slots=True)
class SshSettings:
    """The limits and times of SSH listeners (settings: `[ssh]`)."""

    login_timeout: float = 60.0
    max_unauthenticated: int = 200
    max_unauthenticated_per_source: int = 20
    keepalive_interval: float = 30.0
    keepalive_count: int = 3
    rekey_octets: int = 1 << 30
    window: int = 2 << 20
    banner: str = ""


class Emulators(Protocol):
    """What shows terminals, beside the gateway's loop."""

    def ready(self) -> None:
        """Be there, as long as that takes; called in a thread."""

    def open(self, columns: int, rows: int) -> LiveScreen:
        """A screen; raises ScreenAwayError."""


@dataclass(frozen=True, slots=True)
class SshServices:
    """The SSH protocol's part of the composition root."""

    authenticator: Authenticator
    authority: Authority
    directory: Directory
    pin: Pin
    host_keys: tuple[asyncssh.SSHKey, ...]
    settings: SshSettings
    emulators: Emulators
