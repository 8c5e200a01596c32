"""Identities, recipients and key files."""

from __future__ import annotations

import stat
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from watchgate.errors import ConfigurationError, RecordingUnreadable
from watchgate.recording.auditors import (
    erase,
    generate_identity,
    load_identities,
    load_recipients,
    parse_recipient,
    rewrap,
    unwrap,
    wrap,
)
from watchgate.recording.tracks import TrackKeys
from watchgate.secret import Secret

RECORDING = "01a1fc73-57e9-77f7-8f1c-548de135718b"
KEY = Secret(bytes(range(32)))


def key_file(directory: Path, *recipients: str) -> Path:
    path = directory / f"{RECORDING}.key"
    path.write_bytes(wrap(RECORDING, KEY, [parse_recipient(text) for text in recipients]))
    return path


def auditor(directory: Path, name: str = "auditor.key") -> tuple[Path, str]:
    text, recipient = generate_identity()
    path = directory / name
    path.write_text(text)
    return path, recipient


def test_every_auditor_opens_the_key(tmp_path: Path) -> None:
    (first, one), (second, two) = auditor(tmp_path, "1"), auditor(tmp_path, "2")
    path = key_file(tmp_path, one, two)

    for file in (first, second):
        keys = unwrap(path, load_identities(file), RECORDING)
        assert keys == TrackKeys.derive(KEY, bytes.fromhex(RECORDING.replace("-", "")))


def test_a_key_file_is_plain_age(tmp_path: Path) -> None:
    file, recipient = auditor(tmp_path)
    path = key_file(tmp_path, recipient)
    identity = pyrage.x25519.Identity.from_str(file.read_text().splitlines()[1])

    line = pyrage.decrypt(path.read_bytes(), [identity])

    assert line.split()[:2] == [b"watchgate-data-key-v1", RECORDING.encode()]


def test_an_ssh_key_may_be_an_auditors(tmp_path: Path) -> None:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    file = tmp_path / "id_ed25519"
    file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    path = key_file(tmp_path, public)

    assert unwrap(path, load_identities(file), RECORDING).main is not None


def test_a_rewrap_replaces_the_auditors_and_keeps_the_mode(tmp_path: Path) -> None:
    (old, one), (new, two) = auditor(tmp_path, "1"), auditor(tmp_path, "2")
    path = key_file(tmp_path, one)
    before = unwrap(path, load_identities(old), RECORDING)

    rewrap(path, load_identities(old), [two], RECORDING)

    assert unwrap(path, load_identities(new), RECORDING) == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(RecordingUnreadable, match="not wrapped to this auditor"):
        unwrap(path, load_identities(old), RECORDING)


def test_a_rewrap_to_nobody_or_to_nonsense_changes_nothing(tmp_path: Path) -> None:
    file, recipient = auditor(tmp_path)
    path = key_file(tmp_path, recipient)
    octets = path.read_bytes()

    with pytest.raises(ConfigurationError, match="not an age recipient"):
        rewrap(path, load_identities(file), ["age1nonsense"], RECORDING)
    with pytest.raises(ConfigurationError):
        rewrap(path, load_identities(file), [], RECORDING)

    assert path.read_bytes() == octets


def test_an_erased_key_is_gone_and_cannot_be_erased_twice(tmp_path: Path) -> None:
    file, recipient = auditor(tmp_path)
    path = key_file(tmp_path, recipient)
    erase(path)

    assert not path.exists()
    with pytest.raises(RecordingUnreadable, match="erased already"):
        erase(path)
    with pytest.raises(RecordingUnreadable, match="it was erased"):
        unwrap(path, load_identities(file), RECORDING)


@pytest.mark.parametrize("octets", [b"", b"age-encryption.org/v1\n", bytes(100)])
def test_a_damaged_key_file_is_named(tmp_path: Path, octets: bytes) -> None:
    file, _ = auditor(tmp_path)
    path = tmp_path / f"{RECORDING}.key"
    path.write_bytes(octets)

    with pytest.raises(RecordingUnreadable, match=RECORDING):
        unwrap(path, load_identities(file), RECORDING)


def test_a_huge_key_file_is_not_read(tmp_path: Path) -> None:
    file, _ = auditor(tmp_path)
    path = tmp_path / f"{RECORDING}.key"
    with open(path, "wb") as sparse:
        sparse.truncate(1 << 40)

    with pytest.raises(RecordingUnreadable, match="too big"):
        unwrap(path, load_identities(file), RECORDING)


@pytest.mark.parametrize("text", ["", "# only a comment\n", "AGE-SECRET-KEY-1NONSENSE\n"])
def test_a_file_without_identities_is_named_and_not_quoted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "auditor.key"
    path.write_text(text)

    with pytest.raises(ConfigurationError, match=r"auditor\.key") as caught:
        load_identities(path)

    assert "NONSENSE" not in str(caught.value)


def test_a_list_of_auditors_has_comments_and_at_least_one(tmp_path: Path) -> None:
    _, recipient = auditor(tmp_path)
    path = tmp_path / "auditors.txt"
    path.write_text(f"# the audit team\n\n{recipient}\n")
    assert load_recipients(path) == [recipient]
    path.write_text("# nobody\n")

    with pytest.raises(ConfigurationError, match=r"auditors\.txt names no auditor"):
        load_recipients(path)


def test_a_wrong_auditor_is_named_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "auditors.txt"
    path.write_text("alice@example.com\n")

    with pytest.raises(ConfigurationError, match=r"alice@example\.com.*auditors\.txt"):
        load_recipients(path)


def test_nothing_secret_is_in_a_repr(tmp_path: Path) -> None:
    file, recipient = auditor(tmp_path)
    (identity,) = load_identities(file)
    keys = TrackKeys.derive(KEY, bytes(16))

    assert repr(identity) == f"Identity({recipient})"
    assert repr(keys) == "TrackKeys(main=***, input=***)"
