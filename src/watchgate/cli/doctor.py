"""`watchgate doctor`: look for what is wrong before it hurts."""

from __future__ import annotations

import typer

from watchgate.cli.context import Context, with_common_options
from watchgate.cli.output import document, visible


def doctor(context: Context) -> None:
    """Look at clock, disk, keys, ports and permissions; exit status 1 when something is bad."""
    from watchgate.cli.checks import Verdict, examine

    context.require_initialized()
    findings = examine(context.settings, context.clock)
    bad = sum(finding.verdict is Verdict.BAD for finding in findings)
    warnings = sum(finding.verdict is Verdict.WARNING for finding in findings)
    if context.json:
        document({"bad": bad, "warnings": warnings, "findings": findings})
    else:
        marks = {Verdict.GOOD: "  ok ", Verdict.WARNING: " look", Verdict.BAD: " BAD "}
        for finding in findings:
            typer.echo(f"{marks[finding.verdict]}  {finding.subject}: {visible(finding.detail)}")
        typer.echo(f"{bad} bad, {warnings} to look at")
    if bad:
        raise typer.Exit(1)


command = with_common_options(doctor)
