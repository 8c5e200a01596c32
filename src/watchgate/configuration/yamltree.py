"""YAML as a tree that knows where each of its words stands.

PyYAML reads the events; the tree is made here, because a tree for configuration must remember places,
refuse what YAML lets pass (a key twice, a tag that asks for an object), and stay small whatever the
file says: an alias costs as many nodes as what it stands for, and there is a bound for that.

What a word without quotes would be to other readers of YAML is kept beside its text: whoever expects a
name can then say that `no` wants quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from watchgate.configuration.places import Place, Problems

DEEPEST = 20
MOST_ALIASED = 10_000
"""How many nodes aliases may stand for in one file."""

TEXT, NULL, TAGGED = "text", "null", "tagged"
MERGE = "<<"

# The C parser where PyYAML was built with it; both report the same events.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_KINDS = {
    "tag:yaml.org,2002:bool": "true or false",
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:null": NULL,
    "tag:yaml.org,2002:timestamp": "a date",
}
# PyYAML reads YAML 1.1; these are numbers to readers of YAML 1.2.
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)[eE][-+]?\d+|0o[0-7]+", re.ASCII)
_RESOLVER = yaml.SafeLoader("")


@dataclass(frozen=True, slots=True)
class Scalar:
    """One word or text; *kind* is `text`, or what YAML takes it for because it has no quotes."""

    text: str
    kind: str
    place: Place


@dataclass(frozen=True, slots=True)
class Listing:
    """A list."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and what they have, in their order; no key is there twice."""

    entries: tuple[tuple[Scalar, Node], ...]
    place: Place


Node = Scalar | Listing | Mapping


class _UnreadableError(Exception):
    """The file cannot be read on."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end was not read yet."""

    place: Place
    anchor: str | None
    is_mapping: bool
    items: list[Node] = field(default_factory=list)
    size: int = 1


def parse(octets: bytes, file: str, problems: Problems, *, foreign: bool = False) -> Node | None:
    """The tree of one file; None when it holds nothing, or when a problem was added.

    A *foreign* file may have tags (`!vault`): what bears one is of the kind `tagged`, and is not read.
    """
    try:
        text = _decoded(octets, file)
        return _Builder(file, problems, foreign).build(_events(text, file))
    except _UnreadableError as refused:
        problems.add(refused.place, "", str(refused))
        return None


def _decoded(octets: bytes, file: str) -> str:
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _position(octets[: error.start].decode("utf-8", "replace"))
        raise _UnreadableError(
            Place(file, line, column), "this is not UTF-8; save the file as UTF-8"
        ) from None
    if (found := _FORBIDDEN.search(text)) is not None:
        line, column = _position(text[: found.start()])
        raise _UnreadableError(
            Place(file, line, column),
            f"the character U+{ord(found[0]):04X} may not stand in a file; "
            'write it as an escape in double quotes: "\\x1B"',
        )
    return text


def _position(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _events(text: str, file: str) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(file) if mark is None else Place(file, mark.line + 1, mark.column + 1)
        raise _UnreadableError(place, _syntax(error, mark, text)) from error


def _syntax(error: yaml.YAMLError, mark: yaml.Mark | None, text: str) -> str:
    said = str(getattr(error, "problem", None) or error).partition("\n")[0]
    lines = text.splitlines()
    if mark is not None and mark.line < len(lines):
        line = lines[mark.line]
        if (
            "\t" in line[: len(line) - len(line.lstrip())]
            or line[mark.column : mark.column + 1] == "\t"
        ):
            return "a tab stands where YAML wants spaces; indent with spaces"
    if "scanning an alias" in str(getattr(error, "context", None)):
        return '* begins an alias in YAML; where it means all, quote it: "*"'
    begun = getattr(error, "context_mark", None)
    where = f", in what begins in line {begun.line + 1}" if begun is not None else ""
    return f"this is not YAML: {said}{where}"


class _Builder:
    """Makes the tree from events, without recursion."""

    def __init__(self, file: str, problems: Problems, foreign: bool) -> None:
        self._file = file
        self._foreign = foreign
        self._problems = problems
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._aliased = 0
        self._root: Node | None = None

    def build(self, events: Iterator[yaml.Event]) -> Node | None:
        documents = 0
        for event in events:
            match event:
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        raise _UnreadableError(
                            self._place(event), "a second document begins; a file holds one"
                        )
                case yaml.ScalarEvent():
                    self._refuse_tag(event)
                    self._add(self._scalar(event), event.anchor, 1)
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.CollectionStartEvent():
                    self._begin(event)
                case yaml.CollectionEndEvent():
                    self._end(self._open.pop())
                case _:
                    pass
        empty = isinstance(self._root, Scalar) and self._root.kind == NULL
        return None if empty else self._root

    def _place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        if mark is None:
            return Place(self._file)
        return Place(self._file, mark.line + 1, mark.column + 1)

    def _refuse_tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.tag is not None and not self._foreign:
            raise _UnreadableError(
                self._place(event), f"the tag {event.tag} has no meaning here; leave it out"
            )

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        kind = TEXT if event.tag is None else TAGGED
        if event.implicit[0]:
            tag = _RESOLVER.resolve(yaml.ScalarNode, event.value, (True, False))  # type: ignore[no-untyped-call]
            kind = "a number" if _NUMBER.fullmatch(event.value) else _KINDS.get(tag, TEXT)
        return Scalar(event.value, kind, self._place(event))

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        self._refuse_tag(event)
        place = self._place(event)
        if len(self._open) >= DEEPEST:
            raise _UnreadableError(place, f"this is nested more than {DEEPEST} deep")
        if event.anchor is not None:
            # Until it is closed it stands for nothing: a thing cannot be part of itself.
            self._anchors.pop(event.anchor, None)
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        self._open.append(_Open(place, event.anchor, is_mapping))

    def _alias(self, event: yaml.AliasEvent) -> None:
        known = self._anchors.get(event.anchor or "")
        if known is None:
            raise _UnreadableError(
                self._place(event),
                f"the alias *{event.anchor} stands for nothing that is complete before it",
            )
        node, size = known
        self._aliased += size
        if self._aliased > MOST_ALIASED:
            raise _UnreadableError(
                self._place(event),
                f"the aliases up to *{event.anchor} stand for more than {MOST_ALIASED} values; "
                "write out what is meant",
            )
        self._add(node, None, size)

    def _add(self, node: Node, anchor: str | None, size: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = (node, size)
        if self._open:
            self._open[-1].items.append(node)
            self._open[-1].size += size
        else:
            self._root = node

    def _end(self, done: _Open) -> None:
        if not done.is_mapping:
            self._add(Listing(tuple(done.items), done.place), done.anchor, done.size)
            return
        pairs = zip(done.items[::2], done.items[1::2], strict=True)
        made = Mapping(tuple(self._entries(list(pairs))), done.place)
        self._add(made, done.anchor, done.size)

    def _entries(self, pairs: list[tuple[Node, Node]]) -> Iterator[tuple[Scalar, Node]]:
        own: dict[str, Scalar] = {}
        merged: list[Mapping] = []
        for key, value in pairs:
            if not isinstance(key, Scalar):
                self._problems.add(key.place, "", "a key is one word, not a list or a mapping")
            elif key.text in own:
                self._problems.add(
                    key.place,
                    "",
                    f"the key {key.text!r} is here twice; first at {own[key.text].place}",
                )
            else:
                own[key.text] = key
                if key.text == MERGE and key.kind == TEXT:
                    merged += self._merged(value)
                else:
                    yield key, value
        # What a mapping says itself stands before what it takes over (yaml.org/type/merge.html).
        for one in merged:
            for key, value in one.entries:
                if key.text not in own:
                    own[key.text] = key
                    yield key, value

    def _merged(self, value: Node) -> list[Mapping]:
        found = list(value.items) if isinstance(value, Listing) else [value]
        wrong = [one for one in found if not isinstance(one, Mapping)]
        for one in wrong:
            self._problems.add(one.place, "", "<< takes over mappings: write <<: *name")
        return [one for one in found if isinstance(one, Mapping)]
