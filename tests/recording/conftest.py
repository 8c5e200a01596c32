"""Fixtures for everything about recordings."""

from __future__ import annotations

from pathlib import Path

import pytest
from recording_world import Disk, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A store, an auditor and an evidence key in a fresh directory."""
    return World.at(tmp_path, minimum_free=0)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A disk that fails where a test says."""
    return Disk(monkeypatch)
