"""`watchgate siem`: where events go besides recordings and journal, and how that stands."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from watchgate.cli.context import Context, verb
from watchgate.cli.output import document, moment, said, table, visible
from watchgate.errors import NotFound, SinkError

if TYPE_CHECKING:
    from watchgate.siem.fact import Fact, Host
    from watchgate.siem.sinks import Sink
    from watchgate.siem.status import SinkStatus
    from watchgate.siem.transport import Transport

app = typer.Typer()

_BATCH = 20


@verb(app, "status")
def status(context: Context) -> None:
    """Show each sink: what it promises, what waits for it, and since when it fails and why."""
    from watchgate.siem.status import statuses

    sinks = context.settings.siem.sinks
    with context.gateway() as gateway, gateway.catalog.read() as connection:
        found = statuses(connection, sinks)
    table(
        context,
        found,
        {
            "SINK": [one.name for one in found],
            "STATE": [one.state for one in found],
            "TO": [one.address for one in found],
            "FORMAT": [one.format for one in found],
            "WAITING": [one.waiting for one in found],
            "DELIVERED": [one.delivered for one in found],
            "LAST": [moment(context, one.delivered_at_us) for one in found],
        },
        empty="No sink is configured: write a [[siem.sinks]] table into watchgate.toml.",
    )
    if not context.json:
        for one in found:
            for line in _notes(context, one):
                typer.echo(visible(f"{one.name}: {line}"))


def _notes(context: Context, one: SinkStatus) -> list[str]:
    """What the table has no room for."""
    lines = [one.promise]
    if not one.registered:
        lines.append("nothing is kept for it yet; it begins when the gateway is started with it")
    if one.oldest_at_us is not None:
        lines.append(f"the oldest that waits is of {moment(context, one.oldest_at_us)}")
    if one.failing_since_us is not None:
        lines.append(f"fails since {moment(context, one.failing_since_us)}: {one.failure}")
    if one.dropped:
        lines.append(f"{one.dropped} events were never sent to it; see `watchgate journal list`")
    return lines


@verb(app, "test")
def test(
    context: Context,
    name: Annotated[str, typer.Argument(metavar="SINK", help="The sink's name in the settings.")],
) -> None:
    """Send one example of every kind of event, marked as a test, and say how many arrived."""
    from watchgate.catalog import journal
    from watchgate.session.events import SinkTested
    from watchgate.siem.examples import examples
    from watchgate.siem.opening import PROMISES, open_transport
    from watchgate.siem.views import VIEWS

    sink, host = _sink(context, name), _host(context)
    with context.gateway() as gateway:
        transport = open_transport(sink.describe(host, context.data), context.clock)
        view = VIEWS[sink.format]
        batch = [(fact, view(fact, host)) for fact in examples(context.clock)]
        arrived, problem = asyncio.run(_send(transport, batch))
        with gateway.catalog.write() as connection:
            journal.append(connection, context.clock, SinkTested(gateway.actor, sink.name, arrived))
    if problem is not None:
        raise SinkError(
            f"{arrived} of {len(batch)} events reached {sink.name}, then: {problem}"
        ) from problem
    promise = PROMISES[transport.guarantee]
    said(
        context,
        f"{arrived} events, one of each kind, {_how(transport)} {sink.name} ({promise})",
        {"sink": sink.name, "events": arrived, "guarantee": transport.guarantee, "about": promise},
    )


def _how(transport: Transport) -> str:
    from watchgate.siem.transport import Guarantee

    acknowledged = transport.guarantee is Guarantee.AT_LEAST_ONCE
    return "acknowledged by" if acknowledged else "sent, but not acknowledged, to"


async def _send(
    transport: Transport, batch: list[tuple[Fact, bytes]]
) -> tuple[int, SinkError | None]:
    """How many arrived, and what stopped the rest; a few at a time, as a receiver may refuse one."""
    arrived, problem = 0, None
    try:
        while arrived < len(batch):
            arrived += await transport.send(batch[arrived : arrived + _BATCH])
    except SinkError as error:
        problem = error
    await transport.close()
    return arrived, problem


@verb(app, "show")
def show(
    context: Context,
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="A kind of event: command.requested.")
    ],
    form: Annotated[
        str | None, typer.Option("--format", help="cef, leef, ecs, ocsf or json.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--sink", metavar="SINK", help="In the format of this sink.")
    ] = None,
) -> None:
    """Print what an event of this kind looks like in a format."""
    from watchgate.siem.examples import example
    from watchgate.siem.views import VIEWS

    chosen = form or (_sink(context, name).format if name else "cef")
    if chosen not in VIEWS:
        raise NotFound(f"there is no format {chosen!r}; there are {', '.join(VIEWS)}")
    line = VIEWS[chosen](example(kind, context.clock), _host(context)).decode()
    if context.json:
        document({"kind": kind, "format": chosen, "text": line})
    else:
        typer.echo(visible(line))


def _sink(context: Context, name: str) -> Sink:
    sinks = {sink.name: sink for sink in context.settings.siem.sinks}
    if name not in sinks:
        there = f"there are {', '.join(sinks)}" if sinks else "none is configured"
        raise NotFound(
            f"there is no sink {name!r} in {context.data / 'watchgate.toml'}; {there}",
            code="sink.not-found",
        )
    return sinks[name]


def _host(context: Context) -> Host:
    from watchgate import __version__
    from watchgate.siem.fact import Host

    return Host(context.settings.server.node, __version__)
