"""The nouns of a session: who, where, as whom, why, and how it ended.

All are frozen: what held when a session started holds until it ends.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from watchgate.secret import Secret


class Capability(StrEnum):
    """What a grant may permit inside a session, beyond being there."""

    SHELL = "shell"
    EXEC = "exec"
    UPLOAD = "upload"
    DOWNLOAD = "download"
    FORWARD_LOCAL = "forward-local"
    FORWARD_REMOTE = "forward-remote"


DEFAULT_CAPABILITIES = frozenset(
    {Capability.SHELL, Capability.EXEC, Capability.UPLOAD, Capability.DOWNLOAD}
)
"""What a grant permits when it says nothing; forwarding always has to be said."""


class FailurePolicy(StrEnum):
    """What happens to a session whose recording fails (design: failure policy, per target)."""

    CLOSE = "close"
    SPOOL = "spool"
    OPEN = "open"


class HostKeyPolicy(StrEnum):
    """How a target proves who it is."""

    PINNED = "pinned"
    CA = "ca"
    FIRST_USE = "first-use"


class IndexPolicy(StrEnum):
    """What of a target's sessions can be searched for."""

    OFF = "off"
    COMMANDS = "commands"
    SCREEN = "screen"
    """Commands, and all that terminals showed."""


class EndReason(StrEnum):
    """Why a session ended."""

    CLIENT = "client"
    TARGET = "target"
    TERMINATED = "terminated"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    RECORDING_LOST = "recording-lost"
    EXPIRED = "expired"
    SHUTDOWN = "shutdown"
    RECOVERED = "recovered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Address:
    """One end of a TCP connection."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a client says of itself before anything of it is believed."""

    protocol: str
    operator: str
    account: str | None
    target: str | None
    client: Address
    gateway: Address
    via: str = "name"
    """How the target was named: `name`, `jump`, `listener` or `menu`."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A person who works through the gateway."""

    id: str
    name: str
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """What a target asks for; frozen into the policy of each session."""

    on_recording_failure: FailurePolicy = FailurePolicy.CLOSE
    host_keys: HostKeyPolicy = HostKeyPolicy.FIRST_USE
    legacy_algorithms: bool = False
    connect_timeout: float = 10.0
    environment: tuple[str, ...] = ("LANG", "LC_*", "TERM", "COLORTERM", "TZ", "GIT_PROTOCOL")
    """Names of environment variables that may pass, with `*` as wildcard."""
    record_input: bool = True
    idle_timeout: float = 0.0
    """Seconds without an octet in either direction after which a session ends; 0 is never."""
    index: IndexPolicy = IndexPolicy.COMMANDS


@dataclass(frozen=True, slots=True)
class Target:
    """A machine or service behind the gateway."""

    id: str
    name: str
    protocol: str
    address: Address
    labels: dict[str, str] = field(default_factory=dict, hash=False)
    settings: TargetSettings = TargetSettings()
    host_keys: tuple[str, ...] = ()
    """Pinned keys or trusted CA keys, as OpenSSH public key lines, by `settings.host_keys`."""


class CredentialKind(StrEnum):
    """How an account proves itself to its target."""

    PASSWORD = "password"  # noqa: S105 - the kind's name, not a password
    PRIVATE_KEY = "private-key"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Account:
    """An identity used on a target; its secret stays in the vault."""

    id: str
    name: str
    target: str
    credential: CredentialKind


@dataclass(frozen=True, slots=True)
class Credential:
    """The secret of an account, out of the vault for one login.

    *secret* is the password, or the OpenSSH private key; for a certificate it is empty: the
    gateway's CA signs a fresh key for the session.
    """

    kind: CredentialKind
    login: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class Grant:
    """Why an operator may reach an account on a target, now."""

    id: str
    capabilities: frozenset[Capability] = DEFAULT_CAPABILITIES
    until_us: int | None = None
    """When the session must end, as wall microseconds; None is never."""
    max_sessions: int = 0
    """Simultaneous sessions under this grant; 0 is no limit."""


@dataclass(frozen=True, slots=True)
class Route:
    """An authorized way: this operator, this account, this target, by this grant."""

    operator: Operator
    target: Target
    account: Account
    grant: Grant


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything decided that a session runs under; immutable, with a digest."""

    capabilities: frozenset[Capability]
    settings: TargetSettings

    @classmethod
    def freeze(cls, route: Route) -> Policy:
        """The policy of a session on *route*."""
        return cls(capabilities=route.grant.capabilities, settings=route.target.settings)

    def describe(self) -> dict[str, Any]:
        """The policy as plain JSON values in a fixed order."""
        settings = self.settings
        return {
            "capabilities": sorted(map(str, self.capabilities)),
            "environment": list(settings.environment),
            "host_keys": str(settings.host_keys),
            "idle_timeout": settings.idle_timeout,
            "index": str(settings.index),
            "legacy_algorithms": settings.legacy_algorithms,
            "on_recording_failure": str(settings.on_recording_failure),
            "record_input": settings.record_input,
        }

    def digest(self) -> str:
        """SHA-256 of the description, in hexadecimal."""
        text = json.dumps(self.describe(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Ending:
    """Why and how a session ended."""

    reason: EndReason
    detail: str = ""
    by: str | None = None
    """The admin who ended it, where one did."""
