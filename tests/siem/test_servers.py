"""What the receivers of these tests need: programs that may be missing, certificates that fit."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

from cryptography import x509

from .servers import ROOT, Certificates, certificates


def unpack(path: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run tools/syslog_ng.sh with nothing in its environment but what is given."""
    return subprocess.run(
        ["/bin/sh", str(ROOT / "tools" / "syslog_ng.sh"), *arguments],
        env={"PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_apt_the_script_says_so_and_does_not_fail(tmp_path: Path) -> None:
    # The script adds the system's places for servers to its path, so what is there is there.
    if shutil.which("syslog-ng", path="/usr/sbin:/sbin") is not None:
        return
    done = unpack(str(tmp_path), str(tmp_path / "unpacked"))

    assert done.returncode == 0
    assert "there is no apt-get here; the tests that need it are skipped" in done.stderr


def test_packages_no_unpacks_nothing(tmp_path: Path) -> None:
    done = unpack(str(tmp_path), str(tmp_path / "unpacked"), PACKAGES="no")

    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_what_was_unpacked_is_not_unpacked_again(tmp_path: Path) -> None:
    program = tmp_path / "usr" / "sbin" / "syslog-ng"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    done = unpack(str(tmp_path / "nothing"), str(tmp_path))

    assert (done.returncode, done.stderr) == (0, "")


def test_certificates_fit_their_keys_and_authority(certificates: Certificates) -> None:
    context = ssl.create_default_context(cafile=certificates.ca)
    context.load_cert_chain(certificates.server, certificates.server_key)
    context.load_cert_chain(certificates.client, certificates.client_key)

    assert len(certificates.pin()) == 64
    assert len(context.get_ca_certs()) == 1


def test_a_servers_certificate_may_have_another_name(tmp_path: Path) -> None:
    made = certificates(tmp_path, "siem.example")

    certificate = x509.load_pem_x509_certificate(made.server.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert names.get_values_for_type(x509.DNSName) == ["siem.example"]
    assert names.get_values_for_type(x509.IPAddress) == []
