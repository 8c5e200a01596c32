"""What may stand behind `match:`: the tree of conditions, as files and the API say it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from watchgate.configuration import yamltree
from watchgate.configuration.shapes import (
    WRONG,
    Checked,
    Choice,
    Flag,
    Key,
    Many,
    Named,
    Record,
    Shape,
    ShortOr,
    Spot,
    Text,
)
from watchgate.configuration.yamltree import Node
from watchgate.errors import ConfigurationError
from watchgate.policy.combining import All, Any_, Beside, Not, told
from watchgate.policy.commands import Place, Source
from watchgate.policy.conditions import (
    Args,
    Condition,
    Confidence,
    Flags,
    Inside,
    IsOpaque,
    LineMatching,
    Matching,
    PathIs,
    PlaceIs,
    Program,
    RedirectTo,
    RunsAs,
    SourceIs,
    Values,
    Wrapped,
    globs_of,
)
from watchgate.policy.globs import glob
from watchgate.policy.reading import Reason
from watchgate.policy.regexes import regex

MOST_ENTRIES = 1_000
LONGEST_PATTERN = 1_024
MATCH_DEFINITION = "match"


@dataclass(frozen=True, slots=True)
class OneOrMany:
    """One value alone, or a list of them; `read` gives a tuple, never empty."""

    item: Shape
    most: int = MOST_ENTRIES

    @property
    def expected(self) -> str:
        return f"{self.item.expected}, or a list of such"

    def read(self, node: Node, spot: Spot) -> Any:
        if isinstance(node, yamltree.Listing):
            if not node.items:
                return spot.refuse(node, "this list is empty, so it would never hold; leave it out")
            return Many(self.item, self.most).read(node, spot)
        value = self.item.read(node, spot)
        return WRONG if value is WRONG else (value,)

    def schema(self) -> dict[str, Any]:
        one = self.item.schema()
        many = {"type": "array", "items": one, "minItems": 1, "maxItems": self.most}
        return {"anyOf": [one, many]}


@dataclass(frozen=True, slots=True)
class AnyReason:
    """`true` for every reason, or some."""

    reasons: OneOrMany = OneOrMany(Choice(Reason))

    @property
    def expected(self) -> str:
        return f"true, or {self.reasons.expected}"

    def read(self, node: Node, spot: Spot) -> Any:
        if isinstance(node, yamltree.Scalar) and node.kind == "true or false":
            if Flag().read(node, spot) is True:
                return ()
            return spot.refuse(node, "say `not: {opaque: true}` for what can be read")
        return self.reasons.read(node, spot)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [{"const": True}, self.reasons.schema()]}


@dataclass(frozen=True, slots=True)
class MatchShape:
    """A mapping of conditions, in which `any`, `all`, `not` and `beside` hold mappings of the same kind."""

    expected: str = "a mapping of conditions"

    def read(self, node: Node, spot: Spot) -> Any:
        if isinstance(node, yamltree.Mapping) and not node.entries:
            return spot.refuse(
                node, "a match without a condition would match everything; say which"
            )
        return _MATCH.read(node, spot)

    def schema(self) -> dict[str, Any]:
        return {"$ref": f"#/$defs/{MATCH_DEFINITION}"}


def definition() -> dict[str, Any]:
    """The JSON Schema to which every `match` refers."""
    return _MATCH.schema() | {"minProperties": 1}


def _pattern(text: str) -> str:
    if not text:
        raise ConfigurationError(
            "an empty pattern matches nothing that is there; leave it out",
            code="rule.illegal-pattern",
        )
    if len(text) > LONGEST_PATTERN:
        raise ConfigurationError(
            f"this pattern has {len(text):,} characters; {LONGEST_PATTERN:,} are allowed",
            code="rule.illegal-pattern",
        )
    return text


def _regex(text: str) -> Any:
    if not text:
        raise ConfigurationError(
            "an empty regex matches everything; leave it out", code="rule.illegal-regex"
        )
    return regex(text)


_PATTERN = Text(
    "a name, in which *, ? and [...] are wildcards", _pattern, frozenset({"a number"}), "mkfs*"
)
_PATTERNS = OneOrMany(_PATTERN)
_PATHS = OneOrMany(
    Text(
        "a path, in which * stays in a directory and ** does not; a name alone is one in any directory",
        _pattern,
        example="/etc/**",
    )
)
_REGEX = Text("a regular expression as RE2 has them", _regex)
_FLAG = Text("the name of a flag", _pattern, frozenset({"a number"}), "recursive")


class Certainty(StrEnum):
    """How a command is known."""

    EXACT = "exact"
    INFERRED = "inferred"


def _globs(make: Callable[[Any], Condition]) -> Callable[[Any], Condition]:
    return lambda texts: make(globs_of(texts))


def _paths(make: Callable[[Any], Condition]) -> Callable[[Any], Condition]:
    return lambda texts: make(tuple(sorted(set(texts))))


def _ordered(words: tuple[StrEnum, ...]) -> tuple[Any, ...]:
    return tuple(one for one in type(words[0]) if one in words) if words else ()


def _flags(found: dict[str, Any]) -> Condition:
    if not found:
        raise ConfigurationError(
            "flags needs a list, or one of all, any, only", code="rule.illegal-flags"
        )
    only = found.get("only")
    return Flags(
        tuple(sorted(set(found.get("all", ())))),
        tuple(sorted(set(found.get("any", ())))),
        None if only is None else frozenset(only),
    )


_FLAGS = ShortOr(
    OneOrMany(_FLAG),
    Record(
        "flags",
        (
            Key("all", OneOrMany(_FLAG), "All of these are there."),
            Key("any", OneOrMany(_FLAG), "One of these is there."),
            Key("only", Many(_FLAG, MOST_ENTRIES), "No others than these are there; `[]`: none."),
        ),
        _flags,
    ),
    "all",
)


def _values(found: dict[str, Any]) -> Condition:
    if not found:
        raise ConfigurationError(
            "value needs a flag with the pattern of its value: value: {output: /etc/*}",
            code="rule.illegal-value",
        )
    return Values(
        tuple((flag, tuple(map(glob, sorted(set(found[flag]))))) for flag in sorted(found))
    )


def _any(parts: tuple[Condition, ...]) -> Condition:
    """Of several the order does not matter; one alone is itself."""
    ordered = sorted(parts, key=_written)
    return ordered[0] if len(ordered) == 1 else Any_(tuple(ordered))


def _all(parts: Iterable[Condition]) -> Condition:
    """In one order, and flat: whichever way it is written, it is the same."""
    flat = [one for part in parts for one in (part.parts if isinstance(part, All) else (part,))]
    ordered = sorted(flat, key=lambda one: (_PLACES[one.key], _written(one)))
    return ordered[0] if len(ordered) == 1 else All(tuple(ordered))


def _written(one: Condition) -> str:
    return json.dumps(told(one), sort_keys=True)


_INNER = MatchShape()

# The word, what may stand behind it, what is made of that, and what it means.
_ROWS: tuple[tuple[str, Shape, Callable[[Any], Condition], str], ...] = (
    ("program", _PATTERNS, _globs(Program), "The program is one of these; with a `/`, its path as it was written."),
    ("flags", _FLAGS, lambda flags: flags, "It has all of these flags, by one name each; or `{any: […]}`, `{all: […]}`, `{only: […]}`."),
    ("args", _PATTERNS, _globs(Args), "A word matches; in a list (`force`), every operand."),
    ("path", _PATHS, _paths(PathIs), "A path among its operands and values matches; in a list, every one."),
    ("redirect", _PATHS, _paths(RedirectTo), "A file that a redirection writes matches; in a list, every one."),
    ("wrapper", _PATTERNS, _globs(Wrapped), "It was taken out of one of these: `sudo`, `xargs`, `find`."),
    ("user", _PATTERNS, _globs(RunsAs), "It runs as one of these: as a wrapper says, else as the session's account."),
    ("value", Named("flag", _pattern, _PATTERNS), _values, "Flags by name, each with what its value matches; all must."),
    ("regex", _REGEX, Matching, "It is found in the command's normal form, in a part that cannot be read, in a raw line that does not parse."),
    ("line", _REGEX, LineMatching, "It is found in the line as it was given."),
    ("opaque", AnyReason(), lambda found: IsOpaque(_ordered(found)), "It is a part that cannot be read: for any reason (`true`) or for one of these."),
    ("inside", _PATTERNS, _globs(Inside), "It was typed into one of these programs. Only where a rule says so it sees what is typed into programs."),
    ("place", OneOrMany(Choice(Place)), lambda found: PlaceIs(_ordered(found)), "What takes the line is one of these."),
    ("source", OneOrMany(Choice(Source)), lambda found: SourceIs(_ordered(found)), "The command is known by one of these ways."),
    ("confidence", Choice(Certainty), lambda found: Confidence(found is Certainty.EXACT), "The command is known exactly, or was inferred."),
    ("beside", _INNER, Beside, "Another thing in the same line is so."),
    ("not", _INNER, Not, "It is not so."),
    ("any", OneOrMany(_INNER), _any, "One of these is so."),
    ("all", OneOrMany(_INNER), _all, "All of these are so."),
)  # fmt: skip


_PLACES = {key: place for place, (key, *_) in enumerate(_ROWS)}


MATCH_KEYS = tuple(Key(key, Checked(shape, make), sentence) for key, shape, make, sentence in _ROWS)
_MATCH = Record("a match", MATCH_KEYS, lambda found: _all(found.values()))
