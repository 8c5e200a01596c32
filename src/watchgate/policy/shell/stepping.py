"""Steps through wrappers: the command that one carries is read besides it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from watchgate.policy.reading import Reason
from watchgate.policy.shell.calls import Around, Call
from watchgate.policy.shell.fields import Field, literal, unknown
from watchgate.policy.shell.flags import Split, options, split
from watchgate.policy.shell.options import given_programs
from watchgate.policy.shell.programs import flags_of
from watchgate.policy.shell.scope import Scope
from watchgate.policy.shell.shells import commands, fed
from watchgate.policy.shell.tables.wrappers import WRAPPERS, Carries, Wrapper
from watchgate.policy.shell.variables import hooks

if TYPE_CHECKING:
    from watchgate.policy.shell.reader import Reader

_SETTING = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_TEXT_BEHIND = frozenset({"flock", "sg"})
_TIMERS = re.compile(
    r"on-(?:active|boot|startup|unit-active|unit-inactive|calendar)|timer-property"
)
_NOTHING = frozenset(
    {
        "version",
        "help",
        "list",
        "validate",
        "reset-timestamp",
        "pid",
        "table",
        "K",
        "N",
        "V",
        "Q",
        "G",
        "O",
        "D",
    }
)


def step(reader: Reader, call: Call) -> str | None:
    """A wrapper, by its row in the table."""
    wrapper = WRAPPERS[call.name]
    done = _told(reader, call)
    rest = call.arguments[done.rest :]
    if wrapper.only_after and (not rest or rest[0].text not in wrapper.only_after):
        return None
    user = _user(wrapper, done)
    around = call.around.within(call.name, user)
    scope = call.scope.elsewhere() if wrapper.elsewhere else call.child
    text = done.value(wrapper.text_flag) if wrapper.text_flag else None
    if text is not None:
        return commands(reader, text, scope.child("sh"), around)
    rest = rest[wrapper.skip :]
    if wrapper.assignments:
        scope, rest = _settings(reader, call, scope, rest)
        if call.name == "sudo" and rest and rest[0].text.startswith("-"):
            # sudo takes its flags behind assignments as well.
            done = split(rest, flags_of("sudo"), first=True)
            around = around._replace(user=_user(wrapper, done))
            rest = rest[done.rest :]
    if call.name in _TEXT_BEHIND and len(rest) > 1 and rest[0].text in ("-c", "--command"):
        return commands(reader, rest[1], scope.child("sh"), around)
    if not rest:
        _bare(reader, call, wrapper, done)
        return None
    if any(_TIMERS.fullmatch(flag) for flag in done.flags):
        reader.opaque(Reason.LATER, call.raw, call.name)
    return carried(reader, call, rest, scope, around, wrapper.carries)


def _told(reader: Reader, call: Call) -> Split:
    """Record the wrapper itself; its operands are the command that it carries."""
    done = split(call.arguments, flags_of(call.name), first=True)
    reader.record(call, done, carried=True)
    return done


def _user(wrapper: Wrapper, done: Split) -> str | None:
    value = done.value(wrapper.user_flag) if wrapper.user_flag else None
    return value.text if value is not None else wrapper.user


def _settings(
    reader: Reader, call: Call, scope: Scope, rest: list[Field]
) -> tuple[Scope, list[Field]]:
    """`NAME=value` before the command."""
    if not rest or "=" not in rest[0].text:
        return scope, rest
    scope = scope.copy()
    while rest and (found := _SETTING.fullmatch(rest[0].text)) is not None:
        if hooks(found[1]):
            reader.opaque(Reason.ENVIRONMENT, call.raw, found[1])
        scope.assign(found[1], (literal(found[2]),) if rest[0].plain else None)
        rest = rest[1:]
    return scope, rest


def _bare(reader: Reader, call: Call, wrapper: Wrapper, done: Split) -> None:
    """A wrapper without a command."""
    if wrapper.shells & set(done.flags) or (wrapper.alone and not _NOTHING & set(done.flags)):
        reader.opaque(Reason.INTERPRETER, call.raw, call.name)


def carried(
    reader: Reader,
    call: Call,
    rest: list[Field],
    scope: Scope,
    around: Around,
    carries: Carries = Carries.COMMAND,
) -> str | None:
    """Read what a wrapper runs."""
    if carries is Carries.TEXT:
        return joined(reader, rest, scope, around)
    inner = Call(rest[0], "", rest[1:], (), call.scope, scope, around, _raw(rest))
    return reader.run(inner if scope is call.child else inner._replace(scope=scope))


def _raw(fields: list[Field]) -> str:
    return " ".join(field.raw for field in fields)


def joined(reader: Reader, rest: list[Field], scope: Scope, around: Around) -> str | None:
    """Arguments that are joined to one text for a shell."""
    if not all(field.known for field in rest):
        reader.opaque(Reason.COMPUTED, _raw(rest))
    return reader.text(" ".join(field.text for field in rest), scope, around)


def evaluated(reader: Reader, call: Call) -> str | None:
    """eval: in this shell, not in a child."""
    _told(reader, call)
    rest = [field for field in call.arguments if field.text != "--"]
    return joined(reader, rest, call.scope, call.around.within("eval")) if rest else ""


def command(reader: Reader, call: Call) -> str | None:
    """`command NAME` runs it; `command -v NAME` says where it is."""
    done = _told(reader, call)
    rest = call.arguments[done.rest :]
    if {"-v", "-V"} & set(done.flags):
        return "".join(f"{field.text}\n" for field in rest) if all(f.plain for f in rest) else None
    if not rest:
        return ""
    return carried(reader, call, rest, call.child, call.around.within(call.name))


def sudo(reader: Reader, call: Call) -> str | None:
    """sudo; `-e` is an editor."""
    done = split(call.arguments, flags_of("sudo"), first=True)
    if "edit" not in done.flags:
        return step(reader, call)
    _told(reader, call)
    reader.opaque(Reason.ESCAPE, call.raw, call.name)
    return None


def su(reader: Reader, call: Call) -> str | None:
    """su and runuser: the user is an operand, and a text may stand anywhere."""
    done = split(call.arguments, flags_of(call.name))
    operands = [f for f in done.operands if f.text != "-"]
    if call.name == "runuser" and "user" in done.values:
        return step(reader, call)
    reader.record(call, done, carried=True)
    user = operands[0].text if operands else "root"
    around = call.around.within(call.name, user)
    text = done.value("command") or done.value("session-command")
    if text is not None:
        return commands(reader, text, call.child.child("sh"), around)
    if not call.around.input.given:
        reader.opaque(Reason.INTERPRETER, call.raw, call.name)
        return None
    return fed(reader, call, call.child.child("sh"), around)


def env(reader: Reader, call: Call) -> str | None:
    """env; `-S` splits a text into the command."""
    done = split(call.arguments, flags_of("env"), first=True)
    text = done.value("split-string")
    if text is None:
        return step(reader, call)
    _told(reader, call)
    rest = call.arguments[done.rest :]
    return joined(reader, [text, *rest], call.child, call.around.within("env"))


def execute(reader: Reader, call: Call) -> str | None:
    """exec: without a command only redirections."""
    done = _told(reader, call)
    rest = call.arguments[done.rest :]
    return carried(reader, call, rest, call.child, call.around.within("exec")) if rest else ""


def watch(reader: Reader, call: Call) -> str | None:
    """watch: a text for a shell, with `-x` a command."""
    done = _told(reader, call)
    rest = call.arguments[done.rest :]
    if not rest:
        return None
    form = Carries.COMMAND if "exec" in done.flags else Carries.TEXT
    return carried(reader, call, rest, call.child, call.around.within("watch"), form)


def script(reader: Reader, call: Call) -> str | None:
    """script: records a shell, or the command that `-c` gives."""
    done = split(call.arguments, flags_of("script"))
    reader.record(call, done)
    text = done.value("command")
    if text is not None:
        return commands(reader, text, call.child.child("sh"), call.around.within("script"))
    reader.opaque(Reason.INTERPRETER, call.raw, call.name)
    return None


_RUNS = frozenset({"exec", "run"})
_MORE = frozenset({"compose", "container", "pod"})
_CONTAINER = (
    "-i,--interactive -t,--tty -d,--detach -e,--env= -u,--user= -w,--workdir= -v,--volume= -p,--publish= --name= "
    "--rm --privileged --network,--net= --entrypoint= -h,--hostname= -m,--memory= --mount= --cap-add= --cap-drop= --pid= --ipc= "
    "--security-opt= --device= -l,--label= --link= --restart= --env-file= --detach-keys= --cpus= -c,--cpu-shares= -a,--attach= --add-host= "
    "--platform= --gpus= --init --read-only --userns= --volumes-from= --pull= -q,--quiet --log-driver= --ulimit= --shm-size= --dns= -T,--no-TTY --index= -f= --group-add= --no-deps --expose= -P --uts= --cgroupns= --runtime= --tmpfs= --sig-proxy=? --stop-signal="
)
_POD = "-i,--stdin -t,--tty -c,--container= -n,--namespace= --pod-running-timeout= -q,--quiet --context= --kubeconfig= -f,--filename= --image= --restart= --rm --command --env= -l,--labels= --overrides= --port= --attach --dry-run=?"


def container(reader: Reader, call: Call) -> str | None:
    """docker, podman, kubectl: `exec` and `run` carry a command into a container."""
    outer = split(call.arguments, options(WRAPPERS[_kind(call.name)].flags), first=True)
    rest = call.arguments[outer.rest :]
    while rest and rest[0].text in _MORE:
        rest = rest[1:]
    if not rest or rest[0].text not in _RUNS:
        reader.record(call)
        return None
    inner, words = _inside(_kind(call.name), rest[1:])
    done = Split(
        [*outer.flags, *inner.flags],
        [*outer.spelled, *inner.spelled],
        {**outer.values, **inner.values},
        [*outer.paths, *inner.paths],
        [rest[0], *inner.operands],
    )
    reader.record(call, done, carried=True)
    user = inner.value("user")
    around = call.around.within(call.name)._replace(user=user.text if user else None)
    entry = inner.value("entrypoint")
    words = [entry, *words] if entry is not None else words
    if words:
        return carried(reader, call, words, call.scope.elsewhere(), around)
    if {"interactive", "stdin", "tty"} & set(inner.flags):
        reader.opaque(Reason.INTERPRETER, call.raw, call.name)
    return None


def _inside(kind: str, rest: list[Field]) -> tuple[Split, list[Field]]:
    """The flags behind `exec` and `run`, and the command behind the container's name."""
    texts = [field.text for field in rest]
    if kind == "kubectl" and "--" in texts:
        end = texts.index("--")
        return split(rest[:end], options(_POD)), rest[end + 1 :]
    inner = split(rest, options(_POD if kind == "kubectl" else _CONTAINER), first=True)
    return inner, rest[inner.rest + 1 :]


def _kind(name: str) -> str:
    return "kubectl" if name in ("kubectl", "oc") else "docker"


def box(reader: Reader, call: Call) -> str | None:
    """busybox and toybox: the first argument is the program."""
    done = _told(reader, call)
    rest = call.arguments[done.rest :]
    if not rest:
        return None
    return carried(reader, call, rest, call.child, call.around.within(call.name))


def parallel(reader: Reader, call: Call) -> str | None:
    """GNU parallel: the arguments behind `:::` are put behind the command, one at a time."""
    done = _told(reader, call)
    rest = call.arguments[done.rest :]
    texts = [field.text for field in rest]
    place = next((n for n, text in enumerate(texts) if text in (":::", ":::+", "::::")), len(rest))
    given = rest[place + 1 :] if place < len(rest) and texts[place] != "::::" else [unknown("{}")]
    around = call.around.within("parallel")
    template = rest[:place]
    if "--pipe" in done.flags or not template:
        return joined(reader, template or given, call.child, around)
    for value in given[:32]:
        words = [_replaced(field, value) for field in template]
        if words == template:
            words = [*template, value]
        joined(reader, words, call.child, around)
    return None


def _replaced(field: Field, value: Field) -> Field:
    if "{}" not in field.text:
        return field
    if field.text == "{}" or not value.plain:
        return value
    return literal(field.text.replace("{}", value.text))


def ssh(reader: Reader, call: Call) -> str | None:
    """ssh: a text for the other machine's shell, or a session there."""
    done = _told(reader, call)
    given_programs(reader, call, done)
    rest = call.arguments[done.rest :]
    if not rest:
        return None
    # Flags may stand behind the host as well.
    behind = split(rest[1:], flags_of("ssh"), first=True)
    given_programs(reader, call, behind)
    words = rest[1:][behind.rest :]
    user, _, _ = rest[0].text.rpartition("@")
    named = done.value("l") or behind.value("l")
    around = call.around.within("ssh")._replace(user=named.text if named else user or None)
    if words:
        return joined(reader, words, call.scope.elsewhere(), around)
    if call.around.input.given and call.around.input.text is not None:
        return reader.text(call.around.input.text, call.scope.elsewhere(), around)
    if not {"-N", "N", "V", "Q", "G"} & {*done.flags, *behind.flags}:
        reader.opaque(Reason.ELSEWHERE, call.raw, call.name)
    return None


def netns(reader: Reader, call: Call) -> str | None:
    """`ip netns exec NAME COMMAND`."""
    words = [f.text for f in call.arguments]
    if words[:2] != ["netns", "exec"] or len(words) < 4:
        reader.record(call)
        return None
    reader.record(call, carried=True)
    return carried(reader, call, call.arguments[3:], call.child, call.around.within("ip"))
