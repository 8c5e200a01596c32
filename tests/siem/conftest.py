"""Real receivers, one of each for all tests of a file; a test of what a kill loses starts its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from . import servers


@pytest.fixture(scope="module")
def rsyslog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Receiver]:
    """A running rsyslog; skipped where it is not installed."""
    if missing := servers.rsyslog_missing():
        pytest.skip(f"not installed: {missing} (make packages)")
    with servers.rsyslog(tmp_path_factory.mktemp("rsyslog")) as receiver:
        yield receiver


@pytest.fixture(scope="module")
def syslog_ng(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Receiver]:
    """A running syslog-ng; skipped where it is not there."""
    if servers.syslog_ng_program() is None:
        pytest.skip("syslog-ng is not there (make packages)")
    with servers.syslog_ng(tmp_path_factory.mktemp("syslog_ng")) as receiver:
        yield receiver


@pytest.fixture
def certificates(tmp_path: Path) -> servers.Certificates:
    """An authority with a server and a client."""
    return servers.certificates(tmp_path / "tls")
