"""Files that hold a secret: read only when nobody else can read them, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from watchgate.errors import ConfigurationError

CEILING = 64 * 1024
"""No key file is longer; a wrong path must not be read into memory."""


def read_private(path: Path, what: str) -> bytes:
    """The octets of the file; *what* names it in errors (`the vault key`).

    Raises ConfigurationError when it is missing, too long, or others may read or change it.
    """
    try:
        # O_NONBLOCK: a pipe at this path must not make us wait.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            state = os.fstat(descriptor)
            if state.st_mode & 0o077:
                raise ConfigurationError(
                    f"{what} {path} can be used by others (mode {state.st_mode & 0o777:04o}); "
                    f"look who had access, then run: chmod 600 {path}",
                    code="key.permissions",
                )
            octets = file.read(CEILING + 1)
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{what} {path} is missing; put it back from a backup", code="key.missing"
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"{what} {path} cannot be read: {error.strerror}; "
            "run as the user that runs Watchgate and check the file's owner",
            code="key.unreadable",
        ) from error
    if len(octets) > CEILING:
        raise ConfigurationError(f"{what} {path} is too long for a key", code="key.damaged")
    return octets


def write_private(path: Path, octets: bytes, what: str, *, replace: bool = False) -> None:
    """Write the file with mode 0600, durable when this returns; an existing one only on *replace*."""
    beside = path.with_name(path.name + ".new")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o600)
            file.write(octets)
            file.flush()
            os.fsync(descriptor)
        if replace:
            os.replace(beside, path)
        else:
            # A link fails where a rename would overwrite.
            os.link(beside, path)
            os.unlink(beside)
        sync_directory(path.parent)
    except FileExistsError as error:
        os.unlink(beside)
        raise ConfigurationError(
            f"{what} {path} is there already and is not overwritten", code="key.exists"
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"{what} {path} cannot be written: {error.strerror}; check the directory and its disk",
            code="key.unwritable",
        ) from error


def sync_directory(directory: Path) -> None:
    """Make renames in *directory* survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
