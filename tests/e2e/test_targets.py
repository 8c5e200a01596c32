"""The gateway's own login: who the target is, what opens it, and what the operator hears when neither fits."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import asyncssh
import pytest
from bench.real_sshd import sshd

from e2e.gateway import World, world
from e2e.peers import LOOPBACK, OpenServer, looped, tcp_server
from e2e.servers import free_port
from watchgate.catalog import targets
from watchgate.identity import grants
from watchgate.recording.verify import State
from watchgate.secret import Secret
from watchgate.session.events import SessionClosed, TargetFailed, TargetReached, TargetTrusted
from watchgate.session.model import CredentialKind
from watchgate.vault import accounts
from watchgate.vault.vault import Vault

pytestmark = pytest.mark.real

LEGACY: dict[str, Any] = {
    "kex_algs": ["diffie-hellman-group14-sha1"],
    "encryption_algs": ["aes128-cbc"],
    "mac_algs": ["hmac-sha1"],
    "signature_algs": ["ssh-rsa"],
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("targets")) as made, made.serving():
        yield made


@dataclass(frozen=True, slots=True)
class Behind:
    """A target that a test added, with the account `u`."""

    world: World
    name: str

    @property
    def destination(self) -> str:
        return f"alice+u@{self.name}@gate"

    def pin(self, line: str) -> None:
        with self.world.change() as change:
            targets.pin(change, self.name, line)

    def unpin(self) -> None:
        with self.world.change() as change:
            targets.unpin(change, self.name)

    def configure(self, **values: object) -> None:
        with self.world.change() as change:
            targets.configure(change, self.name, values=values)

    def move(self, port: int) -> None:
        with self.world.change() as change:
            targets.configure(change, self.name, port=port)

    def give(self, kind: CredentialKind, secret: Secret | None = None) -> None:
        vault = Vault(self.world.data / "keys/vault.key")
        with self.world.change() as change:
            accounts.set_secret(change, vault, self.name, "u", kind, secret)


@pytest.fixture
def behind(served: World, request: pytest.FixtureRequest) -> Behind:
    """A target of the test's own, with the password `p`; where it is, the test says."""
    return _add(served, f"t{abs(hash(request.node.name))}", LOOPBACK, 1)


def _add(served: World, name: str, host: str, port: int, login: str = "u") -> Behind:
    vault = Vault(served.data / "keys/vault.key")
    with served.change() as change:
        targets.add(change, name, host=host, port=port)
        secret = Secret(b"p")
        accounts.add(change, vault, name, login, CredentialKind.PASSWORD, secret)
        grants.add(change, account=login, on=name, to_operator="alice")
    return Behind(served, name)


@contextmanager
def _target(
    key: asyncssh.SSHKey,
    certificate: asyncssh.SSHCertificate | None = None,
    factory: type[asyncssh.SSHServer] = OpenServer,
    **options: object,
) -> Iterator[int]:
    """An SSH server with this host key that answers each program with its word; its port."""

    async def program(process: asyncssh.SSHServerProcess[bytes]) -> None:
        process.stdout.write(b"reached\n")
        process.exit(0)

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            LOOPBACK,
            0,
            server_host_keys=[key if certificate is None else (key, certificate)],
            server_factory=factory,
            process_factory=program,
            encoding=None,
            **options,
        )

    with looped(start) as port:
        yield port


def _line(key: asyncssh.SSHKey) -> str:
    return key.export_public_key().decode()


def _failed(served: World) -> TargetFailed:
    """What the newest recording says of a target that was not reached; its seal is right too."""
    path = served.sealed()
    events = served.events(path)
    (failed,) = [event for event in events if isinstance(event, TargetFailed)]
    (closed,) = [event for event in events if isinstance(event, SessionClosed)]
    assert closed.reason == "unreachable"
    assert served.verdict(path).state is State.INTACT
    return failed


# --- who the target is -------------------------------------------------------------------------


def test_a_first_use_pins_and_a_changed_key_is_refused(behind: Behind) -> None:
    served = behind.world
    first, second = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    with _target(first) as port:
        behind.move(port)
        one = served.ssh(behind.destination, "x")
        trusted = [e for e in served.events() if isinstance(e, TargetTrusted)]
        again = served.ssh(behind.destination, "x")
        not_again = [e for e in served.events() if isinstance(e, TargetTrusted)]
    with _target(second) as port:
        behind.move(port)
        changed = served.ssh(behind.destination, "x")

    assert (one.stdout, again.stdout) == (b"reached\n", b"reached\n")
    assert [e.host_key.split()[1] for e in trusted] == [_line(first).split()[1]]
    assert not_again == []
    assert changed.returncode == 255
    assert b"its host key has changed" in changed.stderr
    for key in (first, second):
        assert key.get_fingerprint().encode() in changed.stderr
    assert _failed(served).code == "target.host-key"


def test_after_a_reinstallation_an_admin_lets_it_be_trusted_anew(behind: Behind) -> None:
    served = behind.world
    behind.pin(_line(asyncssh.generate_private_key("ssh-ed25519")))
    with _target(asyncssh.generate_private_key("ssh-ed25519")) as port:
        behind.move(port)
        refused = served.ssh(behind.destination, "x")
        behind.unpin()
        trusted = served.ssh(behind.destination, "x")

    assert (refused.returncode, trusted.stdout) == (255, b"reached\n")


def test_a_target_that_must_be_pinned_is_not_trusted_at_first_sight(behind: Behind) -> None:
    served = behind.world
    key = asyncssh.generate_private_key("ssh-ed25519")
    behind.configure(host_keys="pinned")
    with _target(key) as port:
        behind.move(port)
        refused = served.ssh(behind.destination, "x")
        behind.pin(_line(key))
        reached = served.ssh(behind.destination, "x")

    assert refused.returncode == 255
    assert b"no host key is pinned for it; it shows " in refused.stderr
    assert key.get_fingerprint().encode() in refused.stderr
    assert reached.stdout == b"reached\n"


@pytest.mark.parametrize("names", [[LOOPBACK], ["elsewhere.example.org"]])
def test_a_host_key_that_a_trusted_ca_certified_is_accepted(
    behind: Behind, names: list[str]
) -> None:
    served = behind.world
    authority, key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    certificate = authority.generate_host_certificate(key, "web", principals=names)
    behind.configure(host_keys="ca")
    behind.pin(_line(authority))
    with _target(key, certificate) as port:
        behind.move(port)
        certified = served.ssh(behind.destination, "x")
    with _target(key) as port:
        behind.move(port)
        plain = served.ssh(behind.destination, "x")

    assert (certified.stdout == b"reached\n") is (names == [LOOPBACK]), certified.stderr
    assert plain.returncode == 255
    assert b"certified by the CA that is trusted for it" in plain.stderr


# --- what opens it -----------------------------------------------------------------------------


class Asking(asyncssh.SSHServer):
    """Asks for the password `p` by keyboard-interactive, as PAM does."""

    def begin_auth(self, username: str) -> bool:
        return True

    def kbdint_auth_supported(self) -> bool:
        return True

    def get_kbdint_challenge(
        self, username: str, lang: str, submethods: str
    ) -> tuple[str, str, str, list[tuple[str, bool]]]:
        return "", "", "", [("Password: ", False)]

    def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> bool:
        return list(responses) == ["p"]


@pytest.mark.parametrize("factory", [OpenServer, Asking])
def test_a_password_opens_the_target(behind: Behind, factory: type[asyncssh.SSHServer]) -> None:
    with _target(asyncssh.generate_private_key("ssh-ed25519"), factory=factory) as port:
        behind.move(port)
        done = behind.world.ssh(behind.destination, "x")

    assert done.stdout == b"reached\n", done.stderr
    (reached,) = [e for e in behind.world.events() if isinstance(e, TargetReached)]
    assert (reached.account, reached.credential) == ("u", "password")


def test_a_wrong_password_is_said_and_shown_to_nobody(behind: Behind) -> None:
    behind.give(CredentialKind.PASSWORD, Secret(b"not-p-but-secret"))
    with _target(asyncssh.generate_private_key("ssh-ed25519")) as port:
        behind.move(port)
        done = behind.world.ssh(behind.destination, "x")

    assert done.returncode == 255
    assert b"it refused the login of 'u' (password)" in done.stderr
    assert b"secret" not in done.stderr
    assert _failed(behind.world).code == "target.login"


def test_a_wrong_key_is_said(served: World) -> None:
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_private_key()
    behind = _add(served, "real-stranger", LOOPBACK, served.target.port, served.target.user)
    _set(served, behind.name, CredentialKind.PRIVATE_KEY, Secret(stranger))

    done = served.ssh(f"alice+{served.target.user}@{behind.name}@gate", "id")

    assert done.returncode == 255
    assert b"it refused the login of" in done.stderr
    assert b"private-key" in done.stderr


def test_a_certificate_names_the_session_in_the_log_of_the_target(served: World) -> None:
    behind = _add(served, "real-certified", LOOPBACK, served.target.port, served.target.user)
    _set(served, behind.name, CredentialKind.CERTIFICATE, None)
    name = f"alice+{served.target.user}@{behind.name}@gate"

    untrusted = served.ssh(name, "echo in")
    served.target.add_ca(served.made.authority)
    trusted = served.ssh(name, "echo in")

    assert untrusted.returncode == 255
    assert trusted.stdout == b"in\n", trusted.stderr
    path = served.sealed()
    with served.open(path) as recording:
        session = recording.header.session
    (reached,) = [e for e in served.events(path) if isinstance(e, TargetReached)]
    assert reached.key_id == session
    served.target.wait_for_log(f'ID "{session}"')


def _set(served: World, name: str, kind: CredentialKind, secret: Secret | None) -> None:
    vault = Vault(served.data / "keys/vault.key")
    with served.change() as change:
        accounts.set_secret(change, vault, name, served.target.user, kind, secret)


# --- where it is -------------------------------------------------------------------------------


def test_a_port_where_nobody_listens_is_said(behind: Behind) -> None:
    behind.move(free_port())

    done = behind.world.ssh(behind.destination, "x")

    assert done.returncode == 255
    assert b"cannot be reached: Connection refused" in done.stderr
    assert _failed(behind.world).code == "target.connect"


def test_a_target_that_never_answers_is_given_up(behind: Behind) -> None:
    def silent(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while connection.recv(1000):
                pass

    behind.configure(connect_timeout=1.0)
    with tcp_server(silent) as port:
        behind.move(port)
        done = behind.world.ssh(behind.destination, "x")

    assert done.returncode == 255
    assert b"no login within 1 seconds" in done.stderr
    assert _failed(behind.world).code == "target.timeout"


def test_a_name_that_cannot_be_resolved_is_said(served: World) -> None:
    behind = _add(served, "nameless", "no-such-host.invalid", 22)

    done = served.ssh(behind.destination, "x")

    assert done.returncode == 255
    assert b"watchgate: nameless cannot be reached: " in done.stderr


def test_a_target_may_be_on_ipv6(served: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    public = served.real.client_key.with_suffix(".pub").read_text()
    with sshd(tmp_path_factory.mktemp("six"), authorized=(public,), host="::1") as six:
        behind = _add(served, "six", "::1", six.port, six.user)
        _set(served, "six", CredentialKind.PRIVATE_KEY, Secret(served.real.client_key.read_bytes()))
        named = served.ssh(f"alice+{six.user}@{behind.name}@gate", "echo six")
        jumped = served.ssh("-J", "alice@gate", "-p", str(six.port), f"{six.user}@::1", "echo jump")

    assert named.stdout == b"six\n", named.stderr
    assert jumped.stdout == b"jump\n", jumped.stderr
    (reached,) = [e for e in served.events() if isinstance(e, TargetReached)]
    assert reached.address == f"[::1]:{six.port}"


# --- how it speaks -----------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Diffie-Hellman over finite fields")
def test_old_algorithms_are_refused_until_the_target_says_that_it_needs_them(
    behind: Behind,
) -> None:
    served = behind.world
    key = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
    with _target(key, **LEGACY) as port:
        behind.move(port)
        refused = served.ssh(behind.destination, "x")
        failed = _failed(served)
        behind.configure(legacy_algorithms=True)
        reached = served.ssh(behind.destination, "x")

    assert refused.returncode == 255
    assert b"it may need the setting legacy_algorithms" in refused.stderr
    assert failed.code == "target.connect"
    assert reached.stdout == b"reached\n", reached.stderr


def test_the_setting_for_old_algorithms_does_not_weaken_a_modern_target(behind: Behind) -> None:
    chosen: list[str] = []

    class Watching(OpenServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            super().connection_made(conn)
            self.conn = conn

        def auth_completed(self) -> None:
            chosen.append(str(self.conn.get_extra_info("send_cipher")))

    behind.configure(legacy_algorithms=True)
    with _target(asyncssh.generate_private_key("ssh-ed25519"), factory=Watching) as port:
        behind.move(port)
        done = behind.world.ssh(behind.destination, "x")

    assert done.stdout == b"reached\n"
    assert chosen == ["aes128-gcm@openssh.com"]


def test_a_client_that_leaves_while_the_target_is_awaited_leaves_a_sealed_recording(
    behind: Behind,
) -> None:
    met = threading.Event()

    def silent(connection: socket.socket) -> None:
        met.set()
        with contextlib.suppress(OSError):
            while connection.recv(1000):
                pass

    before = len(behind.world.recordings())
    behind.configure(connect_timeout=2.0)
    with tcp_server(silent) as port:
        behind.move(port)
        with behind.world.terminal(behind.destination):
            assert met.wait(10)
        path = behind.world.sealed(before + 1)

    (closed,) = [e for e in behind.world.events(path) if isinstance(e, SessionClosed)]
    assert closed.reason in ("client", "unreachable")
