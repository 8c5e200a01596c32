"""How long it takes to get in: until the first prompt, and how many sessions a second."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor

from bench.spread import Spread
from bench.ways import Course, Way

PROMPT = re.compile(rb"[$#%>] (?:\x1b\[[?0-9;]*[a-zA-Z])*$")
AT_ONCE = 4


def first_prompt(course: Course, repeats: int) -> dict[str, Spread]:
    """Milliseconds from starting `ssh -tt` until its shell's prompt is there, the ways in turns."""
    taken: dict[str, list[float]] = {way.name: [] for way in course.ways}
    for _ in range(repeats):
        for way in course.ways:
            begun = time.perf_counter()
            with course.client.terminal("-tt", way.name) as person:
                person.expect(PROMPT, 30)
                taken[way.name].append((time.perf_counter() - begun) * 1000)
                person.send("exit\r")
                person.wait(30)
    return {name: Spread.of(values) for name, values in taken.items()}


def per_second(course: Course, sessions: int, repeats: int) -> dict[str, Spread]:
    """Whole sessions (`ssh HOST true`) a second with four clients at a time, the ways in turns."""
    rates: dict[str, list[float]] = {way.name: [] for way in course.ways}
    for _ in range(repeats):
        for way in course.ways:
            begun = time.perf_counter()
            with ThreadPoolExecutor(AT_ONCE) as clients:
                for status in clients.map(lambda way: _visit(course, way), [way] * sessions):
                    if status:
                        raise RuntimeError(f"a session through {way.name} ended with {status}")
            rates[way.name].append(sessions / (time.perf_counter() - begun))
    return {name: Spread.of(values) for name, values in rates.items()}


def _visit(course: Course, way: Way) -> int:
    return course.client.ssh(way.name, "true", timeout=60).returncode
