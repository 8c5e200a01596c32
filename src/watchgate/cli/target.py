"""`watchgate target`: the machines behind the gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from watchgate.catalog import settings as target_settings
from watchgate.catalog import targets
from watchgate.cli import importing, reaching, secrets
from watchgate.cli.context import Context, verb
from watchgate.cli.output import facts, said, table
from watchgate.errors import ConfigurationError
from watchgate.identity.grants import parse_selector
from watchgate.session.model import Target

app = typer.Typer()

Name = Annotated[str, typer.Argument(metavar="TARGET", help="The target's name.")]
Labels = Annotated[
    list[str] | None, typer.Option("--label", metavar="K=V", help="A label; may be repeated.")
]
Values = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help=f"A setting of the target ({', '.join(target_settings.NAMES)}); may be repeated.",
    ),
]
HostKeys = Annotated[
    list[Path] | None,
    typer.Option(
        "--host-key", metavar="FILE", help="A host key (or CA) to trust; may be repeated."
    ),
]


@verb(app, "add")
def add(
    context: Context,
    name: Name,
    host: Annotated[str, typer.Option(help="Its host name or address.")],
    port: Annotated[int, typer.Option(help="Its SSH port.")] = 22,
    label: Labels = None,
    values: Values = None,
    host_key: HostKeys = None,
) -> None:
    """Add a target."""
    with context.gateway() as gateway, gateway.change() as change:
        added = targets.add(
            change,
            name,
            host,
            port,
            labels=_pairs(label, "--label"),
            values=_pairs(values, "--set"),
            host_keys=_lines(host_key),
        )
    said(
        context,
        f"target {name} added at {added.address}; "
        f"next: watchgate account add ACCOUNT@{name}, watchgate target check {name}",
        added,
    )


@verb(app, "list")
def list_targets(
    context: Context,
    label: Annotated[
        str | None, typer.Option(metavar="K=V[,K=V]", help="Only those that bear these labels.")
    ] = None,
) -> None:
    """List targets."""
    selector = None if label is None else parse_selector(label)
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        found = targets.list_all(connection, selector=selector)
    table(
        context,
        found,
        {
            "NAME": [one.name for one in found],
            "ADDRESS": [one.address for one in found],
            "LABELS": [one.labels for one in found],
            "HOST KEYS": [_trust(one) for one in found],
        },
        empty="There is no target; add one: watchgate target add NAME --host HOST",
    )


@verb(app, "show")
def show(context: Context, name: Name) -> None:
    """Show one target with its settings and trusted keys."""
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        found = targets.get(connection, name)
    lines: dict[str, object] = {
        "name": found.name,
        "protocol": found.protocol,
        "address": found.address,
        "labels": found.labels,
    }
    lines |= {setting: getattr(found.settings, setting) for setting in target_settings.NAMES}
    lines |= {f"host key {number}": line for number, line in enumerate(found.host_keys, 1)}
    facts(context, found, lines)


@verb(app, "set")
def configure(
    context: Context,
    name: Name,
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=VALUE]...", help=f"Settings: {', '.join(target_settings.NAMES)}."
        ),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Another host name or address.")] = None,
    port: Annotated[int | None, typer.Option(help="Another SSH port.")] = None,
    label: Labels = None,
    no_label: Annotated[
        list[str] | None, typer.Option("--no-label", metavar="K", help="A label to take away.")
    ] = None,
    host_key: HostKeys = None,
    clear_host_keys: Annotated[
        bool, typer.Option("--clear-host-keys", help="Trust none of its keys any more.")
    ] = False,
) -> None:
    """Change a target; what is not said stays. Sessions that are open keep what they began with."""
    labels: dict[str, str | None] = dict.fromkeys(no_label or ())
    labels |= _pairs(label, "--label")
    lines = _lines(host_key)
    with context.gateway() as gateway, gateway.change() as change:
        if clear_host_keys:
            targets.unpin(change, name)
        for line in lines:
            targets.pin(change, name, line)
        found = targets.configure(
            change, name, host=host, port=port, labels=labels, values=_pairs(values, "setting")
        )
    said(context, f"target {found.name} changed; new sessions use it", found)


@verb(app, "remove")
def remove(context: Context, name: Name) -> None:
    """Remove a target with its accounts, their secrets, and the grants that name it."""
    with context.gateway() as gateway, gateway.change() as change:
        targets.remove(change, name)
    said(context, f"target {name} removed", {"removed": name})


verb(app, "check")(reaching.check)
verb(app, "import")(importing.import_targets)


# --- words ---------------------------------------------------------------------------------------


def _trust(target: Target) -> str:
    count = len(target.host_keys)
    return (
        f"{target.settings.host_keys}, {count} known" if count else str(target.settings.host_keys)
    )


def _pairs(texts: list[str] | None, what: str) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts or ()]
    for key, equals, _ in pairs:
        if not key or not equals:
            raise ConfigurationError(f"{what} {key!r}: write {what} name=value", code="cli.usage")
    return {key.strip(): value for key, _, value in pairs}


def _lines(files: list[Path] | None) -> list[str]:
    """The keys in public key files, one a line."""
    texts = [secrets.from_file(file).reveal().decode("utf-8", "replace") for file in files or ()]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]
