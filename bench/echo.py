"""How long a typed octet takes to come back: real `ssh -tt` clients, one key at a time, in turns.

The target runs `cat >/dev/null`, so its terminal's own line discipline echoes: the shortest way back that there is.
The ways take turns key by key, so what the machine does besides hits all of them alike; what is reported as added
is the difference to `direct` in the same run.
"""

from __future__ import annotations

import os
import select
import time
from contextlib import ExitStack

from bench.spread import Spread
from bench.ways import Course, Way
from watchgate.demo.terminal import Terminal

GAP = 0.002
"""Seconds between two keys, so that nothing of one is still under way at the next."""
PATIENCE = 10.0
LINE = 60
"""Keys after which Enter is pressed: a terminal's line is not endless."""


def in_turns(course: Course, ways: tuple[Way, ...], keys: int) -> dict[str, Spread]:
    """The echo latency of each way in milliseconds, over *keys* keys."""
    taken: dict[str, list[float]] = {way.name: [] for way in ways}
    with ExitStack() as stack:
        typists = [(way.name, stack.enter_context(_typist(course, way))) for way in ways]
        for number in range(keys + LINE):
            # Another way is first each time: the first one after a pause finds colder caches.
            turn = number % len(typists)
            for name, typist in typists[turn:] + typists[:turn]:
                elapsed = _echo(typist, b"x")
                if number >= LINE:  # the first line warms up
                    taken[name].append(elapsed * 1000)
                time.sleep(GAP)
            if number % LINE == LINE - 1:
                for _, typist in typists:
                    _echo(typist, b"\r")
    return {name: Spread.of(values) for name, values in taken.items()}


def _typist(course: Course, way: Way) -> Terminal:
    typist = course.client.terminal("-tt", way.name, "echo rea''dy; exec cat >/dev/null")
    try:
        typist.expect("ready\r\n", 30)
    except BaseException:
        typist.close()
        raise
    return typist


def _echo(typist: Terminal, key: bytes) -> float:
    """Press *key* and wait for its echo; seconds."""
    descriptor = typist.fileno()
    wanted = b"\n" if key == b"\r" else key
    begun = time.perf_counter()
    os.write(descriptor, key)
    while True:
        ready, _, _ = select.select([descriptor], [], [], PATIENCE)
        if not ready:
            raise TimeoutError(f"no echo within {PATIENCE} s")
        if wanted in os.read(descriptor, 4096):
            return time.perf_counter() - begun
