"""Where things lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchgate import layout


def test_everything_lies_below_the_data_directory() -> None:
    paths = layout.Paths.under(Path("/gate"))
    files = [paths.settings, paths.catalog, paths.host_key, paths.evidence_key, paths.vault_key]

    assert all(file.is_relative_to("/gate") for file in [*files, *paths.directories])
    assert paths.control_socket == Path("/gate/run/control.sock")
    assert paths.auditors == Path("/gate/keys/auditors.txt")


def test_the_data_directory_is_the_one_that_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHGATE_DATA", "/elsewhere")

    assert layout.default_data_directory() == Path("/elsewhere")


def test_root_has_its_data_in_var(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHGATE_DATA", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 0)

    assert layout.default_data_directory() == Path("/var/lib/watchgate")


def test_a_user_has_it_where_programs_keep_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHGATE_DATA", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_DATA_HOME", "/home/alice/share")

    assert layout.default_data_directory() == Path("/home/alice/share/watchgate")
