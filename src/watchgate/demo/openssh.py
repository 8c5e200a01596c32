"""The real OpenSSH programs, cut off from the user's own configuration, keys and agent.

Everything that they would read from the home directory lies in one directory instead, so that what they do depends
on nothing but that directory.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from watchgate.demo.terminal import Terminal

SILENT = {
    "BatchMode": "yes",
    "ConnectTimeout": "10",
    "ForwardAgent": "no",
    "GlobalKnownHostsFile": "/dev/null",
    "IdentitiesOnly": "yes",
    "IdentityAgent": "none",
    # OpenSSH 9.5 and later delay keys on purpose, which would be measured as the gateway's latency;
    # older ones do not know the option.
    "IgnoreUnknown": "ObscureKeystrokeTiming",
    "LogLevel": "ERROR",
    "ObscureKeystrokeTiming": "no",
    "StrictHostKeyChecking": "yes",
    "UpdateHostKeys": "no",
}


@dataclass(frozen=True, slots=True)
class OpenSsh:
    """OpenSSH clients with a configuration, a known-hosts file and keys of their own in *directory*."""

    directory: Path

    @classmethod
    def create(cls, directory: Path) -> OpenSsh:
        """Clients that live in *directory*, which is made; they know no host and have no key yet."""
        directory.mkdir(parents=True, exist_ok=True)
        client = cls(directory)
        client.known_hosts.touch(mode=0o600)
        client.write_config()
        return client

    @property
    def config(self) -> Path:
        """The configuration that each program is given."""
        return self.directory / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        """The hosts that these clients trust."""
        return self.directory / "known_hosts"

    def write_config(self, blocks: str = "", **options: str) -> None:
        """Write the configuration: *blocks* (`Host …`) first, then *options* and the private defaults.

        ssh takes the first value that it finds, so a block wins over the defaults.
        """
        settings = SILENT | {"UserKnownHostsFile": f'"{self.known_hosts}"'} | options
        lines = "".join(f"    {name} {value}\n" for name, value in settings.items())
        # An unknown option is an error unless IgnoreUnknown stands before it.
        first = f"IgnoreUnknown {SILENT['IgnoreUnknown']}\n"
        self.config.write_text(f"{first}{blocks}\nHost *\n{lines}")

    def trust(self, port: int, host_key: str, host: str = "127.0.0.1") -> None:
        """Know *host_key* (`ssh-ed25519 AAAA…`) as that of *host* at *port*."""
        with self.known_hosts.open("a") as file:
            file.write(f"[{host}]:{port} {' '.join(host_key.split()[:2])}\n")

    def trust_ca(self, ca_key: str, pattern: str = "*") -> None:
        """Trust host certificates that *ca_key* signed, for hosts that match *pattern*."""
        with self.known_hosts.open("a") as file:
            file.write(f"@cert-authority {pattern} {' '.join(ca_key.split()[:2])}\n")

    def new_key(self, name: str = "id_ed25519") -> Path:
        """A fresh Ed25519 key without a passphrase; its public half lies beside it (`.pub`)."""
        path = self.directory / name
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return path

    def argv(self, program: str, *arguments: str) -> list[str]:
        """The command line of `ssh`, `scp` or `sftp` with this configuration."""
        return [program, "-F", str(self.config), *arguments]

    def run(
        self, program: str, *arguments: str, data: bytes = b"", timeout: float = 30.0
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a client to its end with *data* as input; raises TimeoutExpired."""
        return subprocess.run(
            self.argv(program, *arguments),
            input=data,
            capture_output=True,
            timeout=timeout,
            check=False,
            env=environment(),
        )

    def ssh(
        self, *arguments: str, data: bytes = b"", timeout: float = 30.0
    ) -> subprocess.CompletedProcess[bytes]:
        """`ssh` run to its end."""
        return self.run("ssh", *arguments, data=data, timeout=timeout)

    def scp(self, *arguments: str, timeout: float = 60.0) -> subprocess.CompletedProcess[bytes]:
        """`scp` run to its end."""
        return self.run("scp", *arguments, timeout=timeout)

    def terminal(
        self,
        *arguments: str,
        columns: int = 80,
        rows: int = 24,
        extra: Mapping[str, str] | None = None,
    ) -> Terminal:
        """`ssh` in a pseudo terminal, to be typed into."""
        return Terminal(
            self.argv("ssh", *arguments),
            columns=columns,
            rows=rows,
            environment=environment(extra),
        )


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a client inherits: nothing of an agent, a display or an askpass program."""
    kept: Sequence[str] = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR")
    values = {name: os.environ[name] for name in kept if name in os.environ}
    return {"TERM": "xterm", "LANG": "C.UTF-8"} | values | dict(extra or {})
