"""Where and with what it was measured: a figure without that says nothing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import time
from pathlib import Path


def facts() -> dict[str, str]:
    """The machine, its load before anything was started, and the versions of what is measured."""
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "load before (1, 5, 15 min)": load,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "openssh": _openssh(),
        **{name: _version(name) for name in ("watchgate", "asyncssh", "uvloop", "cryptography")},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _openssh() -> str:
    done = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=False)
    return done.stderr.strip()


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "from source"
