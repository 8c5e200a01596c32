"""How a verb asks before it does what it has shown."""

from __future__ import annotations

import sys

import typer

from watchgate.errors import ConfigurationError, Refused


def confirm(question: str, *, yes: bool) -> None:
    """Return when the answer is yes; raises Refused for no, ConfigurationError where nobody can answer."""
    if yes:
        return
    if not _answers():
        raise ConfigurationError(
            "there is no terminal to ask at, and nothing was changed; --yes answers beforehand",
            code="cli.no-terminal",
        )
    if not typer.confirm(question, err=True):
        raise Refused("nothing was changed", code="cli.declined")


def _answers() -> bool:
    """Whether somebody sits there who can answer."""
    return sys.stdin.isatty()
