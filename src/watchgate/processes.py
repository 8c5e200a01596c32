"""What the gateway's own processes are given, and how their end is told."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path

import watchgate

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH")


def little_environment(ours: Mapping[str, str]) -> dict[str, str]:
    """Little of our environment: settings, and secrets in them, are none of their business."""
    kept = {name: ours[name] for name in _KEPT if name in ours}
    # The same Watchgate as here, wherever it was found.
    places = [
        str(Path(watchgate.__file__).parent.parent),
        *ours.get("PYTHONPATH", "").split(os.pathsep),
    ]
    kept["PYTHONPATH"] = os.pathsep.join(os.path.abspath(place) for place in places if place)
    return kept


def ending(status: int) -> str:
    """How a process ended, in words; empty: in order."""
    if status == 0:
        return ""
    if status > 0:
        return f"it ended with status {status}"
    try:
        return f"it was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"it was ended by signal {-status}"
