"""What holds for every test: which programs it may count on, and when a skip is a failure.

A test of real ends asks for its programs by the fixture `program`, and is skipped where one is
missing. In CI nothing may be lost that way: there a skipped test that is marked `real` or `root` is a
failure, and so is a module that skips itself.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

# `bench` lies beside `tests`, and the same real servers serve both.
ROOT = str(Path(__file__).parent.parent)
if ROOT not in sys.path:
    sys.path.append(ROOT)

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}
MUST_RUN_IN_CI = ("real", "root")
SYSTEM_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


@pytest.fixture
def program() -> Callable[[str], str]:
    """`program("sshd")` is the path of that program; the test is skipped when there is none."""

    def find(name: str) -> str:
        path = shutil.which(name, path=SYSTEM_PATH)
        if path is None:
            pytest.skip(f"the program {name} is not installed (make packages)")
        return path

    return find


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long tests unless `-m` asks for them."""
    if "soak" in config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker("soak")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("soak")]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs root where we are not."""
    if item.get_closest_marker("root") and os.geteuid() != 0:
        pytest.skip("needs root")


def _skip_is_failure(item: pytest.Item) -> bool:
    return IN_CI and any(item.get_closest_marker(name) for name in MUST_RUN_IN_CI)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a test that must run into a failure."""
    report = yield
    expected_failure = hasattr(report, "wasxfail")
    if report.skipped and not expected_failure and _skip_is_failure(item):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not accept: {_reason(report.longrepr)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole module into a failure in CI."""
    report = yield
    if IN_CI and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = (
            f"skipped as a whole, which CI does not accept: {_reason(report.longrepr)}"
        )
    return report


def _reason(longrepr: object) -> str:
    """The words of a skip out of pytest's (file, line, reason)."""
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
