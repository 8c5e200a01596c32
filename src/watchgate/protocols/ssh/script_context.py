"""What the lines of a script tell about the shell that runs it: variables, aliases, functions.

`x=rm` in one line makes `$x -rf /` in a later one what it is. Only what is sure is kept as a value: a
line that may change a variable in a way that cannot be read forgets it. What a name may stand for is
never forgotten: an alias or a function keeps its name from being an innocent command.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from watchgate.policy.reading import Reading, ShellContext, SimpleCommand
from watchgate.session.deciding import Decision

MOST_NAMES = 1024
"""Variables, aliases and functions each; a script with more is no longer followed."""

_ASSIGNMENT = re.compile(
    r"\s*(?:export\s+)?([A-Za-z_]\w*)=(?:([\w@%+=:,./-]*)|'([^']*)'|\"([^\"$`\\]*)\")\s*;?\s*"
)
_FUNCTION = re.compile(r"(?:^|[;&|(){}\s])([^\s;&|(){}<>'\"$`]+)\s*\(\s*\)")
_KEYWORD = re.compile(r"\bfunction\s+([^\s;&|(){}<>'\"$`]+)")
_ALIAS = re.compile(
    r"([^\s=;&|'\"$`]+)=(?:'([^']*)'|\"([^\"$`\\]*)\"|([\w@%+:,./-]+)(?=[\s;&|]|$))?"
)
_NAME = re.compile(r"(?<![$\w{])[A-Za-z_]\w*")
_SETTERS = frozenset(
    {"read", "printf", "declare", "typeset", "local", "export", "readonly", "mapfile", "readarray"}
    | {"getopts", "let", "unset", "eval", "source", ".", "wait"}
)
_ALWAYS_READ = frozenset({"read", "mapfile", "readarray"})
_READ_WITHOUT_OPERANDS = frozenset({"cat", "head", "tail", "tee", "dd", "sed", "awk", "grep", "wc"})


class ScriptContext:
    """What is known of the shell after the lines so far."""

    def __init__(self, dialect: str) -> None:
        self.shell = ShellContext(dialect=dialect)
        """What the next line is read with."""
        self.exact = True
        """Every line so far was surely read by the shell, and not by a program that it started."""
        self.overflowed = False
        """There were more names than are kept."""

    def learn(self, decision: Decision) -> None:
        """A line runs."""
        line = decision.command.text
        if _is_plain(line, decision.readings, self.shell):
            return
        self._variables(line, decision.readings)
        if "(" in line or "function" in line:
            named = {*_FUNCTION.findall(line), *_KEYWORD.findall(line)}
            self._functions(named)
        if "alias" in line:
            self._aliases(line)
        if self.exact and "<" not in line:
            self.exact = not any(
                _takes_input(command, line)
                for reading in decision.readings
                for command in reading.commands
            )

    def _variables(self, line: str, readings: Sequence[Reading]) -> None:
        found = _ASSIGNMENT.fullmatch(line)
        if found is not None:
            value = next((part for part in found.groups()[1:] if part is not None), "")
            variables = {**self.shell.variables, found[1]: value}
            self._keep(variables)
            return
        if not self.shell.variables:
            return
        if any(reading.opaque for reading in readings) or _sets_unread(readings):
            self._keep({})
            return
        named = set(_NAME.findall(line)) & self.shell.variables.keys()
        if named:
            self._keep({k: v for k, v in self.shell.variables.items() if k not in named})

    def _keep(self, variables: dict[str, str]) -> None:
        # A value that is forgotten makes its use unknown, which is the safe side.
        kept = variables if len(variables) <= MOST_NAMES else {}
        self.shell = replace(self.shell, variables=kept)

    def _functions(self, named: set[str]) -> None:
        if named <= self.shell.functions:
            return
        functions = self.shell.functions | named
        self.overflowed = self.overflowed or len(functions) > MOST_NAMES
        if not self.overflowed:
            self.shell = replace(self.shell, functions=functions)

    def _aliases(self, line: str) -> None:
        known: dict[str, str] = {}
        unknown: set[str] = set()
        for name, *values in _ALIAS.findall(line[line.index("alias") :]):
            value = next((part for part in values if part), None)
            if value is None or self.shell.aliases.get(name, value) != value:
                unknown.add(name)
            else:
                known[name] = value
        aliases = {**self.shell.aliases, **known}
        self.overflowed = self.overflowed or len(aliases) > MOST_NAMES
        if known and not self.overflowed:
            self.shell = replace(self.shell, aliases=aliases)
        self._functions(unknown)


def _is_plain(line: str, readings: Sequence[Reading], shell: ShellContext) -> bool:
    """Nothing can be learned from *line*: no assignment, no definition, no program that reads or sets."""
    if "=" in line or "(" in line or "alias" in line or "function" in line:
        return False
    programs = [command.program for reading in readings for command in reading.commands]
    if any(one in _SETTERS or one in _READ_WITHOUT_OPERANDS for one in programs):
        return False
    return not shell.variables


def _sets_unread(readings: Sequence[Reading]) -> bool:
    return any(
        command.program in _SETTERS and not all(word.known for word in command.words)
        for reading in readings
        for command in reading.commands
    )


def _takes_input(command: SimpleCommand, line: str) -> bool:
    """It may read the lines that follow, which the shell then does not see."""
    if command.program not in _ALWAYS_READ and (
        command.program not in _READ_WITHOUT_OPERANDS or command.operands
    ):
        return False
    return not is_piped(command, line)


def is_piped(command: SimpleCommand, line: str) -> bool:
    """Whether *command* reads what another one prints."""
    at = line.find(command.raw)
    return at > 0 and line[:at].rstrip().endswith(("|", "|&")) and not line[:at].endswith("||")
