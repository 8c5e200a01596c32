"""Looks a program up in the tables, and knows which names are builtins of shells."""

from __future__ import annotations

from watchgate.policy.shell.flags import NO_OPTIONS, Options, options
from watchgate.policy.shell.known import Known, Operands, names
from watchgate.policy.shell.tables.files import FILES
from watchgate.policy.shell.tables.network import NETWORK
from watchgate.policy.shell.tables.system import SYSTEM
from watchgate.policy.shell.tables.wrappers import WRAPPERS

_PROGRAMS: dict[str, Known] = {**FILES, **SYSTEM, **NETWORK}
_SILENT = Known("", Operands.NONE)
_STRANGE = Known("", Operands.LIKELY)

BUILTINS = names(
    ". : [ alias bg bind break builtin caller cd command compgen complete continue declare dirs disown "
    "echo enable eval exec exit export false fc fg getopts hash help history jobs kill let local logout "
    "mapfile popd printf pushd pwd read readarray readonly return set shift shopt source suspend test "
    "times trap true type typeset ulimit umask unalias unset wait setopt unsetopt autoload zmodload emulate "
    "print whence where functions abbr contains count status string math rehash limit zle bindkey"
)
"""Names that a shell does not look for in a directory."""

_WITHOUT_PATHS = (BUILTINS | {"expr", "seq"}) - {".", "source", "cd", "pushd"}

NAMES = tuple(sorted({*_PROGRAMS, *WRAPPERS}))
"""Every program of the tables."""


def family(name: str) -> str:
    """`python3.11` is a `python`."""
    return name.rstrip("0123456789.-") if name[-1:].isdigit() else name


def known(name: str) -> Known:
    """What is known of a program."""
    found = _PROGRAMS.get(name)
    if found is not None:
        return found
    if name in _WITHOUT_PATHS:
        return _SILENT
    if name.startswith("mkfs."):
        return _PROGRAMS["mkfs"]
    return _STRANGE


def flags_of(name: str) -> Options:
    """The flags of a program; of one that is not in the tables, any."""
    found = _PROGRAMS.get(name)
    if found is not None:
        return options(found.flags) if found.flags else NO_OPTIONS
    if name in WRAPPERS:
        return options(WRAPPERS[name].flags)
    return options(_PROGRAMS["mkfs"].flags) if name.startswith("mkfs.") else NO_OPTIONS
