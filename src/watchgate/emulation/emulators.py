"""Keeps an emulating process at hand, and starts another when it is lost."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable

from watchgate.emulation.host import GoneError, Host
from watchgate.emulation.screen import HostedScreen
from watchgate.terminal.screen import ScreenAwayError

log = logging.getLogger(__name__)

FIRST_S = 0.2
LONGEST_S = 30.0
"""A process that did not live this long is followed by the next after twice the time, up to this."""


class Emulators:
    """Opens screens in a process that is started when the first is wanted."""

    def __init__(self, start: Callable[[], Host] = Host) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._host: Host | None = None
        self._numbers = itertools.count(1)
        self._starting: threading.Thread | None = None
        self._began = 0.0
        self._pause = FIRST_S
        self._stopped = False

    def ready(self) -> None:
        """Have a process, as long as that takes; where none can be had, screens are away."""
        with self._lock:
            if self._stopped or (self._host is not None and not self._host.over):
                return
            self._began = time.monotonic()
            try:
                self._host = self._start()
            except (OSError, GoneError) as error:
                log.error("terminals cannot be emulated: %s", error)

    def open(self, columns: int, rows: int) -> HostedScreen:
        """A screen; raises ScreenAwayError when there is no process at the moment."""
        host = self._host
        if host is not None and host.late:
            raise ScreenAwayError("the emulator is late")
        if host is None or host.over:
            self._replace()
            raise ScreenAwayError("the emulator is being started")
        return HostedScreen(host, next(self._numbers), columns, rows)

    def stop(self) -> None:
        """End the process."""
        with self._lock:
            self._stopped = True
            if self._host is not None:
                self._host.end()
                self._host = None

    def _replace(self) -> None:
        """Start another one beside the loop, not at once when the last one did not live long."""
        if self._starting is not None and self._starting.is_alive():
            return
        lived = time.monotonic() - self._began
        self._pause = FIRST_S if lived > LONGEST_S else min(2 * self._pause, LONGEST_S)
        if self._host is not None:
            log.warning("the terminal emulator is lost after %.0f s; another is started", lived)
        self._starting = threading.Thread(target=self._restart, name="emulator", daemon=True)
        self._starting.start()

    def _restart(self) -> None:
        time.sleep(self._pause)
        self.ready()
