"""Public key lines in the one form in which files and catalog are compared."""

from __future__ import annotations

import asyncssh

from watchgate.errors import ConfigurationError
from watchgate.identity import publickeys


def operator_key(line: str) -> str:
    """The line of an operator's key with its comment, if he may have it; else ConfigurationError."""
    key = publickeys.read(line)
    return joined(plain(key), key.get_comment() or "")


def host_key(line: str) -> str:
    """The line of a target's key, without its comment."""
    return plain(_read(line, "copy it from the target's /etc/ssh/ssh_host_*_key.pub"))


def plain(key: asyncssh.SSHKey) -> str:
    """Algorithm and key, without a comment."""
    return b" ".join(key.export_public_key("openssh").split()[:2]).decode()


def joined(line: str, comment: str) -> str:
    """A line with its comment, if there is one."""
    return f"{line} {comment}".rstrip()


def fingerprint(line: str) -> str:
    """`SHA256:…` of a line."""
    return str(asyncssh.import_public_key(without_comment(line)).get_fingerprint())


def without_comment(line: str) -> str:
    """Algorithm and key of a line."""
    return " ".join(line.split(None, 2)[:2])


def described(line: str) -> str:
    """A key as people know it: fingerprint, kind, comment."""
    algorithm, _, rest = line.partition(" ")
    comment = rest.partition(" ")[2]
    return f"{fingerprint(line)} {algorithm} {comment}".rstrip()


def _read(line: str, advice: str) -> asyncssh.SSHKey:
    text = line.strip()
    try:
        if len(text) > publickeys.LONGEST_LINE or "\n" in text:
            raise ValueError("more than a line")
        return asyncssh.import_public_key(text)
    except (asyncssh.KeyImportError, ValueError) as error:
        raise ConfigurationError(
            f"this is not one OpenSSH public key line; {advice}", code="key.unreadable"
        ) from error
