"""`watchgate report`: who did what, when, from where and by which grant, as a page to hand on."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date, timedelta, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from watchgate.catalog import journal
from watchgate.catalog.queries import SessionRow
from watchgate.cli import zones
from watchgate.cli.context import Context, verb
from watchgate.cli.files import create
from watchgate.cli.indexed import indexed
from watchgate.cli.moments import past
from watchgate.cli.output import document, said
from watchgate.errors import ConfigurationError
from watchgate.recording.keys import EvidencePublicKey
from watchgate.reports import gathering, proof
from watchgate.reports.activity import About, Activity, Proof, Question
from watchgate.reports.coverage.daily import midnight_us
from watchgate.reports.forms import FORMS
from watchgate.session.events import ReportWritten

app = typer.Typer()


class Form(StrEnum):
    """The forms of a report."""

    MD = "md"
    HTML = "html"
    CSV = "csv"


Day = Annotated[str | None, typer.Option("--date", metavar="DATE", help="That day: 2026-11-21.")]
Begin = Annotated[
    str | None, typer.Option("--from", metavar="WHEN", help="Not before: a date, or 7d (ago).")
]
Until = Annotated[
    str | None, typer.Option("--to", metavar="WHEN", help="Before: a date, or 1h (ago); else now.")
]
Matching = Annotated[
    str, typer.Option(metavar="TEXT", help="Only commands, files and forwards that hold this text.")
]
FormOption = Annotated[Form, typer.Option("--format", help="Markdown, HTML or CSV.")]
Output = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Write here; else to standard output.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file.")]


@verb(app, "operator")
def on_operator(
    context: Context,
    name: Annotated[str, typer.Argument(metavar="OPERATOR", help="Who.")],
    day: Day = None,
    begin: Begin = None,
    until: Until = None,
    matching: Matching = "",
    form: FormOption = Form.MD,
    output: Output = None,
    force: Force = False,
) -> None:
    """Report what an operator did, on every target."""
    span = _span(context, day, begin, until)
    _report(context, About.OPERATOR, name, span, matching, form, output, force=force)


@verb(app, "target")
def on_target(
    context: Context,
    name: Annotated[str, typer.Argument(metavar="TARGET", help="Where.")],
    day: Day = None,
    begin: Begin = None,
    until: Until = None,
    matching: Matching = "",
    form: FormOption = Form.MD,
    output: Output = None,
    force: Force = False,
) -> None:
    """Report what was done on a target, by every operator."""
    span = _span(context, day, begin, until)
    _report(context, About.TARGET, name, span, matching, form, output, force=force)


def _report(
    context: Context,
    about: About,
    name: str,
    span: tuple[int, int],
    matching: str,
    form: Form,
    output: Path | None,
    *,
    force: bool,
) -> None:
    with context.gateway() as gateway, indexed(context) as commands:
        with gateway.catalog.read() as connection:
            subject = gathering.canonical(connection, about, name)
            question = Question(about, subject, *span, matching)
            found = gathering.gather(connection, question, zones.shown(context), commands)
        activity = gathering.prove(found, _examiner(context))
        with gateway.catalog.write() as connection:
            # Before anything is shown: who reads a report leaves a trace, whatever happens then.
            written = ReportWritten(context.actor, str(about), subject, *span, _form(context, form))
            journal.append(connection, context.clock, written)
    _show(context, activity, form, output, force=force)


def _form(context: Context, form: Form) -> str:
    return "json" if context.json else str(form)


def _show(
    context: Context, activity: Activity, form: Form, output: Path | None, *, force: bool
) -> None:
    if context.json and output is None:
        document({"report": activity, "totals": activity.totals})
        return
    # A report holds no lone surrogates: the catalog wrote them with backslashes.
    octets = FORMS[form](activity).encode("utf-8", "backslashreplace")
    if output is None or str(output) == "-":
        sys.stdout.buffer.write(octets)
        sys.stdout.buffer.flush()
        return
    with create(output, force=force) as file:
        file.write(octets)
    said(context, f"written: {output}", {"format": str(form), "file": output})


# --- what is asked for ---------------------------------------------------------------------------


def _span(
    context: Context, day: str | None, begin: str | None, until: str | None
) -> tuple[int, int]:
    if day is not None:
        if begin is not None or until is not None:
            raise ConfigurationError(
                "--date says both ends; leave --from and --to", code="cli.usage"
            )
        return _day(day, zones.shown(context))
    if begin is None:
        raise ConfigurationError(
            "say for which time: --date DATE, or --from WHEN", code="cli.usage"
        )
    from_us, until_us = past(begin, context.clock), past(until or "now", context.clock)
    assert from_us is not None
    assert until_us is not None
    if from_us >= until_us:
        raise ConfigurationError(f"{begin} is not before {until or 'now'}", code="cli.usage")
    return from_us, until_us


def _day(text: str, zone: tzinfo) -> tuple[int, int]:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigurationError(
            f"{text!r} is not a date; write 2026-11-21", code="cli.illegal-moment"
        ) from error
    return midnight_us(day, zone), midnight_us(day + timedelta(1), zone)


def _examiner(context: Context) -> gathering.Examine:
    paths = context.paths
    keys: Sequence[EvidencePublicKey] = ()
    if paths.evidence_public.exists():
        keys = EvidencePublicKey.load(paths.evidence_public)

    def examine(row: SessionRow) -> Proof:
        return proof.examine(row, paths.recordings, paths.spool, keys)

    return examine
