"""How secrets come in: from a file, standard input, or a terminal that does not echo."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from watchgate.cli import secrets
from watchgate.errors import ConfigurationError


def give(monkeypatch: pytest.MonkeyPatch, octets: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(octets)))


@pytest.mark.parametrize(
    ("octets", "secret"),
    [(b"a b ", b"a b "), (b"x\n", b"x"), (b"x\r\n", b"x"), (b"x\n\n", b"x\n"), (b"\xff", b"\xff")],
)
def test_only_the_line_break_at_the_end_is_taken_off(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, octets: bytes, secret: bytes
) -> None:
    file = tmp_path / "secret"
    file.write_bytes(octets)
    give(monkeypatch, octets)

    assert secrets.from_file(file).reveal() == secret
    assert secrets.from_standard_input().reveal() == secret


@pytest.mark.parametrize("octets", [b"", b"\n", b"x" * (secrets.CEILING + 2)])
def test_nothing_and_too_much_are_refused(monkeypatch: pytest.MonkeyPatch, octets: bytes) -> None:
    give(monkeypatch, octets)

    with pytest.raises(ConfigurationError, match="standard input"):
        secrets.from_standard_input()


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"{tmp_path} cannot be read"):
        secrets.from_file(tmp_path)


def test_one_source_is_enough(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="choose one"):
        secrets.chosen("password", tmp_path / "x", True, twice=False)


def test_a_typed_secret_is_not_echoed() -> None:
    master, slave = pty.openpty()
    program = (
        "from watchgate.cli.secrets import typed;"
        "print('LENGTH', len(typed('Password', twice=False).reveal()))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    deadline = time.monotonic() + 20
    # What is typed before the echo is off is thrown away, so that is waited for.
    while termios.tcgetattr(master)[3] & termios.ECHO:
        assert time.monotonic() < deadline, "the echo was not turned off"
        time.sleep(0.01)
    os.write(master, b"hunter2hunter2\n")
    process.wait(20)
    shown = os.read(master, 4096)
    os.close(slave)
    os.close(master)

    assert b"LENGTH 14" in shown
    assert b"hunter2" not in shown
