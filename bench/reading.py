"""How well commands are read: scripted interactions in real shells, recorded as the gateway records, and read back.

`python -m bench.reading INTERACTIONS.jsonl` drives every interaction of the file on a pseudo-terminal and prints
for each shell how many were read exactly, with the keys of the recording and without them (recordings whose
input is off), and what was read that was no command. `--save DIR` keeps the captures of what was read exactly,
`--only WORD` takes the interactions with that word in their id.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.machine import facts
from bench.reading_drive import ROWS, Pace, Recorded, available, drive, written
from watchgate.terminal.reading import Command, Finding, TerminalReader
from watchgate.terminal.screens import open_screen


def read(recorded: Recorded, *, keys: bool = True, screens: bool = False) -> list[Finding]:
    """What a reader finds in *recorded*; without *keys*, in its output alone."""
    reader = TerminalReader(recorded.columns, ROWS, open_screen, screens=screens)
    found: list[Finding] = []
    t_us = 0
    for record in recorded.records:
        t_us = record.t_us
        if record.kind == "o":
            found += reader.output(t_us, record.octets)
        elif record.kind == "s":
            found += reader.resized(t_us, *record.size)
        elif keys and record.kind == "i":
            found += reader.typed(t_us, record.octets)
        elif keys:
            found += reader.redacted(t_us)
    return found + reader.closed(t_us + 1)


@dataclass(slots=True)
class Score:
    """How the interactions of one shell were read."""

    total: int = 0
    driven_wrong: int = 0
    exact: int = 0
    exact_without_keys: int = 0
    false: int = 0
    forbidden: int = 0
    program_lines: int = 0
    program_found: int = 0
    program_false: int = 0
    failed: list[str] = field(default_factory=list)

    def add(self, interaction: dict[str, Any], recorded: Recorded) -> bool:
        """Read *recorded*; whether it was exact."""
        commands = [f for f in read(recorded) if isinstance(f, Command)]
        blind = [f for f in read(recorded, keys=False) if isinstance(f, Command)]
        forbidden = interaction.get("forbid", ())
        is_exact = _is_exact(interaction, commands)
        self.total += 1
        self.driven_wrong += not recorded.happened
        self.exact += is_exact
        self.exact_without_keys += _is_exact(interaction, blind)
        self.forbidden += sum(text in c.text for c in commands + blind for text in forbidden)
        self.false += len(_false(interaction, commands))
        self._count_programs(interaction, commands)
        if not is_exact:
            self.failed.append(f"{interaction['id']}: {[c.text for c in commands]}")
        return is_exact

    def _count_programs(self, interaction: dict[str, Any], commands: Sequence[Command]) -> None:
        wanted = [line for line in interaction.get("prog", ()) if line]
        found = [c.text for c in commands if c.program is not None]
        self.program_lines += len(wanted)
        self.program_found += sum(line in found for line in wanted)
        self.program_false += sum(line not in wanted for line in found)


def _is_exact(interaction: dict[str, Any], commands: Sequence[Command]) -> bool:
    texts = [c.text for c in commands if c.program is None]
    lines = [line.strip() for text in texts for line in text.split("\n")]
    wanted = interaction["expect"]
    return any(
        _same(found, expected)
        for found in (texts, lines)
        for expected in (wanted, interaction.get("alt_full", wanted))
    )


def _same(found: Sequence[str], expected: Sequence[Any]) -> bool:
    return len(found) == len(expected) and all(
        text in _choices(wanted) for text, wanted in zip(found, expected, strict=True)
    )


def _choices(wanted: Any) -> list[str]:
    return [text.strip() for text in ([wanted] if isinstance(wanted, str) else wanted)]


def _false(interaction: dict[str, Any], commands: Sequence[Command]) -> list[str]:
    """Lines that were read as a shell's commands and are none."""
    wanted = [
        text
        for key in ("expect", "alt_full")
        for w in interaction.get(key, ())
        for text in _choices(w)
    ]
    lines = {line.strip() for text in wanted for line in text.split("\n")}
    shells = [c.text for c in commands if c.program is None]
    return [
        t for t in shells if t not in wanted and not all(x.strip() in lines for x in t.split("\n"))
    ]


def main(arguments: Sequence[str]) -> int:
    """Drive, read, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.reading")
    parser.add_argument("interactions", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--save", type=Path)
    parser.add_argument("--keys", type=int, default=15, help="milliseconds between two keys")
    parser.add_argument(
        "--round-trip", type=int, default=0, help="milliseconds to the target and back"
    )
    parser.add_argument("--jobs", type=int, default=4)
    options = parser.parse_args(arguments)
    text = options.interactions.read_text()
    interactions = [json.loads(line) for line in text.splitlines() if line.strip()]
    chosen = [i for i in interactions if options.only in i["id"]]
    ready = [i for i in chosen if available(i["shell"])]
    print(", ".join(f"{name}: {value}" for name, value in facts().items()))
    missing = sorted({i["shell"] for i in chosen} - {i["shell"] for i in ready})
    if missing:
        print(f"not installed, left out: {', '.join(missing)}")
    pace = Pace(options.keys / 1000, options.round_trip / 1000)
    with ThreadPoolExecutor(options.jobs) as pool:
        recorded = list(pool.map(lambda one: drive(one, pace), ready))
    scores: dict[str, Score] = defaultdict(Score)
    begun = time.process_time()
    for interaction, one in zip(ready, recorded, strict=True):
        if scores[interaction["shell"]].add(interaction, one) and options.save:
            _save(options.save, interaction["id"], one)
    _print(scores, time.process_time() - begun)
    return 1 if any(score.forbidden for score in scores.values()) else 0


def _save(folder: Path, name: str, recorded: Recorded) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    commands = [c for c in read(recorded) if isinstance(c, Command)]
    found = [[c.program, c.text] for c in commands]
    (folder / f"{name}.jsonl").write_text(written(recorded, found))


def _print(scores: dict[str, Score], seconds: float) -> None:
    print(
        f"\n{'shell':9} {'exact':>9} {'no keys':>9} {'false':>6} {'forbidden':>10} "
        f"{'in programs':>12} {'false there':>12} {'not driven':>11}"
    )
    for shell, score in sorted(scores.items()):
        print(
            f"{shell:9} {score.exact:4}/{score.total:<4} {score.exact_without_keys:4}/{score.total:<4} "
            f"{score.false:6} {score.forbidden:10} {score.program_found:6}/{score.program_lines:<5} "
            f"{score.program_false:12} {score.driven_wrong:11}"
        )
    total = sum(score.total for score in scores.values())
    exact = sum(score.exact for score in scores.values())
    without = sum(score.exact_without_keys for score in scores.values())
    print(f"{'all':9} {exact:4}/{total:<4} {without:4}/{total:<4}   read twice in {seconds:.2f} s")
    for score in scores.values():
        for line in score.failed:
            print(f"  not exact: {line}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
