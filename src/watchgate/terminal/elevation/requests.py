"""Which elevation a line asks for, and whether its password prompt may be answered at all.

Everything is refused that would let another program read what is typed: a pipe into the elevation from a
program that could do more than print, a password read from the standard input, an editor that runs as the
operator. None is then the answer, and the operator types his password himself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from posixpath import basename

from watchgate.policy.reading import Reading
from watchgate.terminal.elevation import company, devices, options, plain
from watchgate.terminal.elevation.options import Options
from watchgate.terminal.elevation.plain import Plain, Word

_MAY_NAME = re.compile(r"su|doas|['\"\\]")
"""In every line that names one of the programs, however it is quoted."""


@dataclass(frozen=True, slots=True)
class Request:
    """One elevation, as its line asks for it."""

    program: str
    user: str = ""
    """The user whose password it asks for; `""` is the one that runs it."""
    prompt: str | None = None
    """The prompt that the line itself gives (sudo's `-p`), not yet expanded."""
    marked: bool = False
    """It shows the prompt that its environment gives, and nothing else on its line sees that."""
    bare: bool = True
    """A prompt that is only the word for a password can be nothing else's: what it runs does not ask for one,
    or it asks in any case."""
    settled: bool = True
    """What it runs is no program that the operator could have made to imitate a prompt."""


def of(
    readings: Sequence[Reading], resolved: Mapping[str, str] | None, device: str = "unix"
) -> Request | None:
    """The one elevation in a line, or None when it has none that may be answered.

    *resolved* says which files the names of programs are to the shell; what it does not say is no file. None
    when no shell told.
    """
    lines = {reading.line for reading in readings}
    if len(lines) != 1:
        return None
    line = lines.pop()
    if device != "unix":
        found = devices.enabling(line, device)
        return None if found is None else Request(found)
    commands = plain.commands(line) if _MAY_NAME.search(line) else None
    return None if commands is None else _elevation(commands, resolved)


def names(readings: Sequence[Reading]) -> frozenset[str]:
    """The elevating programs that any of *readings* names as a program, answered or not."""
    return frozenset(
        name
        for reading in readings
        if _MAY_NAME.search(reading.line)
        for command in plain.commands(reading.line) or ()
        if (name := _name(command)) in _PARSERS
    )


def _name(command: Plain) -> str:
    return basename(command.words[0].text)


def _elevation(commands: Sequence[Plain], resolved: Mapping[str, str] | None) -> Request | None:
    places = [at for at, one in enumerate(commands) if _name(one) in _PARSERS]
    if len(places) != 1:
        return None
    at = places[0]
    head, *rest = commands[at].words
    if not head.known or not company.trusted(head.text, resolved):
        return None
    beside = (
        *((one, company.BEFORE) for one in commands[:at]),
        *((one, company.BEHIND) for one in commands[at + 1 :]),
    )
    if not all(company.harmless(one, allowed, resolved) for one, allowed in beside):
        return None
    return _PARSERS[_name(commands[at])](rest)


# --- what each program is asked for ----------------------------------------------------------------

_SUDO = Options(
    valued={**dict.fromkeys("CcDghRrTtUua", ""), "p": "prompt"},
    flags={
        **dict.fromkeys("AbeKnSV", "refused"),
        **dict.fromkeys("BHNPilsv", ""),
        "k": "fresh",
        "E": "environment",
    },
    long_valued={
        **dict.fromkeys(("close-from", "chdir", "group", "host", "chroot", "role", "type"), ""),
        **dict.fromkeys(("command-timeout", "other-user", "user"), ""),
        "prompt": "prompt",
    },
    long_flags={
        **dict.fromkeys(("bell", "set-home", "login", "list", "no-update", "shell"), ""),
        **dict.fromkeys(("preserve-groups", "validate"), ""),
        "reset-timestamp": "fresh",
        "preserve-env": "environment",
    },
)
_DOAS = Options(valued={"u": ""}, flags={"s": ""})
_SU = Options(
    valued=dict.fromkeys("csgGw", ""),
    flags=dict.fromkeys("lmpPfT", ""),
    long_valued=dict.fromkeys(
        ("command", "session-command", "shell", "group", "supp-group", "whitelist-environment"), ""
    ),
    long_flags=dict.fromkeys(("login", "preserve-environment", "fast", "pty"), ""),
    anywhere=True,
)


def _sudo(words: Sequence[Word]) -> Request | None:
    read = options.read(words, _SUDO)
    if read is None or read.has("refused"):
        return None
    runs = list(read.rest)
    while runs and runs[0].known and "=" in runs[0].text:
        del runs[0]
    return Request(
        "sudo",
        prompt=read.value("prompt"),
        marked=read.value("prompt") is None and not read.has("environment"),
        bare=not runs or read.has("fresh"),
        settled=company.settled(runs),
    )


def _doas(words: Sequence[Word]) -> Request | None:
    read = options.read(words, _DOAS)
    return None if read is None else Request("doas", settled=company.settled(read.rest))


def _su(words: Sequence[Word]) -> Request | None:
    read = options.read(words, _SU)
    if read is None:
        return None
    rest = [word.text for word in read.rest]
    if rest and rest[0] == "-":
        del rest[0]
    # What su runs, it runs after it has asked: it remembers no answer, as sudo does.
    return Request("su", user=rest[0] if rest else "root")


_PARSERS = {"sudo": _sudo, "doas": _doas, "su": _su}
