from __future__ import annotations

import ipaddress
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import asyncssh
import pytest
from asyncssh.public_key import CERT_TYPE_USER, SSHOpenSSHCertificate

from watchgate.clock import ManualClock, SystemClock
from watchgate.errors import ConfigurationError
from watchgate.identity import authority
from watchgate.identity.authority import Authority

SESSION = "0190bbbb-0000-7000-8000-000000000001"


def fields(certified: authority.Certified) -> SSHOpenSSHCertificate:
    """The certificate as a target reads it off the wire."""
    read = asyncssh.import_certificate(certified.certificate.export_certificate())
    assert isinstance(read, SSHOpenSSHCertificate)
    return read


def test_keys_are_for_their_owner_alone_and_public_halves_for_all(tmp_path: Path) -> None:
    made = Authority.create(tmp_path / "ca", ManualClock())
    opened = Authority.open(tmp_path / "ca", ManualClock())

    assert stat.S_IMODE((tmp_path / "ca").stat().st_mode) == 0o600
    assert (tmp_path / "ca.pub").read_text().strip() == made.public_line == opened.public_line
    assert made.public_line.startswith("ssh-ed25519 ")
    assert made.fingerprint == opened.fingerprint


def test_a_key_is_not_overwritten(tmp_path: Path) -> None:
    Authority.create(tmp_path / "ca", ManualClock())
    before = (tmp_path / "ca").read_bytes(), (tmp_path / "ca.pub").read_bytes()
    with pytest.raises(ConfigurationError, match="is there already"):
        Authority.create(tmp_path / "ca", ManualClock())

    assert before == ((tmp_path / "ca").read_bytes(), (tmp_path / "ca.pub").read_bytes())


def test_a_key_that_others_can_use_is_refused(tmp_path: Path) -> None:
    Authority.create(tmp_path / "ca", ManualClock())
    (tmp_path / "ca").chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        Authority.open(tmp_path / "ca", ManualClock())


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff" * 100])
def test_a_damaged_key_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ca"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="is damaged or encrypted") as caught:
        Authority.open(path, ManualClock())

    assert str(path) in str(caught.value)


def test_a_user_certificate_is_for_one_account_one_session_and_some_minutes(tmp_path: Path) -> None:
    clock = ManualClock()
    ca = Authority.create(tmp_path / "ca", clock)
    first = ca.user_certificate("root", SESSION, source_address="192.0.2.1")
    second = ca.user_certificate("root", SESSION)
    read, now = fields(first), clock.wall_us() // 1_000_000

    assert read.principals == ["root"]
    assert (read._key_id, read.signing_key.public_data) == (
        SESSION,
        asyncssh.import_public_key(ca.public_line).public_data,
    )
    assert (read._valid_after, read._valid_before) == (now - 300, now + 600)
    assert read.options["source-address"] == [ipaddress.ip_network("192.0.2.1/32")]
    assert read.options["permit-pty"] is True
    assert "permit-agent-forwarding" not in read.options
    assert read.key.public_data == first.key.public_data != second.key.public_data
    assert read._serial != fields(second)._serial


def test_a_user_certificate_is_not_for_another_account(tmp_path: Path) -> None:
    read = fields(Authority.create(tmp_path / "ca", SystemClock()).user_certificate("app", SESSION))
    read.validate(CERT_TYPE_USER, "app")
    with pytest.raises(ValueError, match="principal"):
        read.validate(CERT_TYPE_USER, "root")


def test_a_host_certificate_vouches_for_the_names_that_were_asked_for(tmp_path: Path) -> None:
    ca = Authority.create(tmp_path / "ca", ManualClock())
    host_key = authority.create_key(tmp_path / "host", "the host key", "watchgate")
    certified = ca.host_certificate(host_key, ["web1", "web1.corp", "web1", "10.0.0.5", ""])
    read = fields(certified)

    assert read.principals == ["web1", "web1.corp", "10.0.0.5"]
    assert read.key.public_data == host_key.public_data
    assert certified.pair == (host_key, certified.certificate)


def test_a_host_certificate_for_every_host_is_not_made(tmp_path: Path) -> None:
    ca = Authority.create(tmp_path / "ca", ManualClock())
    host_key = authority.create_key(tmp_path / "host", "the host key", "watchgate")
    with pytest.raises(ConfigurationError, match="needs a name"):
        ca.host_certificate(host_key, [])


@pytest.mark.real
def test_openssh_reads_a_certificate_as_it_is_meant(
    tmp_path: Path, program: Callable[[str], str]
) -> None:
    ca = Authority.create(tmp_path / "ca", SystemClock())
    certified = ca.user_certificate("root", SESSION, source_address="192.0.2.1")
    path = tmp_path / "id-cert.pub"
    path.write_bytes(certified.certificate.export_certificate())
    shown = subprocess.run(
        [program("ssh-keygen"), "-L", "-f", str(path)],
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    ).stdout

    assert f'Key ID: "{SESSION}"' in shown
    assert "user certificate" in shown
    assert ca.fingerprint in shown
    assert "source-address 192.0.2.1/32" in shown
    assert "permit-agent-forwarding" not in shown
