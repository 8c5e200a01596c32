"""What a target's own log says: its lines, and the logins among them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
DAY_US = 24 * HOUR_US

UNKNOWN_SOURCE = "UNKNOWN"
"""What sshd writes where it was not reached over a network."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A login as sshd's message tells it."""

    account: str
    method: str
    """`publickey`, `password`, `keyboard-interactive/pam`, …"""
    source: str
    port: int
    key_id: str | None = None
    """Of the certificate, where one was shown."""
    fingerprint: str | None = None
    authority: str | None = None
    """The fingerprint of the CA that signed the certificate."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log."""

    at_us: int
    host: str
    message: str | None
    """What sshd said; None when another program spoke, or somebody in its name."""


@dataclass(frozen=True, slots=True)
class Login:
    """A login to a target, as its own log tells it."""

    target: str
    at_us: int
    accepted: Accepted

    @property
    def uid(self) -> str:
        """The same for the same login, however often and from whichever copy of the log it is read.

        Logs cut moments differently, to the second or to the microsecond, so the second counts.
        """
        said = self.accepted
        parts = (
            *(self.target, self.at_us // SECOND_US, said.account, said.method),
            *(said.source, said.port, said.key_id, said.fingerprint, said.authority),
        )
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class State(StrEnum):
    """What is thought of a login."""

    GATEWAY = "gateway"
    """It is a session's."""
    BYPASSED = "bypassed"
    EXCEPTED = "excepted"
    """It went round the gateway, and an exception says that it may."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Judged:
    """A login, and what is thought of it."""

    login: Login
    state: State
    reason: str
    session: str | None = None
    """The session that it belongs to, or whose certificate was shown again."""
