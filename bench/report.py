"""The result as a table for people and as JSON for the next comparison."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.spread import Spread
from bench.ways import Way

WIDTH = 130
"""Columns of the table where there is no window that has some."""


@dataclass(frozen=True, slots=True)
class Line:
    """One measurement: a figure for each way that was measured."""

    name: str
    unit: str
    values: Mapping[str, float]
    spreads: Mapping[str, Spread] = field(default_factory=dict)
    less_is_better: bool = True


def of_spreads(
    name: str, unit: str, spreads: Mapping[str, Spread], *, less_is_better: bool = True
) -> Line:
    """A line of medians."""
    medians = {way: spread.median for way, spread in spreads.items()}
    return Line(name, unit, medians, spreads, less_is_better)


def added(name: str, spreads: Mapping[str, Spread]) -> list[Line]:
    """What each way adds to `direct`, in the median and in the 99th percentile."""
    direct = spreads["direct"]
    others = {way: spread for way, spread in spreads.items() if way != "direct"}
    return [
        Line(
            f"{name}, p50",
            "ms",
            {"direct": direct.median}
            | {way: spread.median - direct.median for way, spread in others.items()},
            spreads,
        ),
        Line(
            f"{name}, p99",
            "ms",
            {"direct": direct.p99}
            | {way: spread.p99 - direct.p99 for way, spread in others.items()},
            spreads,
        ),
    ]


def show(ways: tuple[Way, ...], lines: list[Line], notes: list[str]) -> None:
    """Print the table; next to a figure its ratio to the classic bastion's, above 1 is better."""
    table = Table(title="SSH, side by side (× is against the classic bastion; above 1 is better)")
    table.add_column("")
    table.add_column("unit")
    for way in ways:
        table.add_column(way.name, justify="right")
    for line in lines:
        table.add_row(line.name, line.unit, *(_cell(line, way.name) for way in ways))
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    console.print(table)
    for way in ways:
        console.print(f"{way.name}: {way.about}")
    for note in notes:
        console.print(note)


def write(path: Path, facts: dict[str, str], options: dict[str, object], lines: list[Line]) -> None:
    """Write everything that was measured as one JSON document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "machine": facts,
        "options": options,
        "measurements": [asdict(line) for line in lines],
    }
    path.write_text(json.dumps(document, indent=2) + "\n")


def _cell(line: Line, way: str) -> str:
    value = line.values.get(way)
    if value is None:
        return "-"
    text = f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    base = line.values.get("bastion")
    if base is None or way in ("bastion", "direct") or min(base, value) <= 0:
        return text
    ratio = base / value if line.less_is_better else value / base
    return f"{text} ({ratio:.2f}×)"
