"""Interpreters, editors, sessions elsewhere, and jobs for later: what makes a line opaque, and what of it is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from watchgate.policy.reading import Reason
from watchgate.policy.shell.calls import Call
from watchgate.policy.shell.describing import told_apart
from watchgate.policy.shell.fields import Field
from watchgate.policy.shell.known import names
from watchgate.policy.shell.programs import family
from watchgate.policy.shell.tables.opaque import LANGUAGE_FLAGS, LANGUAGES, SAYING

if TYPE_CHECKING:
    from watchgate.policy.shell.reader import Reader

_CALLED = re.compile(
    r"(?:system|exec[lvp]*|popen|spawn\w*|run|call|check_\w+|getoutput|getstatusoutput|shell_exec|passthru|"
    r"proc_open|execSync|execFileSync|spawnSync|execute|sh)\s*[(\s]\s*(?:\[\s*)?"
    r"(?P<quote>[\"'])(?P<text>(?:(?!(?P=quote)|\\).|\\.){1,4096})(?P=quote)"
    r"(?P<more>(?:\s*,\s*[\"'][^\"']{0,1024}[\"']){0,64})",
    re.DOTALL,
)
_PIECE = re.compile(r"[\"']([^\"']*)[\"']")
_BACKTICKS = re.compile(r"`([^`]{1,4096})`|%x\{([^}]{1,4096})\}|\\!\s*([^\n]{1,4096})")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_AWK_LITERAL = re.compile(r"\"(?:[^\"\\]|\\.)*\"")
_AWK_STRANGE = re.compile(r"\bsystem\s*\(|(?<!\|)\|(?!\|)|\bgetline\b|@(?:load|include)|>")
_AWK_COMPARED = re.compile(r"[$\w)\]]\s*>=?\s*[-$\w(]")
_SED_RUNS = re.compile(
    r"(?:^|[;{\n])\s*(?:[\d$,!+~]|/(?:[^/\\]|\\.)*/)*\s*(?:e\b|e\s|r\s*/dev/(?:std|tcp))"
)
_SED_CHANGE = re.compile(
    r"s(?P<d>[^\w\s\\])(?:(?!(?P=d))[^\\]|\\.)*(?P=d)(?:(?!(?P=d))[^\\]|\\.)*(?P=d)(?P<f>[\w]*)",
    re.DOTALL,
)


def only_says(call: Call) -> bool:
    """Whether a program only says its version, or how it is used."""
    return len(call.arguments) == 1 and call.arguments[0].text in SAYING


def code(reader: Reader, call: Call, field: Field) -> None:
    """Code in another language; the commands that it plainly gives to a shell are read."""
    reader.opaque(Reason.LANGUAGE, call.raw, call.name)
    around = call.around.within(call.name)
    text = field.text
    for found in _CALLED.finditer(text):
        words = [found["text"], *_PIECE.findall(found["more"])]
        line = _ESCAPED.sub(r"\1", " ".join(words))
        reader.text(line, call.child.child("sh"), around)
    for found in _BACKTICKS.finditer(text):
        line = next(group for group in found.groups() if group)
        reader.text(line, call.child.child("sh"), around)


def language(reader: Reader, call: Call) -> str | None:
    """An interpreter: code, a file of it, what a pipe brings, or a prompt."""
    reader.record(call)
    if only_says(call):
        return None
    name = call.name if call.name in LANGUAGES else family(call.name)
    letters = LANGUAGES[name]
    operands: list[Field] = []
    given = False
    for number, field in enumerate(call.arguments):
        if not _is_code_flag(field.text, letters):
            if not field.text.startswith("-") or field.text == "-":
                operands.append(field)
            continue
        given = True
        following = call.arguments[number + 1 : number + 2]
        code(reader, call, following[0] if following else field)
    if given:
        return None
    database = name in (
        "psql",
        "mysql",
        "mariadb",
        "redis-cli",
        "mongo",
        "mongosh",
        "sqlplus",
        "isql",
    )
    several = name in ("sqlite3", "sqlite", "duckdb", "redis-cli") and len(operands) > 1
    source = call.around.input
    if several:
        reader.opaque(Reason.LANGUAGE, call.raw, call.name)
    elif (operands and operands[0].text != "-" and not database and "sqlite" not in name) or any(
        f.text in ("-m", "-f", "--file") for f in call.arguments
    ):
        reader.opaque(Reason.SCRIPT, call.raw, call.name)
    elif source.text is not None:
        code(
            reader,
            call,
            operands[0]._replace(text=source.text) if operands else _whole(source.text),
        )
    elif source.given:
        reader.opaque(Reason.PIPED if source.path is None else Reason.SCRIPT, call.raw, call.name)
    else:
        reader.opaque(Reason.INTERPRETER, call.raw, call.name)
    return None


def _whole(text: str) -> Field:
    return Field(text, text, text)


def _is_code_flag(text: str, letters: str) -> bool:
    """`-c`, `-ne`, `-lane`, `--eval`."""
    if text.startswith("--") or text in LANGUAGE_FLAGS:
        return text.partition("=")[0] in LANGUAGE_FLAGS
    return len(text) > 1 and text[0] == "-" and any(c in letters for c in text[1:6])


def awk(reader: Reader, call: Call) -> str | None:
    """awk: what only prints columns is no more than a filter."""
    done = reader.record(call)
    if {"file", "exec", "include"} & done.values.keys():
        reader.opaque(Reason.SCRIPT, call.raw, call.name)
    programs = done.values.get("source") or done.operands[:1]
    for field in programs if "file" not in done.values else ():
        bare = _AWK_LITERAL.sub('""', field.text)
        bare = _AWK_COMPARED.sub("", bare)
        if not field.known or _AWK_STRANGE.search(bare):
            code(reader, call, field)
    return None


def sed(reader: Reader, call: Call) -> str | None:
    """sed: GNU's `e` runs what it is given."""
    done = reader.record(call)
    if "file" in done.values:
        reader.opaque(Reason.SCRIPT, call.raw, call.name)
    for field in done.values.get("expression") or done.operands[:1]:
        changes = [found["f"] for found in _SED_CHANGE.finditer(field.text)]
        rest = _SED_CHANGE.sub("", field.text)
        if any("e" in flags for flags in changes) or _SED_RUNS.search(rest):
            reader.opaque(Reason.LANGUAGE, call.raw, call.name)
    return None


def escape(reader: Reader, call: Call) -> str | None:
    """An editor, a pager, a debugger; at the end of a pipe a pager is one as well."""
    done = reader.record(call)
    if only_says(call) or (call.name == "visudo" and "check" in done.flags):
        return None
    reader.opaque(Reason.ESCAPE, call.raw, call.name)
    return None


_TMUX_QUIET = names(
    "ls list-sessions lsw list-windows kill-session kill-server kill-window has-session has info "
    "list-clients lsc list-panes lsp rename rename-session display-message"
)
_TMUX_RUNNING = names(
    "new new-session neww new-window splitw split-window run run-shell if if-shell respawn-pane respawn-window"
)


def elsewhere(reader: Reader, call: Call) -> str | None:
    """A session that goes on where it is not read."""
    reader.record(call)
    words = [field.text for field in call.arguments]
    if only_says(call) or (call.name == "screen" and words[:1] in (["-ls"], ["-list"], ["-wipe"])):
        return None
    verb = next((w for w in words if w in _TMUX_QUIET | _TMUX_RUNNING), "")
    if call.name == "tmux" and verb in _TMUX_QUIET and words:
        return None
    reader.opaque(Reason.ELSEWHERE, call.raw, call.name)
    if call.name == "tmux" and verb and " " in words[-1]:
        reader.text(words[-1], call.child.child("sh"), call.around.within("tmux"))
    if call.name == "screen":
        done = told_apart("screen", call.arguments)
        place = next((n for n, f in enumerate(call.arguments) if f in done.operands), None)
        rest = [] if place is None else call.arguments[place:]
        # `screen -S NAME COMMAND`: the name is an operand for who does not know `-S`.
        rest = rest[1:] if "-S" in words else rest
        if rest:
            inner = call._replace(program=rest[0], name="", arguments=rest[1:])
            reader.run(inner._replace(around=call.around.within("screen")))
    return None


def later(reader: Reader, call: Call) -> str | None:
    """at, crontab: what they are given is read where it is there."""
    done = reader.record(call)
    flags = set(done.flags)
    if only_says(call) or (flags & {"list", "remove"} and "edit" not in flags) or "-c" in flags:
        return None
    reader.opaque(Reason.LATER, call.raw, call.name)
    text = call.around.input.certain
    if text is None:
        return None
    if "crontab" in call.name or "cron" in call.name:
        text = "\n".join(_cron(line) for line in text.split("\n"))
    reader.text(text, call.child.child("sh"), call.around.within(call.name))
    return None


def _cron(line: str) -> str:
    """The command of a line of a crontab."""
    if line.lstrip().startswith("#") or re.match(r"\s*\w+\s*=", line):
        return ""
    fields = line.split(None, 1 if line.lstrip().startswith("@") else 5)
    return fields[-1] if len(fields) in (2, 6) else ""


def scripted(reader: Reader, call: Call) -> str | None:
    """A program that runs what a file says."""
    reader.record(call)
    if not only_says(call):
        reader.opaque(Reason.SCRIPT, call.raw, call.name)
    return None


_ADDRESS = re.compile(r"(?i)(?:EXEC|SYSTEM|SHELL):(.*)", re.DOTALL)


def socat(reader: Reader, call: Call) -> str | None:
    """socat: an address may be a program."""
    done = reader.record(call)
    for field in done.operands:
        found = _ADDRESS.match(field.text)
        if found is None:
            continue
        reader.opaque(Reason.ELSEWHERE, call.raw, call.name)
        text = found[1].partition(",")[0].strip("'\"")
        reader.text(text, call.child.child("sh"), call.around.within("socat"))
    return None


_EDITS = frozenset({"edit"})


def systemctl(reader: Reader, call: Call) -> str | None:
    """systemctl: `edit` opens an editor."""
    done = reader.record(call)
    if done.operands and done.operands[0].text in _EDITS:
        reader.opaque(Reason.ESCAPE, call.raw, call.name)
    return None
