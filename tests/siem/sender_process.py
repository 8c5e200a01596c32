"""Delivery as a process of its own, for tests that kill it: `python sender_process.py DATA`.

It reads the sinks from the settings in DATA, delivers from its catalog, and ends when its stdin closes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from watchgate.catalog.database import Catalog
from watchgate.clock import SystemClock
from watchgate.settings import load
from watchgate.siem.delivery import Delivery
from watchgate.siem.fact import Host
from watchgate.siem.sender import Pace

PACE = Pace(batch=50, look=0.02, save=0.05, upkeep=0.2, first_wait=0.05, longest_wait=0.2)


def main(data: Path) -> None:
    settings = load(data, environment={})
    with Catalog.open(data / "catalog.db") as catalog:
        delivery = Delivery(
            catalog,
            settings.siem.sinks,
            Host("gate1", "1.0"),
            data=data,
            backlog=settings.siem.backlog,
            clock=SystemClock(),
            pace=PACE,
        )
        delivery.start()
        sys.stdin.read()
        delivery.stop(5.0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
