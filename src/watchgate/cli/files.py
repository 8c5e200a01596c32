"""Files that verbs write for whoever asked: for their owner alone, and never over another."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from watchgate.errors import ConfigurationError


def create(name: Path, *, force: bool) -> BinaryIO:
    """A new file (0600), or with *force* the old one emptied; raises ConfigurationError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if force else os.O_EXCL)
    try:
        return open(os.open(name, flags, 0o600), "wb")
    except FileExistsError as error:
        raise ConfigurationError(
            f"{name} is there already; choose another name, or overwrite it with --force",
            code="export.exists",
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"{name} cannot be written: {error.strerror}", code="export.unwritable"
        ) from error
