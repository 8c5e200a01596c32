"""The fingerprints of the gateway's CA, as sshd writes them behind a certificate."""

from __future__ import annotations

import base64
import binascii
import hashlib
from pathlib import Path


def fingerprints(public: Path) -> frozenset[str]:
    """Those of the OpenSSH lines in *public*: the CA of now and, below it, those of before.

    None of a file that is missing: then who signed a certificate is not compared.
    """
    try:
        lines = public.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return frozenset()
    found = set()
    for line in lines:
        words = line.split()
        if len(words) < 2 or words[0].startswith("#"):
            continue
        try:
            key = base64.b64decode(words[1], validate=True)
        except (ValueError, binascii.Error):
            continue
        digest = base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")
        found.add(f"SHA256:{digest}")
    return frozenset(found)
