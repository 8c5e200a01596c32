"""YAML as a tree with places, and what is refused of it."""

from __future__ import annotations

import time

import pytest

from watchgate.configuration import yamltree
from watchgate.configuration.places import Problems
from watchgate.configuration.yamltree import Listing, Mapping, Node, Scalar


def plain(node: Node | None) -> object:
    """A tree as Python has it, text for every word."""
    match node:
        case Mapping():
            return {key.text: plain(value) for key, value in node.entries}
        case Listing():
            return [plain(item) for item in node.items]
        case Scalar():
            return node.text
        case None:
            return None


def tree(text: str) -> object:
    problems = Problems()
    node = yamltree.parse(text.encode(), "f", problems)
    assert problems.found == ()
    return plain(node)


def problem(octets: bytes, *, foreign: bool = False) -> str:
    problems = Problems()
    yamltree.parse(octets, "f", problems, foreign=foreign)
    return "\n".join(map(str, problems.found))


def test_a_tree_knows_where_everything_stands() -> None:
    node = yamltree.parse(b"a:\n  - b\n  - c: d\n", "f", Problems())

    assert isinstance(node, Mapping)
    key, listing = node.entries[0]
    assert str(key.place) == "f:1:1"
    assert isinstance(listing, Listing)
    assert [str(item.place) for item in listing.items] == ["f:2:5", "f:3:5"]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("web1", "text"),
        ("no", "true or false"),
        ("On", "true or false"),
        ("0123", "a number"),
        ("1e3", "a number"),
        ("1.0e+3", "a number"),
        ("0x10", "a number"),
        ("12:30", "a number"),
        ("2026-11-21", "a date"),
        ("~", "null"),
        ("''", "text"),
        ("'no'", "text"),
        ("10.0.0.5", "text"),
    ],
)
def test_it_says_what_yaml_takes_a_word_for(word: str, kind: str) -> None:
    node = yamltree.parse(word.encode(), "f", Problems())

    if kind == "null":
        assert node is None
    else:
        assert isinstance(node, Scalar)
        assert node.kind == kind


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "--- ~\n...\n"])
def test_a_file_may_say_nothing(text: str) -> None:
    assert tree(text) is None


def test_anchors_aliases_and_merge_keys_stand_for_what_they_name() -> None:
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a\nd: {<<: [{z: 4}, *a]}\n"

    assert tree(text) == {
        "a": {"x": "1", "y": "2"},
        "b": {"y": "3", "x": "1"},
        "c": {"x": "1", "y": "2"},
        "d": {"z": "4", "x": "1", "y": "2"},
    }


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"a: 1\na: 2\n", "f:2:1: the key 'a' is here twice; first at f:1:1"),
        (b"a: !!python/object/apply:os.system [id]", "f:1:4: the tag "),
        (b"a: !vault x", "f:1:4: the tag !vault has no meaning here"),
        (b"a: !!str x", "f:1:4: the tag "),
        (b"a:\n\t- b", "f:2:1: a tab stands where YAML wants spaces"),
        (b"a: \xff", "f:1:4: this is not UTF-8"),
        ("é: \x07".encode(), "f:1:4: the character U+0007 may not stand in a file"),
        (b"a: b\0", "f:1:5: the character U+0000 may not stand"),
        (b"a: b\n---\nc: d", "f:2:1: a second document begins"),
        (b"a: *b", "f:1:4: the alias *b stands for nothing"),
        (b"a: &a [*a]", "f:1:8: the alias *a stands for nothing that is complete"),
        (b"a: *", "* begins an alias in YAML; where it means all, quote it"),
        (
            b"a: [b",
            "f:2:1: this is not YAML: did not find expected ',' or ']', in what begins in line 1",
        ),
        (b"? [a]\n: b", "f:1:3: a key is one word"),
        (b"<<: 1", "f:1:5: << takes over mappings"),
        (b"[" * 40, "is nested more than 20 deep"),
        (b"%YAML 9.9\n---\na: b", "f:"),
    ],
)
def test_what_is_refused_is_said_with_its_place(octets: bytes, said: str) -> None:
    assert said in problem(octets)


def test_aliases_of_aliases_are_refused_before_they_cost_anything() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 15):
        inner = ", ".join([f"*a{level - 1}"] * 9)
        lines.append(f"a{level}: &a{level} [{inner}]")
    started = time.monotonic()
    said = problem("\n".join(lines).encode())

    assert "stand for more than 10000 values" in said
    assert said.startswith("f:5:")
    assert time.monotonic() - started < 1


def test_merge_keys_of_merge_keys_are_bounded_too() -> None:
    pairs = ", ".join(f"k{number}: 1" for number in range(100))
    lines = [f"a0: &a0 {{{pairs}}}"]
    lines += [f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}], own{n}: 1}}" for n in range(1, 40)]

    assert "stand for more than 10000 values" in problem("\n".join(lines).encode())


def test_a_foreign_file_may_have_tags_which_are_not_read() -> None:
    node = yamltree.parse(b"a: !vault |\n  $ANSIBLE\nb: 1", "f", Problems(), foreign=True)

    assert isinstance(node, Mapping)
    tagged = node.entries[0][1]
    assert isinstance(tagged, Scalar)
    assert tagged.kind == yamltree.TAGGED
