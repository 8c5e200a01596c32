"""Plain values as YAML that people read: block style, quotes only where they are needed.

PyYAML's own writer has no place for comments; what is written here is read back by `yamltree` to the
same values (tested with text of every kind).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import yaml

Value = str | int | float | bool | Sequence["Value"] | Mapping[str, "Value"]

# Nothing here begins or ends anything in YAML; digits and signs at the start may be numbers or dates.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._/@+=-]*(?: [A-Za-z0-9._/@+=-]+)*")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
_RESOLVER = yaml.SafeLoader("")
_TEXT_TAG = "tag:yaml.org,2002:str"


def emit(value: Mapping[str, Value]) -> str:
    """*value* as the text of a file."""
    return "".join(f"{line}\n" for line in _mapping(value, ""))


def _mapping(value: Mapping[str, Value], indent: str) -> Iterator[str]:
    for key, item in value.items():
        yield from _pair(f"{indent}{scalar(key)}:", item, indent)


def _pair(head: str, item: Value, indent: str) -> Iterator[str]:
    if isinstance(item, Mapping):
        if not item:
            yield f"{head} {{}}"
            return
        yield head
        yield from _mapping(item, indent + "  ")
    elif isinstance(item, Sequence) and not isinstance(item, str):
        yield from _sequence(head, item, indent)
    else:
        yield f"{head} {scalar(item)}"


def _sequence(head: str, items: Sequence[Value], indent: str) -> Iterator[str]:
    words = [scalar(item) for item in items if isinstance(item, str | int | float)]
    short = f"{head} [{', '.join(words)}]"
    if len(short) <= 88:
        yield short
        return
    yield head
    for word in words:
        yield f"{indent}  - {word}"


def scalar(value: object) -> str:
    """One word or text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and _is_text(text):
        return text
    return f'"{"".join(map(_escaped, text))}"'


def _number(value: float) -> str:
    """A number as YAML 1.1 reads one: with an exponent it has a point."""
    mantissa, exponent, power = str(value).partition("e")
    if exponent and "." not in mantissa:
        mantissa += ".0"
    return f"{mantissa}{exponent}{power}" if exponent else mantissa.removesuffix(".0")


def _is_text(text: str) -> bool:
    tag: str = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return tag == _TEXT_TAG


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    code = ord(character)
    if character.isprintable() and code != 0xFEFF:
        return character
    if code < 0x100:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
