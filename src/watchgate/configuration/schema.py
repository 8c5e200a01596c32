"""The files' shape for other programs (JSON Schema) and for people (the reference page)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from watchgate.configuration.documents import (
    DOCUMENT,
    GRANT,
    OPERATOR,
    PRIVATE_PREFIX,
    TARGET,
    TARGET_SETTINGS,
)
from watchgate.configuration.shapes import Record

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_ABOUT = f"""\
What may stand in the files that `watchgate apply DIR` reads: every `.yaml` and `.yml` below DIR whose
path has no part that begins with a dot. [How to use them](../how-to/configuration-as-files.md). The same
for editors and other programs: [configuration.schema.json](configuration.schema.json), which
`watchgate apply --schema` prints.

A file is UTF-8, at most 1 MiB, one YAML document. Tags are refused, keys may stand once, and anchors,
aliases and merge keys (`<<`) work within bounds. A name that YAML would read as something else (`no`,
`0123`, `1e3`) must be quoted. Keys at the top of a file that begin with `{PRIVATE_PREFIX}` are for your
own use, as a place for anchors.
"""


def json_schema() -> dict[str, Any]:
    """The JSON Schema of one file."""
    return {
        "$schema": DIALECT,
        "title": "Watchgate configuration",
        "description": "One of the files that `watchgate apply DIR` reads.",
    } | DOCUMENT.schema()


def schema_text() -> str:
    """The JSON Schema as it is published."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def reference_page() -> str:
    """The reference page, in Markdown."""
    return "".join(_page())


def _page() -> Iterator[str]:
    yield "# Configuration files\n\n"
    yield "<!-- Written by `make docs`; edit the code, not this page. -->\n\n"
    yield _ABOUT
    yield from _table("A file", "", DOCUMENT)
    yield from _table("operators", "`operators.NAME` has:", OPERATOR)
    yield from _table("targets", "`targets.NAME` has:", TARGET)
    yield from _table("settings of a target", "`targets.NAME.settings` has:", TARGET_SETTINGS)
    yield (
        "\n## accounts\n\n`targets.NAME.accounts.ACCOUNT` is `certificate`, `password` or "
        "`private-key`. Secrets never stand\nin files: `watchgate account set ACCOUNT@TARGET` "
        "enters them.\n"
    )
    yield from _table("grants", "`grants.NAME` has:", GRANT)


def _table(title: str, about: str, record: Record) -> Iterator[str]:
    yield f"\n## {title}\n\n" + (f"{about}\n\n" if about else "")
    yield "| Key | Must be | What it means |\n|---|---|---|\n"
    for key in record.keys:
        name = f"`{key.name}`" + (" (required)" if key.required else "")
        cells = (name, key.shape.expected, key.sentence)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
