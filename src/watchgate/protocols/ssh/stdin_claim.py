"""What a program without a terminal makes of its standard input: commands, code, or data.

`cat > file` and `tar` take data; `bash -s`, `sudo sh`, `ssh other` take commands; `python3 -` and `psql`
take code of another language. The line says which, as far as it can be read. Where several programs share
the input, the one that can do the most is assumed to read it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from watchgate.policy.reading import Opaque, Reading, Reason, SimpleCommand, Word
from watchgate.protocols.ssh.script_context import is_piped
from watchgate.protocols.ssh.script_words import BOURNE, DEVICE, Dialect, dialect_of
from watchgate.session.model import Device


class Reads(Enum):
    """What standard input is."""

    COMMANDS = "commands"
    """Lines for a shell."""
    CODE = "code"
    """Another language."""
    DATA = "data"


@dataclass(frozen=True, slots=True)
class StdinClaim:
    """What a program makes of its standard input."""

    reads: Reads
    program: str = ""
    dialect: Dialect = BOURNE
    """Of a shell."""
    secret: bool = False
    """Its first line may be a password: `sudo -S` reads one when it needs one."""


DATA = StdinClaim(Reads.DATA)

SHELLS = frozenset(
    {"sh", "bash", "dash", "zsh", "ash", "ksh", "ksh93", "mksh", "lksh", "pdksh", "yash", "posh"}
    | {"rbash", "rsh", "rksh", "hush", "fish", "csh", "tcsh"}
)
_INPUT = frozenset({"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"})
_SHELL_VALUES = frozenset({"-o", "+o", "-O", "+O", "--rcfile", "--init-file", "-C"})

_INTERPRETERS = {
    "python": "cm",
    "pypy": "cm",
    "perl": "eE",
    "ruby": "e",
    "node": "ep",
    "nodejs": "ep",
    "php": "rf",
    "lua": "e",
    "luajit": "e",
    "tclsh": "",
    "expect": "cf",
    "Rscript": "e",
    "R": "ef",
    "julia": "eE",
    "guile": "c",
    "pwsh": "cf",
    "osascript": "e",
    "groovy": "e",
    "deno": "",
    "bun": "e",
}
"""Interpreters, with the letters of the options that give the code elsewhere."""
_INTERPRETER_VALUES = frozenset({"-W", "-X", "-I", "-r", "-M", "-d"})

_CLIENTS = {
    "psql": ("-c", "-f", "--command", "--file", "-l", "--list"),
    "mysql": ("-e", "--execute"),
    "mariadb": ("-e", "--execute"),
    "sqlplus": (),
    "sqlcmd": ("-Q", "-q", "-i"),
    "isql": (),
    "tsql": (),
    "clickhouse-client": ("-q", "--query"),
    "cqlsh": ("-e", "-f"),
    "mongo": ("--eval",),
    "mongosh": ("--eval", "-f", "--file"),
    "redis-cli": (),
    "sqlite3": (),
    "ed": (),
    "ex": (),
    "vi": (),
    "vim": (),
    "nvim": (),
    "emacs": (),
    "gdb": (),
    "lldb": (),
    "dc": (),
    "bc": (),
    "irb": (),
    "ghci": (),
    "jshell": (),
}
"""Programs whose operands are no scripts, with the options that give the code elsewhere."""

_KNOWN = SHELLS | _INTERPRETERS.keys() | _CLIENTS.keys()
_PASSING = {"cat": 0, "tee": 99, "tr": 2, "head": 0, "tail": 0, "sed": 1, "grep": 1, "awk": 1}
"""Programs that pass on their input, with the most operands with which they do not read a file instead."""
_VERSION = re.compile(r"[\d.]+$")
_OWN_SHELL = re.compile(r"\$\{?(?:SHELL|0|BASH)\b|\$\(\s*(?:cat|tee|<\s*/dev/stdin)")
_SUDO_STDIN = re.compile(r"-[ABbEeHiKklNnPsVv]*S")
"""Letters that take no value, up to the one that matters."""
_LATER = frozenset({"at", "batch"})


def claims_stdin(readings: Sequence[Reading] | None, device: Device = Device.UNIX) -> StdinClaim:
    """What the standard input of a line is; without *readings* it is that of a login shell."""
    if readings is None:
        dialect = BOURNE if device is Device.UNIX else DEVICE
        return StdinClaim(Reads.COMMANDS, "shell", dialect)
    claims = [claim for reading in readings for claim in _claims(reading)]
    ranked = [Reads.COMMANDS, Reads.CODE]
    found = [one for reads in ranked for one in claims if one.reads is reads]
    if not found:
        return DATA
    secret = any(_asks(command) for reading in readings for command in reading.commands)
    return replace(found[0], secret=secret)


def _asks(command: SimpleCommand) -> bool:
    """`sudo -S`, alone or in a cluster of options."""
    if command.program != "sudo":
        return False
    return any(
        word.text == "--stdin" or _SUDO_STDIN.match(word.text) is not None for word in command.words
    )


def _claims(reading: Reading) -> list[StdinClaim]:
    claims = []
    for command in reading.commands:
        if _has_other_input(command, reading):
            continue
        name = _known(command.program)
        if name in SHELLS:
            if _shell_reads(command):
                claims.append(StdinClaim(Reads.COMMANDS, name, dialect_of(name)))
        elif name in _INTERPRETERS:
            if _interpreter_reads(command, _INTERPRETERS[name]):
                claims.append(StdinClaim(Reads.CODE, command.program))
        elif name in _CLIENTS:
            if not _gives(command, _CLIENTS[name]):
                claims.append(StdinClaim(Reads.CODE, command.program))
        elif name in _LATER and "-f" not in _texts(command):
            claims.append(StdinClaim(Reads.COMMANDS, command.program))
    claims += [StdinClaim(Reads.COMMANDS, one.program) for one in reading.opaque if _starts(one)]
    return claims


def _known(program: str) -> str:
    """The name by which a program is known here: `-bash` and `python3.11` have another."""
    name = program.removeprefix("-")
    return name if name in _KNOWN else _VERSION.sub("", name)


def _starts(opaque: Opaque) -> bool:
    """A part that cannot be read starts a shell on this input: `su -`, `ssh other`, `$SHELL`."""
    if _known(opaque.program) in _KNOWN:
        return False  # its command was looked at
    if opaque.reason in (Reason.INTERPRETER, Reason.ELSEWHERE):
        return True
    return opaque.reason is Reason.COMPUTED and _OWN_SHELL.search(opaque.text) is not None


def _has_other_input(command: SimpleCommand, reading: Reading) -> bool:
    """It reads a file, a here-document, or what another program prints."""
    if any(one.operator.startswith("<") and one.path not in _INPUT for one in command.redirects):
        return True
    around = [one for one in reading.commands if command.raw in one.raw]
    if not any(is_piped(one, reading.line) for one in around):
        return False
    return not any(_passes(one, reading.line) for one in reading.commands)


def _passes(command: SimpleCommand, line: str) -> bool:
    """It reads this input, and prints what it reads."""
    operands = [word for word in command.operands if word.text not in _INPUT]
    most = _PASSING.get(command.program, -1)
    return len(operands) <= most and not is_piped(command, line)


def _shell_reads(command: SimpleCommand) -> bool:
    words = list(command.words)
    while words:
        word = words.pop(0)
        if not word.known:
            return True
        match word.text:
            case "--" | "-":
                return not words or words[0].text in _INPUT
            case "-c" | "--command":
                return False
            case value if value in _SHELL_VALUES:
                del words[:1]
            case long if long.startswith("--"):
                continue
            case short if short[:1] in "-+" and len(short) > 1:
                if "c" in short:
                    return False
                if "s" in short:
                    return True
            case operand:
                return operand in _INPUT
    return True


def _interpreter_reads(command: SimpleCommand, letters: str) -> bool:
    words = list(command.words)
    while words:
        word = words.pop(0)
        if not word.known or word.text in _INPUT:
            return True
        if word.text in _INTERPRETER_VALUES:
            del words[:1]
        elif word.text.startswith("-") and not word.text.startswith("--"):
            if any(letter in word.text[1:] for letter in letters):
                return False
        elif not word.text.startswith("-"):
            return False
    return True


def _gives(command: SimpleCommand, options: Sequence[str]) -> bool:
    return any(_is_option(word, option) for word in command.words for option in options)


def _is_option(word: Word, option: str) -> bool:
    if option.startswith("--"):
        return word.text == option or word.text.startswith(f"{option}=")
    return word.text.startswith(option)


def _texts(command: SimpleCommand) -> list[str]:
    return [word.text for word in command.words]
