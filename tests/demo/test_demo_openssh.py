"""The OpenSSH programs, cut off from everything of the user's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from watchgate.demo.openssh import OpenSsh, environment

pytestmark = pytest.mark.real


@pytest.fixture
def client(tmp_path: Path, program: Callable[[str], str]) -> OpenSsh:
    for name in ("ssh", "ssh-keygen"):
        program(name)
    return OpenSsh.create(tmp_path / "of a client")


def effective(client: OpenSsh, host: str = "host") -> list[str]:
    """What ssh itself makes of the configuration."""
    return client.ssh("-G", host).stdout.decode().splitlines()


def test_nothing_of_the_user_is_used(client: OpenSsh) -> None:
    settings = effective(client)

    assert "identityagent none" in settings
    assert "globalknownhostsfile /dev/null" in settings
    assert f"userknownhostsfile {client.known_hosts}" in [s.replace('"', "") for s in settings]
    assert "stricthostkeychecking true" in settings
    assert "batchmode yes" in settings
    assert not {"SSH_AUTH_SOCK", "DISPLAY", "SSH_ASKPASS"} & set(environment())


def test_a_host_block_wins_over_the_defaults(client: OpenSsh) -> None:
    client.write_config("Host gate\n    Port 2222\n    BatchMode no\n", Port="7")

    assert {"port 2222", "batchmode no"} <= set(effective(client, "gate"))
    assert {"port 7", "batchmode yes"} <= set(effective(client, "other"))


def test_trusted_hosts_and_authorities_are_written_as_ssh_reads_them(client: OpenSsh) -> None:
    client.trust(2222, "ssh-ed25519 AAAA comment of a key")
    client.trust_ca("ssh-ed25519 BBBB", "*.corp")

    assert client.known_hosts.read_text() == (
        "[127.0.0.1]:2222 ssh-ed25519 AAAA\n@cert-authority *.corp ssh-ed25519 BBBB\n"
    )


def test_a_fresh_key_has_both_halves(client: OpenSsh) -> None:
    key = client.new_key("operator")

    assert key.stat().st_mode & 0o777 == 0o600
    assert key.with_suffix(".pub").read_text().startswith("ssh-ed25519 ")
