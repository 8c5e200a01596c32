"""Who reads which program."""

from __future__ import annotations

from watchgate.policy.shell import finding, languages, options, printing, shells, state, stepping
from watchgate.policy.shell.known import names
from watchgate.policy.shell.reader import Handler
from watchgate.policy.shell.tables.opaque import (
    ELSEWHERE,
    ESCAPES,
    LANGUAGES,
    LATER,
    SCRIPTED,
)
from watchgate.policy.shell.tables.wrappers import WRAPPERS

_PRINTING: dict[str, Handler] = {
    "echo": printing.echo,
    "printf": printing.printf,
    "cat": printing.filtered(printing.as_it_is),
    "base64": printing.filtered(printing.without_armor),
    "base32": printing.filtered(printing.without_armor32),
    "xxd": printing.filtered(printing.out_of_hexadecimal),
    "rev": printing.filtered(printing.backwards),
    "tr": printing.filtered(printing.translated),
    "tee": printing.copied,
    "which": printing.found,
    "whence": printing.found,
    "basename": printing.last_part,
    "pwd": printing.directory,
    "openssl": printing.openssl,
}

_STATE: dict[str, Handler] = {
    **dict.fromkeys(("cd", "chdir", "pushd", "popd"), state.cd),
    **dict.fromkeys(("export", "declare", "typeset", "local", "readonly"), state.declare),
    "set": state.set_options,
    "unset": state.unset,
    **dict.fromkeys(("alias", "abbr"), state.alias),
    **dict.fromkeys(("read", "mapfile", "readarray", "getopts"), state.read_in),
    "shift": state.shift,
    **dict.fromkeys(
        names(
            "enable bind bindkey hash shopt unalias setopt unsetopt zle zmodload autoload emulate "
            "complete functions add-zsh-hook"
        ),
        state.changes,
    ),
    "trap": state.trap,
    **dict.fromkeys(("fc", "r"), state.again),
    **dict.fromkeys(
        ("exit", "logout", "return", "break", "continue", "jobs", "bg", "fg"), state.quiet
    ),
}

_STEPPING: dict[str, Handler] = {
    **dict.fromkeys(WRAPPERS, stepping.step),
    "eval": stepping.evaluated,
    "command": stepping.command,
    "sudo": stepping.sudo,
    **dict.fromkeys(("su", "runuser"), stepping.su),
    "env": stepping.env,
    "exec": stepping.execute,
    "watch": stepping.watch,
    "script": stepping.script,
    **dict.fromkeys(("docker", "podman", "nerdctl", "kubectl", "oc"), stepping.container),
    **dict.fromkeys(("busybox", "toybox"), stepping.box),
    "parallel": stepping.parallel,
    "ssh": stepping.ssh,
    "ip": stepping.netns,
    "find": finding.find,
    "xargs": finding.xargs,
}

HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(options.GIVEN, options.runs_by_option),
    **dict.fromkeys(ESCAPES, languages.escape),
    **dict.fromkeys(ELSEWHERE, languages.elsewhere),
    **dict.fromkeys(LATER, languages.later),
    **dict.fromkeys(LANGUAGES, languages.language),
    **dict.fromkeys(SCRIPTED, languages.scripted),
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk"), languages.awk),
    **dict.fromkeys(("sed", "gsed"), languages.sed),
    "socat": languages.socat,
    "systemctl": languages.systemctl,
    **dict.fromkeys(shells.DIALECTS, shells.shell),
    **dict.fromkeys((".", "source"), shells.source),
    **_PRINTING,
    **_STATE,
    **_STEPPING,
}
