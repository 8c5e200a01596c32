"""Write docs/reference from the tables in the code: settings, events, errors, commands.

`make docs` runs it; tests/structure/test_generated_docs.py says when a page is stale.
"""

from __future__ import annotations

import ast
import inspect
import sys
import types
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import typer.main
import typer.testing

from watchgate import errors, settings
from watchgate.cli.application import NOUNS, application
from watchgate.configuration import schema
from watchgate.policy import library_page
from watchgate.policy import schema as rule_schema
from watchgate.session import events
from watchgate.siem import sinks
from watchgate.siem.views import mapping_table

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
SOURCE = ROOT / "src" / "watchgate"
WIDTH = "88"


def pages() -> dict[str, str]:
    """Every generated page by its file name."""
    made = {
        "settings.md": "".join(_settings()),
        "events.md": "".join(_events()),
        "errors.md": "".join(_errors()),
        "cli.md": "".join(_commands()),
        "siem-mapping.md": "".join(_siem_mapping()),
        "configuration.md": schema.reference_page(),
        "configuration.schema.json": schema.schema_text(),
        "rules.md": rule_schema.reference_page(),
        "rules.schema.json": rule_schema.schema_text(),
        "rule-library.md": library_page.reference_page(),
    }
    return {name: text.rstrip("\n") + "\n" for name, text in made.items()}


def _heading(title: str, about: str) -> str:
    return (
        f"# {title}\n\n<!-- Written by `make docs`; edit the code, not this page. -->\n\n{about}\n"
    )


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _settings() -> Iterator[str]:
    yield _heading(
        "Settings",
        "A value comes from its default, then from `watchgate.toml` in the data directory, then from\n"
        "the environment, then from `--set section.key=value`; `watchgate settings` shows what holds\n"
        "and where it came from. An unknown key is an error. Lists are TOML arrays in the file and\n"
        "separated by commas elsewhere. Durations are seconds or text such as `30s`, `5min`, `12h`;\n"
        "sizes are octets or text such as `64MiB`; relative paths count from the data directory.\n"
        "`WATCHGATE_DATA` names the data directory itself.",
    )
    for section, about in settings.SECTIONS.items():
        yield f"\n## [{section}]\n\n{about}\n\n"
        yield "| Setting | Kind | Default | Environment | What it does |\n|---|---|---|---|---|\n"
        for row in settings.TABLE.values():
            if row.section != section:
                continue
            shown = row.quantity.show(row.default)
            default = f"`{shown}`" if shown else "none"
            variable = "only in the file" if row.only_in_file else f"`{row.variable}`"
            cells = (f"`{row.name}`", row.quantity.name, default, variable, row.sentence)
            yield f"| {' | '.join(map(_escaped, cells))} |\n"
    yield (
        "\n## Listeners that mean one target\n\n"
        "So that DNS can point a server's own name at the gateway:\n\n"
        '```toml\n[[ssh.listeners]]\naddress = "10.0.0.7:22"\ntarget = "web1"\n```\n'
    )
    yield from _sinks()


def _sinks() -> Iterator[str]:
    yield (
        "\n## Sinks\n\n"
        "Where events go besides the recordings and the journal, each a table `[[siem.sinks]]`\n"
        "([how to](../how-to/siem.md), [what is guaranteed](../explanation/delivery.md)):\n\n"
        f"```toml\n{settings.TABLES['siem.sinks']}\n```\n\n"
        "| Key | Value | Default | What it does |\n|---|---|---|---|\n"
    )
    for name, key in sinks.KEYS.items():
        cells = (f"`{name}`", key.quantity.expected, key.default or "must be given", key.sentence)
        yield f"| {' | '.join(map(_escaped, cells))} |\n"


def _events() -> Iterator[str]:
    yield _heading(
        "Events",
        "Everything that can happen, in recordings and in the journal. Each is one line of JSON with\n"
        "`at` and `at_us` (wall time, UTC), `session`, `seq` (gapless in a session), `kind`, `v` (the\n"
        "version of its shape) and `data`, whose fields are listed here. A field is never renamed; a\n"
        "reader skips kinds and fields that it does not know.",
    )
    for name, kind in sorted(events.KINDS.items()):
        yield f"\n## {name}\n\n{inspect.getdoc(kind)}\n\n"
        yield f"Version {kind.v}.\n\n| Field | Type |\n|---|---|\n"
        hints = get_type_hints(kind)
        for field in fields(kind):
            yield f"| `{field.name}` | {_escaped(_type_name(hints[field.name]))} |\n"


def _type_name(hint: Any) -> str:
    names = {str: "text", int: "number", bool: "true or false", type(None): "null"}
    if hint in names:
        return names[hint]
    if isinstance(hint, types.UnionType):
        return " or ".join(_type_name(part) for part in hint.__args__)
    if getattr(hint, "__origin__", None) is list:
        return f"list of {_type_name(hint.__args__[0])}"
    return "object"


def _siem_mapping() -> Iterator[str]:
    yield _heading(
        "How events look to a SIEM",
        "Each format is a view of the same [events](events.md). Here is where a field is found in each, and what\n"
        "every kind of event is called. Fields that a format has no place for go along together, as details.\n"
        "`json` is the event as it is, with its session under `context`.",
    )
    yield "\n"
    yield from mapping_table()


def _errors() -> Iterator[str]:
    yield _heading(
        "Errors",
        "What Watchgate says went wrong, sorted by who must act. A message says what happened, to\n"
        "what, and what to do; the *code* is for programs and does not change. With `--json` a failed\n"
        'command writes `{"error": {"code": …, "message": …}}` to stderr.',
    )
    yield f"\n```\n{_tree()}\n```\n"
    codes = _codes()
    kinds: list[tuple[str, type[errors.WatchgateError]]] = inspect.getmembers(
        errors, inspect.isclass
    )
    for name, kind in kinds:
        yield f"\n## {name}\n\n{inspect.getdoc(kind)}\n\n"
        known = sorted({kind.code, *codes.get(name, set())})
        yield "Codes: " + ", ".join(f"`{code}`" for code in known) + ".\n"


def _tree() -> str:
    lines = (errors.__doc__ or "").splitlines()
    drawn = [line[4:] for line in lines if line.startswith("    ")]
    return "\n".join(drawn)


def _codes() -> dict[str, set[str]]:
    """The codes that the source gives to each kind of error: `NotFound("…", code="…")`."""
    found: dict[str, set[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                for keyword in node.keywords:
                    if keyword.arg == "code" and (code := _code(keyword.value)):
                        found.setdefault(node.func.id, set()).add(code)
    return found


def _code(value: ast.expr) -> str | None:
    """A code as it is written; what is put into it is in capitals: `NOUN.exists`."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    if isinstance(value, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else _hole(part)
            for part in value.values
        )
    return None


def _hole(part: ast.expr) -> str:
    name = part.value if isinstance(part, ast.FormattedValue) else part
    return name.id.upper() if isinstance(name, ast.Name) else "…"


def _commands() -> Iterator[str]:
    yield _heading(
        "Commands",
        "`watchgate NOUN VERB`. Every verb takes `--data DIR`, `--json`, `--utc` and `--debug`, before\n"
        "the noun or after the verb. `watchgate --install-completion` teaches the shell to complete.",
    )
    app = application(NOUNS)
    yield from _help(app, [])
    for words in _paths(typer.main.get_command(app), []):
        yield from _help(app, words)


def _paths(command: Any, words: list[str]) -> Iterator[list[str]]:
    """Every command below *command*, in the order in which `--help` shows them."""
    for name, child in getattr(command, "commands", {}).items():
        yield [*words, name]
        yield from _paths(child, [*words, name])


def _help(app: typer.Typer, words: list[str]) -> Iterator[str]:
    runner = typer.testing.CliRunner()
    environment = {"COLUMNS": WIDTH, "TERMINAL_WIDTH": WIDTH, "LC_ALL": "C.UTF-8"}
    result = runner.invoke(app, [*words, "--help"], env=environment, prog_name="watchgate")
    if result.exit_code != 0:
        raise RuntimeError(f"watchgate {' '.join(words)} --help failed: {result.output}")
    text = "\n".join(line.rstrip() for line in result.output.strip("\n").splitlines())
    yield f"\n{'##' if len(words) < 2 else '###'} {' '.join(['watchgate', *words])}\n"
    yield f"\n```\n{text}\n```\n"


def main() -> int:
    """Write the pages that changed and name them."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        path = REFERENCE / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"written: {path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
