"""What `watchgate doctor` looks at of the SIEMs."""

from __future__ import annotations

from collections.abc import Iterator

from watchgate.catalog.database import Catalog
from watchgate.cli.checks import Finding, Verdict
from watchgate.clock import iso
from watchgate.errors import ConfigurationError
from watchgate.settings import Settings
from watchgate.siem.status import SinkStatus, statuses

_MANY = 2
"""Warn when half of what may wait does."""


def check_sinks(settings: Settings) -> Iterator[Finding]:
    """Whether every sink takes events, and has the secrets and certificates that it is said to have."""
    sinks = settings.siem.sinks
    with Catalog.open(settings.paths.catalog) as catalog, catalog.read() as connection:
        found = statuses(connection, sinks)
    for one in found:
        yield _finding(one, settings.siem.backlog)
    for sink in sinks:
        references = (sink.token, sink.signing_key)
        for reference in (one for one in references if one is not None):
            try:
                reference.read(settings.data)
            except ConfigurationError as error:
                yield Finding("siem", Verdict.BAD, f"{sink.name}: {error}")
        paths = (sink.tls.ca, sink.tls.certificate, sink.tls.key)
        for path in (one for one in paths if one is not None and not one.is_file()):
            yield Finding("siem", Verdict.BAD, f"{sink.name}: there is no file {path}")


def _finding(one: SinkStatus, backlog: int) -> Finding:
    if one.failing_since_us is not None:
        detail = f"{one.name} fails since {iso(one.failing_since_us)}, {one.waiting} events wait"
        return Finding("siem", Verdict.BAD, f"{detail}: {one.failure}")
    if not one.registered:
        detail = f"{one.name} gets events from the next start of the gateway on"
        return Finding("siem", Verdict.WARNING, detail)
    if one.waiting * _MANY > backlog:
        detail = f"{one.waiting} events wait for {one.name}; beyond {backlog} the oldest go"
        return Finding("siem", Verdict.WARNING, detail)
    return Finding("siem", Verdict.GOOD, f"{one.name} ({one.guarantee}), {one.waiting} wait")
