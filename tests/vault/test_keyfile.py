from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from watchgate.errors import ConfigurationError
from watchgate.vault import keyfile


def test_a_file_is_written_whole_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "k"
    before = os.umask(0)
    try:
        keyfile.write_private(path, b"one", "the key")
    finally:
        os.umask(before)

    assert keyfile.read_private(path, "the key") == b"one"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["k"]


def test_a_file_is_replaced_only_when_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "k"
    keyfile.write_private(path, b"one", "the key")
    with pytest.raises(ConfigurationError, match="is not overwritten"):
        keyfile.write_private(path, b"two", "the key")
    kept = path.read_bytes()
    keyfile.write_private(path, b"three", "the key", replace=True)

    assert kept == b"one"
    assert path.read_bytes() == b"three"
    assert [entry.name for entry in tmp_path.iterdir()] == ["k"]


def test_what_a_crash_left_beside_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "k.new").write_bytes(b"half a k")
    (tmp_path / "k.new").chmod(0o644)
    keyfile.write_private(tmp_path / "k", b"one", "the key")

    assert keyfile.read_private(tmp_path / "k", "the key") == b"one"


def test_a_directory_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written: No such file"):
        keyfile.write_private(tmp_path / "no" / "k", b"one", "the key")


def test_a_pipe_in_the_place_of_a_key_does_not_make_us_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "k", 0o600)

    assert keyfile.read_private(tmp_path / "k", "the key") == b""


def test_a_file_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "k"
    path.write_bytes(b"x" * (keyfile.CEILING + 1))
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="too long for a key"):
        keyfile.read_private(path, "the key")
