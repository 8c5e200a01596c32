"""A command line, a gateway to use it on, and what one needs beside it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import asyncssh
import pytest

from .command_line import Cli, record


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests, and a terminal of a known width."""
    for name in list(os.environ):
        if name.startswith("WATCHGATE_"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def cli(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Cli:
    """`cli("operator", "list")` on a data directory that is not made yet."""
    data = tmp_path / "data"
    monkeypatch.setenv("WATCHGATE_DATA", str(data))
    return Cli(capfdbinary, monkeypatch, data)


@pytest.fixture
def gate(cli: Cli) -> Cli:
    """The same, on a gateway that `init` made."""
    cli.done("init")
    return cli


@pytest.fixture
def public_key(tmp_path: Path) -> Callable[[str], Path]:
    """`public_key("alice@laptop")` is the file of a fresh key with that comment."""

    def make(comment: str) -> Path:
        key = asyncssh.generate_private_key("ssh-ed25519", comment=comment)
        path = tmp_path / f"{comment.replace('@', '-')}.pub"
        path.write_bytes(key.export_public_key("openssh"))
        path.with_suffix("").write_bytes(key.export_private_key("openssh"))
        return path

    return make


@pytest.fixture
def session(gate: Cli) -> str:
    """The id of a session of alice on web1: recorded, sealed and in the catalog."""
    return record(gate.data)
