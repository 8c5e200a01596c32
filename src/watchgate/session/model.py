"""The nouns of a session: who, where, as whom, why, and how it ended.

All are frozen: what held when a session started holds until it ends.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from watchgate.policy.ruleset import NO_RULES, RuleSet
from watchgate.policy.subject import Subject
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


class IntegrationPolicy(StrEnum):
    """Whether a target's shells are asked to tell each command before they run it."""

    AUTO = "auto"
    """Where there are rules, and the shell can."""
    OFF = "off"
    """Lines are read off the screen."""
    REQUIRED = "required"
    """A shell that cannot, or ceases to, is refused."""


class Device(StrEnum):
    """What a target's command line is."""

    UNIX = "unix"
    CISCO = "cisco"
    JUNIPER = "juniper"
    HUAWEI = "huawei"
    OTHER = "other"
    """Some other line editor: nothing is sent to it that was not typed."""


class Unreadable(StrEnum):
    """What becomes of a line that the gateway cannot read."""

    ALLOW = "allow"
    BLOCK = "block"


class Tampering(StrEnum):
    """What becomes of a session whose shell no longer tells its commands, though it was asked to."""

    RECORD = "record"
    END = "end"


class ShellKind(StrEnum):
    """Whose line editor an operator types into."""

    TARGET = "target"
    GATEWAY = "gateway"
    """The gateway's: no shell on the target sees free text."""


class EndReason(StrEnum):
    """Why a session ended."""

    CLIENT = "client"
    TARGET = "target"
    TERMINATED = "terminated"
    INTERRUPTED = "interrupted"
    """A rule ended it."""
    LOCKED = "locked"
    """Its operator's account was locked."""
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
    integration: IntegrationPolicy = IntegrationPolicy.AUTO
    device: Device = Device.UNIX
    on_unreadable: Unreadable = Unreadable.BLOCK
    on_tampering: Tampering = Tampering.RECORD


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
    shell: ShellKind = ShellKind.TARGET
    elevation: str | None = None
    """Whose password answers `sudo`: `""` the session's own account's, else an account of the same target;
    None: the operator types it."""


@dataclass(frozen=True, slots=True)
class Route:
    """An authorized way: this operator, this account, this target, by this grant."""

    operator: Operator
    target: Target
    account: Account
    grant: Grant


def subject_of(route: Route) -> Subject:
    """The session on *route*, as the scopes of rules see it."""
    return Subject(
        operator=route.operator.name,
        groups=route.operator.groups,
        target=route.target.name,
        labels=route.target.labels,
        account=route.account.name,
        protocol=route.target.protocol,
    )


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything decided that a session runs under; immutable, with a digest."""

    capabilities: frozenset[Capability]
    settings: TargetSettings
    rules: RuleSet = NO_RULES
    """Those whose scope the session is in."""
    shell: ShellKind = ShellKind.TARGET
    elevation: str | None = None

    @classmethod
    def freeze(cls, route: Route, rules: RuleSet = NO_RULES) -> Policy:
        """The policy of a session on *route*, out of all *rules* that there are."""
        return cls(
            capabilities=route.grant.capabilities,
            settings=route.target.settings,
            rules=rules.of(subject_of(route)),
            shell=route.grant.shell,
            elevation=route.grant.elevation,
        )

    def describe(self) -> dict[str, Any]:
        """The policy as plain JSON values in a fixed order."""
        settings = self.settings
        return {
            "capabilities": sorted(map(str, self.capabilities)),
            "device": str(settings.device),
            "elevation": self.elevation,
            "environment": list(settings.environment),
            "host_keys": str(settings.host_keys),
            "idle_timeout": settings.idle_timeout,
            "index": str(settings.index),
            "integration": str(settings.integration),
            "legacy_algorithms": settings.legacy_algorithms,
            "on_recording_failure": str(settings.on_recording_failure),
            "on_tampering": str(settings.on_tampering),
            "on_unreadable": str(settings.on_unreadable),
            "record_input": settings.record_input,
            "rules": self.rules.digest if self.rules else None,
            "rules_count": len(self.rules.rules),
            "shell": str(self.shell),
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
