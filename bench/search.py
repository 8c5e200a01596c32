"""How fast sessions are found by what was done in them, and how large the index is.

    python -m bench.search                                              small, to see that it runs
    python -m bench.search --commands 5000000 --screens 1GB --sessions 64000

The corpus is made as it is put, always the same one. Each form of query is asked many times, once with
nothing of the files in memory, before and after the month is closed; beside it what one would try first:
LIKE over the same texts, and a full-text index of words, with what that does not find.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import machine, search_corpus
from bench.report import WIDTH
from bench.spread import Spread
from watchgate.catalog.search.index import SqliteIndex
from watchgate.catalog.search.model import Answer, Kind, Mode, Query
from watchgate.clock import SystemClock
from watchgate.quantities import parse_size

RESULTS = Path(__file__).parent / "results"
DAY_US = 86_400_000_000
COLD = 5
"""Times that a query is asked with nothing in memory."""

ONLY_COMMANDS, ONLY_SCREENS = frozenset({Kind.COMMAND}), frozenset({Kind.SCREEN})


@dataclass(frozen=True, slots=True)
class Putting:
    """What it took to put the corpus, making it not counted."""

    commands: int
    screen_octets: int
    seconds: float
    processor_seconds: float
    command_octets: int
    """Of the file."""
    screens_octets: int


@dataclass(frozen=True, slots=True)
class Asked:
    """One form of query: milliseconds warm and cold, and what it answered."""

    name: str
    warm: Spread
    cold: Spread
    hits: int
    candidates: int
    partial: str


def forms() -> dict[str, Query]:
    """Every form of query."""
    since = search_corpus.BEGAN_US + 11 * DAY_US
    of_commands = {
        "text, many": Query("rm -rf"),
        "text, rare": Query("/etc/shadow"),
        "text, none": Query("zzzqqq"),
        "text of common letters, none": Query("interestationals"),
        "text of common words, none": Query("systemctl restart apache2"),
        "prefix": Query("rm ", Mode.PREFIX),
        "regex": Query(r"curl .*\| *(sudo )?(ba)?sh", Mode.REGEX),
        "regex without literals, operator": Query(r"\d{5}", Mode.REGEX, operator="operator100"),
        "text, operator": Query("systemctl", operator="operator007"),
        "text, target": Query("systemctl", target="host0009"),
        "text, operator and target": Query("systemctl", operator="operator007", target="host0009"),
        "text, account": Query("passwd", account="oracle"),
        "text, verdict": Query("grep", verdict="block"),
        "text, severity and operator": Query("git", severity="high", operator="operator100"),
        "text, session": Query("systemctl", session="0000002a-0"),
        "text, one day": Query("grep", since_us=since, until_us=since + DAY_US),
        "two letters, operator": Query("ls", operator="operator007"),
        "all of an operator": Query("", operator="operator200"),
    }
    of_screens = {
        "text, many": Query("file system"),
        "text of common words, none": Query("No such file"),
        "text, rare": Query("sudo cat /etc/shadow"),
        "text, none": Query("zzzqqq"),
        "text of common letters, none": Query("interestationals"),
        "prefix of a line": Query("root@host0042", Mode.PREFIX),
        "regex": Query(r"host00[0-9]+ sshd?\[\d+\]", Mode.REGEX),
        "text, operator": Query("permission", operator="operator007"),
        "text, operator and target": Query("permission", operator="operator007", target="host0009"),
        "text, one day": Query("kernel", since_us=since, until_us=since + DAY_US),
    }
    return {
        f"{kind}: {name}": replace(query, kinds=kinds, seconds=60)
        for kind, kinds, some in (
            ("commands", ONLY_COMMANDS, of_commands),
            ("screens", ONLY_SCREENS, of_screens),
        )
        for name, query in some.items()
    } | {"both: text": Query("systemctl restart", seconds=60)}


# --- measuring -----------------------------------------------------------------------------------


def put(directory: Path, commands: int, octets: int, sessions: int) -> Putting:
    """Make the corpus and put it, a session at a time."""
    chance = random.Random(1)
    words = search_corpus.of_this_machine(chance)
    wall = processor = 0.0
    done, shown = 0, 0
    with closing(SqliteIndex(directory, SystemClock())) as index:
        for number, about in enumerate(search_corpus.sessions(sessions, chance)):
            wanted = commands * (number + 1) // sessions - done
            documents = search_corpus.commands(about, wanted, words, chance)
            left = octets * (number + 1) // sessions - shown
            seen = search_corpus.screens(about, left, words, chance) if left > 0 else []
            shown += sum(len(one.text.encode()) for one in seen)
            begun, used = time.perf_counter(), time.process_time()
            index.put(about, [*documents, *seen])
            wall += time.perf_counter() - begun
            processor += time.process_time() - used
            done += wanted
            if (number + 1) % max(1, sessions // 10) == 0:
                print(f"put {done} commands, {shown >> 20} MiB", file=sys.stderr, flush=True)
        sizes = {file.kind: file.octets for file in index.files()}
    return Putting(
        done, shown, wall, processor, sizes.get(Kind.COMMAND, 0), sizes.get(Kind.SCREEN, 0)
    )


def ask(directory: Path, repeats: int) -> list[Asked]:
    """Ask every form."""
    found = []
    for name, query in forms().items():
        cold = [_cold(directory, query) for _ in range(COLD)]
        with closing(SqliteIndex(directory, SystemClock())) as index:
            answer = index.search(query)
            warm = [_timed(lambda: index.search(query)) for _ in range(repeats)]  # noqa: B023
        found.append(_asked(name, answer, warm, cold))
    return found


def _asked(name: str, answer: Answer, warm: list[float], cold: list[float]) -> Asked:
    assert not answer.problems, answer.problems
    return Asked(
        name, Spread.of(warm), Spread.of(cold), len(answer.hits), answer.candidates, answer.partial
    )


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def _cold(directory: Path, query: Query) -> float:
    """As a command line asks after a restart: nothing of the files in memory, no connection open."""
    for path in directory.iterdir():
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)
    with closing(SqliteIndex(directory, SystemClock())) as index:
        return _timed(lambda: index.search(query))


def close_month(directory: Path) -> float:
    """Seconds to close what was put."""
    later = _Later()
    with closing(SqliteIndex(directory, later)) as index:
        return _timed(index.tidy) / 1000


class _Later(SystemClock):
    """A clock of the year after."""

    def wall_us(self) -> int:
        return search_corpus.BEGAN_US + 365 * DAY_US


# --- beside ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Beside:
    """Another way to find the commands with a text: milliseconds for the newest 50, and how many it knows."""

    text: str
    like: float
    words: float | None
    there: int
    """Commands that hold the text."""
    by_words: int


def beside(directory: Path, commands: Path, texts: tuple[str, ...]) -> tuple[list[Beside], float]:
    """LIKE over the table, and an index of words made of it (its seconds)."""
    other = sqlite3.connect(directory / "words.db", isolation_level=None)
    other.execute("ATTACH ? AS kept", (str(commands),))
    other.execute("PRAGMA journal_mode = OFF")
    other.execute("CREATE VIRTUAL TABLE found USING fts5(text, content = '', columnsize = 0)")
    seconds = (
        _timed(
            lambda: other.execute(
                "INSERT INTO found (rowid, text) SELECT number, text FROM kept.document"
            )
        )
        / 1000
    )
    found = [_beside(other, text) for text in texts]
    other.close()
    return found, seconds


def _beside(other: sqlite3.Connection, text: str) -> Beside:
    like = "FROM kept.document WHERE text LIKE ? ESCAPE '\\'"
    pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    phrase = '"' + text.replace('"', '""') + '"'

    def newest_like() -> object:
        sql = f"SELECT number {like} ORDER BY number DESC LIMIT 50"
        return other.execute(sql, (pattern,)).fetchall()

    def newest_words() -> object:
        sql = "SELECT rowid FROM found WHERE found MATCH ? ORDER BY rowid DESC LIMIT 50"
        return other.execute(sql, (phrase,)).fetchall()

    def count(sql: str, value: str) -> int:
        return int(other.execute(sql, (value,)).fetchone()[0])

    there = count(f"SELECT count(*) {like}", pattern)
    by_words = count("SELECT count(*) FROM found WHERE found MATCH ?", phrase)
    return Beside(
        text,
        Spread.of([_timed(newest_like) for _ in range(3)]).median,
        Spread.of([_timed(newest_words) for _ in range(9)]).median,
        there,
        by_words,
    )


# --- telling -----------------------------------------------------------------------------------------


def _table(title: str, asked: list[Asked]) -> Table:
    table = Table(title=title)
    table.add_column("query (newest 50)")
    for column in ("p50 ms", "p99 ms", "cold p50 ms", "hits", "looked at"):
        table.add_column(column, justify="right")
    for one in asked:
        more = "+" if one.partial.startswith("only") else ("!" if one.partial else "")
        figures = (one.warm.median, one.warm.p99, one.cold.median)
        table.add_row(
            one.name, *(f"{f:.1f}" for f in figures), f"{one.hits}{more}", str(one.candidates)
        )
    return table


def _beside_table(found: list[Beside]) -> Table:
    table = Table(title="commands, other ways (newest 50)")
    table.add_column("text")
    for column in ("LIKE ms", "words ms", "there", "by words", "missed"):
        table.add_column(column, justify="right")
    for one in found:
        missed = f"{(one.there - one.by_words) / one.there:.0%}" if one.there else "-"
        times = (f"{one.like:.0f}", "-" if one.words is None else f"{one.words:.1f}")
        table.add_row(one.text, *times, str(one.there), str(one.by_words), missed)
    return table


def _said(putting: Putting, closing_seconds: float) -> Iterator[str]:
    yield (
        f"put {putting.commands} commands and {putting.screen_octets / 1e6:.0f} MB of screens in "
        f"{putting.seconds:.0f} s ({putting.processor_seconds:.0f} s of processor)"
    )
    yield (
        f"files: commands {putting.command_octets / 1e6:.0f} MB, "
        f"screens {putting.screens_octets / 1e6:.0f} MB; closing the month {closing_seconds:.0f} s"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--commands", type=int, default=200_000)
    parser.add_argument("--screens", type=parse_size, default=32 << 20, metavar="SIZE")
    parser.add_argument("--sessions", type=int, default=2_600)
    parser.add_argument("--repeats", type=int, default=25)
    parser.add_argument("--directory", type=Path, help="where to put the files, and leave them")
    return parser.parse_args()


def main() -> None:
    """Put, ask, close, ask again, and tell."""
    options = _arguments()
    facts = machine.facts()
    work = options.directory or Path(tempfile.mkdtemp(prefix="watchgate-search-"))
    work.mkdir(parents=True, exist_ok=True)
    try:
        putting = put(work / "index", options.commands, options.screens, options.sessions)
        before = ask(work / "index", options.repeats)
        seconds = close_month(work / "index")
        after = ask(work / "index", options.repeats)
        texts = ("rm -rf", "/etc/shadow", "systemctl", "shado", "ystemctl rest", "zzzqqq")
        others, made = beside(work, work / "index/commands-2026-11.db", texts)
    finally:
        if options.directory is None:
            shutil.rmtree(work)
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    for line in _said(putting, seconds):
        console.print(line)
    console.print(_table("while the month goes on", before))
    console.print(_table("after the month is closed", after))
    console.print(_beside_table(others))
    console.print(f"the index of words was made in {made:.0f} s, in one go")
    RESULTS.mkdir(exist_ok=True)
    result = {
        "machine": facts | {"sqlite": sqlite3.sqlite_version},
        "options": {k: str(v) for k, v in vars(options).items()},
        "putting": asdict(putting),
        "closing_seconds": seconds,
        "before": [asdict(one) for one in before],
        "after": [asdict(one) for one in after],
        "beside": [asdict(one) for one in others],
        "words_seconds": made,
    }
    target = RESULTS / f"search-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}.json"
    target.write_text(json.dumps(result, indent=2) + "\n")
    console.print(f"written to {target}")


if __name__ == "__main__":
    main()
