"""What processes give up holds."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import ctypes, os, resource
from watchgate.confinement import confine, keep_secrets
{call}
prctl = ctypes.CDLL(None).prctl
print(prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE), prctl(39, 0, 0, 0, 0))
try:
    open("/dev/null")
    print("opens")
except OSError as error:
    print(type(error).__name__)
"""


def told(call: str) -> list[str]:
    """What a process says after *call*: dumpable, core limit, no new privileges; and whether it opens a file."""
    program = PROGRAM.format(call=call)
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    return done.stdout.decode().splitlines()


def test_who_keeps_secrets_leaves_no_dump_and_is_traced_by_nobody() -> None:
    assert told("")[0].startswith("1 ")
    assert told("keep_secrets()") == ["0 (0, 0) 0", "opens"]


def test_who_is_confined_gains_nothing_any_more() -> None:
    assert told("confine(nice=False)") == ["0 (0, 0) 1", "opens"]


def test_who_needs_no_files_opens_none() -> None:
    assert told("confine(nice=False, files=False)") == ["0 (0, 0) 1", "OSError"]
