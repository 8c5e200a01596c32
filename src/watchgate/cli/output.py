"""How a verb answers: a table for people, or one JSON document for programs.

Much of what is shown came over a wire from whoever chose to send it, so nothing that a terminal would
obey is ever printed: control characters are shown as escapes.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from pathlib import PurePath
from typing import Any

import typer

from watchgate.cli.context import Context
from watchgate.clock import iso
from watchgate.secret import Secret
from watchgate.session.model import Address

_MOMENTS = {"from_us": "from", "until_us": "until"}


def document(value: Any) -> None:
    """Print *value* as one JSON document; a moment in microseconds is joined by its text."""
    typer.echo(json.dumps(plain(value), indent=2))


def plain(value: Any) -> Any:
    """*value* as JSON has it: nouns as objects, sets sorted, moments readable, secrets hidden."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type | Address):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return plain({name: item for name, item in fields.items() if not name.startswith("_")})
    if isinstance(value, Mapping):
        found: dict[str, Any] = {}
        for key, item in value.items():
            found[str(key)] = plain(item)
            if (moment := _moment_name(str(key))) and isinstance(item, int):
                found[moment] = iso(item)
        return found
    if isinstance(value, frozenset | set):
        return sorted(plain(item) for item in value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Secret | PurePath | Address):
        return str(value)
    describe = getattr(value, "describe", None)
    return describe() if callable(describe) else str(value)


def _moment_name(key: str) -> str | None:
    """The name of the readable twin of a field that holds a moment."""
    return _MOMENTS.get(key) or (key.removesuffix("_us") if key.endswith("_at_us") else None)


def said(context: Context, sentence: str, value: Any) -> None:
    """Answer with *sentence* to people and with *value* to programs."""
    if context.json:
        document(value)
    else:
        typer.echo(visible(sentence))


def warn(sentence: str) -> None:
    """Say on stderr what the reader should know before he goes on."""
    typer.echo(f"watchgate: {visible(sentence)}", err=True)


def table(
    context: Context,
    values: Sequence[Any],
    columns: Mapping[str, Iterable[object]],
    *,
    empty: str,
) -> None:
    """Print rows: *values* as JSON, or *columns* (heading: cells); *empty* when there are none."""
    if context.json:
        document(values)
        return
    if not values:
        typer.echo(empty)
        return
    rows = [list(map(_cell, row)) for row in zip(*columns.values(), strict=True)]
    if sys.stdout.isatty():
        _print_fitted(list(columns), rows)
    else:
        _print_lines([list(columns), *rows])


def _print_fitted(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table that fits the terminal: long cells go on in the next line."""
    import rich.box
    import rich.console
    import rich.table
    import rich.text

    shown = rich.table.Table(box=rich.box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        shown.add_column(heading, overflow="fold")
    for row in rows:
        # As Text, so that what looks like rich's markup is shown as it is.
        shown.add_row(*map(rich.text.Text, row))
    rich.console.Console(file=sys.stdout, highlight=False, emoji=False).print(shown)


def _print_lines(rows: Sequence[Sequence[str]]) -> None:
    """A line for each row, nothing cut: a pipe has no width, and another program reads it."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def facts(context: Context, value: Any, lines: Mapping[str, object]) -> None:
    """Print one thing: *value* as JSON, or *lines* of name and value."""
    if context.json:
        document(value)
        return
    width = max(map(len, lines))
    for name, fact in lines.items():
        typer.echo(f"{name:<{width}}  {_cell(fact)}")


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, frozenset | set):
        return ", ".join(sorted(map(on_one_line, map(str, value)))) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(on_one_line(str(item)) for item in value) or "-"
    if isinstance(value, Mapping):
        return (
            ", ".join(f"{on_one_line(str(k))}={on_one_line(str(v))}" for k, v in value.items())
            or "-"
        )
    return on_one_line(str(value))


def visible(text: str) -> str:
    """*text* with everything that a terminal would obey written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text
    )


def on_one_line(text: str) -> str:
    """As `visible`, and line breaks as escapes too: a cell or a fact is one line."""
    return visible(text).replace("\n", "\\n")


def moment(context: Context, at_us: int | None) -> str:
    """A moment to the second: in local time with its zone, or in UTC."""
    if at_us is None:
        return "-"
    at = datetime.fromtimestamp(at_us / 1_000_000, UTC)
    if context.utc:
        return at.strftime("%Y-%m-%d %H:%M:%SZ")
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def duration(microseconds: int | None) -> str:
    """A length of time as people read it: `0.4 s`, `12 s`, `3:07`, `1:02:45`."""
    if microseconds is None:
        return "-"
    seconds = microseconds / 1_000_000
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}" if minutes else f"{rest} s"


def size(octets: int | None) -> str:
    """A size as people read it: `812 B`, `1.4 MiB`."""
    if octets is None:
        return "-"
    amount = float(octets)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"
