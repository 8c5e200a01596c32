"""Assignments, and the variables that change what other commands mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchgate.policy.reading import Reason
from watchgate.policy.shell.fields import Field, literal
from watchgate.policy.shell.known import names
from watchgate.policy.shell.nodes import Assignment
from watchgate.policy.shell.scope import Scope, Value

if TYPE_CHECKING:
    from watchgate.policy.shell.calls import Around
    from watchgate.policy.shell.reader import Reader

_MEANING = names(
    "PATH CDPATH IFS ENV BASH_ENV SHELLOPTS BASHOPTS PROMPT_COMMAND PS0 PS4 GLOBIGNORE FUNCNEST "
    "HISTFILE HISTCONTROL HISTIGNORE HISTSIZE HISTFILESIZE HISTTIMEFORMAT SAVEHIST HISTORY_IGNORE "
    "BASH_ALIASES BASH_CMDS BASH_LOADABLES_PATH TMOUT ZDOTDIR fpath path precmd_functions "
    "preexec_functions chpwd_functions periodic_functions zshaddhistory_functions RPS1 RPROMPT "
    "PYTHONPATH PYTHONSTARTUP PYTHONHOME PERL5LIB PERL5OPT PERL5DB RUBYLIB RUBYOPT NODE_OPTIONS "
    "NODE_PATH JAVA_TOOL_OPTIONS GCONV_PATH GIT_SSH GIT_SSH_COMMAND GIT_PAGER GIT_EDITOR "
    "GIT_EXTERNAL_DIFF GIT_PROXY_COMMAND PAGER MANPAGER EDITOR VISUAL FCEDIT SUDO_EDITOR "
    "SYSTEMD_EDITOR SYSTEMD_PAGER LESSOPEN LESSCLOSE LESS BROWSER SHELL SUDO_ASKPASS SSH_ASKPASS "
    "TERMINFO TERMCAP INPUTRC fish_user_paths fish_function_path fish_history"
)
_PROMPTS = frozenset({"PS1", "PS2", "PS3", "PROMPT", "PROMPT2"})


def hooks(name: str, value: Value = None) -> bool:
    """Whether a variable of that name, so set, changes what other commands mean."""
    if name in _MEANING or name.startswith(("LD_", "DYLD_", "BASH_FUNC_")):
        return True
    if name not in _PROMPTS:
        return False
    return value is None or any("$(" in f.text or "`" in f.text or not f.known for f in value)


def assigned(reader: Reader, one: Assignment, scope: Scope, target: Scope, around: Around) -> None:
    """Give a variable its value, expanded in *scope*, in *target*."""
    expansion = reader.expansion(scope, around)
    value: Value = (
        tuple(expansion.words(one.values)) if one.array else (expansion.one(one.values[0]),)
    )
    if one.index is not None:
        index = expansion.one(one.index)
        value = _placed(target.value(one.name), index, value)
    elif one.append:
        value = _appended(target.value(one.name), value, array=one.array)
    if hooks(one.name, value):
        reader.opaque(Reason.ENVIRONMENT, one.raw, one.name)
    target.assign(one.name, value)


def _appended(before: Value, value: Value, *, array: bool) -> Value:
    if before is None or value is None:
        return None
    if array:
        return (*before, *value)
    first = before[0] if before else literal("")
    if not first.plain or not value[0].plain:
        return None
    return (literal(first.text + value[0].text), *before[1:])


def _placed(before: Value, index: Field, value: Value) -> Value:
    if not index.plain or not index.text.isdigit() or len(index.text) > 4 or value is None:
        return None
    elements = list(before or ())
    place = int(index.text)
    if place < len(elements):
        elements[place] = value[0]
    elif place == len(elements):
        elements.append(value[0])
    else:
        return None
    return tuple(elements)
