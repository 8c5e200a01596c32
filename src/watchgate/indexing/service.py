"""The worker's process: orders come in over one descriptor, answers go out over the other.

It ends when the first is closed, at once: then there is no gateway any more, and what is not indexed is
indexed when somebody brings the keys.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Sequence
from pathlib import Path

from watchgate.catalog.search.model import SearchBackend
from watchgate.clock import Clock
from watchgate.errors import WatchgateError
from watchgate.indexing.documents import OpenScreen
from watchgate.indexing.wire import (
    Begin,
    Finish,
    Lines,
    Order,
    Said,
    SetAside,
    Stuck,
    Told,
    pack_said,
    parse_told,
    reason,
)
from watchgate.indexing.worker import Worker, stuck

_READ = 65_536
_UPKEEP_US = 3_600_000_000


class Service:
    """Serves one gateway."""

    def __init__(
        self,
        heard: int,
        said: int,
        open_index: Callable[[Path], SearchBackend],
        open_screen: OpenScreen,
        clock: Clock,
        upkeep: Callable[[SearchBackend], object] | None = None,
        mend: Callable[[SearchBackend], Sequence[str]] | None = None,
    ) -> None:
        """*upkeep* is done to the index in quiet moments, and at least an hour apart.

        *mend* is done before anything is asked of it, and gives sentences on what was lost.
        """
        self._heard = heard
        self._said = said
        self._open_index = open_index
        self._open_screen = open_screen
        self._clock = clock
        self._upkeep = upkeep
        self._mend = mend
        self._upkeep_us = clock.monotonic_us()
        self._lines = Lines()
        self._worker: Worker | None = None
        self._index: SearchBackend | None = None
        self._finishing = False

    def serve(self) -> None:
        """Work until the gateway says that it is enough, or is gone."""
        try:
            while self._listen():
                worker = self._worker
                if worker is None or worker.step():
                    continue
                if self._finishing and worker.settled:
                    return
                self._rest()
        except BrokenPipeError:
            return  # nobody hears the answers
        finally:
            if self._index is not None:
                self._index.close()

    def _rest(self) -> None:
        now = self._clock.monotonic_us()
        if self._upkeep is None or self._index is None or now < self._upkeep_us:
            return
        self._upkeep_us = now + _UPKEEP_US
        try:
            self._upkeep(self._index)
        except WatchgateError as error:
            self._say(stuck(error))

    def _listen(self) -> bool:
        """Take the orders that wait; without work, wait for them. False when there will be none."""
        wait = None if self._worker is None else self._worker.wait_us / 1e6
        if not select.select([self._heard], [], [], wait)[0]:
            return True
        data = os.read(self._heard, _READ)
        for line in self._lines.feed(data):
            self._told(parse_told(line))
        return bool(data)

    def _told(self, told: Told) -> None:
        match told:
            case Begin(directory) if self._worker is None:
                self._index = self._open_index(directory)
                self._worker = Worker(self._index, self._open_screen, self._clock, self._say)
                if self._mend is not None and (lost := self._mend(self._index)):
                    self._say(Stuck(reason("; ".join(lost)), lost=True))
            case Order() if self._worker is not None:
                self._worker.follow(told)
            case SetAside() if self._worker is not None:
                self._worker.set_aside(told)
            case Finish() if self._worker is not None:
                self._finishing = True
                self._worker.look()
            case _:
                raise ValueError("orders out of order")

    def _say(self, said: Said) -> None:
        view = memoryview(pack_said(said))
        while view:
            view = view[os.write(self._said, view) :]
