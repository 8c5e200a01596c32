"""The gateway's own login to a target: who the target is, and the credential that opens it.

A host key is pinned, certified by a CA that the target trusts, or pinned the first time that it is
seen. A changed key is refused with both fingerprints, never accepted silently.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

import asyncssh

from watchgate.errors import ConfigurationError, TargetUnreachable
from watchgate.protocols.ssh.seams import GateClientConnection
from watchgate.session.events import TargetReached
from watchgate.session.model import (
    Credential,
    CredentialKind,
    HostKeyPolicy,
    Route,
    Target,
)

CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)
LEGACY_CIPHERS = (*CIPHERS, "aes256-cbc", "aes192-cbc", "aes128-cbc", "3des-cbc")
LEGACY_KEX = (
    "+diffie-hellman-group14-sha1,diffie-hellman-group1-sha1,diffie-hellman-group-exchange-sha1"
)
LEGACY_HOST_KEYS = "+ssh-rsa"
LEGACY_MACS = "+hmac-sha1,hmac-sha1-96,hmac-md5"
"""What is added for a target that says it needs it, and for no other."""

KEEPALIVE_SECONDS = 30
KEEPALIVE_COUNT = 3


class Certified(Protocol):
    """A key with its certificate."""

    @property
    def key(self) -> asyncssh.SSHKey:
        """The private key."""

    @property
    def certificate(self) -> asyncssh.SSHCertificate:
        """What vouches for it."""


class Authority(Protocol):
    """The gateway's CA."""

    def user_certificate(self, login: str, session: str) -> Certified:
        """A fresh key that may log in as *login* for some minutes, with *session* as key id."""

    def host_certificate(self, host_key: asyncssh.SSHKey, names: Iterable[str]) -> Certified:
        """*host_key* certified for these names."""


Pin = Callable[[Target, str], Awaitable[None]]
"""Remembers a host key (an OpenSSH line) that was seen for the first time."""


@dataclass(slots=True)
class _Trust(asyncssh.SSHClient):
    """What asyncssh asks while it meets the target's host key."""

    policy: HostKeyPolicy
    seen: asyncssh.SSHKey | None = None
    first_use: bool = False
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    reason: str = ""

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        self.seen = key
        self.first_use = self.policy is HostKeyPolicy.FIRST_USE
        return self.first_use

    def connection_lost(self, exc: Exception | None) -> None:
        self.reason = str(exc) if exc else ""
        self.lost.set()


@dataclass(frozen=True, slots=True)
class Reached:
    """A login that worked."""

    connection: GateClientConnection
    event: TargetReached
    trusted_first: str | None
    lost: asyncio.Event


async def reach(
    route: Route, credential: Credential, session: str, authority: Authority
) -> Reached:
    """Log in to the route's target with *credential*; raises TargetUnreachable."""
    target = route.target
    trust = _Trust(_effective(target))
    options = await _options(route, credential, session, authority, trust)
    try:
        async with asyncio.timeout(target.settings.connect_timeout):
            connection = await GateClientConnection.open(
                options, target.address.host, target.address.port
            )
    except TimeoutError as error:
        seconds = target.settings.connect_timeout
        raise _failed(target, f"no login within {seconds:g} seconds", "timeout") from error
    except asyncssh.HostKeyNotVerifiable as error:
        raise _failed(target, _changed(target, trust), "host-key") from error
    except asyncssh.PermissionDenied as error:
        reason = f"it refused the login of {credential.login!r} ({credential.kind})"
        raise _failed(target, reason, "login") from error
    except (asyncssh.Error, OSError, ValueError) as error:
        raise _failed(target, _cause(error) + _advice(error, target, trust), "connect") from error
    seen = connection.get_server_host_key()
    line = _line(seen) if seen is not None else ""
    address = connection.get_extra_info("sockname") or ("", 0)
    event = TargetReached(
        target=target.name,
        address=str(target.address),
        gateway=f"{address[0]}:{address[1]}",
        account=credential.login,
        credential=str(credential.kind),
        host_key=seen.get_fingerprint() if seen is not None else "",
        key_id=session if credential.kind is CredentialKind.CERTIFICATE else None,
        server_version=str(connection.get_extra_info("server_version") or ""),
    )
    return Reached(connection, event, line if trust.first_use else None, trust.lost)


def _effective(target: Target) -> HostKeyPolicy:
    """First use is over once a key is pinned."""
    policy = target.settings.host_keys
    if policy is HostKeyPolicy.FIRST_USE and target.host_keys:
        return HostKeyPolicy.PINNED
    return policy


async def _options(
    route: Route, credential: Credential, session: str, authority: Authority, trust: _Trust
) -> asyncssh.SSHClientConnectionOptions:
    target = route.target
    legacy = target.settings.legacy_algorithms
    keys, password = _proof(credential, session, authority)
    options: asyncssh.SSHClientConnectionOptions = (
        await asyncssh.SSHClientConnectionOptions.construct(
            config=None,
            host=target.address.host,
            port=target.address.port,
            client_factory=lambda: trust,
            client_version="Watchgate",
            username=credential.login,
            password=password,
            client_keys=keys,
            agent_path=None,
            known_hosts=_known_hosts(target),
            encryption_algs=list(LEGACY_CIPHERS if legacy else CIPHERS),
            kex_algs=LEGACY_KEX if legacy else (),
            mac_algs=LEGACY_MACS if legacy else (),
            server_host_key_algs=LEGACY_HOST_KEYS if legacy else (),
            compression_algs=["none"],
            preferred_auth="publickey" if keys else "password,keyboard-interactive",
            gss_auth=False,
            gss_kex=False,
            login_timeout=target.settings.connect_timeout,
            keepalive_interval=KEEPALIVE_SECONDS,
            keepalive_count_max=KEEPALIVE_COUNT,
            x11_forwarding=False,
            agent_forwarding=False,
        )
    )
    return options


def _proof(
    credential: Credential, session: str, authority: Authority
) -> tuple[list[object] | None, str | None]:
    """Client keys or a password for asyncssh."""
    match credential.kind:
        case CredentialKind.PASSWORD:
            return None, credential.secret.reveal_text()
        case CredentialKind.PRIVATE_KEY:
            try:
                return [asyncssh.import_private_key(credential.secret.reveal())], None
            except asyncssh.KeyImportError as error:
                raise ConfigurationError(
                    f"the private key of account {credential.login!r} cannot be read; add it again"
                ) from error
        case CredentialKind.CERTIFICATE:
            certified = authority.user_certificate(credential.login, session)
            return [(certified.key, certified.certificate)], None


def _known_hosts(
    target: Target,
) -> tuple[list[asyncssh.SSHKey], list[asyncssh.SSHKey], list[object]]:
    """Trusted host keys, trusted CA keys, revoked keys: what asyncssh checks by itself."""
    keys = [asyncssh.import_public_key(line) for line in target.host_keys]
    if target.settings.host_keys is HostKeyPolicy.CA:
        return [], keys, []
    return keys, [], []


def _changed(target: Target, trust: _Trust) -> str:
    seen = trust.seen.get_fingerprint() if trust.seen is not None else "another key"
    if target.settings.host_keys is HostKeyPolicy.CA:
        return f"its host key ({seen}) is not certified by the CA that is trusted for it"
    if not target.host_keys:
        return f"no host key is pinned for it; it shows {seen}"
    pinned = ", ".join(
        asyncssh.import_public_key(line).get_fingerprint() for line in target.host_keys
    )
    return (
        f"its host key has changed: pinned is {pinned}, it shows {seen}. Either it was reinstalled, "
        "or somebody stands between; ask the administrator"
    )


def _line(key: asyncssh.SSHKey) -> str:
    return key.export_public_key().decode("ascii").strip()


def _cause(error: Exception) -> str:
    """A connection's failure in words that an operator may read."""
    if isinstance(error, asyncssh.Error):
        return error.reason or type(error).__name__
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _advice(error: Exception, target: Target, trust: _Trust) -> str:
    """What may be the matter when both sides find no algorithm that they share."""
    settings = target.settings
    if settings.host_keys is HostKeyPolicy.CA and trust.seen is None:
        # Only certified keys are asked for; a target that has none ends the key exchange or hangs up.
        if isinstance(error, asyncssh.KeyExchangeFailed | asyncssh.ConnectionLost):
            return "; has it a host key that is certified by the CA that is trusted for it?"
    elif settings.legacy_algorithms:
        return ""
    # A target that finds no algorithm in common may hang up before we have read what it offers.
    elif isinstance(error, asyncssh.KeyExchangeFailed) or (
        isinstance(error, asyncssh.ConnectionLost) and trust.seen is None
    ):
        return "; if it is old, it may need the setting legacy_algorithms"
    return ""


def _failed(target: Target, reason: str, code: str) -> TargetUnreachable:
    return TargetUnreachable(f"{target.name} cannot be reached: {reason}", code=f"target.{code}")
