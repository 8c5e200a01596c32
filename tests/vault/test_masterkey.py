from __future__ import annotations

import contextlib
import secrets
import stat
from pathlib import Path

import pytest

from watchgate.errors import ConfigurationError
from watchgate.secret import Secret
from watchgate.vault import masterkey


def test_a_key_comes_back_from_its_file(tmp_path: Path) -> None:
    path, key = tmp_path / "vault.key", masterkey.generate(secrets.token_bytes)
    masterkey.save(path, key)

    assert masterkey.load(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["vault.key"]


def test_a_key_does_not_show_itself() -> None:
    key = masterkey.MasterKey.of(b"k" * 32)

    assert "kkk" not in repr(key)
    assert key.secret == Secret(b"k" * 32)


def test_a_key_is_not_overwritten(tmp_path: Path) -> None:
    path, key = tmp_path / "vault.key", masterkey.generate(secrets.token_bytes)
    masterkey.save(path, key)
    with pytest.raises(ConfigurationError, match="is there already"):
        masterkey.save(path, masterkey.generate(secrets.token_bytes))

    assert masterkey.load(path) == key
    assert [entry.name for entry in tmp_path.iterdir()] == ["vault.key"]


def test_every_altered_character_of_the_key_line_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    masterkey.save(path, masterkey.MasterKey.of(bytes(range(32))))
    text = path.read_text()
    start = text.index("watchgate-vault-v1")
    accepted = []
    for position in range(start, len(text) - 1):
        other = "B" if text[position] != "B" else "C"
        path.write_text(text[:position] + other + text[position + 1 :])
        with contextlib.suppress(ConfigurationError):
            masterkey.load(path)
            accepted.append(position)

    # The last letter before base64's `=` holds bits that mean nothing.
    assert [position for position in accepted if text[position + 1] != "="] == []


@pytest.mark.parametrize("content", ["", "# only a comment\n", "x\n", "a b c\n" * 2, "\0" * 70_000])
def test_what_is_no_key_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "vault.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match=r"vault\.key is"):
        masterkey.load(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "vault.key"
    masterkey.save(path, masterkey.generate(secrets.token_bytes))
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod 600") as caught:
        masterkey.load(path)

    assert caught.value.code == "key.permissions"


def test_a_missing_key_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is missing; put it back") as caught:
        masterkey.load(tmp_path / "vault.key")

    assert caught.value.code == "key.missing"


def test_a_directory_in_the_place_of_a_key_is_said(tmp_path: Path) -> None:
    (tmp_path / "vault.key").mkdir(mode=0o700)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        masterkey.load(tmp_path / "vault.key")
