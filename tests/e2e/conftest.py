"""Fixtures with real programs; each skips its test where a program is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from e2e.servers import OpenSsh, RealTarget, real_target


@pytest.fixture
def openssh(tmp_path: Path, program: Callable[[str], str]) -> OpenSsh:
    """OpenSSH clients with a configuration of their own; they know no host and have no key."""
    for name in ("ssh", "scp", "sftp", "ssh-keygen"):
        program(name)
    return OpenSsh.create(tmp_path / "openssh")


@pytest.fixture
def target(openssh: OpenSsh, tmp_path: Path, program: Callable[[str], str]) -> Iterator[RealTarget]:
    """A real sshd on loopback and an OpenSSH client that it trusts."""
    program("sshd")
    with real_target(tmp_path) as running:
        yield running
