"""Builtins that change the shell itself: its directory, variables, aliases, options."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from watchgate.policy.reading import Reason
from watchgate.policy.shell.calls import Call
from watchgate.policy.shell.fields import Field, literal
from watchgate.policy.shell.paths import resolved
from watchgate.policy.shell.variables import hooks

if TYPE_CHECKING:
    from watchgate.policy.shell.reader import Reader

_SETTING = re.compile(r"([A-Za-z_]\w*)(\[[^\]]*\])?(\+?)=(.*)", re.DOTALL)
_QUIET_OPTIONS = re.compile(r"[-+][abefghkmnptuvxBCEHPT]*o?")
_RECORDING = frozenset({"history", "emacs", "vi", "posix", "privileged", "restricted", "monitor"})


def cd(reader: Reader, call: Call) -> str | None:
    """cd and pushd: what follows stands in another directory."""
    reader.record(call)
    scope = call.scope
    operands = [f for f in call.arguments if not (len(f.text) > 1 and f.text[0] == "-")]
    if call.name == "popd" or (operands and operands[0].text == "-"):
        scope.cwds = (None,)
    elif not operands:
        scope.cwds = (scope.home,) if call.name == "cd" else (None,)
    elif not operands[0].plain:
        scope.cwds = (None,)
    else:
        where = operands[0].where
        scope.cwds = tuple(
            dict.fromkeys(_known(resolved(where, cwd, scope.home)) for cwd in scope.cwds)
        )
    return ""


def _known(path: str) -> str | None:
    """A directory, where it is one that is known."""
    return None if path.startswith("?") or "**" in path else path


def declare(reader: Reader, call: Call) -> str | None:
    """export, declare, typeset, local, readonly."""
    reader.record(call)
    reference = call.name != "export" and any(
        f.text[:1] == "-" and "n" in f.text for f in call.arguments
    )
    for field in call.arguments:
        found = _SETTING.fullmatch(field.text)
        if found is None:
            if hooks(field.text) and call.name == "export":
                reader.opaque(Reason.ENVIRONMENT, call.raw, field.text)
            continue
        value = literal(found[4]) if field.plain else field._replace(text=found[4], where="**")
        plain = not found[2] and not found[3] and not reference
        if hooks(found[1], (value,)):
            reader.opaque(Reason.ENVIRONMENT, call.raw, found[1])
        call.scope.assign(found[1], (value,) if plain else None)
    return ""


def fish_set(reader: Reader, call: Call) -> str | None:
    """fish's `set NAME VALUES`."""
    reader.record(call)
    words = call.arguments
    erased = False
    while words and words[0].text.startswith("-"):
        erased |= words[0].text in ("-e", "--erase")
        words = words[1:]
    if words:
        name = words[0].text
        if hooks(name, tuple(words[1:])):
            reader.opaque(Reason.ENVIRONMENT, call.raw, name)
        call.scope.assign(name, None if erased else tuple(words[1:]))
    return ""


def set_options(reader: Reader, call: Call) -> str | None:
    """set: options of the shell, and its positional parameters."""
    if call.scope.dialect == "fish":
        return fish_set(reader, call)
    reader.record(call)
    words = call.arguments
    at = 0
    while at < len(words):
        text = words[at].text
        if text in ("--", "-"):
            call.scope.positional = tuple(words[at + 1 :])
            return ""
        if text[:1] not in ("-", "+") or not words[at].known:
            call.scope.positional = tuple(words[at:])
            break
        if text[-1:] == "o" and at + 1 < len(words):
            at += 1
            if words[at].text in _RECORDING or not words[at].plain:
                reader.opaque(Reason.ENVIRONMENT, call.raw, call.name)
        if not _QUIET_OPTIONS.fullmatch(text):
            reader.opaque(Reason.ENVIRONMENT, call.raw, call.name)
        at += 1
    return ""


def unset(reader: Reader, call: Call) -> str | None:
    """unset."""
    reader.record(call)
    for field in call.arguments:
        name = field.text
        if hooks(name) or not field.plain:
            reader.opaque(Reason.ENVIRONMENT, call.raw, name)
        call.scope.forget([name])
        call.scope.functions.pop(name, None)
    return ""


def alias(reader: Reader, call: Call) -> str | None:
    """alias: its text is read where it is made, and where it may be used."""
    reader.record(call)
    words = call.arguments
    if call.scope.dialect == "fish" and len(words) > 1 and "=" not in words[0].text:
        words = [literal(f"{words[0].text}={' '.join(w.text for w in words[1:])}")]
    for field in words:
        found = _SETTING.fullmatch(field.text) or re.fullmatch(
            r"([^=\s-][^=\s]*)()()=(.*)", field.text, re.DOTALL
        )
        if found is None:
            continue
        if not field.plain:
            reader.opaque(Reason.COMPUTED, call.raw, call.name)
        call.scope.maybe_aliases[found[1]] = found[4]
        around = call.around.within(call.name)
        around = around._replace(stack=(*around.stack, found[1]))
        reader.text(found[4], call.scope.copy(), around)
    return ""


def read_in(reader: Reader, call: Call) -> str | None:
    """read, mapfile: variables of which nothing is known, but where one word is fed."""
    reader.record(call)
    names = [f.text for f in call.arguments if not f.text.startswith("-")]
    text = call.around.input.certain
    call.scope.forget(names or ["REPLY", "MAPFILE"])
    if call.name == "read" and text is not None and len(names) <= 1 and text.count("\n") <= 1:
        call.scope.assign(names[0] if names else "REPLY", (literal(text.strip()),))
    return ""


def shift(reader: Reader, call: Call) -> str | None:
    """shift."""
    reader.record(call)
    count = call.arguments[0].text if call.arguments else "1"
    positional = call.scope.positional
    known = positional is not None and count.isdigit() and len(count) < 6
    call.scope.positional = positional[int(count) :] if known and positional is not None else None
    return ""


def changes(reader: Reader, call: Call) -> str | None:
    """enable, bind, hash, shopt …: what changes how later lines are read."""
    reader.record(call)
    words = [f.text for f in call.arguments]
    match call.name:
        case "shopt":
            strange = any(w in ("-u", "-s") for w in words)
        case "hash":
            strange = any(w.startswith("-p") for w in words)
        case "enable":
            strange = bool(words) and words[0] not in ("-p", "-a", "-s")
        case "bind" | "bindkey":
            strange = bool(words) and words[0] not in (
                "-l",
                "-p",
                "-P",
                "-v",
                "-s",
                "-L",
                "-S",
                "-V",
            )
        case "unalias":
            strange = False
            for word in words:
                call.scope.maybe_aliases.pop(word, None)
        case _:
            strange = bool(words)
    if strange:
        reader.opaque(Reason.ENVIRONMENT, call.raw, call.name)
    if strange and call.name in ("bind", "bindkey"):
        reader.opaque(Reason.LATER, call.raw, call.name)
    return ""


def trap(reader: Reader, call: Call) -> str | None:
    """trap: commands for later."""
    reader.record(call)
    words = [f for f in call.arguments if f.text not in ("--",)]
    if not words or words[0].text in ("-l", "-p"):
        return ""
    reader.opaque(Reason.ENVIRONMENT, call.raw, call.name)
    if words[0].text not in ("", "-") and len(words) > 1:
        reader.opaque(Reason.LATER, call.raw, call.name)
        _text(reader, words[0], call)
    return ""


def _text(reader: Reader, field: Field, call: Call) -> None:
    if not field.plain:
        reader.opaque(Reason.COMPUTED, call.raw, call.name)
    reader.text(field.text, call.scope.copy(), call.around.within(call.name))


def again(reader: Reader, call: Call) -> str | None:
    """fc and r: commands out of the history."""
    done = reader.record(call)
    if "-l" not in done.flags:
        reader.opaque(Reason.COMPUTED, call.raw, call.name)
    return None


def quiet(reader: Reader, call: Call) -> str | None:
    """A builtin that prints nothing."""
    reader.record(call)
    return ""
