"""One simple command: expands it, finds out which program runs, and hands it to whoever knows that."""

from __future__ import annotations

import fnmatch
import re

from watchgate.policy.reading import Reason
from watchgate.policy.shell.calls import Around, Call
from watchgate.policy.shell.fields import literal
from watchgate.policy.shell.flags import NO_OPTIONS, split
from watchgate.policy.shell.handlers import HANDLERS
from watchgate.policy.shell.limits import MOST_WRAPPERS
from watchgate.policy.shell.nodes import Literal, Simple
from watchgate.policy.shell.paths import resolved
from watchgate.policy.shell.programs import NAMES, family
from watchgate.policy.shell.reader import Reader
from watchgate.policy.shell.redirections import redirected
from watchgate.policy.shell.scope import Scope
from watchgate.policy.shell.variables import assigned

_NAME = re.compile(r"[\w.+:\[\]@/~-]+")
_MOST_CANDIDATES = 24
_MOST_NAMED = 256
_OPEN_PLACES = ("/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/", "/home/", "?/", "/var/www/")  # noqa: S108
_QUIET = frozenset({":", "true", "false", "test", "[", "sleep", "wait", "umask", "ulimit"})
_SCRIPTS = (".sh", ".bash", ".py", ".pl", ".rb", ".php", ".js", ".run", ".bin")


def simple(reader: Reader, node: Simple, scope: Scope, around: Around) -> str | None:
    """Read one simple command; what it prints, where that is known."""
    if not reader.counted(0):
        return None
    if node.words and (scope.aliases or scope.maybe_aliases):
        expansion = _alias(reader, node, scope, around)
        if expansion is not None:
            return expansion
    words = reader.expansion(scope, around)
    child = scope
    if node.assignments:
        child = scope.copy() if node.words else scope
        for one in node.assignments:
            assigned(reader, one, scope, child, around)
    fields = words.words(node.words)
    if words.deep:
        reader.opaque(Reason.DEEP, node.raw)
    found = redirected(reader, node.redirections, scope, around)
    if not fields:
        reader.written(found.redirects, scope, around)
        return found.caught("", scope)
    around = around._replace(input=found.input) if node.redirections else around
    call = Call(fields[0], "", fields[1:], found.redirects, scope, child, around, node.raw)
    return found.caught(run(reader, call), scope)


def run(reader: Reader, call: Call) -> str | None:
    """Read a command whose words are expanded."""
    if reader.full:
        return None
    if len(call.around.wrappers) > MOST_WRAPPERS:
        reader.deep(call.raw)
    elif not reader.counted(len(call.arguments)):
        # The command itself is named still, with the first of its words.
        call = call._replace(arguments=call.arguments[:_MOST_NAMED])
    program = call.program
    if not program.known:
        return _computed(reader, call)
    if program.pattern:
        return _pattern(reader, call)
    name = program.text.rsplit("/", 1)[-1]
    call = call._replace(name=name or program.text)
    if program.text[:1] == "^" and len(program.text) > 1:
        reader.opaque(Reason.COMPUTED, call.raw, program.text)
    if name == program.text:
        if name in call.scope.functions and not call.around.wrappers:
            return _function(reader, call)
        if name in call.scope.strange:
            reader.opaque(Reason.SCRIPT, call.raw, name)
    elif (printed := _place(reader, call)) is not None:
        return printed
    handler = HANDLERS.get(name) or HANDLERS.get(family(name))
    if handler is not None:
        return handler(reader, call)
    reader.record(call)
    return "" if name in _QUIET else None


def _computed(reader: Reader, call: Call) -> str | None:
    """A variable or a substitution decides which program runs; it is read as what it is without them too."""
    program = call.program
    reader.opaque(Reason.COMPUTED, call.raw, program.raw)
    rest = program.rest or ""
    if rest and _NAME.fullmatch(rest):
        run(reader, call._replace(program=literal(rest, program.raw)))
    else:
        reader.record(call._replace(name=program.text), split(call.arguments, NO_OPTIONS))
    return None


def _pattern(reader: Reader, call: Call) -> str | None:
    """A glob where the program's name should be: it may be any that fits."""
    program = call.program
    reader.opaque(Reason.PATTERN, call.raw, program.raw)
    glob = program.where.rsplit("/", 1)[-1]
    fitting = fnmatch.filter(NAMES, glob.replace("[^", "[!")) if len(glob) < 64 else []
    if glob.count("*") > 2 or not 0 < len(fitting) <= _MOST_CANDIDATES:
        fitting = []
        reader.record(call._replace(name=program.text))
    for name in fitting:
        run(reader, call._replace(program=literal(name, program.raw)))
    return None


def _place(reader: Reader, call: Call) -> str | None:
    """A program given by its path: what the line wrote there is read, a place that is open to writing told."""
    text = call.program.text
    path = resolved(call.program.where, call.scope.cwds[0], call.scope.home)
    written = call.scope.files.get(path)
    if written is not None:
        reader.record(call)
        reader.text(written, call.child.child("sh"), call.around.within(call.name))
        return ""
    if path.startswith(_OPEN_PLACES) or not text.startswith("/"):
        reader.opaque(Reason.WRITABLE, call.raw, text)
    elif text.endswith(_SCRIPTS):
        reader.opaque(Reason.SCRIPT, call.raw, text)
    return None


def _function(reader: Reader, call: Call) -> str | None:
    """A function that the line itself defines."""
    reader.record(call)
    stack = call.around.stack
    if call.name in stack:
        return None
    scope = call.scope
    before = scope.positional
    scope.positional = tuple(call.arguments)
    around = call.around._replace(stack=(*stack, call.name), depth=call.around.depth + 1)
    printed = reader.command(scope.functions[call.name], scope, around)
    scope.positional = before
    return printed


def _alias(reader: Reader, node: Simple, scope: Scope, around: Around) -> str | None:
    """Read the text that an alias makes of the command; None where the command is read as it stands."""
    first = node.words[0]
    part = first.parts[0]
    if len(first.parts) != 1 or not isinstance(part, Literal) or part.quoted:
        return None
    name = part.text
    if name in around.stack:
        return None
    certain = name in scope.aliases
    text = scope.aliases.get(name) or scope.maybe_aliases.get(name)
    if text is None:
        return None
    words = [word.raw for word in node.words[1:]]
    if text.endswith((" ", "\t")) and words and words[0] in scope.aliases:
        words[0] = scope.aliases[words[0]]
    documents = [one for one in node.redirections if one.document is not None]
    others = [one.raw for one in node.redirections if one.document is None]
    before = [one.raw for one in node.assignments]
    line = " ".join([*before, text, *words, *others])
    if documents:
        around = around._replace(input=redirected(reader, tuple(documents), scope, around).input)
    inner = around._replace(stack=(*around.stack, name))
    printed = reader.text(line, scope if certain else scope.copy(), inner)
    # An alias that the line makes may not hold yet: then the command is what it says.
    return (printed or "") if certain else None
