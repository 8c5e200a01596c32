"""A small SSH server that gives a real shell as the current user: what the demo's operator reaches.

It is a target for the five-minute path and for tests, not a server to run anything on: it listens on loopback
only, knows one key and one user, and ends with the process that made it.
"""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
from pathlib import Path
from types import TracebackType
from typing import cast

import asyncssh
from asyncssh.channel import SSHChannel
from asyncssh.stream import SSHServerStreamSession

from watchgate.demo.programs import Program, Streams, run_on_pipes, run_on_terminal
from watchgate.errors import ConfigurationError

SFTP_SERVERS = (
    "/usr/lib/openssh/sftp-server",
    "/usr/libexec/openssh/sftp-server",
    "/usr/lib/ssh/sftp-server",
    "/usr/libexec/sftp-server",
)
PASSED = ("LANG", "LC_", "COLORTERM", "TZ", "GIT_PROTOCOL")
"""Beginnings of the names of environment variables that a client may set."""

LOOPBACK = "127.0.0.1"


class DemoTarget:
    """An SSH server on loopback that lets *authorized_key* in as the current user.

    Its host key is kept in *directory*. *port* 0 takes any that is free.

        async with DemoTarget(public_key, directory) as target:
            target.port, target.host_key
    """

    def __init__(self, authorized_key: str, directory: Path, *, port: int = 0) -> None:
        self._authorized = asyncssh.import_public_key(authorized_key)
        self._directory = directory
        self._wanted_port = port
        self._server: asyncssh.SSHAcceptor | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self.host_key = ""
        self.user = getpass.getuser()

    @property
    def port(self) -> int:
        """The port that it listens on; 0 while it does not."""
        return 0 if self._server is None else self._server.get_port()

    async def __aenter__(self) -> DemoTarget:
        key = _host_key(self._directory / "demo_target_host_ed25519")
        self.host_key = key.export_public_key().decode().strip()
        try:
            self._server = await asyncssh.listen(
                LOOPBACK,
                self._wanted_port,
                server_factory=lambda: _Server(self),
                server_host_keys=[key],
                encoding=None,
                line_editor=False,
                agent_forwarding=False,
                x11_forwarding=False,
            )
        except OSError as error:
            raise ConfigurationError(
                f"the demo target cannot listen on {LOOPBACK}:{self._wanted_port}: {error.strerror}. "
                "End whatever listens there, or take another port.",
                code="demo.port",
            ) from error
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is None:
            return
        self._server.close()
        await self._server.wait_closed()
        self._server = None
        open_ones = [*self._connections]
        for connection in open_ones:
            connection.close()
        for connection in open_ones:
            await connection.wait_closed()

    def admits(self, user: str, key: asyncssh.SSHKey) -> bool:
        """Whether *key* may come in as *user*."""
        return user == self.user and key.public_data == self._authorized.public_data

    def joined(self, connection: asyncssh.SSHServerConnection) -> None:
        """A connection was made; it is closed with the server."""
        self._connections.add(connection)

    def left(self, connection: asyncssh.SSHServerConnection) -> None:
        """A connection is gone."""
        self._connections.discard(connection)


class _Server(asyncssh.SSHServer):
    """What the demo target says to one connection."""

    def __init__(self, target: DemoTarget) -> None:
        self._target = target
        self._connection: asyncssh.SSHServerConnection | None = None
        self._user = ""

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._target.joined(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._target.left(self._connection)

    def begin_auth(self, username: str) -> bool:
        self._user = username
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return self._target.admits(username, key)

    def session_requested(self) -> asyncssh.SSHServerSession[bytes]:
        builtin = _builtin_transfers()
        return _Session(_serve, _home_sftp if builtin else None, 3, allow_scp=builtin)


def _home_sftp(channel: SSHChannel[bytes]) -> asyncssh.SFTPServer:
    return _HomeSftp(cast("asyncssh.SSHServerChannel[bytes]", channel))


class _HomeSftp(asyncssh.SFTPServer):
    """asyncssh's own file server; a relative path starts at home, as with OpenSSH's."""

    def map_path(self, path: bytes) -> bytes:
        return os.path.join(os.fsencode(Path.home()), super().map_path(path))

    def exit(self) -> None:
        # asyncssh closes without an exit status, which `scp` takes for a failure.
        cast("asyncssh.SSHServerChannel[bytes]", self.channel).exit(0)


class _Session(SSHServerStreamSession[bytes]):
    """A session whose `sftp` subsystem is the system's own program, where there is one."""

    def connection_made(self, chan: SSHChannel[bytes]) -> None:
        super().connection_made(chan)
        self.channel = cast("asyncssh.SSHServerChannel[bytes]", chan)

    def subsystem_requested(self, subsystem: str) -> bool:
        return subsystem == "sftp"

    def session_started(self) -> None:
        channel = self.channel
        if channel.get_subsystem() != "sftp" or _sftp_server() is None:
            super().session_started()
            return
        stdin = asyncssh.SSHReader[bytes](self, channel)
        stdout = asyncssh.SSHWriter[bytes](self, channel)
        stderr = asyncssh.SSHWriter[bytes](self, channel, asyncssh.EXTENDED_DATA_STDERR)
        channel.get_connection().create_task(_serve(stdin, stdout, stderr))


async def _serve(
    stdin: asyncssh.SSHReader[bytes],
    stdout: asyncssh.SSHWriter[bytes],
    stderr: asyncssh.SSHWriter[bytes],
) -> None:
    """Run what the client asked for, to its end."""
    streams = Streams(stdin, stdout, stderr)
    program = Program(_argv(streams.channel), _environment(streams.channel))
    if streams.channel.get_terminal_type() is None:
        await run_on_pipes(program, streams)
    else:
        await run_on_terminal(program, streams)


def _argv(channel: asyncssh.SSHServerChannel[bytes]) -> list[str]:
    shell, command, sftp_server = _shell(), channel.get_command(), _sftp_server()
    if channel.get_subsystem() == "sftp" and sftp_server is not None:
        return [sftp_server]
    if command is None:
        return [shell, "-l"]
    return [shell, "-c", command]


def _environment(channel: asyncssh.SSHServerChannel[bytes]) -> dict[str, str]:
    entry = pwd.getpwuid(os.getuid())
    peer, local = channel.get_extra_info("peername"), channel.get_extra_info("sockname")
    values = {
        "HOME": entry.pw_dir,
        "LOGNAME": entry.pw_name,
        "PATH": os.environ.get("PATH", os.defpath),
        "SHELL": _shell(),
        "SSH_CONNECTION": f"{peer[0]} {peer[1]} {local[0]} {local[1]}",
        "USER": entry.pw_name,
    }
    if "LANG" in os.environ:
        values["LANG"] = os.environ["LANG"]
    asked = channel.get_environment()
    values |= {name: value for name, value in asked.items() if name.startswith(PASSED)}
    terminal = channel.get_terminal_type()
    if terminal is not None:
        values["TERM"] = terminal
    return values


def _shell() -> str:
    """The current user's login shell, unless it lets nobody in, as those of service accounts do."""
    shell = pwd.getpwuid(os.getuid()).pw_shell
    usable = Path(shell).name not in ("", "false", "nologin") and os.access(shell, os.X_OK)
    return shell if usable else "/bin/sh"


def _sftp_server() -> str | None:
    """OpenSSH's sftp server, or None where asyncssh's own has to do."""
    if _builtin_transfers():
        return None
    return next((path for path in SFTP_SERVERS if os.access(path, os.X_OK)), None)


def _builtin_transfers() -> bool:
    """Whether OpenSSH's programs for transfers are missing here: asyncssh's own stand in for both."""
    return shutil.which("scp") is None or not any(os.access(p, os.X_OK) for p in SFTP_SERVERS)


def _host_key(path: Path) -> asyncssh.SSHKey:
    """The target's host key: kept, so that a pinned one still holds at the next start."""
    if path.exists():
        try:
            return asyncssh.read_private_key(path)
        except (asyncssh.KeyImportError, OSError) as error:
            raise ConfigurationError(
                f"the demo target's host key {path} cannot be read: {error}. Remove the file.",
                code="demo.host-key",
            ) from error
    path.parent.mkdir(parents=True, exist_ok=True)
    key = asyncssh.generate_private_key("ssh-ed25519")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.export_private_key())
    return key
