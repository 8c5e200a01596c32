"""Makes the facts of a simple command: flags by one name, operands, paths, the normal form."""

from __future__ import annotations

import re
from collections.abc import Iterable

from watchgate.policy.reading import SimpleCommand
from watchgate.policy.shell.calls import Call
from watchgate.policy.shell.fields import Field, literal
from watchgate.policy.shell.flags import Split, split
from watchgate.policy.shell.known import Operands
from watchgate.policy.shell.paths import resolved
from watchgate.policy.shell.programs import BUILTINS, family, flags_of, known
from watchgate.policy.shell.quoting import quoted
from watchgate.policy.shell.scope import Scope
from watchgate.policy.shell.tables.opaque import LANGUAGES

# Another machine's, an address, code.
_NO_PATH = re.compile(r"^(?:[\w.+-]*@)?[\w.-]+:|[(;\n]")
_NO_PATH_OR_CODE = re.compile(_NO_PATH.pattern + r"|\s")
_BLANK = re.compile(r"\s")
_ASSIGNED = re.compile(r"([A-Za-z_][\w-]*)=(.*)", re.DOTALL)
_MODE = re.compile(r"-[rwxXstugo,]+")
_SIGNAL = re.compile(r"-(\d{1,2}|(?:SIG)?[A-Z][A-Z0-9+-]*)")


def told_apart(name: str, arguments: list[Field]) -> Split:
    """The arguments of a program, as it takes them."""
    program = known(name)
    options = flags_of(name)
    if program.bundled and arguments and arguments[0].plain and arguments[0].text[:1] not in "-":
        return _bundled(name, arguments)
    if program.operands is Operands.ASSIGNED:
        return _assigned(arguments)
    if name in ("kill", "pkill", "killall"):
        return _signalled(name, arguments)
    if name == "chmod" and arguments and _MODE.fullmatch(arguments[0].text):
        done = split(arguments[1:], options)
        if "-R" not in arguments[0].text:
            done.operands.insert(0, arguments[0])
            return done
    return split(arguments, options)


def _bundled(name: str, arguments: list[Field]) -> Split:
    """`tar xzf FILE`: letters without a dash, their values behind them."""
    options = flags_of(name)
    done = Split()
    rest = arguments[1:]
    for letter in arguments[0].text:
        flag = options.short.get(letter)
        if flag is None:
            return split(arguments, options)
        done.add(flag, rest.pop(0) if flag.takes and rest else None)
    behind = split(rest, options)
    done.flags += behind.flags
    done.spelled += behind.spelled
    for key, values in behind.values.items():
        done.values.setdefault(key, []).extend(values)
    done.paths += behind.paths
    done.operands += behind.operands
    return done


def _assigned(arguments: list[Field]) -> Split:
    """dd's `if=PATH`."""
    done = Split()
    for argument in arguments:
        found = _ASSIGNED.fullmatch(argument.text)
        done.operands.append(argument)
        if found is not None:
            tail = argument.where[len(found[1]) + 1 :]
            value = argument._replace(text=found[2], where=tail)
            done.values.setdefault(found[1], []).append(value)
            if found[1] in ("if", "of"):
                done.paths.append(value)
    return done


def _signalled(name: str, arguments: list[Field]) -> Split:
    """kill's `-9` and `-KILL` are `--signal`."""
    found = _SIGNAL.fullmatch(arguments[0].text) if arguments else None
    if found is None or found[1] in ("L", "F", "P"):
        return split(arguments, flags_of(name))
    done = split(arguments[1:], flags_of(name))
    done.flags.insert(0, "signal")
    done.spelled.insert(0, (arguments[0].text, None))
    done.values["signal"] = [literal(found[1].removeprefix("SIG"))]
    return done


def described(call: Call, done: Split, *, carried: bool = False) -> SimpleCommand:
    """The facts of *call*, its arguments told apart; of a wrapper, what it *carried* has its own paths."""
    program = call.program
    where = [] if carried else _path_operands(call.name, done)
    found = [field for field in (*where, *done.paths) if field.text != "-"]
    if call.name == "curl":
        found += _read_by_curl(done)
    values = {name: tuple([field.text for field in fields]) for name, fields in done.values.items()}
    return SimpleCommand(
        program=call.name,
        path=program.text if "/" in program.text else None,
        words=tuple([field.word() for field in call.arguments]),
        flags=frozenset(done.flags),
        operands=tuple([field.word() for field in done.operands]),
        values=values,
        paths=every_path(found, call.scope) if found else (),
        redirects=call.redirects,
        wrappers=call.around.wrappers,
        user=call.around.user,
        text=_as_given(call) if call.name == "find" else normal(call.name, done, carried=carried),
        raw=call.raw,
        builtin=program.text in BUILTINS,
    )


def _read_by_curl(done: Split) -> list[Field]:
    """`-d @FILE`, `-F name=@FILE`."""
    found = []
    for name, values in done.values.items():
        if name.startswith(("data", "form", "json", "header")):
            for value in values:
                _, sign, path = value.where.rpartition("@")
                if sign and not value.where.startswith("http"):
                    found.append(value._replace(where=path.partition(";")[0]))
    return found


def _path_operands(name: str, done: Split) -> list[Field]:
    """The operands that may be paths."""
    operands = done.operands
    match known(name).operands:
        case Operands.PATHS:
            return operands
        case Operands.NONE | Operands.ASSIGNED:
            return []
        case Operands.FIRST:
            return operands[:1]
        case Operands.AFTER_ONE:
            return operands if "reference" in done.values else operands[1:]
        case Operands.AFTER_PATTERN:
            given = {"regexp", "file", "expression", "source", "exec"} & done.values.keys()
            return operands if given else operands[1:]
        case _:
            strange = _NO_PATH_OR_CODE if family(name) in LANGUAGES else _NO_PATH
            return [field for field in operands if not strange.search(field.text)]


def every_path(fields: Iterable[Field], scope: Scope) -> tuple[str, ...]:
    """Where *fields* may lead, each once."""
    cwds, home = scope.cwds, scope.home
    if len(cwds) == 1:
        return tuple(dict.fromkeys([resolved(f.where, cwds[0], home) for f in fields]))
    return tuple(dict.fromkeys([resolved(f.where, cwd, home) for f in fields for cwd in cwds]))


def _as_given(call: Call) -> str:
    """The normal form of what reads its arguments as an expression, where their order has a meaning."""
    return " ".join([quoted(call.name), *map(_shown, call.arguments)])


def normal(name: str, done: Split, *, carried: bool = False) -> str:
    """The normal form; the flags of a command that is *carried* stay where they are."""
    parts = [quoted(name)]
    operands = done.operands
    if known(name).verb and operands and not carried:
        parts.append(_shown(operands[0]))
        operands = operands[1:]
    for spelling, value in done.spelled:
        if value is None:
            parts.append(spelling)
        elif spelling.startswith("--"):
            parts.append(f"{spelling}={_shown(value)}")
        else:
            parts += [spelling, _shown(value)]
    if not carried and any(_like_a_flag(operand) for operand in operands):
        parts.append("--")
    parts += [_shown(operand) for operand in operands]
    return " ".join(parts)


def _like_a_flag(field: Field) -> bool:
    return len(field.text) > 1 and field.text[0] == "-"


def _shown(field: Field) -> str:
    """A word of the normal form: what is not known, and a glob, without quotes around it."""
    if field.plain and field.where[:1] == "~":
        # A home directory that is not known, but is meant.
        user, slash, rest = field.text.partition("/")
        return user + slash + (quoted(rest) if rest else "")
    if field.plain:
        return quoted(field.text)
    return f'"{field.text}"' if _BLANK.search(field.text) else field.text
