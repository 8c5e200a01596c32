"""A real OpenSSH server of our own: on loopback, as the current user, with nothing of the system's.

It has its own configuration, host key, authorized keys and CA, and is ended by its process id. PAM is off,
so passwords are not offered: without PAM sshd needs the system's shadow file.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SFTP_SERVERS = (
    "/usr/lib/openssh/sftp-server",
    "/usr/libexec/openssh/sftp-server",
    "/usr/lib/ssh/sftp-server",
    "/usr/libexec/sftp-server",
)
PRIVILEGE_SEPARATION = Path("/run/sshd")


class SshdError(RuntimeError):
    """sshd is missing or did not start; the message ends with its log."""


def program() -> str | None:
    """The absolute path of sshd, which it demands of its caller; None when it is not installed."""
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def sftp_server() -> str:
    """The sftp server that belongs to it, or the one that is built in."""
    return next((path for path in SFTP_SERVERS if Path(path).exists()), "internal-sftp")


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that nobody listened on a moment ago."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(slots=True)
class Sshd:
    """A running sshd."""

    directory: Path
    port: int
    user: str
    host_key: str
    process: subprocess.Popen[bytes] = field(repr=False)

    @property
    def log_path(self) -> Path:
        """What sshd said, at the level VERBOSE: a higher one would also speak into the sessions."""
        return self.directory / "sshd.log"

    def log(self) -> str:
        """The log so far."""
        return self.log_path.read_text(errors="replace")

    def authorize(self, *public_keys: str) -> None:
        """Let these keys (`ssh-ed25519 AAAA…`) in; holds from the next login."""
        _append(self.directory / "authorized_keys", public_keys)

    def add_ca(self, *public_keys: str) -> None:
        """Trust user certificates that these keys signed; holds from the next login."""
        _append(self.directory / "trusted_cas", public_keys)

    def wait_for_log(self, words: str, timeout: float = 5.0) -> None:
        """Wait until the log holds *words*; raises SshdError."""
        deadline = time.monotonic() + timeout
        while words not in self.log():
            if time.monotonic() > deadline:
                raise SshdError(f"sshd did not log {words!r}:\n{self.log()[-4000:]}")
            time.sleep(0.01)

    def close(self) -> None:
        """End the server and the sessions that it still serves."""
        for pid in [*descendants(self.process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def sshd(
    directory: Path,
    *,
    authorized: tuple[str, ...] = (),
    lines: tuple[str, ...] = (),
    host: str = "127.0.0.1",
    through: tuple[str, ...] = (),
) -> Iterator[Sshd]:
    """A real sshd in *directory* that lets the *authorized* keys in; *lines* go first into its configuration.

    *through* are the words of a program that runs it.

    Raises SshdError when sshd is not installed or does not come up.
    """
    server = start(directory, lines=lines, host=host, through=through)
    try:
        server.authorize(*authorized)
        yield server
    finally:
        server.close()


def start(
    directory: Path,
    *,
    lines: tuple[str, ...] = (),
    host: str = "127.0.0.1",
    through: tuple[str, ...] = (),
) -> Sshd:
    """Start it and wait until it accepts; the caller closes it."""
    path = program()
    if path is None:
        raise SshdError("sshd is not installed: install the package openssh-server")
    directory.mkdir(parents=True, exist_ok=True)
    _prepare_privilege_separation()
    host_key = _host_key(directory)
    port = free_port(host)
    (directory / "sshd_config").write_text(_configuration(directory, host, port, lines))
    for name in ("authorized_keys", "trusted_cas"):
        (directory / name).touch(mode=0o600)
    with (directory / "sshd.log").open("ab") as log:
        process = subprocess.Popen(
            [*through, path, "-D", "-e", "-f", str(directory / "sshd_config")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    server = Sshd(directory, port, getpass.getuser(), host_key, process)
    _wait_until_it_accepts(server, host)
    return server


def descendants(pid: int) -> Iterator[int]:
    """The processes below *pid*, deepest last."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return
    for child in map(int, children):
        yield child
        yield from descendants(child)


def _configuration(directory: Path, host: str, port: int, lines: tuple[str, ...]) -> str:
    address = f"[{host}]" if ":" in host else host
    return "\n".join(
        [
            *lines,  # sshd takes the first value that it finds
            f"ListenAddress {address}:{port}",
            f"HostKey {directory}/host_ed25519",
            f"AuthorizedKeysFile {directory}/authorized_keys",
            f"TrustedUserCAKeys {directory}/trusted_cas",
            "PidFile none",
            "LogLevel VERBOSE",
            "StrictModes no",
            "UsePAM no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin yes",
            "AllowTcpForwarding yes",
            "AcceptEnv LANG LC_* COLORTERM TZ GIT_PROTOCOL",
            "PrintMotd no",
            "PrintLastLog no",
            "UseDNS no",
            "MaxSessions 1000",
            "MaxStartups 1000",
            f"Subsystem sftp {sftp_server()}",
            "",
        ]
    )


def _host_key(directory: Path) -> str:
    path = directory / "host_ed25519"
    if not path.exists():
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path.with_suffix(".pub").read_text().strip()


def _prepare_privilege_separation() -> None:
    """As root sshd demands this directory, which on Debian its service unit makes."""
    if os.geteuid() == 0:
        PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)


def _wait_until_it_accepts(server: Sshd, host: str) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            with socket.create_connection((host, server.port), timeout=1):
                return
        except OSError as error:
            ended = server.process.poll() is not None
            if ended or time.monotonic() > deadline:
                server.close()
                raise SshdError(f"sshd did not start:\n{server.log()[-4000:]}") from error
            time.sleep(0.02)


def _append(path: Path, lines: tuple[str, ...]) -> None:
    with path.open("a") as file:
        file.writelines(f"{line.strip()}\n" for line in lines)
