"""What CI does not accept: a skipped test of real programs. And the scripts that prepare a machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .source_tree import ROOT, TESTS

SKIPPING = """
import pytest

@pytest.mark.real
def test_real(program):
    program("no-such-program-anywhere")

@pytest.mark.root
def test_root():
    pytest.skip("no loop device")

def test_other():
    pytest.skip("not today")

@pytest.mark.real
@pytest.mark.xfail(reason="known")
def test_known():
    assert False

@pytest.mark.soak
def test_long():
    assert False
"""
SKIPPED_WHOLE = "import pytest\npytest.skip('nothing here', allow_module_level=True)\n"


def outcome(directory: Path, test: str, *options: str, ci: bool) -> str:
    """The last line of pytest on *test* under the project's conftest."""
    shutil.copy(TESTS / "conftest.py", directory)
    (directory / "test_it.py").write_text(test)
    markers = "real: \n  root: \n  soak: \n"
    (directory / "pytest.ini").write_text(
        f"[pytest]\naddopts = --strict-markers\nmarkers =\n  {markers}"
    )
    environment = {k: v for k, v in os.environ.items() if k != "CI" and not k.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "."],
        cwd=directory,
        env=environment | ({"CI": "true"} if ci else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip().splitlines()[-1]


def test_a_missing_program_skips_its_test(tmp_path: Path) -> None:
    last = outcome(tmp_path, SKIPPING, ci=False)

    assert last.startswith("3 skipped, 1 deselected, 1 xfailed")


def test_in_ci_a_skipped_real_test_is_a_failure(tmp_path: Path) -> None:
    last = outcome(tmp_path, SKIPPING, ci=True)

    assert last.startswith("2 failed, 1 skipped, 1 deselected, 1 xfailed")


def test_in_ci_a_module_may_not_skip_itself(tmp_path: Path) -> None:
    assert "1 error" in outcome(tmp_path, SKIPPED_WHOLE, ci=True)
    assert "1 skipped" in outcome(tmp_path, SKIPPED_WHOLE, ci=False)


def test_long_tests_run_when_they_are_asked_for(tmp_path: Path) -> None:
    assert outcome(tmp_path, SKIPPING, "-m", "soak", ci=False).startswith("1 failed, 4 deselected")


# --- preparing a machine -------------------------------------------------------------------------


def run_script(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script of tools/ in an environment that has only what is given."""
    return subprocess.run(
        ["/bin/sh", str(ROOT / "tools" / name), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def poor_python(tmp_path: Path) -> Path:
    """A directory with nothing on it but a `python3` that lacks ensurepip, as Debian's does."""
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; *) exit 0 ;; esac\n')
    python.chmod(0o755)
    return python.parent


def test_without_ensurepip_it_says_what_to_install(poor_python: Path, tmp_path: Path) -> None:
    done = run_script("make_venv.sh", str(tmp_path / "venv"), PATH=str(poor_python))

    assert done.returncode == 1
    assert "python3-venv" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_without_sudo_it_names_the_command_for_the_missing_package(
    poor_python: Path, tmp_path: Path
) -> None:
    for name, script in (("apt-get", "exit 9"), ("id", "echo 1000"), ("sudo", "exit 1")):
        (poor_python / name).write_text(f"#!/bin/sh\n{script}\n")
        (poor_python / name).chmod(0o755)
    done = run_script("make_venv.sh", str(tmp_path / "venv"), PATH=str(poor_python))

    assert done.returncode == 1
    assert "sudo apt-get install python3-venv" in done.stderr


def test_an_old_python_is_refused_with_the_version_that_is_needed(tmp_path: Path) -> None:
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2 && exit 0\nexit 1\n')
    python.chmod(0o755)
    done = run_script("make_venv.sh", str(tmp_path / "venv"), PATH=f"{tmp_path}")

    assert done.returncode == 1
    assert "Python 3.9.2" in done.stderr
    assert "3.11" in done.stderr


def test_missing_test_programs_are_named_and_no_failure(tmp_path: Path) -> None:
    done = run_script("test_packages.sh", PATH=str(tmp_path), PACKAGES="no")

    assert done.returncode == 0
    assert "rsync" in done.stderr
    assert "are skipped" in done.stderr


def test_without_root_the_missing_packages_are_named_with_the_command(tmp_path: Path) -> None:
    for name, script in (("apt-get", "exit 9"), ("id", "echo 1000"), ("sudo", "exit 1")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    done = run_script("test_packages.sh", PATH=str(tmp_path))

    assert done.returncode == 0
    assert "sudo apt-get install" in done.stderr


def test_make_help_lists_what_can_be_made() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", str(ROOT), "help"],
        capture_output=True,
        text=True,
        check=True,
    )
    named = {line.split()[1] for line in done.stdout.splitlines()}

    assert {"demo", "test", "soak", "bench-ssh", "docs", "lint", "lock", "help"} <= named
