"""The echo proof against the octets of a real shell on a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import select
import shutil
import time

import pytest

from watchgate.terminal.echo import Decision, EchoProof, InClear

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed"),
]


class Shell:
    """A bash on a pseudo-terminal whose input and output pass an echo proof."""

    def __init__(self) -> None:
        self.proof = EchoProof()
        self.decided: list[Decision] = []
        self.unread = b""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            environment = {"PATH": os.environ["PATH"], "PS1": "ready> ", "TERM": "xterm-256color"}
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], environment)  # noqa: S606 - the shell is what is tested

    def type(self, octets: bytes) -> None:
        """Type like a program that waits for nothing between its keys."""
        self.decided += self.proof.typed(time.monotonic_ns() // 1000, octets)
        os.write(self.terminal, octets)

    def until(self, expected: bytes, within: float = 10.0) -> None:
        """Read on until *expected* is shown; with no octets, until all is decided."""
        end = time.monotonic() + within
        while (expected not in self.unread) if expected else self.proof.due() is not None:
            assert time.monotonic() < end, f"{expected!r} is not in {self.unread!r}"
            ready, _, _ = select.select([self.terminal], [], [], 0.02)
            now = time.monotonic_ns() // 1000
            if ready:
                chunk = os.read(self.terminal, 4096)
                self.unread += chunk
                self.decided += self.proof.shown(now, chunk)
            self.decided += self.proof.expire(now)
        if expected:
            self.unread = self.unread.partition(expected)[2]

    def end(self) -> bytes:
        """Leave the shell; what is kept of the typing."""
        os.close(self.terminal)
        os.waitpid(self.pid, 0)
        self.decided += self.proof.close(time.monotonic_ns() // 1000)
        return b"".join(d.octets if isinstance(d, InClear) else b"#" for d in self.decided)


def test_bash_shows_its_commands_and_hides_what_read_s_asks_for() -> None:
    shell = Shell()
    shell.until(b"ready> ")
    for octet in b"echo one":
        shell.type(bytes((octet,)))
        shell.until(bytes((octet,)))
    shell.type(b"\r")
    shell.until(b"one\r\n")
    shell.until(b"ready> ")
    shell.type(b"read -s -p 'secret: ' X\r")
    shell.until(b"\rsecret: ")
    shell.until(b"")
    for octet in b"hunter2":
        shell.type(bytes((octet,)))
    shell.type(b"\r")
    shell.until(b"ready> ")
    shell.type(b"echo $X\r")
    shell.until(b"hunter2\r\n")
    shell.until(b"ready> ")
    kept = shell.end()

    assert kept == b"echo one\rread -s -p 'secret: ' X\r#\recho $X\r"


def test_bash_edits_completes_and_pastes_in_clear() -> None:
    shell = Shell()
    shell.until(b"ready> ")
    shell.type(b"ls")
    shell.until(b"ls")
    shell.type(b"\x1b[D")
    shell.until(b"\b")
    shell.type(b"x")
    shell.until(b"xs\b")
    shell.type(b"\r")
    shell.until(b"not found\r\n")
    shell.until(b"ready> ")
    shell.type(b"\x1b[200~echo hi\x1b[201~")
    shell.until(b"echo hi")
    shell.type(b"x")
    shell.until(b"hix")
    shell.type(b"\r")
    shell.until(b"hix\r\n")
    shell.until(b"ready> ")
    kept = shell.end()

    assert kept == b"ls\x1b[Dx\r\x1b[200~echo hi\x1b[201~x\r"
