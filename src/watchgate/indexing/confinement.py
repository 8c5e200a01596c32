"""What the index worker gives up before it reads anything hostile.

It keeps its user, and may read and write what the gateway may: this is about dying harmlessly and leaving
no keys behind, and no sandbox.
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


def confine(memory: int = MEMORY) -> None:
    """Be nice, leave no core dump, stay within *memory*, and die with the gateway and not before.

    A terminal's Ctrl-C and a service manager's SIGTERM reach the whole group: the gateway ends the worker
    itself, when what was sealed is indexed.
    """
    os.umask(0o077)
    with contextlib.suppress(OSError):
        # A service manager may forbid it (systemd's filter `@resources`); then it is not nice.
        os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    if most != resource.RLIM_INFINITY:
        memory = min(memory, most)
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    process = ctypes.CDLL(None, use_errno=True)
    # prctl(2): not dumpable also means that no other process of this user may trace it and see keys.
    process.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    process.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    process.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
