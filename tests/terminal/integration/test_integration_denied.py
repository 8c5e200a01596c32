"""What is refused does not run, however a real shell was made to take it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from denials import HISTORY, attempts
from shell_seat import Seat, hits_denied, seat

SHELLS = ("bash", "bash_old", "zsh", "fish")
MACRO = {
    "bash": """bind '"\\C-t": "touch HITmacro\\C-m"'""",
    "zsh": "bindkey -s '^T' 'touch HITmacro^M'",
    "fish": "",
}


def deny_all(shell: str, home: Path, count: int) -> Seat:
    """Everything in `denials` typed to *shell*; gives the seat, left."""
    kind = shell.removesuffix("_old")
    (home / ".history").write_text(HISTORY)
    one = seat(shell, home, MACRO[kind], permits=hits_denied)
    try:
        assert one.install(old=shell.endswith("_old")).installed
        for attempt in attempts(kind, count):
            stood, lines = one.stood, len(one.lines)
            one.type(attempt.octets)
            one.until_told(lines + 1, stood + attempt.prompts)
        before = one.stood
        one.type(b"echo over\r")
        one.until(lambda: one.stood > before)
    finally:
        one.leave()
    return one


@pytest.mark.real
@pytest.mark.parametrize("shell", SHELLS)
def test_nothing_that_is_refused_runs(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell.removesuffix("_old")) is None:
        pytest.skip(f"there is no {shell}")

    one = deny_all(shell, tmp_path, 150)

    assert sorted(path.name for path in tmp_path.iterdir() if "HIT" in path.name) == []
    assert len([line for line in one.lines if "HIT" in line.text]) >= 150
    assert one.lines[-1].text == "echo over"
    assert b"\r\nover\r\n" in bytes(one.seen) or b"\rover\r\n" in bytes(one.seen)
    assert one.tampered == []


@pytest.mark.real
@pytest.mark.soak
@pytest.mark.parametrize("shell", SHELLS)
def test_nothing_that_is_refused_runs_in_the_long_run(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell.removesuffix("_old")) is None:
        pytest.skip(f"there is no {shell}")

    one = deny_all(shell, tmp_path, 800)

    assert [path.name for path in tmp_path.iterdir() if "HIT" in path.name] == []
    assert len([line for line in one.lines if "HIT" in line.text]) >= 800
