"""What the tests with real programs start: the same sshd as the bench, and what they need around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.real_sshd import Sshd, SshdError, free_port, sshd

from watchgate.demo.openssh import OpenSsh
from watchgate.demo.terminal import NotShownError, Terminal

__all__ = [
    "NotShownError",
    "OpenSsh",
    "RealTarget",
    "Sshd",
    "SshdError",
    "Terminal",
    "free_port",
    "real_target",
    "sshd",
]


@dataclass(frozen=True, slots=True)
class RealTarget:
    """A real sshd and an OpenSSH client that may log in to it directly."""

    server: Sshd
    client: OpenSsh
    client_key: Path

    def address(self) -> list[str]:
        """The arguments by which `ssh` reaches it; the last one is the destination."""
        return [
            "-p",
            str(self.server.port),
            "-i",
            str(self.client_key),
            f"{self.server.user}@127.0.0.1",
        ]


@contextmanager
def real_target(directory: Path, *lines: str) -> Iterator[RealTarget]:
    """A real sshd in *directory*, with *lines* first in its configuration, and a client that it trusts."""
    client = OpenSsh.create(directory / "client")
    key = client.new_key()
    public = key.with_suffix(".pub").read_text()
    with sshd(directory / "target", authorized=(public,), lines=lines) as server:
        client.trust(server.port, server.host_key)
        yield RealTarget(server, client, key)
