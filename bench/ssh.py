"""`python -m bench.ssh`: SSH through Watchgate beside a direct login, a jump host and the classic bastion.

Everything runs on this machine in one run, the ways in turns, so the figures of one run can be compared with
each other and with no others. The clients, the target and whatever lies between share its cores.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from bench import bulk, cost, echo, machine, opening, report
from bench.load import Load
from bench.report import Line
from bench.ways import Course, Way, course

WAYS = ("jump", "bastion", "watchgate", "unrecorded")
QUICK = "bastion,watchgate"
PARTS = ("echo", "load", "prompt", "rate", "memory", "bulk")
RESULTS = Path(__file__).parent / "results"
ECHO = "echo: direct shows its own time, the others what they add to it in the same run"
SETTLING = 1.5
"""Seconds after which what was opened is counted: a recorder writes twice a second."""


def run(
    quick: Annotated[bool, typer.Option("--quick", help="A minute, to see that it works.")] = False,
    others: Annotated[int, typer.Option(help="Sessions that type beside the measured one.")] = 200,
    idle: Annotated[int, typer.Option(help="Idle sessions whose memory is measured.")] = 100,
    repeats: Annotated[int, typer.Option(help="How often bulk transfers are repeated.")] = 3,
    size: Annotated[int, typer.Option(help="MiB of command output; files are half of it.")] = 512,
    ways: Annotated[
        str | None, typer.Option(help=f"Which of {','.join(WAYS)}; else all, or {QUICK}.")
    ] = None,
    parts: Annotated[str, typer.Option(help="Which measurements, by commas.")] = ",".join(PARTS),
    work: Annotated[Path | None, typer.Option(help="Where the files lie while it runs.")] = None,
) -> None:
    """Measure, print a table, and write bench/results/ssh-*.json."""
    facts = machine.facts()
    chosen = tuple(parts.split(","))
    if quick:
        others, idle, repeats, size = min(others, 4), min(idle, 5), 1, min(size, 16)
    plan = _Plan(quick, others, idle, repeats, size)
    with (
        tempfile.TemporaryDirectory(prefix="bench-ssh-", dir=work) as directory,
        course(
            Path(directory), tuple((ways or (QUICK if quick else ",".join(WAYS))).split(","))
        ) as ground,
    ):
        lines = [line for part in chosen for line in plan.parts()[part](ground)]
        notes = [ECHO, *ground.notes, *(f"{name}: {fact}" for name, fact in facts.items())]
        report.show(ground.ways, lines, notes)
    path = RESULTS / f"ssh-{time.strftime('%Y%m%d-%H%M%S')}.json"
    options: dict[str, object] = {"quick": quick, "others": others, "idle": idle}
    report.write(path, facts, options | {"repeats": repeats, "size": size}, lines)
    typer.echo(f"written: {path}")


class _Plan:
    """How much of everything is measured."""

    def __init__(self, quick: bool, others: int, idle: int, repeats: int, size: int) -> None:
        self._quick = quick
        self._others = others
        self._idle = idle
        self._repeats = repeats
        self._size = size

    def parts(self) -> dict[str, Callable[[Course], list[Line]]]:
        """Each part of the bench by its name."""
        return {
            "echo": self._echo,
            "load": self._loaded,
            "prompt": self._prompt,
            "rate": self._rate,
            "memory": self._memory,
            "bulk": self._bulk,
        }

    def _echo(self, course: Course) -> list[Line]:
        _tell("echo of a key, nobody else there")
        spreads = echo.in_turns(course, course.ways, 200 if self._quick else 2000)
        return report.added("added echo", spreads)

    def _loaded(self, course: Course) -> list[Line]:
        """The echo beside others, and what they cost the way that they go."""
        load, keys = Load(self._others), 30 if self._quick else 600
        direct, taken, used = [], {}, {}
        for way in course.ways[1:]:
            _tell(f"echo of a key beside {self._others} others through {way.name}")
            with load.running(course, way):
                used[way.name] = self._processor(way) / self._others * 1e6
                spreads = echo.in_turns(course, (course.direct, way), keys)
            direct.append(spreads["direct"])
            taken[way.name] = spreads[way.name]
        if not direct:
            return []
        name = f"added echo, {self._others} others"
        # Each way is compared with the direct one of its own load.
        p50 = {w: s.median - d.median for (w, s), d in zip(taken.items(), direct, strict=True)}
        p99 = {w: s.p99 - d.p99 for (w, s), d in zip(taken.items(), direct, strict=True)}
        return [
            Line(f"{name}, p50", "ms", {"direct": direct[-1].median} | p50, taken),
            Line(f"{name}, p99", "ms", {"direct": direct[-1].p99} | p99, taken),
            Line("processor, a typing session", "µs/s", used),
        ]

    def _processor(self, way: Way) -> float:
        """How much of a core the way uses now, before anything else is measured."""
        seconds = 2 if self._quick else 10
        before = cost.processor(way.pid)
        time.sleep(seconds)
        return (cost.processor(way.pid) - before) / seconds

    def _prompt(self, course: Course) -> list[Line]:
        _tell("time to the first prompt")
        spreads = opening.first_prompt(course, 2 if self._quick else 20)
        return [report.of_spreads("first prompt", "ms", spreads)]

    def _rate(self, course: Course) -> list[Line]:
        _tell("sessions opened per second")
        spreads = opening.per_second(course, *((6, 1) if self._quick else (40, 3)))
        return [report.of_spreads("sessions opened", "1/s", spreads, less_is_better=False)]

    def _memory(self, course: Course) -> list[Line]:
        values = {}
        for way in course.ways[1:]:
            _tell(f"memory of {self._idle} idle sessions through {way.name}")
            values[way.name] = _memory_of(course, way, self._idle)
        return [Line("memory, an idle session", "kB", values)]

    def _bulk(self, course: Course) -> list[Line]:
        sizes = bulk.Sizes.of(self._size)
        bulk.prepare(course.files, sizes)
        lines = []
        for name, moved in bulk.measure(course, sizes, self._repeats, _tell).items():
            lines.append(report.of_spreads(name, "MiB/s", moved.rates, less_is_better=False))
            if moved.kept:
                lines.append(Line(f"{name}: on disk", "of raw", moved.kept))
        return lines


def _memory_of(course: Course, way: Way, sessions: int) -> float:
    """What one of so many idle sessions adds to the way's process tree, in kB."""
    with Load(4, 0).running(course, way):  # what is loaded once is no session's
        pass
    time.sleep(SETTLING)
    before = cost.memory(way.pid)
    with Load(sessions, 0).running(course, way):
        time.sleep(SETTLING)
        return (cost.memory(way.pid) - before) / sessions / 1000


def _tell(what: str) -> None:
    typer.echo(f"… {what}", file=sys.stderr)


if __name__ == "__main__":
    typer.run(run)
