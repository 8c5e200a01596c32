"""The gateway's own keys: its host key, and the CA that vouches for sessions and for targets.

A *user certificate* logs an account in to a target for one session: a key that is made for it and thrown
away, valid for minutes, with the session's id as key id, which the target's own log then shows. A *host
certificate* lets the gateway answer in a target's place after `ssh -J`: clients trust the CA once
(`@cert-authority` in known_hosts) and see a host that proves each name they asked for.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from watchgate.clock import Clock
from watchgate.errors import ConfigurationError
from watchgate.vault import keyfile

ALGORITHM = "ssh-ed25519"
SKEW_SECONDS = 300
"""How far behind ours a target's clock may be."""

LOGIN_SECONDS = 600
"""How long a user certificate can log in; the session that it opened may last longer."""

HOST_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Certified:
    """A key with its certificate."""

    key: asyncssh.SSHKey
    certificate: asyncssh.SSHCertificate

    @property
    def pair(self) -> tuple[asyncssh.SSHKey, asyncssh.SSHCertificate]:
        """Both, as asyncssh takes them for `client_keys` and `server_host_keys`."""
        return self.key, self.certificate


def create_key(path: Path, what: str, comment: str) -> asyncssh.SSHKey:
    """Make an Ed25519 key in a file of its own (0600) with its public half beside it (`.pub`)."""
    key = asyncssh.generate_private_key(ALGORITHM, comment=comment)
    keyfile.write_private(path, key.export_private_key("openssh"), what)
    public = path.with_name(path.name + ".pub")
    try:
        public.write_bytes(key.export_public_key("openssh"))
        public.chmod(0o644)
    except OSError as error:
        raise ConfigurationError(
            f"{public} cannot be written: {error.strerror}", code="key.unwritable"
        ) from error
    return key


def load_key(path: Path, what: str) -> asyncssh.SSHKey:
    """The key in the file at *path*; ConfigurationError when it is missing, damaged, or open to others."""
    octets = keyfile.read_private(path, what)
    try:
        return asyncssh.import_private_key(octets)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError) as error:
        raise ConfigurationError(
            f"{what} {path} is damaged or encrypted; put it back from a backup",
            code="key.damaged",
        ) from error


class Authority:
    """The gateway's CA."""

    def __init__(
        self,
        key: asyncssh.SSHKey,
        clock: Clock,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._key = key
        self._clock = clock
        self._random = random

    @classmethod
    def open(cls, path: Path, clock: Clock) -> Authority:
        """The CA whose key is in the file at *path*."""
        return cls(load_key(path, "the CA key"), clock)

    @classmethod
    def create(cls, path: Path, clock: Clock, comment: str = "watchgate-ca") -> Authority:
        """A new CA with its key in the file at *path*, which must not exist."""
        return cls(create_key(path, "the CA key", comment), clock)

    @property
    def public_line(self) -> str:
        """The CA's public key as an OpenSSH line: for `TrustedUserCAKeys`, or `@cert-authority * …`."""
        return self._key.export_public_key("openssh").decode().strip()

    @property
    def fingerprint(self) -> str:
        """The CA's key as `ssh-keygen -l` shows it."""
        return self._key.get_fingerprint()

    def user_certificate(
        self, login: str, session: str, *, source_address: str | None = None
    ) -> Certified:
        """A fresh key that may log in as *login* for the next minutes, with *session* as key id.

        *source_address* ties it to the address under which the target sees the gateway. Forwarding and
        the target's user rc are permitted here: what a session may do, its grant has decided.
        """
        now = self._now()
        key = asyncssh.generate_private_key(ALGORITHM, comment=f"watchgate:{session}")
        certificate = self._key.generate_user_certificate(
            key,
            session,
            serial=self._serial(),
            principals=[login],
            valid_after=now - SKEW_SECONDS,
            valid_before=now + LOGIN_SECONDS,
            source_address=None if source_address is None else [source_address],
            permit_x11_forwarding=False,
            permit_agent_forwarding=False,
        )
        return Certified(key, certificate)

    def host_certificate(self, host_key: asyncssh.SSHKey, names: Iterable[str]) -> Certified:
        """*host_key* certified for these names (a target's name, its host, what the client asked for)."""
        principals = list(dict.fromkeys(name for name in names if name))
        if not principals:
            # A certificate without principals would be good for every host there is.
            raise ConfigurationError(
                "a host certificate needs a name to vouch for", code="authority.no-name"
            )
        now = self._now()
        certificate = self._key.generate_host_certificate(
            host_key,
            f"watchgate:{principals[0]}",
            serial=self._serial(),
            principals=principals,
            valid_after=now - SKEW_SECONDS,
            valid_before=now + HOST_SECONDS,
        )
        return Certified(host_key, certificate)

    def _now(self) -> int:
        return self._clock.wall_us() // 1_000_000

    def _serial(self) -> int:
        return int.from_bytes(self._random(8), "big")
