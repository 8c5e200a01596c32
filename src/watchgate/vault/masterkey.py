"""The vault's master key: 32 random octets in a file beside the catalog.

The key's id is derived from the key, so a damaged file is noticed without the catalog, and a row of the
catalog says which key it needs. Keep a copy of the file away from copies of the catalog: either alone
tells nothing, both together tell every credential.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from watchgate.errors import ConfigurationError
from watchgate.secret import Secret
from watchgate.vault import keyfile

LENGTH = 32

_WORD = "watchgate-vault-v1"
_WHAT = "the vault key"
_COMMENT = (
    "# Watchgate vault key. Whoever has this file and the catalog can read every credential.\n"
    "# Keep a copy of it, and keep it away from copies of the catalog.\n"
)


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A key and the id that it is known by."""

    id: str
    secret: Secret

    @classmethod
    def of(cls, octets: bytes) -> MasterKey:
        """The key made of these 32 octets."""
        digest = hashlib.sha256(b"watchgate vault key id\0" + octets).hexdigest()
        return cls(digest[:16], Secret(octets))


def generate(random: Callable[[int], bytes]) -> MasterKey:
    """A fresh key."""
    return MasterKey.of(random(LENGTH))


def save(path: Path, key: MasterKey, *, replace: bool = False) -> None:
    """Write *key* to a file of its own; ConfigurationError when there is one already."""
    encoded = base64.b64encode(key.secret.reveal()).decode()
    text = f"{_COMMENT}{_WORD} {key.id} {encoded}\n"
    keyfile.write_private(path, text.encode(), _WHAT, replace=replace)


def load(path: Path) -> MasterKey:
    """The key in the file at *path*; ConfigurationError says what is wrong with it."""
    text = keyfile.read_private(path, _WHAT).decode("ascii", "replace")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    words = lines[0].split() if len(lines) == 1 else []
    if len(words) != 3 or words[0] != _WORD:
        raise _damaged(path)
    try:
        octets = base64.b64decode(words[2], validate=True)
    except binascii.Error as error:
        raise _damaged(path) from error
    key = MasterKey.of(octets)
    if len(octets) != LENGTH or key.id != words[1]:
        raise _damaged(path)
    return key


def _damaged(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{_WHAT} {path} is damaged; put it back from a backup", code="vault.key-damaged"
    )
