"""The demo's data: a gateway with one operator, one target, one grant, and the files of their client.

Made once and kept, so that a second start finds its sessions again. Everything lies in one directory, which can
be thrown away.
"""

from __future__ import annotations

import fcntl
import getpass
import os
import shlex
import socket
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from watchgate.catalog import rules, targets
from watchgate.catalog.change import Change, changing
from watchgate.catalog.database import Catalog
from watchgate.clock import Clock
from watchgate.demo.openssh import OpenSsh
from watchgate.demo.target import LOOPBACK, DemoTarget
from watchgate.errors import ConfigurationError
from watchgate.identity import grants, operators, publickeys
from watchgate.initialize import initialize
from watchgate.layout import Paths
from watchgate.policy.library import library
from watchgate.policy.loading import load_text
from watchgate.recording.keys import write_new
from watchgate.secret import Secret
from watchgate.session.model import CredentialKind, HostKeyPolicy
from watchgate.settings import Settings, load
from watchgate.vault import accounts
from watchgate.vault.vault import Vault

OPERATOR = "alice"
TARGET = "demo"
GATE = "gate"
"""The gateway's name in the demo's ssh configuration."""

PORT = 2222
ACTOR = "demo"


FORBIDDEN = "touch forbidden"
RULES = """
version: 1
rules:
  demo:
    description: Something harmless to try a rule with.
    action: block
    severity: high
    message: this is what a rule says
    match: {program: touch, args: "*forbidden*"}
    expect:
      - {line: "sudo touch /tmp/forbidden", matches: true}
      - {line: "echo touch forbidden", matches: false}
"""


@dataclass(frozen=True, slots=True)
class World:
    """A demo in *root*, a directory of its own."""

    root: Path

    @property
    def paths(self) -> Paths:
        """The gateway's files."""
        return Paths.under(self.root)

    @property
    def own(self) -> Path:
        """What belongs to the demo rather than to the gateway."""
        return self.root / "demo"

    @property
    def client(self) -> OpenSsh:
        """The operator's OpenSSH programs."""
        return OpenSsh(self.own)

    @property
    def destination(self) -> str:
        """What `ssh` is told: operator, account, target, and the gateway's name."""
        return f"{OPERATOR}+{getpass.getuser()}@{TARGET}@{GATE}"

    @property
    def _operator_key(self) -> Path:
        return self.own / OPERATOR

    @property
    def _account_key(self) -> Path:
        return self.own / "account.pub"

    def exists(self) -> bool:
        """Whether a demo was made here before."""
        return self.paths.catalog.exists() and self._account_key.exists()

    def make(self, clock: Clock) -> None:
        """Make everything; raises ConfigurationError when something else lies in the directory."""
        if self.root.exists() and not self.root.is_dir():
            raise ConfigurationError(f"{self.root} is not a directory; move it away")
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.paths.settings.exists():
            listen = f'# The demo\'s gateway.\n[ssh]\nlisten = ["{LOOPBACK}:{PORT}"]\n'
            write_new(self.paths.settings, listen.encode(), 0o600)
        initialize(load(self.root, environment={}), clock, ACTOR)
        OpenSsh.create(self.own)
        operator, account = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        write_new(self._operator_key, operator.export_private_key(), 0o600)
        with Catalog.open(self.paths.catalog) as catalog, changing(catalog, clock, ACTOR) as change:
            self._fill(change, _line(operator), Secret(account.export_private_key()))
        # Made last: it tells a whole demo from the rest of a broken try.
        write_new(self._account_key, _line(account).encode(), 0o600)

    def _fill(self, change: Change, operator_key: str, account_key: Secret) -> None:
        operators.add(change, OPERATOR)
        publickeys.add(change, OPERATOR, operator_key)
        pinned = {"host_keys": str(HostKeyPolicy.PINNED)}
        labels = {"env": "demo"}
        targets.add(change, TARGET, LOOPBACK, labels=labels, values=pinned)
        vault = Vault(self.paths.vault_key)
        user, kind = getpass.getuser(), CredentialKind.PRIVATE_KEY
        accounts.add(change, vault, TARGET, user, kind, account_key)
        grants.add(change, account=user, on=TARGET, to_operator=OPERATOR)
        for rule in load_text(RULES, "the demo"):
            rules.put(change, rule, "demo")
        for ready in library():
            if ready.group == "destructive":
                rules.put(change, ready.rule, f"library:{ready.group}")

    def require_alone(self) -> None:
        """Raise ConfigurationError when a gateway serves this data: its target must stay as it is."""
        descriptor = os.open(self.paths.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigurationError(
                f"another gateway serves {self.root}: use that one, or end it first",
                code="data.locked",
            ) from error
        finally:
            os.close(descriptor)

    def target(self, port: int = 0) -> DemoTarget:
        """The target that this demo's account can log in to."""
        return DemoTarget(self._account_key.read_text(), self.own, port=port)

    def introduce(self, target: DemoTarget, clock: Clock) -> None:
        """Tell the gateway where the target listens this time, and how it proves itself."""
        with Catalog.open(self.paths.catalog) as catalog, changing(catalog, clock, ACTOR) as change:
            targets.configure(change, TARGET, port=target.port)
            targets.unpin(change, TARGET)
            targets.pin(change, TARGET, target.host_key)

    def settings(self, port: int | None = None) -> Settings:
        """The gateway's settings, listening on *port*; else on its usual port, or a free one."""
        chosen = usual_port() if port is None else port
        return load(self.root, environment={}, flags=[f"ssh.listen={LOOPBACK}:{chosen}"])

    def write_client(self, port: int) -> None:
        """Let the operator's OpenSSH programs find the gateway on *port*, and know its host key."""
        host_key = Path(f"{self.paths.host_key}.pub").read_text()
        client = self.client
        client.known_hosts.write_text("")
        client.trust(port, host_key, host=LOOPBACK)
        client.write_config(
            f"Host {GATE}\n    HostName {LOOPBACK}\n    Port {port}\n"
            f'    IdentityFile "{self._operator_key.resolve()}"\n',
            BatchMode="no",
        )

    def ssh(self, program: str, *arguments: str) -> str:
        """The command line that a person pastes."""
        config = os.path.relpath(self.client.config)
        return shlex.join([program, "-F", config, *arguments])


def usual_port() -> int:
    """The port that everything in the documents says, or 0 for any when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, PORT))
        except OSError:
            return 0
    return PORT


def _line(key: asyncssh.SSHKey) -> str:
    return key.export_public_key().decode().strip() + "\n"
