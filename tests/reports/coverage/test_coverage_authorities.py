"""The gateway's CA by the fingerprint that sshd logs."""

from __future__ import annotations

from pathlib import Path

import asyncssh

from watchgate.reports.coverage.authorities import fingerprints


def test_the_ca_of_now_and_those_of_before_are_known(tmp_path: Path) -> None:
    keys = [asyncssh.generate_private_key("ssh-ed25519", comment="ca") for _ in range(2)]
    lines = b"# before\n" + b"".join(key.export_public_key("openssh") for key in keys) + b"junk !\n"
    path = tmp_path / "ca.pub"
    path.write_bytes(lines)

    assert fingerprints(path) == {key.get_fingerprint() for key in keys}


def test_without_the_file_nothing_is_compared(tmp_path: Path) -> None:
    assert fingerprints(tmp_path / "gone") == frozenset()
