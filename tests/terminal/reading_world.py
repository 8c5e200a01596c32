"""Captured terminals for the tests of the reader: records as `bench.reading --save` keeps them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from watchgate.terminal.findings import Command, Finding, ScreenText
from watchgate.terminal.reading import TerminalReader
from watchgate.terminal.screens import open_screen

READINGS = Path(__file__).parent / "data/readings"


@dataclass(frozen=True, slots=True)
class Capture:
    """The records of one terminal, and the commands that were given in it."""

    columns: int
    rows: int
    commands: tuple[tuple[str | None, str], ...]
    records: tuple[tuple[int, str, Any], ...]
    """Time, kind (`o` output, `i` input, `r` redacted, `s` size), and what."""


def capture(name: str) -> Capture:
    """The capture of that name."""
    text = (READINGS / f"{name}.jsonl").read_text()
    head, *lines = (json.loads(line) for line in text.splitlines())
    commands = tuple((program, text) for program, text in head.get("commands", ()))
    records = tuple((t, k, what.encode("latin-1") if k in "oi" else what) for t, k, what in lines)
    return Capture(head["columns"], head["rows"], commands, records)


def names() -> list[str]:
    """All captures that there are."""
    return sorted(path.stem for path in READINGS.glob("*.jsonl"))


def reader(columns: int = 80, rows: int = 24, *, screens: bool = True) -> TerminalReader:
    """A reader with the screens of the product."""
    return TerminalReader(columns, rows, open_screen, screens=screens)


def read(
    captured: Capture,
    *,
    screens: bool = True,
    keys: bool = True,
    cuts: Random | None = None,
    rests: Random | None = None,
) -> list[Finding]:
    """What is found in *captured*.

    *cuts* cuts the octets of each record into pieces, *rests* lets the reader rest between records.
    """
    reading = reader(captured.columns, captured.rows, screens=screens)
    found: list[Finding] = []
    t_us = 0
    for at_us, kind, what in captured.records:
        if rests is not None:
            moments = (rests.randint(t_us, at_us) for _ in range(rests.randint(0, 5)))
            found += rested(reading, sorted(moments))
        t_us = at_us
        if kind == "s":
            found += reading.resized(t_us, *what)
        elif kind == "r":
            found += reading.redacted(t_us) if keys else []
        elif kind == "o" or keys:
            take = reading.output if kind == "o" else reading.typed
            for piece in _pieces(what, cuts):
                found += take(t_us, piece)
    return found + reading.closed(t_us + 1)


def rested(reading: TerminalReader, moments: Sequence[int]) -> list[Finding]:
    """What is found by resting until each of the *moments*; nothing before it is said to be due."""
    found: list[Finding] = []
    for t_us in moments:
        due_us = reading.due_us
        fresh = reading.rest(t_us)
        assert not fresh or (due_us is not None and due_us <= t_us)
        assert reading.due_us is None or reading.due_us > t_us
        found += fresh
    return found


def commands(found: Sequence[Finding]) -> list[tuple[str | None, str]]:
    """The program and the text of each command."""
    return [(f.program, f.text) for f in found if isinstance(f, Command)]


def shown(found: Sequence[Finding], *, alternate: bool = False) -> list[str]:
    """The lines that were shown, on the main screen or on the alternate one."""
    texts = [f.text for f in found if isinstance(f, ScreenText) and f.alternate is alternate]
    return [line for text in texts for line in text.split("\n")]


def _pieces(octets: bytes, cuts: Random | None) -> list[bytes]:
    if cuts is None:
        return [octets]
    pieces = []
    while octets:
        size = cuts.randint(1, 9)
        pieces.append(octets[:size])
        octets = octets[size:]
    return pieces
