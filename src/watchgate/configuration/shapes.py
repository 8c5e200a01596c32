"""What a value in a file may be: the one description that reading, JSON Schema and reference share.

A shape reads a node of the tree into an object, or says what it expected and at which key. It never
stops at the first thing that is wrong.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from watchgate.configuration import yamltree
from watchgate.configuration.places import Place, Problems
from watchgate.configuration.yamltree import Node, Scalar
from watchgate.errors import WatchgateError

Path = tuple[str | int, ...]


class Wrong:
    """Stands for a value that could not be read; its problem has been said."""


WRONG = Wrong()


def shown(path: Path) -> str:
    """A path as people write it: `operators.alice.keys[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


@dataclass(frozen=True, slots=True)
class Spot:
    """Where reading is: the path of keys, and where problems and places go."""

    problems: Problems
    path: Path = ()
    places: dict[Path, Place] = field(default_factory=dict)

    def at(self, part: str | int) -> Spot:
        """The spot one key further in."""
        return Spot(self.problems, (*self.path, part), self.places)

    def refuse(self, node: Node, message: str) -> Wrong:
        """Say what is wrong here."""
        self.problems.add(node.place, shown(self.path), message)
        return WRONG


class Shape(Protocol):
    """One kind of value; *expected* completes the sentence "it must be …"."""

    @property
    def expected(self) -> str: ...

    def read(self, node: Node, spot: Spot) -> Any:
        """The value that *node* says, or WRONG after its problem was said."""

    def schema(self) -> dict[str, Any]:
        """The same as JSON Schema (2020-12)."""


def _is(node: Node) -> str:
    """What a node is, for a sentence that says what it should have been."""
    match node:
        case yamltree.Listing():
            return "a list"
        case yamltree.Mapping():
            return "a mapping"
        case Scalar(kind=yamltree.NULL):
            return "empty"
        case Scalar(kind=yamltree.TEXT):
            return repr(node.text[:60])
        case Scalar():
            return f"{node.text[:60]}, {node.kind}"


def _checked(check: Callable[[Any], Any], value: Any, node: Node, spot: Spot) -> Any:
    """What *check* makes of *value*; its refusal becomes a problem at this place."""
    try:
        return check(value)
    except WatchgateError as error:
        return spot.refuse(node, str(error))


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Text:
    """Text; what YAML would read as something else must have quotes."""

    expected: str = "text"
    check: Callable[[str], Any] = _same
    may_be: frozenset[str] = frozenset()
    """Other kinds of word that are meant as text without a doubt, as a date."""
    example: str = ""

    def read(self, node: Node, spot: Spot) -> Any:
        if not isinstance(node, Scalar) or node.kind == yamltree.NULL:
            return spot.refuse(node, f"this is {_is(node)}; it must be {self.expected}")
        if node.kind != yamltree.TEXT and node.kind not in self.may_be:
            return spot.refuse(
                node, f'YAML reads {node.text} as {node.kind}; quote it: "{node.text}"'
            )
        return _checked(self.check, node.text, node, spot)

    def schema(self) -> dict[str, Any]:
        found: dict[str, Any] = {"type": "string", "description": f"It must be {self.expected}."}
        return found | ({"examples": [self.example]} if self.example else {})


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words; quotes are not needed even where YAML would read one as false."""

    words: type[StrEnum]

    @property
    def expected(self) -> str:
        return "one of " + ", ".join(self.words)

    def read(self, node: Node, spot: Spot) -> Any:
        if isinstance(node, Scalar) and node.text in set(self.words):
            return self.words(node.text)
        if isinstance(node, Scalar):
            near = difflib.get_close_matches(node.text, list(self.words), n=1)
            if near:
                return spot.refuse(node, f"there is no {node.text!r}; did you mean {near[0]}?")
        return spot.refuse(node, f"this is {_is(node)}; it must be {self.expected}")

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": [str(word) for word in self.words]}


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    expected: str = "true or false, without quotes"

    def read(self, node: Node, spot: Spot) -> Any:
        if isinstance(node, Scalar) and node.kind == "true or false":
            return node.text.lower() in ("true", "yes", "on")
        return spot.refuse(node, f"this is {_is(node)}; it must be {self.expected}")

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Number:
    """A number, whole or not, within bounds."""

    least: float = 0
    most: float = 1_000_000
    whole: bool = False

    @property
    def expected(self) -> str:
        kind = "whole number" if self.whole else "number"
        return f"a {kind} from {self.least:g} to {self.most:,.0f}"

    def read(self, node: Node, spot: Spot) -> Any:
        value = _number(node, whole=self.whole)
        if value is None or not self.least <= value <= self.most:
            return spot.refuse(node, f"this is {_is(node)}; it must be {self.expected}")
        return value

    def schema(self) -> dict[str, Any]:
        kind = "integer" if self.whole else "number"
        return {"type": kind, "minimum": self.least, "maximum": self.most}


def _number(node: Node, *, whole: bool) -> float | None:
    """The number of a node in decimal; YAML's octal and sexagesimal ones are traps, not numbers."""
    if not isinstance(node, Scalar) or node.kind != "a number" or len(node.text) > 30:
        return None
    if node.text.startswith("0") and node.text[1:2].isdigit():
        return None
    try:
        return int(node.text) if whole else float(node.text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Many:
    """A list; *make* turns the values into what is kept."""

    item: Shape
    most: int
    make: Callable[[list[Any]], Any] = tuple

    @property
    def expected(self) -> str:
        return f"a list, each {self.item.expected}"

    def read(self, node: Node, spot: Spot) -> Any:
        if not isinstance(node, yamltree.Listing):
            advice = f"; write [{node.text}]" if isinstance(node, Scalar) and node.text else ""
            return spot.refuse(node, f"this is {_is(node)}; it must be {self.expected}{advice}")
        if len(node.items) > self.most:
            return spot.refuse(node, f"{len(node.items)} are too many; {self.most} are allowed")
        values = [self.item.read(one, spot.at(i)) for i, one in enumerate(node.items)]
        if any(value is WRONG for value in values):
            return WRONG
        return _checked(self.make, values, node, spot)

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.item.schema(), "maxItems": self.most}


@dataclass(frozen=True, slots=True)
class Named:
    """A mapping from names that the file chooses; `read` gives (name, value) in their order."""

    noun: str
    name: Callable[[str], str]
    value: Shape
    make: Callable[[dict[str, Any]], Any] = _same

    @property
    def expected(self) -> str:
        return f"a mapping by the name of the {self.noun}"

    def read(self, node: Node, spot: Spot) -> Any:
        if not isinstance(node, yamltree.Mapping):
            return spot.refuse(node, f"this is {_is(node)}; it must be {self.expected}")
        found: dict[str, Any] = {}
        wrong = False
        for key, value in node.entries:
            inner = spot.at(key.text)
            spot.places[inner.path] = key.place
            name = Text(f"the name of a {self.noun}", self.name).read(key, inner)
            read = self.value.read(value, inner)
            if name is WRONG or read is WRONG:
                wrong = True
            else:
                found[name] = read
        return WRONG if wrong else _checked(self.make, found, node, spot)

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": self.value.schema()}


@dataclass(frozen=True, slots=True)
class Key:
    """One key that a record may have."""

    name: str
    shape: Shape
    sentence: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with known keys; *make* gets what was said and gives the object."""

    noun: str
    keys: tuple[Key, ...]
    make: Callable[[dict[str, Any]], Any] = _same
    ignored: str = ""
    """Keys that begin with this are for the file's own use."""

    @property
    def expected(self) -> str:
        return f"a mapping with {', '.join(key.name for key in self.keys)}"

    def read(self, node: Node, spot: Spot) -> Any:
        if isinstance(node, Scalar) and node.kind == yamltree.NULL:
            node = yamltree.Mapping((), node.place)  # `web1:` alone says nothing of web1
        if not isinstance(node, yamltree.Mapping):
            return spot.refuse(node, f"this is {_is(node)}; it must be {self.expected}")
        known = {key.name: key for key in self.keys}
        found: dict[str, Any] = {}
        wrong = False
        for word, value in node.entries:
            if self.ignored and word.text.startswith(self.ignored):
                continue
            inner = spot.at(word.text)
            spot.places[inner.path] = word.place
            key = known.get(word.text)
            if key is None:
                inner.refuse(word, _unknown(self.noun, word.text, known))
                wrong = True
                continue
            read = key.shape.read(value, inner)
            wrong = wrong or read is WRONG
            found[key.name] = read
        present = {word.text for word, _ in node.entries}
        for missing in (key for key in self.keys if key.required and key.name not in present):
            message = f"the key {missing.name} is missing; it must be {missing.shape.expected}"
            wrong = bool(spot.refuse(node, message))
        return WRONG if wrong else _checked(self.make, found, node, spot)

    def schema(self) -> dict[str, Any]:
        made: dict[str, Any] = {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                key.name: key.shape.schema() | {"description": key.sentence} for key in self.keys
            },
        }
        if self.ignored:
            made["patternProperties"] = {f"^{self.ignored}": True}
        required = [key.name for key in self.keys if key.required]
        return made | ({"required": required} if required else {})


def _unknown(noun: str, word: str, known: Mapping[str, object] | Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    advice = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    return f"{noun} has no key {word!r}; {advice}"


@dataclass(frozen=True, slots=True)
class ShortOr:
    """A word alone, or the record for which it stands."""

    short: Shape
    record: Record
    key: str

    @property
    def expected(self) -> str:
        return f"{self.short.expected}, or {self.record.expected}"

    def read(self, node: Node, spot: Spot) -> Any:
        if isinstance(node, yamltree.Mapping):
            return self.record.read(node, spot)
        value = self.short.read(node, spot)
        return (
            WRONG if value is WRONG else _checked(self.record.make, {self.key: value}, node, spot)
        )

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [self.short.schema(), self.record.schema()]}


@dataclass(frozen=True, slots=True)
class Checked:
    """A shape whose value has to pass *check* too, which may turn it into something else."""

    shape: Shape
    check: Callable[[Any], Any]

    @property
    def expected(self) -> str:
        return self.shape.expected

    def read(self, node: Node, spot: Spot) -> Any:
        value = self.shape.read(node, spot)
        return WRONG if value is WRONG else _checked(self.check, value, node, spot)

    def schema(self) -> dict[str, Any]:
        return self.shape.schema()
