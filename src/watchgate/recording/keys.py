"""The gateway's evidence key: what says that a recording is ours.

One long-lived Ed25519 key. It signs the header of every recording and the seal of those that a crash
left open. Its public half, one line of text, is all that offline verification needs: keep a copy where
the gateway's administrators cannot change it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from watchgate.errors import ConfigurationError

PUBLIC_LABEL: Final = "watchgate-evidence-v1"


@dataclass(frozen=True, slots=True)
class EvidencePublicKey:
    """The half that verifies."""

    octets: bytes

    @property
    def fingerprint(self) -> str:
        """`SHA256:…` as OpenSSH writes fingerprints, over the raw key."""
        digest = hashlib.sha256(self.octets).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    def line(self) -> str:
        """The key as one line of text."""
        return f"{PUBLIC_LABEL} {base64.b64encode(self.octets).decode()}"

    @classmethod
    def parse(cls, line: str, where: str = "the evidence key") -> EvidencePublicKey:
        """The key in *line*; raises ConfigurationError naming *where* it came from."""
        words = line.split()
        try:
            octets = base64.b64decode(words[1], validate=True)
        except (IndexError, binascii.Error):
            octets = b""
        if not words or words[0] != PUBLIC_LABEL or len(octets) != 32:
            raise ConfigurationError(
                f"{where} is not an evidence public key: expected a line '{PUBLIC_LABEL} <base64>',"
                " as in keys/evidence.pub of the gateway"
            )
        return cls(octets)

    @classmethod
    def load(cls, path: Path) -> list[EvidencePublicKey]:
        """Every key in a file, one a line; `#` begins a comment. Raises ConfigurationError."""
        text = read_text(path, "the evidence public key")
        lines = [line for raw in text.splitlines() if (line := raw.partition("#")[0].strip())]
        if not lines:
            raise ConfigurationError(f"{path} holds no evidence public key")
        return [cls.parse(line, str(path)) for line in lines]

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the private half signed *message*."""
        return verifies(self.octets, signature, message)


class EvidenceKey:
    """The half that signs; it lives on the gateway, readable by it alone."""

    __slots__ = ("_private", "public")

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = EvidencePublicKey(self._private.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"EvidenceKey({self.public.fingerprint})"

    @classmethod
    def generate(cls, random: Callable[[int], bytes] = secrets.token_bytes) -> EvidenceKey:
        """A fresh key."""
        return cls(random(32))

    @classmethod
    def load(cls, path: Path) -> EvidenceKey:
        """The key in a PEM file (PKCS #8); raises ConfigurationError naming the file."""
        octets = read_text(path, "the evidence key").encode()
        try:
            private = load_pem_private_key(octets, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ConfigurationError(
                f"{path} is not a private key in PEM form; restore it from a backup"
            ) from error
        if not isinstance(private, Ed25519PrivateKey):
            raise ConfigurationError(f"{path} holds another kind of key than Ed25519")
        return cls(private.private_bytes_raw())

    def save(self, path: Path) -> None:
        """Write the key (0600) and its public half beside it (`evidence.pub`); never overwrites."""
        pem = self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_new(path, pem, 0o600)
        public = path.with_name("evidence.pub")
        write_new(public, f"{self.public.line()}\n".encode(), 0o644)

    def sign(self, message: bytes) -> bytes:
        """The signature of *message*, 64 octets."""
        return self._private.sign(message)


def verifies(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether *signature* over *message* is by *public_key* (Ed25519)."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def signer(
    keys: Sequence[EvidencePublicKey], signature: bytes, message: bytes
) -> EvidencePublicKey | None:
    """The one of *keys* that signed *message*."""
    return next((key for key in keys if key.verifies(signature, message)), None)


def read_text(path: Path, what: str) -> str:
    """The text of a small file; raises ConfigurationError naming it and *what* it should be."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigurationError(f"{what} cannot be read from {path}: {reason}") from error


def write_new(path: Path, octets: bytes, mode: int) -> None:
    """Create *path* durably with *octets*; raises ConfigurationError when it exists."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with open(descriptor, "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(descriptor)
    except FileExistsError as error:
        raise ConfigurationError(
            f"{path} is there already; it is not overwritten. Move it away first"
        ) from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
