"""Shells that the line starts, and the texts that they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from watchgate.policy.reading import Reason
from watchgate.policy.shell.calls import UNKNOWN, Around, Call, Input
from watchgate.policy.shell.fields import Field
from watchgate.policy.shell.known import pairs
from watchgate.policy.shell.paths import resolved
from watchgate.policy.shell.scope import Scope

if TYPE_CHECKING:
    from watchgate.policy.shell.reader import Reader

_WITH_VALUE = frozenset({"--rcfile", "--init-file", "--init-command", "-C", "--features"})
_SAYING = frozenset({"--version", "--help", "--dump-strings"})
_STDIN = frozenset({"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"})
DIALECTS = pairs(
    "bash=bash rbash=bash zsh=zsh rzsh=zsh fish=fish sh=sh dash=sh ash=sh ksh=sh "
    "ksh93=sh mksh=sh pdksh=sh rksh=sh csh=sh tcsh=sh yash=sh hush=sh posh=sh "
    "elvish=sh"
)


class _Start(NamedTuple):
    """How a shell is started."""

    text: bool
    operands: list[Field]
    says: bool
    reads: list[Field]
    """Files that it reads before."""
    stdin: bool


def _started(arguments: list[Field]) -> _Start:
    text = says = stdin = False
    reads: list[Field] = []
    at = 0
    while at < len(arguments):
        word = arguments[at].text
        if word == "--":
            at += 1
            break
        if len(word) < 2 or word[0] not in "-+" or not arguments[at].known:
            break
        if word.startswith("--") or word in _WITH_VALUE:
            says |= word in _SAYING
            if word in _WITH_VALUE and at + 1 < len(arguments):
                at += 1
                reads.append(arguments[at])
        else:
            text |= word[0] == "-" and "c" in word
            stdin |= "s" in word
            at += word[-1] in "oO"
        at += 1
    return _Start(text, arguments[at:], says, reads, stdin)


def shell(reader: Reader, call: Call) -> str | None:
    """sh, bash, zsh, fish …: a text, a script, what a pipe brings, or a prompt."""
    reader.record(call, carried=True)
    start = _started(call.arguments)
    if start.says:
        return None
    scope = call.child.child(DIALECTS.get(call.name, "sh"))
    around = call.around.within(call.name)
    for field in start.reads:
        if field.text not in ("/dev/null",):
            given(reader, field, call, scope, around)
    operands = start.operands
    if start.text and operands:
        scope.positional = tuple(operands[2:])
        scope.assign("0", tuple(operands[1:2]) or None)
        return commands(reader, operands[0], scope, around)
    if operands and not start.stdin and operands[0].text not in _STDIN:
        scope.positional = tuple(operands[1:])
        return given(reader, operands[0], call, scope, around)
    return fed(reader, call, scope, around)


def commands(reader: Reader, field: Field, scope: Scope, around: Around) -> str | None:
    """Read an argument as commands; what is not known of it is said, the rest is read."""
    if not field.plain:
        reader.opaque(Reason.COMPUTED, field.raw)
    text = field.raw if field.pattern and "\\" in field.text else field.text
    return reader.text(text, scope, around)


def given(reader: Reader, field: Field, call: Call, scope: Scope, around: Around) -> str | None:
    """A file of commands: read where the line wrote it, else not known."""
    if field.fed:
        if field.feed is not None:
            return reader.text(field.feed, scope, around)
        reader.opaque(Reason.PIPED, call.raw, call.name)
        return None
    path = resolved(field.where, call.scope.cwds[0], call.scope.home)
    if field.text in _STDIN:
        return fed(reader, call, scope, around)
    written = call.scope.files.get(path)
    if written is not None:
        return reader.text(written, scope, around)
    reader.opaque(Reason.SCRIPT, call.raw, call.name)
    return None


def fed(reader: Reader, call: Call, scope: Scope, around: Around) -> str | None:
    """A shell that reads its standard input."""
    source: Input = call.around.input
    if not source.given:
        reader.opaque(Reason.INTERPRETER, call.raw, call.name)
        return None
    if source.text is not None:
        if source.partly:
            reader.opaque(Reason.COMPUTED, call.raw, call.name)
        return reader.text(source.text, scope, around._replace(input=UNKNOWN))
    reader.opaque(Reason.PIPED if source.path is None else Reason.SCRIPT, call.raw, call.name)
    return None


def source(reader: Reader, call: Call) -> str | None:
    """`.` and `source`: a file of commands for this shell."""
    done = reader.record(call)
    if not done.operands:
        return ""
    around = call.around.within(call.name)
    return given(reader, done.operands[0], call, call.scope, around)
