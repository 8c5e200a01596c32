"""What commands print, where their arguments and what they read are known: the way to what a pipe feeds a shell."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from watchgate.policy.shell.calls import Call
from watchgate.policy.shell.fields import Field, literal
from watchgate.policy.shell.limits import LONGEST_VALUE
from watchgate.policy.shell.paths import resolved
from watchgate.policy.shell.quoting import ansi

if TYPE_CHECKING:
    from watchgate.policy.shell.flags import Split
    from watchgate.policy.shell.reader import Reader

_FORMAT = re.compile(r"%(?:%|[-+ #0]*\d*(?:\.\d+)?([sbcdiuoxXq]))")
_RANGE = re.compile(r"(.)-(.)", re.DOTALL)
_ECHO_FLAGS = re.compile(r"-[neE]+")
_MOST_ROUNDS = 256


def texts(fields: list[Field]) -> list[str] | None:
    """The texts of arguments; None where one is not known."""
    return [field.text for field in fields] if all(field.plain for field in fields) else None


def echo(reader: Reader, call: Call) -> str | None:
    """echo."""
    reader.record(call)
    words = texts(call.arguments)
    if words is None:
        return None
    end, escapes = "\n", call.scope.dialect in ("sh", "zsh")
    while words and _ECHO_FLAGS.fullmatch(words[0]):
        flags = words.pop(0)
        end = "" if "n" in flags else end
        escapes = "e" in flags or (escapes and "E" not in flags)
    text = " ".join(words)
    return (ansi(text) if escapes else text) + end


def printf(reader: Reader, call: Call) -> str | None:
    """printf; with `-v` it sets a variable."""
    reader.record(call)
    arguments = call.arguments
    name = ""
    if arguments and arguments[0].text == "-v" and len(arguments) > 2:
        name, arguments = arguments[1].text, arguments[2:]
    words = texts([a for a in arguments if a.text != "--"])
    text = None if not words else _formatted(words[0], words[1:])
    if name:
        call.scope.assign(name, None if text is None else (literal(text),))
        return ""
    return text


def _formatted(form: str, values: list[str]) -> str | None:
    done: list[str] = []
    for _ in range(_MOST_ROUNDS):
        before = len(values)
        done.append(_FORMAT.sub(lambda found: _one(found, values), ansi(form)))
        if not values:
            return "".join(done)
        if len(values) == before:
            break
    return "".join(done)


def _one(found: re.Match[str], values: list[str]) -> str:
    if found[0] == "%%":
        return "%"
    value = values.pop(0) if values else ""
    match found[1]:
        case "b":
            return ansi(value)
        case "c":
            return value[:1]
        case "s" | "q":
            return value
        case kind:
            number = _number(value)
            return format(number, {"i": "d", "u": "d"}.get(kind, kind))


def _number(value: str) -> int:
    try:
        return int(value[:18], 0) if value else 0
    except ValueError:
        return ord(value[1]) if value[:1] in "'\"" and len(value) > 1 else 0


def _read(call: Call, operands: list[Field]) -> str | None:
    """What a filter reads: its files where the line wrote them, else its standard input."""
    names = [field for field in operands if field.text != "-"]
    if not names:
        return call.around.input.certain
    found: list[str] = []
    for field in names:
        if field.fed:
            text = field.feed
        else:
            path = resolved(field.where, call.scope.cwds[0], call.scope.home)
            stdin = path in ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
            text = call.around.input.certain if stdin else call.scope.files.get(path)
        if text is None:
            return None
        found.append(text)
    return "".join(found)


Filter = Callable[[str, "Split"], str | None]


def filtered(change: Filter) -> Callable[[Reader, Call], str | None]:
    """A handler for a program that prints what it reads, changed."""

    def handler(reader: Reader, call: Call) -> str | None:
        done = reader.record(call)
        operands = [] if call.name == "tr" else done.operands
        text = _read(call, operands)
        if text is None or len(text) > LONGEST_VALUE or not reader.spend(len(text)):
            return None
        return change(text, done)

    return handler


def as_it_is(text: str, done: Split) -> str | None:
    """cat."""
    return text


def without_armor(text: str, done: Split) -> str | None:
    """base64 -d."""
    octets = text.encode("utf-8", "replace")
    if "decode" not in done.flags and "-d" not in done.flags:
        return base64.b64encode(octets).decode() + "\n"
    return _decoded(lambda: base64.b64decode(octets, validate=False))


def without_armor32(text: str, done: Split) -> str | None:
    """base32 -d."""
    octets = b"".join(text.encode("utf-8", "replace").split())
    return _decoded(lambda: base64.b32decode(octets)) if "decode" in done.flags else None


def out_of_hexadecimal(text: str, done: Split) -> str | None:
    """xxd -r -p."""
    if not {"reverse", "plain"} <= set(done.flags):
        return None
    return _decoded(lambda: bytes.fromhex("".join(text.split())))


def _decoded(decode: Callable[[], bytes]) -> str | None:
    try:
        return decode().decode("utf-8", "replace")
    except (ValueError, binascii.Error):
        return None


def backwards(text: str, done: Split) -> str | None:
    """rev."""
    return "\n".join(line[::-1] for line in text.split("\n"))


def translated(text: str, done: Split) -> str | None:
    """tr, with plain characters and ranges."""
    sets = [_characters(field) for field in done.operands]
    if any(one is None for one in sets) or {"complement", "squeeze-repeats"} & set(done.flags):
        return None
    first, *others = [one for one in sets if one is not None] or [""]
    if "delete" in done.flags:
        return text.translate({ord(c): None for c in first})
    if not others or not others[0]:
        return None
    second = others[0].ljust(len(first), others[0][-1])
    return text.translate({ord(a): b for a, b in zip(first, second, strict=False)})


def _characters(field: Field) -> str | None:
    if not field.known or "[:" in field.raw or len(field.text) > 512:
        return None
    text = ansi(field.raw.strip("'\"")) if field.pattern else ansi(field.text)

    def every(found: re.Match[str]) -> str:
        return "".join(map(chr, range(ord(found[1]), min(ord(found[2]), 0x7F) + 1)))

    return _RANGE.sub(every, text)


def openssl(reader: Reader, call: Call) -> str | None:
    """openssl base64 -d, openssl enc -base64 -d."""
    done = reader.record(call)
    words = {field.text for field in call.arguments}
    text = call.around.input.certain
    if text is None or "-d" not in words or not {"base64", "-base64", "-a"} & words:
        return None
    return _decoded(lambda: base64.b64decode(text.encode("utf-8", "replace"))) if done else None


def copied(reader: Reader, call: Call) -> str | None:
    """tee: what it reads goes on, and into its files."""
    done = reader.record(call)
    text = call.around.input.certain
    for field in done.operands:
        path = resolved(field.where, call.scope.cwds[0], call.scope.home)
        if text is None or not field.plain:
            call.scope.files.pop(path, None)
        else:
            call.scope.files[path] = text
    return text


def found(reader: Reader, call: Call) -> str | None:
    """which: the name itself stands for the place where it would be found."""
    done = reader.record(call)
    words = texts(done.operands)
    return None if words is None else "".join(word + "\n" for word in words)


def last_part(reader: Reader, call: Call) -> str | None:
    """basename."""
    reader.record(call)
    words = texts(call.arguments)
    if not words or len(words) > 2 or words[0].startswith("-"):
        return None
    return words[0].rstrip("/").rsplit("/", 1)[-1].removesuffix("".join(words[1:])) + "\n"


def directory(reader: Reader, call: Call) -> str | None:
    """pwd."""
    reader.record(call)
    cwds = call.scope.cwds
    return None if len(cwds) != 1 or cwds[0] is None else cwds[0] + "\n"
