"""What the search is measured on: commands and screens as operators leave them, always the same ones.

Words, programs, paths and prose are those of the machine that measures (its man pages, its /usr), so they
have the letters of real work; who did what, where and when is drawn from a seeded source.
"""

from __future__ import annotations

import gzip
import os
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from watchgate.catalog.search.model import About, Document, Kind

OPERATORS = 500
TARGETS = 3_000
ACCOUNTS = ("root", "postgres", "deploy", "www-data", "oracle", "admin", "backup", "nagios")
BEGAN_US = 1_793_491_200_000_000
"""2026-11-01T00:00:00Z: one month of sessions fills one file of each kind."""
SPREAD_US = 29 * 86_400_000_000
COMMANDS_IN_SESSION = 78
SCREEN = 4096
"""Characters of one screen document."""

_MACRO = re.compile(r"^[.'].*$", re.MULTILINE)
_ESCAPE = re.compile(r"\\(?:f.|-|\(..|&|e|\*\(..|s[+-]?\d)")


@dataclass(frozen=True, slots=True)
class Words:
    """What this machine says."""

    programs: Sequence[str]
    paths: Sequence[str]
    prose: Sequence[str]
    """Lines of text."""
    words: Sequence[str]


def of_this_machine(chance: random.Random, *, pages: int = 1_500) -> Words:
    """Programs, paths, and the text of some man pages."""
    programs = sorted(name for name in os.listdir("/usr/bin") if name.isprintable())
    paths = []
    for root in ("/etc", "/usr/lib", "/usr/share/doc", "/var/log"):
        for folder, _, files in os.walk(root):
            paths += [f"{folder}/{name}" for name in sorted(files)[:20]]
    manuals = sorted(Path("/usr/share/man").glob("man[1578]/*.gz"))
    prose: list[str] = []
    for page in chance.sample(manuals, min(pages, len(manuals))):
        text = gzip.decompress(page.read_bytes()).decode("utf-8", "replace")
        plain = _ESCAPE.sub("", _MACRO.sub("", text))
        prose += [line.strip() for line in plain.splitlines() if len(line.strip()) > 20]
    words = sorted({word for line in prose for word in re.findall(r"[A-Za-z_]{3,14}", line)})
    return Words(programs, sorted(paths), prose, words)


def sessions(count: int, chance: random.Random) -> Iterator[About]:
    """*count* sessions, the oldest first."""
    for number, at in enumerate(sorted(chance.randrange(SPREAD_US) for _ in range(count))):
        # A few operators and targets have most of the work, as everywhere.
        operator = int(OPERATORS * chance.random() ** 2)
        yield About(
            session=f"{number:08x}-0000-7000-8000-{chance.randrange(1 << 48):012x}",
            recording=f"{number:08x}-0001-7000-8000-{chance.randrange(1 << 48):012x}",
            operator=f"operator{operator:03}",
            account=ACCOUNTS[int(len(ACCOUNTS) * chance.random() ** 2)],
            target=f"host{int(TARGETS * chance.random() ** 1.5):04}",
            protocol="ssh",
            started_at_us=BEGAN_US + at,
        )


def commands(about: About, count: int, words: Words, chance: random.Random) -> list[Document]:
    """The commands of one session."""
    made, offset = [], 0
    for item in range(count):
        offset += int(chance.expovariate(1 / 20_000_000))
        verdict, severity = _decided(chance)
        made.append(
            Document(
                Kind.COMMAND,
                item,
                about.started_at_us + offset,
                offset,
                0,
                _command(words, chance),
                "screen",
                "inferred",
                verdict,
                severity,
            )
        )
    return made


def screens(about: About, octets: int, words: Words, chance: random.Random) -> list[Document]:
    """What the terminal of one session showed, about *octets* in all."""
    made, offset = [], 0
    for item in range(max(1, round(octets / SCREEN))):
        offset += int(chance.expovariate(1 / 30_000_000))
        at = about.started_at_us + offset
        text = _screen(about, words, chance)
        made.append(Document(Kind.SCREEN, item, at, offset, 0, text, "screen"))
    return made


def _decided(chance: random.Random) -> tuple[str | None, str | None]:
    drawn = chance.random()
    if drawn < 0.002:
        return "block", "high"
    if drawn < 0.01:
        return "allow", "medium"
    return ("allow", "low") if drawn < 0.05 else (None, None)


def _command(words: Words, chance: random.Random) -> str:
    form: Form = chance.choices(_FORMS, _WEIGHTS)[0]
    return form(
        lambda: chance.choice(words.programs),
        lambda: chance.choice(words.paths),
        lambda: chance.choice(words.words),
        lambda: chance.randrange(100_000),
    )


Text = Callable[[], str]
Number = Callable[[], int]
Form = Callable[[Text, Text, Text, Number], str]

_WEIGHED: list[tuple[int, Form]] = [
    (120, lambda c, p, w, n: "ls -la"),
    (90, lambda c, p, w, n: f"cd {p().rpartition('/')[0]}"),
    (60, lambda c, p, w, n: f"ls -l {p()}"),
    (60, lambda c, p, w, n: f"cat {p()}"),
    (60, lambda c, p, w, n: f"vim {p()}"),
    (60, lambda c, p, w, n: f"grep -rn '{w()}' {p().rpartition('/')[0]}"),
    (50, lambda c, p, w, n: f"{c()} --{w().lower()}={w()} {p()}"),
    (50, lambda c, p, w, n: f"{c()} -{w()[0]} {n()} {w()}"),
    (40, lambda c, p, w, n: f"sudo systemctl restart {w().lower()}.service"),
    (40, lambda c, p, w, n: f"tail -n {n()} -f /var/log/{w().lower()}.log"),
    (30, lambda c, p, w, n: f"git commit -m '{w()} {w()} {w()} {w()}'"),
    (30, lambda c, p, w, n: f"docker exec -it {n():06x}{n():06x} {c()} {w()}"),
    (30, lambda c, p, w, n: f"kubectl -n {w().lower()} get pods | grep {w()}"),
    (30, lambda c, p, w, n: f"for i in $(seq {n()}); do {c()} {w()}-$i; done"),
    # No statement is made of it.
    (30, lambda c, p, w, n: f"psql -c \"select * from {w()} where {w()} = {n()} and {w()} is null\""),  # noqa: S608
    (25, lambda c, p, w, n: f"find {p().rpartition('/')[0]} -name '*.{w()[:3]}' -mtime +{n()} -exec {c()} {{}} \\;"),
    (25, lambda c, p, w, n: f"tar czf /backup/{w()}-{n()}.tar.gz {p()} {p()}"),
    (20, lambda c, p, w, n: f"curl -s https://{w()}.example.net/{w()}/{n()} -o /tmp/{w()}"),
    (15, lambda c, p, w, n: f"scp {p()} deploy@host{n() % TARGETS:04}:{p()}"),
    (10, lambda c, p, w, n: f"rm -f /tmp/{w()}-{n()}"),
    (2, lambda c, p, w, n: f"rm -rf /srv/{w()}/{w()}"),
    (1, lambda c, p, w, n: f"curl -fsSL https://{w()}.example.com/install | sudo bash"),
]  # fmt: skip
_FORMS = [form for _, form in _WEIGHED] + [lambda c, p, w, n: "sudo cat /etc/shadow"]
_WEIGHTS = [weight for weight, _ in _WEIGHED] + [0.02]


def _screen(about: About, words: Words, chance: random.Random) -> str:
    """A prompt with a command, and what it printed: prose, a listing, or a log."""
    prompt = f"{about.account}@{about.target}:~# {_command(words, chance)}"
    lines, length = [prompt], len(prompt)
    kind, at = chance.random(), chance.randrange(len(words.prose))
    while length < SCREEN:
        if kind < 0.5:
            at = (at + 1) % len(words.prose)
            line = words.prose[at]
        elif kind < 0.75:
            line = f"-rw-r--r-- 1 root root {chance.randrange(10**7):>8} Nov {chance.randrange(1, 29):>2} {chance.choice(words.paths)}"
        else:
            line = f"Nov {chance.randrange(1, 29):>2} {chance.randrange(24):02}:{chance.randrange(60):02}:{chance.randrange(60):02} {about.target} {chance.choice(words.programs)}[{chance.randrange(65536)}]: {chance.choice(words.prose)}"
        lines.append(line)
        length += len(line) + 1
    return "\n".join(lines)
