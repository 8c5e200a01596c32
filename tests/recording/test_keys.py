"""The evidence key: made once, kept 0600, its public half one line."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from watchgate.errors import ConfigurationError
from watchgate.recording.keys import EvidenceKey, EvidencePublicKey


def test_a_saved_key_is_the_same_key(tmp_path: Path) -> None:
    key = EvidenceKey.generate()
    path = tmp_path / "evidence_ed25519.pem"
    key.save(path)

    assert EvidenceKey.load(path).public == key.public
    assert EvidencePublicKey.load(tmp_path / "evidence.pub") == [key.public]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "evidence.pem"
    EvidenceKey.generate().save(path)

    with pytest.raises(ConfigurationError, match=r"evidence\.pem is there already"):
        EvidenceKey.generate().save(path)


def test_a_signature_is_of_its_message_and_key() -> None:
    key, other = EvidenceKey(bytes(32)), EvidenceKey(bytes(range(32)))
    signature = key.sign(b"message")

    assert key.public.verifies(signature, b"message")
    assert not key.public.verifies(signature, b"messagf")
    assert not other.public.verifies(signature, b"message")
    assert not key.public.verifies(b"short", b"message")


def test_the_private_half_is_not_shown() -> None:
    key = EvidenceKey(b"\x07" * 32)

    assert repr(key) == f"EvidenceKey({key.public.fingerprint})"


def test_a_file_of_public_keys_holds_old_and_new_and_comments(tmp_path: Path) -> None:
    keys = [EvidenceKey(bytes([n]) * 32).public for n in range(2)]
    path = tmp_path / "evidence.pub"
    path.write_text(f"# until 2026\n{keys[0].line()}\n\n{keys[1].line()}  # now\n")

    assert EvidencePublicKey.load(path) == keys


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "ssh-ed25519 AAAA",
        "watchgate-evidence-v1",
        "watchgate-evidence-v1 !!",
        "watchgate-evidence-v1 AAAA",
    ],
)
def test_what_is_no_public_key_names_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "evidence.pub"
    path.write_text(text)

    with pytest.raises(ConfigurationError, match=r"evidence\.pub"):
        EvidencePublicKey.load(path)


@pytest.mark.parametrize("octets", [b"", b"-----BEGIN PRIVATE KEY-----\n", b"\xff\xfe"])
def test_what_is_no_private_key_names_the_file(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "evidence.pem"
    path.write_bytes(octets)

    with pytest.raises(ConfigurationError, match=r"evidence\.pem"):
        EvidenceKey.load(path)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evidence.pem"
    key = generate_private_key(SECP256R1())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    with pytest.raises(ConfigurationError, match="Ed25519"):
        EvidenceKey.load(path)


def test_a_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.pem: No such file"):
        EvidenceKey.load(tmp_path / "absent.pem")
