"""find and xargs: commands for names that are not known yet, but for where they lie."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from watchgate.policy.shell.calls import Call
from watchgate.policy.shell.fields import ANYTHING, Field, literal, unknown
from watchgate.policy.shell.flags import Split, split
from watchgate.policy.shell.programs import flags_of
from watchgate.policy.shell.stepping import carried

if TYPE_CHECKING:
    from watchgate.policy.shell.reader import Reader

_SETTINGS = re.compile(r"-[HLP]|-D\w*|-O\d")
_EXPRESSION = ("-", "(", ")", "!", ",")
_RUNNING = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
_WRITING = frozenset({"-fprint", "-fprint0", "-fprintf", "-fls"})
_NAMED = frozenset({"-name", "-iname", "-path", "-ipath", "-wholename"})
_NO_TEST = frozenset(
    {"-delete", "-print", "-print0", "-depth", "-d", "-xdev", "-mount", "-maxdepth", "-mindepth"}
    | {"-exec", "-execdir", "-ok", "-okdir", "-o", "-a", "-follow", "-noleaf", "-ls", "-prune"}
)


def find(reader: Reader, call: Call) -> str | None:
    """find: where it looks, and what it runs on what it finds."""
    words = call.arguments
    at = 0
    while (at < len(words) and words[at].text in ("-H", "-L", "-P")) or (
        at < len(words) and words[at].text.startswith(("-D", "-O"))
    ):
        at += 1
    start = at
    while at < len(words) and not words[at].text.startswith(_EXPRESSION):
        at += 1
    places, expression = words[start:at], words[at:]
    done = _told(expression, places)
    runs = _runs(expression)
    reader.record(call, done)
    targets = _found(places or [literal(".")], expression)
    around = call.around.within("find")
    for inner in runs:
        placed = [piece for field in inner for piece in _put(field, targets)]
        if placed:
            carried(reader, call, placed, call.child, around)
    if any(field.text == "-delete" for field in expression):
        words = [literal("-r"), literal("-f"), *targets]
        raw = " ".join(("find", *(t.raw for t in targets), "-delete"))
        inner_call = Call(literal("rm"), "rm", words, (), call.scope, call.child, around, raw)
        reader.record(inner_call)
    return None


def _told(expression: list[Field], places: list[Field]) -> Split:
    """Its facts: tests and actions are flags, the places are operands."""
    done = Split(operands=list(places), paths=list(places))
    for number, field in enumerate(expression):
        text = field.text
        if not text.startswith("-") or len(text) < 2:
            continue
        name = text.lstrip("-")
        following = expression[number + 1] if number + 1 < len(expression) else None
        done.flags.append(name)
        done.spelled.append((text, None))
        if following is not None and not following.text.startswith("-"):
            done.spelled[-1] = (text, following)
            done.values.setdefault(name, []).append(following)
            if text in _WRITING or text == "-newer":
                done.paths.append(following)
    return done


def _runs(expression: list[Field]) -> list[list[Field]]:
    """The commands behind `-exec` and the like."""
    runs: list[list[Field]] = []
    inside: list[Field] | None = None
    for field in expression:
        if inside is None:
            if field.text in _RUNNING:
                inside = []
                runs.append(inside)
        elif field.text == ";" or (field.text == "+" and inside and inside[-1].text == "{}"):
            inside = None
        else:
            inside.append(field)
    return runs


def _found(places: list[Field], expression: list[Field]) -> list[Field]:
    """What it may find: the places themselves where nothing is asked of what lies there."""
    outside: list[str] = []
    inside = False
    names: list[Field] = []
    for number, field in enumerate(expression):
        if field.text in _RUNNING:
            inside = True
        elif inside and field.text in (";", "+"):
            inside = False
        elif not inside:
            outside.append(field.text)
            if field.text in _NAMED and number + 1 < len(expression):
                names.append(expression[number + 1])
    tests = [t for t in outside if t.startswith(("-", "!")) and t not in _NO_TEST]
    if not tests:
        return places
    name = names[0] if len(names) == 1 and "!" not in outside and "-not" not in outside else None
    return [_below(place, name) for place in places]


def _below(place: Field, name: Field | None) -> Field:
    """Anything below a place, of that name where one is given."""
    where = f"{place.where.rstrip('/')}/{ANYTHING}"
    if name is not None and name.known and "/" not in name.text and "-i" not in name.raw:
        where += f"/{_glob(name.text)}"
    return Field(where, "{}", where, place.known, pattern=True)


def _glob(text: str) -> str:
    return text.replace("\\\\", "\\")


def _put(field: Field, targets: list[Field]) -> list[Field]:
    """`{}` becomes what was found."""
    if field.text == "{}":
        return targets
    if "{}" not in field.text:
        return [field]
    if len(targets) == 1 and targets[0].plain:
        return [literal(field.text.replace("{}", targets[0].text), field.raw)]
    return [Field(field.text, field.raw, field.where.replace("{}", ANYTHING), known=False)]


def xargs(reader: Reader, call: Call) -> str | None:
    """xargs: what it reads becomes arguments."""
    done = split(call.arguments, flags_of("xargs"), first=True)
    reader.record(call, done, carried=True)
    rest = call.arguments[done.rest :] or [literal("echo")]
    source = call.around.input.certain
    given = [unknown("{}")] if source is None else _words(source, done)
    marker = done.value("replace-string") or done.value("replace")
    around = call.around.within("xargs")
    if marker is None and "replace" not in done.flags:
        return carried(reader, call, [*rest, *given], call.child, around)
    mark = marker.text if marker is not None and marker.text else "{}"
    for value in given[:32]:
        words = [_marked(field, mark, value) for field in rest]
        carried(reader, call, words, call.child, around)
    return None


def _words(source: str, done: Split) -> list[Field]:
    delimiter = done.value("delimiter")
    if "null" in done.flags:
        pieces = source.split("\0")
    elif delimiter is not None and delimiter.text:
        pieces = source.split(delimiter.text[0])
    elif "replace-string" in done.flags:
        pieces = [line.strip() for line in source.split("\n")]
    else:
        pieces = source.replace("'", "").replace('"', "").replace("\\", "").split()
    return [literal(piece.strip("\n")) for piece in pieces if piece.strip("\n")][:1000]


def _marked(field: Field, mark: str, value: Field) -> Field:
    if mark not in field.text:
        return field
    if field.text == mark:
        return value
    if value.plain:
        return literal(field.text.replace(mark, value.text), field.raw)
    return Field(field.text, field.raw, field.where.replace(mark, ANYTHING), known=False)
