"""With hooks an operator sees, octet by octet, what he would see without; and the history file is the same."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from shell_seat import Seat, seat

from watchgate.terminal.screens import open_screen

RC = {
    "bash": "HISTCONTROL=ignoreboth\nHISTSIZE=100\necho welcome",
    "bash_old": "HISTCONTROL=ignoreboth\nHISTSIZE=100\necho welcome",
    "zsh": "setopt hist_ignore_space\necho welcome",
    "fish": "echo welcome\nset -g fish_autosuggestion_enabled 0",
}
LINES = (
    b"echo one\r",
    b"echo one\r",
    b" echo spaced\r",
    b"false\r",
    b"\r",
    b"ls -la /etc/hostname | cat\r",
    b"echo 'a\rb'\r",
    b"nosuchcommand\r",
    b"echo abc\x7f\x7fx\r",
    b"cd /\r",
    b"echo \xc3\xa9\xe2\x82\xac\r",
    b"\x1b[A\x1b[A\r",
    b"echo no\x03",
)


def watched(shell: str, home: Path, *, hooks: bool) -> tuple[bytes, bytes]:
    """What is seen of `LINES` typed to *shell*, and the history that it leaves."""
    home.mkdir()
    (home / ".history").write_text("echo before\n")
    one = seat(shell, home, RC[shell])
    try:
        if hooks:
            assert one.install(old=shell == "bash_old").installed
        one.settle(0.15)
        for line in LINES:
            _by_keys(one, line)
            one.settle(0.08)
        _by_keys(one, b"exit\r")
        one.settle(0.2)
        seen = bytes(one.seen)
    finally:
        one.leave()
    kept = home / (".local/share/fish/fish_history" if shell == "fish" else ".history")
    return seen.replace(bytes(home), b"~"), kept.read_bytes()


def _by_keys(one: Seat, line: bytes) -> None:
    """As a person types: fish has colored the line when Enter comes."""
    for index in range(len(line)):
        if line[index : index + 1] in (b"\r", b"\x03"):
            one.settle(0.06)
        one.type(line[index : index + 1])
    one.watch(0.1)


@pytest.mark.real
@pytest.mark.parametrize(
    "shell", ["bash", pytest.param("bash_old", marks=pytest.mark.soak), "zsh", "fish"]
)
def test_the_operator_sees_the_same(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell.removesuffix("_old")) is None:
        pytest.skip(f"there is no {shell}")

    without, history = watched(shell, tmp_path / "without", hooks=False)
    within, kept = watched(shell, tmp_path / "within_", hooks=True)

    assert _comparable(within, shell) == _comparable(without, shell)
    # fish writes entries of one second in either order, and a line that was run again once or twice.
    assert set(re.sub(rb"when: \d+", b"", kept).split(b"- cmd: ")) == set(
        re.sub(rb"when: \d+", b"", history).split(b"- cmd: ")
    )
    assert b"7717" not in within
    assert b"__wg" not in within


def _comparable(seen: bytes, shell: str) -> bytes:
    """*seen*, the homes taken for one; of fish, which colors its line as it finds the time, what stands there."""
    seen = seen.replace(b"without", b"within_")
    if shell != "fish":
        return seen
    screen = open_screen(80, 200)
    screen.feed(seen)
    return "\n".join(row.text for row in screen.lines()).encode()
