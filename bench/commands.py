"""How well rules hold: scripted interactions in real shells, behind the gate of a session.

`python -m bench.commands INTERACTIONS.jsonl` drives every interaction of the file on a pseudo-terminal, with the
product's own capture, gate and rules between the keys and the shell: once with shell integration and once
without, each time first with a rule that only watches (is every command known, word for word?) and then with
one that blocks the danger (did it happen all the same? was anything harmless blocked?). It prints a table for
each shell, and how long the accepting keys were held. `--strict` blocks what is opaque too. Then come the costs
of a decision for many rules, and of the gate for bulk output.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bench.commands_bulk import print_bulk
from bench.commands_cost import print_costs
from bench.commands_drive import BLOCK, STRICT, WATCH, Driven, drive
from bench.machine import facts
from bench.reading_drive import Pace, available
from watchgate.policy.commands import Place

DEFAULT = Path(__file__).parent.parent / "tests/terminal/data/interactions.jsonl"
REFUSED = ("block", "interrupt", "force")


@dataclass(slots=True)
class Score:
    """What one kind of run came to, for one shell."""

    total: int = 0
    exact: int = 0
    """Every command was known, word for word, and nothing else was taken for one."""
    ordinary: int = 0
    ordinary_ran: int = 0
    evasive: int = 0
    evasive_ran: int = 0
    indirect: int = 0
    indirect_ran: int = 0
    indirect_unsaid: int = 0
    """Indirect dangers that ran and were not even reported as opaque."""
    benign: int = 0
    benign_blocked: int = 0
    forbidden: int = 0
    held_us: list[int] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def watched(self, interaction: dict[str, Any], driven: Driven) -> None:
        """A run in which everything may run."""
        self.total += 1
        texts = told(driven)
        good = is_exact(interaction, texts)
        self.exact += good
        self.forbidden += sum(
            forbidden in text for text in texts for forbidden in interaction.get("forbid", ())
        )
        self.held_us += driven.held_us
        if not good:
            self.failed.append(f"{interaction['id']}: knew {texts}, runs {interaction['expect']}")

    def blocked(self, interaction: dict[str, Any], driven: Driven) -> None:
        """A run in which the danger is blocked."""
        name = interaction["id"]
        refused = [d.command.text for d in driven.decisions if str(d.verdict.outcome) in REFUSED]
        if interaction.get("danger") is None or interaction.get("benign"):
            self.benign += 1
            self.benign_blocked += bool(refused)
            if refused:
                self.failed.append(f"{name}: blocked {refused}, which is harmless")
            return
        if interaction.get("indirect"):
            opaque = any(read.opaque for d in driven.decisions for read in d.readings)
            self.indirect += 1
            self.indirect_ran += driven.danger
            self.indirect_unsaid += driven.danger and not opaque
            if driven.danger and not opaque:
                self.failed.append(f"{name}: ran, and was taken for innocent")
        elif interaction.get("evasion"):
            self.evasive += 1
            self.evasive_ran += driven.danger
        else:
            self.ordinary += 1
            self.ordinary_ran += driven.danger
        if driven.danger and not interaction.get("indirect"):
            self.failed.append(f"{name}: ran; decided {[d.command.text for d in driven.decisions]}")


def told(driven: Driven) -> list[str]:
    """The commands of shells that were decided, in order."""
    found: list[str] = []
    for decision in driven.decisions:
        text = decision.command.text.strip()
        if decision.command.place not in (Place.SHELL, Place.DEVICE) or not text:
            continue
        if found and text.startswith(found[-1] + "\n"):
            found.pop()  # a line that continues a command is decided with what it continues
        found.append(text)
    return found


def is_exact(interaction: dict[str, Any], texts: Sequence[str]) -> bool:
    """Whether *texts* are the commands of the interaction; one of several lines may be told line by line."""
    wanted = interaction["expect"]
    lines = [line.strip() for text in texts for line in text.split("\n")]
    return any(
        _same(found, expected)
        for found in (texts, lines)
        for expected in (wanted, interaction.get("alt_full", wanted))
    )


def _same(found: Sequence[str], expected: Sequence[Any]) -> bool:
    return len(found) == len(expected) and all(
        text in [one.strip() for one in ([wanted] if isinstance(wanted, str) else wanted)]
        for text, wanted in zip(found, expected, strict=True)
    )


def measure(
    interactions: Sequence[dict[str, Any]],
    *,
    integration: bool,
    strict: bool,
    pace: Pace,
    jobs: int,
) -> dict[str, Score]:
    """Both runs of every interaction."""
    scores: dict[str, Score] = defaultdict(Score)
    danger = STRICT if strict else BLOCK
    with ProcessPoolExecutor(jobs) as pool:
        watch = partial(drive, rules=WATCH, integration=integration, pace=pace)
        block = partial(drive, rules=danger, integration=integration, pace=pace)
        watched = list(pool.map(watch, interactions))
        blocked = list(pool.map(block, interactions))
    for interaction, one, other in zip(interactions, watched, blocked, strict=True):
        score = scores[interaction["shell"]]
        score.watched(interaction, one)
        score.blocked(interaction, other)
    return scores


def main(arguments: Sequence[str]) -> int:
    """Drive, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.commands")
    parser.add_argument("interactions", type=Path, nargs="?", default=DEFAULT)
    parser.add_argument("--only", default="", help="interactions with this word in their id")
    parser.add_argument("--strict", action="store_true", help="block what is opaque, too")
    parser.add_argument("--keys", type=int, default=15, help="milliseconds between two keys")
    parser.add_argument(
        "--round-trip", type=int, default=0, help="milliseconds to the target and back"
    )
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-costs", action="store_true")
    parser.add_argument("--bulk", type=int, default=48, help="MiB of output through a terminal")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    lines = options.interactions.read_text().splitlines()
    chosen = [json.loads(line) for line in lines if line.strip()]
    chosen = [one for one in chosen if options.only in one["id"] and available(one["shell"])]
    pace = Pace(options.keys / 1000, options.round_trip / 1000)
    print(", ".join(f"{name}: {value}" for name, value in facts().items()))
    for integration in (True, False):
        scores = measure(
            chosen, integration=integration, strict=options.strict, pace=pace, jobs=options.jobs
        )
        _print(scores, "with integration" if integration else "without integration")
    if not options.no_costs:
        print_costs()
        print_bulk(options.bulk, options.repeats)
    return 0


def _print(scores: dict[str, Score], title: str) -> None:
    print(
        f"\n{title}\n{'shell':9} {'exact':>9} {'ordinary':>10} {'evasive':>9} {'indirect':>10} "
        f"{'unsaid':>7} {'benign':>8} {'forbid':>7}   held p50/p90/p99 ms\n"
        f"{'':9} {'':>9} {'ran':>10} {'ran':>9} {'ran':>10} {'':>7} {'blocked':>8}"
    )
    for shell, score in sorted(scores.items()):
        print(_row(shell, score))
    whole = Score()
    for score in scores.values():
        for name in Score.__slots__:
            setattr(whole, name, getattr(whole, name) + getattr(score, name))
    print(_row("all", whole))
    for line in whole.failed:
        print(f"  {line}")


def _row(shell: str, score: Score) -> str:
    held = "/".join(f"{value / 1000:.1f}" for value in percentiles(score.held_us, (50, 90, 99)))
    return (
        f"{shell:9} {score.exact:4}/{score.total:<4} {score.ordinary_ran:4}/{score.ordinary:<5} "
        f"{score.evasive_ran:4}/{score.evasive:<4} {score.indirect_ran:5}/{score.indirect:<4} "
        f"{score.indirect_unsaid:7} {score.benign_blocked:4}/{score.benign:<3} {score.forbidden:7}   {held}"
    )


def percentiles(values: Iterable[int], which: Sequence[int]) -> list[float]:
    """The values at these percentages of the sorted *values*; zeros when there are none."""
    ordered = sorted(values)
    if not ordered:
        return [0.0 for _ in which]
    return [float(ordered[min(len(ordered) - 1, len(ordered) * at // 100)]) for at in which]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
