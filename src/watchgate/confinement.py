"""What a process of the gateway's gives up before it reads anything hostile.

It keeps its user: this is about dying harmlessly and leaving no keys behind, and no sandbox.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal

MEMORY = 2 << 30
"""Octets of memory of its own; beyond that it dies, and is started again."""
_NICE = 10
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


def keep_secrets() -> None:
    """Leave no core dump, and let no other process of this user trace this one and see its keys (prctl(2))."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def confine(memory: int = MEMORY, *, nice: bool = True, files: bool = True) -> None:
    """Leave no core dump, stay within *memory*, and outlive what ends the whole group.

    A terminal's Ctrl-C and a service manager's SIGTERM reach the whole group: the gateway ends its processes
    itself. A *nice* one gives way to others, and dies with the thread that started it; without *files* it
    opens none any more.
    """
    os.umask(0o077)
    if nice:
        with contextlib.suppress(OSError):
            # A service manager may forbid it (systemd's filter `@resources`); then it is not nice.
            os.nice(_NICE)
    if not files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    if most != resource.RLIM_INFINITY:
        memory = min(memory, most)
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    keep_secrets()
    process = ctypes.CDLL(None, use_errno=True)
    process.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if nice:
        process.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
