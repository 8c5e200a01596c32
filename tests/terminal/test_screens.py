"""Which emulator a screen is opened with."""

from __future__ import annotations

import subprocess
import sys

import pytest

from watchgate.errors import ConfigurationError
from watchgate.terminal.screen_ghostty import GhosttyScreen
from watchgate.terminal.screen_pyte import PyteScreen
from watchgate.terminal.screens import open_screen


def test_the_fast_emulator_is_used_where_it_is_installed() -> None:
    assert isinstance(open_screen(80, 24), GhosttyScreen)


def test_without_the_fast_emulator_the_slow_one_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    missing(monkeypatch, "watchgate.terminal.screen_ghostty")

    assert isinstance(open_screen(80, 24), PyteScreen)


def test_without_any_emulator_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    missing(monkeypatch, "watchgate.terminal.screen_ghostty")
    missing(monkeypatch, "watchgate.terminal.screen_pyte")

    with pytest.raises(
        ConfigurationError, match=r"install pyghostty, or.*watchgate\[pyte\]"
    ) as caught:
        open_screen(80, 24)
    assert caught.value.code == "terminal.emulator"


def test_no_emulator_is_loaded_before_a_screen_is_opened() -> None:
    program = (
        "import sys, watchgate.terminal.screens, watchgate.terminal.lazy, watchgate.terminal.player\n"
        "assert not {'pyghostty', 'cffi', 'pyte'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)

    assert (done.returncode, done.stderr) == (0, b"")


def missing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, name, None)
