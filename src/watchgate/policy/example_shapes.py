"""What may stand behind `expect:`: one line with what it must be, or several at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from watchgate.configuration import yamltree
from watchgate.configuration.shapes import Choice, Flag, Key, Many, Record, Spot, Text
from watchgate.configuration.yamltree import Node, Scalar
from watchgate.errors import ConfigurationError
from watchgate.policy.commands import Place
from watchgate.policy.examples import Example

MOST_EXAMPLES = 500
LONGEST_LINE = 65_536

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _line(text: str) -> str:
    if len(text) > LONGEST_LINE:
        raise ConfigurationError(
            f"this line has {len(text):,} characters; {LONGEST_LINE:,} are allowed",
            code="rule.illegal-example",
        )
    return text


def _moment_us(text: str) -> int:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigurationError(
            f"{text!r} is not a moment; write 2026-11-21T18:00Z", code="rule.illegal-example"
        ) from error
    if at.tzinfo is None:
        raise ConfigurationError(
            f"{text} is another moment in each time zone; write it with Z or an offset: {text}Z",
            code="rule.illegal-example",
        )
    return (at - _EPOCH) // timedelta(microseconds=1)


_NUMBERS = frozenset({"a number", "true or false", "null", "a date"})
_LINE = Text("a line", _line, _NUMBERS - {"null"})
_LINES = Many(_LINE, MOST_EXAMPLES)
_NAME = Text("a name", may_be=frozenset({"a number"}))


@dataclass(frozen=True, slots=True)
class Whether:
    """True or false, or the lines of which it is true."""

    expected: str = "true or false, or a list of lines"

    def read(self, node: Node, spot: Spot) -> Any:
        return (_LINES if isinstance(node, yamltree.Listing) else Flag()).read(node, spot)

    def schema(self) -> dict[str, Any]:
        return {"anyOf": [Flag().schema(), _LINES.schema()]}


def _examples(found: dict[str, Any]) -> tuple[Example, ...]:
    line, matches, misses = found.get("line"), found.get("matches"), found.get("misses")
    around = {
        word: found[word]
        for word in ("operator", "target", "account", "cwd", "inside", "place")
        if word in found
    } | ({"at_us": found["at"]} if "at" in found else {})
    if line is not None:
        if not isinstance(matches, bool) or misses is not None:
            raise ConfigurationError(
                "an example with a line says whether it matches: {line: …, matches: true}",
                code="rule.illegal-example",
            )
        return (Example(line, matches, **around),)
    if isinstance(matches, bool) or not (matches or misses):
        raise ConfigurationError(
            "an example needs a line with matches: true or false; or a list of lines under matches "
            "or misses",
            code="rule.illegal-example",
        )
    return tuple(
        Example(text, expected, **around)
        for expected, lines in ((True, matches), (False, misses))
        for text in lines or ()
    )


def _all(found: list[tuple[Example, ...]]) -> tuple[Example, ...]:
    return tuple(dict.fromkeys(example for some in found for example in some))


@dataclass(frozen=True, slots=True)
class Examples:
    """Examples; where each of their lines stands is kept, so that a failure can say it."""

    items: Many

    @property
    def expected(self) -> str:
        return self.items.expected

    def read(self, node: Node, spot: Spot) -> Any:
        for scalar in _scalars(node):
            spot.places.setdefault((*spot.path, scalar.text), scalar.place)
        return self.items.read(node, spot)

    def schema(self) -> dict[str, Any]:
        return self.items.schema()


def _scalars(node: Node) -> Iterator[Scalar]:
    match node:
        case Scalar():
            yield node
        case yamltree.Listing(items=items):
            for item in items:
                yield from _scalars(item)
        case yamltree.Mapping(entries=entries):
            for _, value in entries:
                yield from _scalars(value)


_ITEMS = Many(
    Record(
        "an example",
        (
            Key("line", _LINE, "A line; says `matches` too."),
            Key(
                "matches",
                Whether(),
                "Whether the rule matches the line; or lines that it must match.",
            ),
            Key("misses", _LINES, "Lines that it must not match."),
            Key("operator", _NAME, "By this operator."),
            Key("target", _NAME, "On this target."),
            Key("account", _NAME, "As this account."),
            Key("cwd", Text("a path"), "In this working directory."),
            Key("inside", _NAME, "Typed into this program."),
            Key(
                "place",
                Choice(Place),
                "Given to this: `device` is the command line of a network device. Else a shell, or the "
                "program of `inside`.",
            ),
            Key(
                "at",
                Text("a date with a time", _moment_us, frozenset({"a date"}), "2026-11-21T18:00Z"),
                "At this moment; without it, a schedule does not matter.",
            ),
        ),
        _examples,
    ),
    MOST_EXAMPLES,
    _all,
)

EXAMPLES = Examples(_ITEMS)
