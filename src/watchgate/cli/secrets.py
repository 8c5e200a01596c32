"""How a secret comes in: from a file, from standard input, or typed without echo; never from argv.

Every user of a machine can read the arguments of every process, and shells keep them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from watchgate.errors import ConfigurationError
from watchgate.secret import Secret

CEILING = 64 * 1024


def from_file(path: Path) -> Secret:
    """The secret in the file at *path*, without the line break at its end."""
    try:
        with open(path, "rb") as file:
            return _stripped(file.read(CEILING + 1), str(path))
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}", code="secret.unreadable"
        ) from error


def from_standard_input() -> Secret:
    """The secret on standard input, without the line break at its end."""
    return _stripped(sys.stdin.buffer.read(CEILING + 1), "standard input")


def typed(what: str, *, twice: bool) -> Secret:
    """Ask for a secret at the terminal, without echo."""
    if not sys.stdin.isatty():
        raise ConfigurationError(
            f"{what} is needed and there is no terminal to type it; give a file or standard input",
            code="secret.no-terminal",
        )
    return Secret(str(typer.prompt(what, hide_input=True, confirmation_prompt=twice, err=True)))


def chosen(what: str, file: Path | None, standard_input: bool, *, twice: bool) -> Secret:
    """The secret from where the options say, else typed."""
    if file is not None and standard_input:
        raise ConfigurationError(
            f"{what} cannot come from a file and from standard input; choose one",
            code="secret.two-sources",
        )
    if file is not None:
        return from_file(file)
    return from_standard_input() if standard_input else typed(what, twice=twice)


def _stripped(octets: bytes, where: str) -> Secret:
    if len(octets) > CEILING:
        raise ConfigurationError(
            f"{where} holds more than {CEILING} octets, which is no secret", code="secret.too-long"
        )
    octets = octets.removesuffix(b"\n").removesuffix(b"\r")
    if not octets:
        raise ConfigurationError(f"{where} is empty", code="secret.empty")
    return Secret(octets)
