"""The language of rules for other programs (JSON Schema) and for people (the tables of the reference)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from watchgate.configuration.shapes import Key
from watchgate.policy.match_shapes import MATCH_DEFINITION, MATCH_KEYS, definition
from watchgate.policy.rule_shapes import NAMED_RULE, RULE_FILE, RULE_KEYS, SCHEDULE, SCOPE

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The JSON Schema of a file of rules."""
    return {
        "$schema": DIALECT,
        "title": "Watchgate rules",
        "description": "One of the files that `watchgate rules apply` reads.",
        **RULE_FILE.schema(),
        "$defs": {MATCH_DEFINITION: definition()},
    }


def rule_schema() -> dict[str, Any]:
    """The JSON Schema of one rule with its name, as the API takes and gives it."""
    return {
        "$schema": DIALECT,
        "title": "A Watchgate rule",
        **NAMED_RULE.schema(),
        "$defs": {MATCH_DEFINITION: definition()},
    }


def schema_text() -> str:
    """The JSON Schema of a file as it is published."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


_ABOUT = """\
What may stand in a file of rules: `version: 1`, and `rules:` with rules by name. The same for editors and
other programs: [rules.schema.json](rules.schema.json). A file is UTF-8, one YAML document; what YAML would
read as something else (`no`, `0123`) must be quoted; keys that begin with `x-` are your own, as a place for
anchors. Names are unique over all files, and the order of rules never matters.

## What a rule is put to

A line is read into its simple commands, wherever they stand (lists, pipelines, substitutions, loops, what is
given to `sudo`, `xargs`, `sh -c`, …), and into parts that cannot be read. A rule is put to each of these
**one at a time**: all conditions of a match, also those inside of `any`, `all` and `not`, are about the same
simple command. `{program: rm, flags: recursive}` does not match `rm x; ls -R`. What must stand elsewhere in
the same line is said with `beside`.

Three kinds of things are seen only by a rule that names them, on the way through `any` on which it matches:

| Thing | Seen where the rule says |
|---|---|
| a part that cannot be read: `$X`, `eval`, a pipe into a shell | `opaque`; then `program` is the program that makes it so, and `regex` is put to its text |
| a line that does not parse, or has no simple command | `line` or `regex`; then `regex` is put to the line itself |
| what is typed into a program | `inside`; then `regex` and `line` are put to what is typed |

## What is not known

A glob or a variable in an argument stands for what is not known, so a condition holds surely, maybe, or not.
A rule that forbids (`block`, `interrupt`, `approve`) counts maybe as a match, unless it says `certain: true`;
one that only names and scores (`allow`) does not, unless it says `certain: false`; a list (`force`) never
does. So it is with the opposite of `not` in each of them. A word of which nothing is known and that is not
quoted (`rm $X`) may also be flags. A regex is put to the text as it stands; where a word is not known it is
never certain.

Where there are several paths, operands or redirections, one that matches is enough; only in a list every one
must match. Beneath `not` it is the other way round. So
`{program: rm, not: {path: "/tmp/**"}}` blocks `rm /tmp/a /etc/b`, and a list with
`{program: cat, path: "/var/log/**"}` does not permit `cat /var/log/a /etc/shadow`.

## Lists

Where a `force` rule holds for a session, every simple command of a line must be on the list of one of them,
and every part that cannot be read must be permitted by one that says `opaque`. A command that writes a file
by a redirection (other than `/dev/null`) is on the list of a rule that says `redirect`. `exit` and `logout`
always may. A rule with `inside` alone makes a list for what is typed into that program, and none for shells.

## Which rule wins

`interrupt` before `block` before "not on the list" before `approve` before `allow`. Every rule that matches is
recorded. A rule with `shadow: true` is recorded apart and decides nothing; it makes no list.
"""


def reference_page() -> str:
    """The reference page, in Markdown."""
    return "".join(_page())


def _page() -> Iterator[str]:
    yield "# Rules\n\n<!-- Written by `make docs`; edit the code, not this page. -->\n\n"
    yield _ABOUT
    yield from _table("A rule", "", RULE_KEYS)
    yield from _table("match", "At least one of these; all that are there must hold.", MATCH_KEYS)
    yield from _table(
        "scope", "All that are there must hold; of each list one entry is enough.", SCOPE.keys
    )
    yield from _table("schedule", "", SCHEDULE.keys)


def _table(title: str, about: str, keys: tuple[Key, ...]) -> Iterator[str]:
    yield f"\n## {title}\n\n" + (f"{about}\n\n" if about else "")
    yield "| Key | Must be | What it means |\n|---|---|---|\n"
    for key in keys:
        name = f"`{key.name}`" + (" (required)" if key.required else "")
        cells = (name, key.shape.expected, key.sentence)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
